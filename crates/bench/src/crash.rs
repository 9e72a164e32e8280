//! `bench crash`: the server killed with `-9` under clients that create and delete ports. What was answered holds, the rest is whole or absent.

use crate::http::{Connection, Request};
use crate::lab::api::Api;
use crate::lab::server::{Lab, Program, Role};
use crate::report::{self, Figure, Goal};
use crate::wire::ms_between;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Ports of a bulk create: all of them are made or none.
const BULK: usize = 5;
/// Ports that are created to see where the quota ends.
const ROOM: usize = 3;

/// Options of `bench crash`.
#[derive(Args)]
pub struct Crash {
    #[command(flatten)]
    pub program: Program,
    /// How often the server is killed.
    #[arg(long, default_value_t = 20)]
    pub rounds: usize,
    /// Clients.
    #[arg(long, default_value_t = 32)]
    pub clients: usize,
    /// Milliseconds of load before the first kill; each later round adds some, so that kills fall at any point.
    #[arg(long, default_value_t = 200)]
    pub load_ms: u64,
    /// Name of the run in the results.
    #[arg(long, default_value = "neutrino")]
    pub label: String,
    /// Where the results go (JSON).
    #[arg(long, default_value = "crash.json")]
    pub out: PathBuf,
}

/// What the clients know.
#[derive(Default)]
struct Known {
    /// Answered creates, as answered, by id.
    created: BTreeMap<String, Value>,
    /// Names of answered creates.
    answered: BTreeSet<String>,
    /// Answered deletes.
    deleted: BTreeSet<String>,
    /// Deletes without an answer: either is right.
    doubtful: BTreeSet<String>,
    /// Answers that were neither a success nor an end of the connection.
    refused: Vec<String>,
    next: u64,
}

/// All rounds; fails on the first one that finds something wrong.
pub fn run(options: &Crash) -> Result<ExitCode> {
    let mut lab = Lab::new(&options.program)?;
    lab.start(Role::Server)?;
    lab.answers()?;
    let mut api = lab.connect()?;
    let network = api.create("networks", json!({"name": "crash"}))?;
    let project = network["project_id"].as_str().context("a network without project")?.to_owned();
    let network = crate::lab::api::id(&network)?;
    api.create("subnets", json!({"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/12"}))?;
    api.create("subnets", json!({"network_id": network, "ip_version": 6, "cidr": "2001:db8::/64"}))?;
    quota(&mut api, &project, -1)?;
    let known = Rc::new(RefCell::new(Known::default()));
    let (mut violations, mut answers) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let load = Duration::from_millis(options.load_ms + (round as u64 * 61) % 400);
        batter(&mut lab, &api, options.clients, &network, &known, load)?;
        let started = lab.start(Role::Server)?;
        answers.push(ms_between(started, lab.answers()?));
        api = lab.connect()?;
        let found = check(&mut api, &network, &project, &known.borrow(), round)?;
        eprintln!("  kill {}: {} answered creates, {} wrong", round + 1, known.borrow().created.len(), found.len());
        found.iter().take(10).for_each(|text| eprintln!("    {text}"));
        violations.push(found.len() as f64);
    }
    let known = known.borrow();
    ensure!(!known.created.is_empty(), "no create was answered: nothing is proven");
    let note = format!(
        "{} answered creates, {} answered deletes, {} clients{}",
        known.created.len(),
        known.deleted.len(),
        options.clients,
        known.refused.first().map(|text| format!("; {} refused, such as {text}", known.refused.len())).unwrap_or_default()
    );
    let figures = vec![
        Figure::of("server killed under creates: violations", "", violations).goal(Goal::Max(0.0)).note(note),
        Figure::of("server killed under creates: start to first answer", "ms", answers),
    ];
    let missed = report::figures(&options.out, &options.label, figures)?;
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Clients at work until the server is killed among them.
fn batter(lab: &mut Lab, api: &Api, clients: usize, network: &str, known: &Rc<RefCell<Known>>, load: Duration) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let workers: Vec<_> = (0..clients)
        .map(|_| anyhow::Ok(local.spawn_local(client(api.connection()?, network.to_owned(), known.clone()))))
        .collect::<Result<_>>()?;
    local.block_on(&runtime, async {
        tokio::time::sleep(load).await;
        lab.kill(Role::Server)?;
        for worker in workers {
            worker.await.context("a client failed")?;
        }
        Ok(())
    })
}

