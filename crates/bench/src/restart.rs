//! `bench restart`: `kill -9` and a new start under traffic. No packet may be lost, no kernel object that was right be touched.

use crate::lab::api::{Api, id};
use crate::lab::events::{Counts, Watch, told};
use crate::lab::instance::{Instance, Nic};
use crate::lab::objects::{differences, snapshot};
use crate::lab::server::{Program, Role};
use crate::probe::{Pace, Probe, ProbeId};
use crate::report::{self, Figure, Goal};
use crate::wire::ms_between;
use crate::wire::stage::{self, Stage, StageOptions};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);
const PORT: u16 = 7002;

/// Options of `bench restart`.
#[derive(Args)]
pub struct Restart {
    #[command(flatten)]
    pub program: Program,
    #[command(flatten)]
    pub stage: StageOptions,
    /// Ports.
    #[arg(long, default_value_t = 200)]
    pub ports: usize,
    /// Echo requests a second, over all ports.
    #[arg(long, default_value_t = 1000)]
    pub pps: u64,
    /// Rounds of each kind.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Milliseconds between the kill and the new start.
    #[arg(long, default_value_t = 300)]
    pub down_ms: u64,
    /// Milliseconds of traffic before the kill, and after the agent is in sync.
    #[arg(long, default_value_t = 2000)]
    pub around_ms: u64,
    /// Name of the run in the results.
    #[arg(long, default_value = "neutrino")]
    pub label: String,
    /// Where the results go (JSON).
    #[arg(long, default_value = "restart.json")]
    pub out: PathBuf,
}

#[derive(Default)]
struct Measured {
    sent: u64,
    lost: Vec<f64>,
    duplicates: u64,
    in_sync: Vec<f64>,
    answer: Vec<f64>,
    change: Vec<f64>,
    touched: Vec<String>,
    told: Counts,
}

/// All rounds; fails when a packet was lost or an object touched.
pub fn run(options: &Restart) -> Result<ExitCode> {
    let mut stage = Stage::set(&options.program, &options.stage)?;
    let (instances, nics, probes) = traffic(&mut stage, options.ports)?;
    stage.settle()?;
    eprintln!("  {} ports are wired and answer", options.ports);
    let mut figures = Vec::new();
    let mut roles = vec![stage.agent];
    if stage.agent == Role::Agent {
        roles.push(Role::Server);
    }
    for role in roles {
        let mut measured = Measured::default();
        for _ in 0..options.rounds {
            quiet(&mut stage, options, role, &probes, &mut measured)?;
        }
        if role != Role::Server {
            for round in 0..options.rounds {
                pending(&mut stage, options, role, &instances, &nics, round, &mut measured)?;
            }
        }
        figures.extend(measured.figures(role, options));
    }
    let missed = report::figures(&options.out, &options.label, figures)?;
    stage.engine.remove(&probes)?;
    let hard: Vec<_> = missed.into_iter().filter(|what| what.contains("lost") || what.contains("touched")).collect();
    if hard.is_empty() { Ok(ExitCode::SUCCESS) } else { bail!("missed: {}", hard.join("; ")) }
}

/// Instances in a ring, each of which pings the next: all ports carry the same.
fn traffic(stage: &mut Stage, count: usize) -> Result<(Vec<Instance>, Vec<Nic>, Vec<ProbeId>)> {
    let open_group = stage.open_group.clone();
    let (mut instances, nics) = stage.instances(count, &[&open_group])?;
    for (at, instance) in instances.iter_mut().enumerate() {
        let (next, previous) = (&nics[(at + 1) % count], &nics[(at + count - 1) % count]);
        let known = stage.known(vec![next, previous]);
        instance.learn(&known)?;
    }
    let probes = stage::echoes(&mut stage.engine, &instances, |at| nics[(at + 1) % count].address)?;
    stage::all_pass(&stage.engine, &probes)?;
    Ok((instances, nics, probes))
}

/// Nothing changes meanwhile: nothing may be touched.
fn quiet(stage: &mut Stage, options: &Restart, role: Role, probes: &[ProbeId], measured: &mut Measured) -> Result<()> {
    let around = Duration::from_millis(options.around_ms);
    let before = snapshot()?;
    let mut watch = Watch::start()?;
    let interval = Duration::from_secs(1) * u32::try_from(probes.len())? / u32::try_from(options.pps)?;
    stage.engine.start(probes, Pace::steady(interval))?;
    sleep(around);
    // What came before the kill is not the restart's.
    watch.take()?;
    let started = bounce(stage, options, role)?;
    if role != Role::Agent {
        measured.answer.push(ms_between(started, stage.lab.answers()?));
    }
    if role != Role::Server {
        let said = stage
            .lab
            .in_sync(role, started, LONG)
            .with_context(|| format!("the agent does not say '{}' within {} s", options.program.in_sync, LONG.as_secs()))?;
        measured.in_sync.push(ms_between(started, said));
    }
    sleep(around);
    stage.engine.stop(probes)?;
    stage.engine.all_silent(probes, Instant::now(), Duration::from_millis(500), LONG);
    let told = watch.take()?;
    let tallies = stage.engine.tallies(probes);
    let (sent, received) = tallies.iter().fold((0, 0), |(sent, received), tally| (sent + tally.sent, received + tally.received));
    measured.sent += sent;
    measured.lost.push((sent - received) as f64);
    measured.duplicates += tallies.iter().map(|tally| tally.duplicates).sum::<u64>();
    measured.touched.extend(differences(&before, &snapshot()?));
    for (kind, count) in told {
        *measured.told.entry(kind).or_default() += count;
    }
    eprintln!("  {role:?}: {} of {sent} packets lost; in sync after {:?} ms", sent - received, measured.in_sync.last());
    Ok(())
}

