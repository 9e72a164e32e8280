//! What is measured of the API, in the order of the table.

use crate::http::Request;
use crate::load::{Row, Server, ms};
use crate::process::Groups;
use crate::report::{ColdStart, Run, add};
use crate::{Api, Coldstart, Target};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CONNECTIONS: [usize; 3] = [1, 8, 32];
/// How often the creates at one size are measured.
const ROUNDS: usize = 9;

/// The measured run against a server that is up.
pub async fn run(options: &Api) -> Result<()> {
    let server = server(&options.target, Groups::parse(&options.group)?);
    let mut run = Run { label: options.label.clone(), ..Run::default() };
    run.memory_before_kib = server.groups.memory().0;
    lift_quotas(&server, &options.project).await?;
    crud(&server, options, &mut run.rows).await?;
    grow(&server, options, &mut run).await?;
    (run.memory_after_kib, run.processes) = server.groups.memory();
    eprintln!("  memory {} MiB before, {} MiB after", run.memory_before_kib / 1024, run.memory_after_kib / 1024);
    add(&options.out, &options.label, |there| {
        let cold_start = there.cold_start.take();
        let figures = std::mem::take(&mut there.figures);
        *there = Run { cold_start, figures, ..run };
    })
}

fn server(target: &Target, groups: Groups) -> Server {
    Server { url: target.url.clone(), headers: target.header.clone(), groups }
}

async fn lift_quotas(server: &Server, project: &str) -> Result<()> {
    let body = json!({"quota": {"network": -1, "subnet": -1, "port": -1, "security_group": -1, "security_group_rule": -1}});
    server.must(&Request { method: "PUT", path: format!("/v2.0/quotas/{project}"), body: body.to_string() }).await?;
    Ok(())
}

fn post(path: &str, name: &str, mut body: Value) -> Request {
    body["name"] = json!("bench");
    Request { method: "POST", path: path.to_owned(), body: json!({ name: body }).to_string() }
}

fn ids(bodies: &[Vec<u8>], name: &str) -> Result<Vec<String>> {
    let id = |body: &Vec<u8>| -> Result<String> {
        let value: Value = serde_json::from_slice(body)?;
        Ok(value[name]["id"].as_str().context("an answer without id")?.to_owned())
    };
    bodies.iter().map(id).collect()
}

fn each(method: &'static str, path: &str, ids: &[String], body: Option<Value>) -> Vec<Request> {
    let body = body.map(|b| b.to_string()).unwrap_or_default();
    ids.iter().map(|id| Request { method, path: format!("{path}/{id}"), body: body.clone() }).collect()
}

/// A network with a large subnet; returns its id.
async fn network(server: &Server, cidr: &str) -> Result<String> {
    let network = server.must(&post("/v2.0/networks", "network", json!({}))).await?;
    let id = network["network"]["id"].as_str().context("a network without id")?.to_owned();
    server.must(&post("/v2.0/subnets", "subnet", json!({"network_id": id, "ip_version": 4, "cidr": cidr}))).await?;
    Ok(id)
}

async fn crud(server: &Server, options: &Api, rows: &mut Vec<Row>) -> Result<()> {
    let home = network(server, "10.0.0.0/12").await?;
    for connections in CONNECTIONS {
        let count = if connections == 1 { options.one } else { options.many };
        let (row, bodies) = server.phase("POST network", connections, vec![post("/v2.0/networks", "network", json!({})); count]).await?;
        rows.push(row);
        let networks = ids(&bodies, "network")?;
        rows.push(server.phase("DELETE network", connections, each("DELETE", "/v2.0/networks", &networks, None)).await?.0);

        let create = post("/v2.0/ports", "port", json!({"network_id": home}));
        let (row, bodies) = server.phase("POST port", connections, vec![create; count]).await?;
        rows.push(row);
        let ports = ids(&bodies, "port")?;
        let rename = json!({"port": {"name": "renamed"}});
        rows.push(server.phase("PUT port name", connections, each("PUT", "/v2.0/ports", &ports, Some(rename))).await?.0);
        let gets: Vec<Request> = each("GET", "/v2.0/ports", &ports, None);
        let many: Vec<Request> = gets.iter().cycle().take(gets.len() * 4).cloned().collect();
        rows.push(server.phase("GET port", connections, many).await?.0);
        rows.push(server.phase("DELETE port", connections, each("DELETE", "/v2.0/ports", &ports, None)).await?.0);
    }
    rules(server, options, rows).await?;
    server.must(&Request { method: "DELETE", path: format!("/v2.0/networks/{home}"), body: String::new() }).await?;
    Ok(())
}