/// Single and bulk creates, and a delete now and then, until the connection breaks.
async fn client(mut connection: Connection, network: String, known: Rc<RefCell<Known>>) {
    let mut own: Vec<String> = Vec::new();
    loop {
        let number = {
            let mut known = known.borrow_mut();
            known.next += 1;
            known.next
        };
        let doomed = if number.is_multiple_of(4) { own.pop() } else { None };
        let request = match &doomed {
            Some(id) => Request { method: "DELETE", path: format!("/v2.0/ports/{id}"), body: String::new() },
            None => create(number, &network),
        };
        let answer = connection.once(&request).await;
        let mut known = known.borrow_mut();
        match (answer, doomed) {
            (Ok(answer), Some(id)) if answer.status == 204 => {
                known.created.remove(&id);
                known.deleted.insert(id);
            }
            (Ok(answer), None) if answer.status == 201 => {
                for port in ports(&answer.body) {
                    own.extend(port["id"].as_str().map(str::to_owned));
                    known.answered.extend(port["name"].as_str().map(str::to_owned));
                    known.created.insert(port["id"].as_str().unwrap_or_default().to_owned(), port);
                }
            }
            (Ok(answer), _) => known.refused.push(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))),
            (Err(_), doomed) => {
                known.doubtful.extend(doomed);
                return;
            }
        }
    }
}

/// Names tell which ports came of one request: `<number>` or `<number>+<size>`.
fn create(number: u64, network: &str) -> Request {
    let port = |name: String| json!({"network_id": network, "name": name});
    let body = if number.is_multiple_of(5) {
        json!({"ports": vec![port(format!("{number}+{BULK}")); BULK]})
    } else {
        json!({"port": port(number.to_string())})
    };
    Request { method: "POST", path: "/v2.0/ports".to_owned(), body: body.to_string() }
}

fn ports(body: &[u8]) -> Vec<Value> {
    let mut answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer["ports"].take() {
        Value::Array(ports) => ports,
        _ => vec![answer["port"].take()],
    }
}

/// What is wrong, in words.
fn check(api: &mut Api, network: &str, project: &str, known: &Known, round: usize) -> Result<Vec<String>> {
    let mut answer = api.get(&format!("ports?network_id={network}"))?;
    let there: BTreeMap<String, Value> = answer["ports"]
        .as_array_mut()
        .context("a list of ports")?
        .drain(..)
        .map(|port| (port["id"].as_str().unwrap_or_default().to_owned(), port))
        .collect();
    let mut wrong = Vec::new();
    for (id, answered) in &known.created {
        match there.get(id) {
            None if known.doubtful.contains(id) => {}
            None => wrong.push(format!("port {id} was answered and is not there")),
            Some(port) if port != answered => wrong.push(format!("port {id} was answered as {answered} and is {port}")),
            Some(_) => {}
        }
    }
    wrong.extend(known.deleted.iter().filter(|id| there.contains_key(*id)).map(|id| format!("port {id} was deleted and is there")));
    wrong.extend(unique(&there));
    wrong.extend(whole(&there, known));
    wrong.extend(quota_ends(api, network, project, round)?);
    Ok(wrong)
}