/// A rule is asked for as early as possible: the time from the start to its effect is the time to be in sync, told by packets.
fn pending(
    stage: &mut Stage,
    options: &Restart,
    role: Role,
    instances: &[Instance],
    nics: &[Nic],
    round: usize,
    measured: &mut Measured,
) -> Result<()> {
    let group = stage::group(&mut stage.api, "pending")?;
    let nic = &nics[round % nics.len()];
    stage.api.update("ports", &nic.port, json!({"security_groups": [group]}))?;
    let probe = stage.engine.add(Probe::udp(&stage.reference, &instances[round % nics.len()], nic.address, PORT)?)?;
    stage.engine.start(&[probe], Pace::first_of(1))?;
    // Until the port is closed, packets still pass and end the probe: start it anew.
    let end = Instant::now() + LONG;
    while stage.engine.all_arrived(&[probe], Duration::from_millis(300)).is_some() {
        ensure!(Instant::now() < end, "a port without ingress rules lets packets in");
        stage.engine.start(&[probe], Pace::first_of(1))?;
    }
    let rule = json!({"security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "protocol": "udp",
        "port_range_min": PORT, "port_range_max": PORT});
    let started = if role == Role::Agent {
        // The agent is down when the rule comes.
        stage.lab.kill(role)?;
        stage.api.create("security-group-rules", rule)?;
        sleep(Duration::from_millis(options.down_ms));
        stage.lab.start(role)?
    } else {
        let started = bounce(stage, options, role)?;
        stage.lab.answers()?;
        let mut api = stage.lab.connect()?;
        api.create("security-group-rules", rule)?;
        stage.api = api;
        started
    };
    let effect = stage.engine.all_arrived(&[probe], LONG).context("the rule has no effect after the restart")?;
    measured.change.push(ms_between(started, effect));
    stage.engine.remove(&[probe])?;
    let open_group = stage.open_group.clone();
    stage.api.update("ports", &nic.port, json!({"security_groups": [open_group]}))?;
    remove_group(&mut stage.api, &group)
}

fn remove_group(api: &mut Api, group: &str) -> Result<()> {
    let there = api.get(&format!("security-groups/{group}"))?;
    ensure!(id(&there["security_group"])? == group, "another group than asked for");
    api.delete("security-groups", group).map(drop)
}

fn bounce(stage: &mut Stage, options: &Restart, role: Role) -> Result<Instant> {
    stage.lab.kill(role)?;
    sleep(Duration::from_millis(options.down_ms));
    stage.lab.start(role)
}

impl Measured {
    fn figures(self, role: Role, options: &Restart) -> Vec<Figure> {
        let name = match role {
            Role::Up => "server and agent",
            Role::Server => "server",
            Role::Agent => "agent",
        };
        let what = |what: &str| format!("{name} killed and started, {} ports: {what}", options.ports);
        let touched: Vec<f64> = vec![self.touched.len() as f64];
        self.touched.iter().take(40).for_each(|line| eprintln!("  touched: {line}"));
        let events: u64 = self.told.values().sum();
        let mut figures = vec![
            Figure::of(what("packets lost"), "packets", self.lost)
                .goal(Goal::Max(0.0))
                .note(format!("of {} in all, {}/s; {} twice", self.sent, options.pps, self.duplicates)),
            Figure::of(what("objects touched"), "objects", touched)
                .goal(Goal::Max(0.0))
                .note("links with index, addresses, routes, neighbours, FDB, nft with handles, daemons"),
            Figure::of(what("touched: kernel notifications"), "events", vec![events as f64]).goal(Goal::Max(0.0)).note(told(&self.told)),
        ];
        for (label, values, goal) in [
            ("start to in sync, as the agent says", self.in_sync, Some(200.0)),
            ("start to the first answer", self.answer, None),
            ("start to the effect of a rule asked for meanwhile", self.change, None),
        ] {
            if !values.is_empty() {
                let figure = Figure::of(what(label), "ms", values);
                figures.push(goal.map_or_else(|| figure.clone(), |most| figure.clone().goal(Goal::Max(most))));
            }
        }
        figures
    }
}