async fn rules(server: &Server, options: &Api, rows: &mut Vec<Row>) -> Result<()> {
    let group = server.must(&post("/v2.0/security-groups", "security_group", json!({}))).await?;
    let group = group["security_group"]["id"].as_str().context("a group without id")?.to_owned();
    let mut port = 0u16;
    for connections in CONNECTIONS {
        let count = (if connections == 1 { options.one } else { options.many }).min(2000);
        let mut rule = || {
            port += 1;
            let rule = json!({"security_group_rule": {"security_group_id": group, "direction": "ingress", "protocol": "tcp",
                "port_range_min": port, "port_range_max": port}});
            Request { method: "POST", path: "/v2.0/security-group-rules".to_owned(), body: rule.to_string() }
        };
        let requests = (0..count).map(|_| rule()).collect();
        rows.push(server.phase("POST security-group-rule", connections, requests).await?.0);
    }
    server.must(&Request { method: "DELETE", path: format!("/v2.0/security-groups/{group}"), body: String::new() }).await?;
    Ok(())
}

async fn count_ports(server: &Server) -> Result<usize> {
    let list = server.must(&Request::get("/v2.0/ports?fields=id")).await?;
    Ok(list["ports"].as_array().context("a list without ports")?.len())
}

/// Grows the number of ports step by step; at each size times a slice of creates and the lists.
async fn grow(server: &Server, options: &Api, run: &mut Run) -> Result<()> {
    let mut sizes: Vec<usize> = options.list.iter().chain(&options.flat).copied().collect();
    sizes.sort_unstable();
    sizes.dedup();
    let home = network(server, "10.16.0.0/12").await?;
    let mut hundred = None;
    for size in sizes {
        let there = count_ports(server).await?;
        let timed = options.flat.contains(&size) && options.populate.is_none();
        let slice = if timed { 1000.min(size.saturating_sub(there)) } else { 0 };
        if size > there + slice {
            fill(server, options, &home, size - slice, there).await?;
        }
        if slice > 0 {
            run.rows.push(cost_at(server, size, slice, &home).await?);
        }
        if hundred.is_none() {
            let own = network(server, "10.254.0.0/22").await?;
            bulk(server, &own, 100).await?;
            hundred = Some(own);
        }
        let there = count_ports(server).await?;
        ensure!(there >= size, "only {there} of {size} ports are there");
        if options.list.contains(&size) {
            lists(server, size, hundred.as_deref(), &mut run.rows).await?;
            if !options.member_header.is_empty() {
                run.rows.push(as_member(server, options, size).await?);
            }
        }
        run.memory_at.push((size, server.groups.memory().0));
    }
    Ok(())
}

/// What a create costs when `size` ports are there: the last ones of them are made, and taken away again, in several rounds, of which
/// the one of median processor time counts (a round takes a tenth of a second, in which one checkpoint of the database shows).
async fn cost_at(server: &Server, size: usize, slice: usize, network: &str) -> Result<Row> {
    let create = post("/v2.0/ports", "port", json!({"network_id": network}));
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS {
        let (row, bodies) = server.phase(&format!("POST port (at {size})"), 32, vec![create.clone(); slice]).await?;
        rounds.push(row);
        if rounds.len() < ROUNDS {
            server.phase("DELETE port", 32, each("DELETE", "/v2.0/ports", &ids(&bodies, "port")?, None)).await?;
        }
    }
    rounds.sort_by(|a, b| a.server_cpu_ms.total_cmp(&b.server_cpu_ms));
    Ok(rounds.swap_remove(ROUNDS / 2))
}