/// No address or MAC twice, and all attributes of a port there.
fn unique(there: &BTreeMap<String, Value>) -> Vec<String> {
    let (mut wrong, mut taken) = (Vec::new(), BTreeMap::new());
    for (id, port) in there {
        let addresses = port["fixed_ips"].as_array().map(Vec::as_slice).unwrap_or_default();
        if addresses.len() != 2 || port["mac_address"].as_str().is_none() || port["security_groups"][0].as_str().is_none() {
            wrong.push(format!("port {id} is half made: {port}"));
        }
        let addresses = addresses.iter().map(|address| &address["ip_address"]);
        for value in addresses.chain([&port["mac_address"]]).filter_map(Value::as_str) {
            if let Some(other) = taken.insert(value, id) {
                wrong.push(format!("ports {other} and {id} both have {value}"));
            }
        }
    }
    wrong
}

/// Of a bulk create all ports are there or none. Those that were answered are looked at one by one: some are deleted since.
fn whole(there: &BTreeMap<String, Value>, known: &Known) -> Vec<String> {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for port in there.values() {
        *sizes.entry(port["name"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let torn = sizes.into_iter().filter(|(name, size)| {
        let wanted = name.split_once('+').and_then(|(_, size)| size.parse().ok()).unwrap_or(1);
        *size > wanted || (*size < wanted && !known.answered.contains(*name))
    });
    torn.map(|(name, size)| format!("{size} ports came of request {name}")).collect()
}

/// Sets the quota a little above what is there: so many more can be created and not one beyond.
fn quota_ends(api: &mut Api, network: &str, project: &str, round: usize) -> Result<Vec<String>> {
    let answer = api.get(&format!("ports?project_id={project}&fields=id"))?;
    let used = answer["ports"].as_array().context("a list of ports")?.len();
    quota(api, project, (used + ROOM) as i64)?;
    let mut made = Vec::new();
    let mut wrong = Vec::new();
    for number in 0..=ROOM {
        let port = json!({"network_id": network, "name": format!("room-{round}-{number}"), "project_id": project});
        match (api.create("ports", port), number < ROOM) {
            (Ok(port), fits) => {
                made.push(crate::lab::api::id(&port)?);
                if !fits {
                    wrong.push(format!("{} ports fit a quota of {}", used + ROOM + 1, used + ROOM));
                }
            }
            (Err(error), true) => wrong.push(format!("port {} of a quota of {}: {error:#}", used + number + 1, used + ROOM)),
            (Err(error), false) => {
                if !error.to_string().contains("409") {
                    wrong.push(format!("the quota ends with {error:#}"));
                }
            }
        }
    }
    for id in made {
        api.delete("ports", &id)?;
    }
    quota(api, project, -1)?;
    Ok(wrong)
}

fn quota(api: &mut Api, project: &str, ports: i64) -> Result<Instant> {
    Ok(api.timed("PUT", &format!("quotas/{project}"), Some(&json!({"quota": {"port": ports}})))?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(id: &str, name: &str, mac: &str, address: &str) -> (String, Value) {
        let port = json!({"id": id, "name": name, "mac_address": mac, "security_groups": ["default"],
            "fixed_ips": [{"ip_address": address}, {"ip_address": format!("2001:db8::{id}")}]});
        (id.to_owned(), port)
    }

    #[test]
    fn finds_what_is_given_twice() {
        let ports = [port("1", "1", "m1", "10.0.0.1"), port("2", "2", "m2", "10.0.0.1"), port("3", "3", "m1", "10.0.0.3")];
        assert_eq!(unique(&ports.into()), ["ports 1 and 2 both have 10.0.0.1", "ports 1 and 3 both have m1"]);
    }

    #[test]
    fn finds_what_is_half_made() {
        let mut half = port("1", "1", "m1", "10.0.0.1");
        half.1["fixed_ips"] = json!([]);
        assert!(unique(&[half].into())[0].starts_with("port 1 is half made"));
        let some = [port("1", "7+5", "m1", "10.0.0.1"), port("2", "7+5", "m2", "10.0.0.2")];
        assert_eq!(whole(&some.into(), &Known::default()), ["2 ports came of request 7+5"]);
        let twice = [port("1", "7", "m1", "10.0.0.1"), port("2", "7", "m2", "10.0.0.2")];
        assert_eq!(whole(&twice.into(), &Known::default()), ["2 ports came of request 7"]);
    }
}