async fn fill(server: &Server, options: &Api, network: &str, to: usize, there: usize) -> Result<()> {
    let mut left = to - there;
    if let Some(command) = &options.populate {
        bulk(server, network, 1).await?;
        let command = command.replace("{network}", network).replace("{count}", &(left - 1).to_string());
        let status = Command::new("sh").arg("-c").arg(command).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "the populate command failed");
        return Ok(());
    }
    while left > 0 {
        let now = left.min(100);
        bulk(server, network, now).await?;
        left -= now;
    }
    Ok(())
}

async fn bulk(server: &Server, network: &str, count: usize) -> Result<()> {
    let port = json!({"network_id": network, "name": "bench"});
    let body = json!({"ports": vec![port; count]}).to_string();
    server.must(&Request { method: "POST", path: "/v2.0/ports".to_owned(), body }).await?;
    Ok(())
}

async fn lists(server: &Server, size: usize, hundred: Option<&str>, rows: &mut Vec<Row>) -> Result<()> {
    let rounds = if server.must(&Request::get("/v2.0/ports?limit=1")).await.is_ok() { 20 } else { 3 };
    let start = Instant::now();
    server.must(&Request::get("/v2.0/ports")).await?;
    let rounds = if start.elapsed() > Duration::from_secs(1) { 3 } else { rounds };
    let mut cases = vec![
        (format!("GET ports (all {size})"), "/v2.0/ports".to_owned(), vec![1, 8]),
        (format!("GET ports?fields=id (all {size})"), "/v2.0/ports?fields=id".to_owned(), vec![1]),
        (format!("GET ports?limit=100 (of {size})"), "/v2.0/ports?limit=100".to_owned(), vec![1]),
    ];
    if let Some(network) = hundred {
        cases.push(("GET ports?network_id (100)".to_owned(), format!("/v2.0/ports?network_id={network}"), vec![1, 32]));
    }
    for (name, path, connections) in cases {
        for connections in connections {
            rows.push(server.phase(&name, connections, vec![Request::get(path.clone()); rounds.max(connections)]).await?.0);
        }
    }
    Ok(())
}

/// What a plain member is shown of the same ports: the rules of each attribute are asked, too.
async fn as_member(server: &Server, options: &Api, size: usize) -> Result<Row> {
    let member = Server { url: server.url.clone(), headers: options.member_header.clone(), groups: server.groups.clone() };
    let rounds = vec![Request::get("/v2.0/ports"); 20];
    Ok(member.phase(&format!("GET ports as a member (all {size})"), 1, rounds).await?.0)
}

/// Time from the start command to the first 200 of `GET /` and of `GET /v2.0/networks`.
pub async fn cold_start(options: &Coldstart) -> Result<()> {
    let server = server(&options.target, Groups::default());
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        shell(&options.stop)?.wait()?;
        let start = Instant::now();
        let mut child = shell(&options.start)?;
        let root = first(&server, "/", start).await?;
        let networks = first(&server, "/v2.0/networks", start).await?;
        rounds.push((ms(&root), ms(&networks)));
        shell(&options.stop)?.wait()?;
        child.wait()?;
    }
    rounds.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (root_ms, networks_ms) = rounds[rounds.len() / 2];
    eprintln!("  cold start: GET / after {root_ms:.1} ms, GET /v2.0/networks after {networks_ms:.1} ms");
    add(&options.out, &options.label, |run| run.cold_start = Some(ColdStart { root_ms, networks_ms, rounds: rounds.len() }))
}

fn shell(command: &str) -> Result<std::process::Child> {
    Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("sh")
}

async fn first(server: &Server, path: &str, start: Instant) -> Result<Duration> {
    loop {
        if let Ok(answer) = server.connect()?.send(&Request::get(path)).await
            && answer.status == 200
        {
            return Ok(start.elapsed());
        }
        ensure!(start.elapsed() < Duration::from_secs(120), "no answer within two minutes");
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}
