//! Many routers with an interface and a gateway each: made from nothing, found again by a new agent, and what they cost.

use super::scene::{LONG, Scene};
use crate::lab::events::{Counts, Watch, told};
use crate::lab::instance::Nic;
use crate::lab::server::Role;
use crate::probe::{Pace, Probe};
use crate::process::{all_pids, available_kib};
use crate::report::{Figure, Goal};
use crate::wire::ms_between;
use anyhow::{Context, Result, ensure};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between a kill and the new start.
const DOWN: Duration = Duration::from_millis(300);
/// As long as nothing happens, nothing of what was made goes on.
const CALM: Duration = Duration::from_millis(2500);

pub(super) fn run(scene: &mut Scene, count: usize, restarts: usize) -> Result<Vec<Figure>> {
    // What a host has one of comes with the first router.
    let mut gateways = Vec::with_capacity(count);
    gateways.push(router(scene)?);
    answer(scene, &gateways)?;
    sleep(CALM);
    let (processes, memory) = (all_pids().len(), available_kib());
    scene.lab.kill(Role::Agent)?;
    for _ in 1..count {
        gateways.push(router(scene)?);
    }
    eprintln!("  {count} routers are asked for");
    let started = scene.lab.start(Role::Agent)?;
    let from_nothing = ms_between(started, in_sync(scene, started)?);
    answer(scene, &gateways)?;
    eprintln!("  and answer; in sync after {from_nothing:.0} ms");
    let costs = costs(scene, count, processes, memory);
    let (restarted, events) = restart(scene, restarts)?;
    answer(scene, &gateways)?;
    let what = |what: &str| format!("{count} routers with an interface and a gateway each: {what}");
    let touched = events.values().sum::<u64>() as f64;
    let mut figures = vec![
        Figure::of(what("agent start from nothing to in sync"), "ms", vec![from_nothing]).goal(Goal::Max(10_000.0)),
        Figure::of(what("restart to in sync"), "ms", restarted).goal(Goal::Max(2000.0)),
        Figure::of(what("touched by the restarts: kernel notifications"), "events", vec![touched]).goal(Goal::Max(0.0)).note(told(&events)),
    ];
    figures.extend(costs.into_iter().map(|figure| Figure { what: what(&figure.what), ..figure }));
    Ok(figures)
}

/// Its gateway.
fn router(scene: &mut Scene) -> Result<Nic> {
    let network = scene.network(20)?;
    Ok(scene.router(&[&network])?.gateway)
}

/// Waits until routers answer outside, by their gateways' addresses.
fn answer(scene: &mut Scene, gateways: &[Nic]) -> Result<()> {
    scene.outside.learn(&gateways.iter().collect::<Vec<_>>())?;
    let mut probes = Vec::with_capacity(gateways.len());
    for gateway in gateways {
        probes.push(scene.engine.add(Probe::echo(&scene.outside, gateway.address)?)?);
    }
    scene.engine.start(&probes, Pace::first_of(probes.len()))?;
    scene.engine.all_arrived(&probes, LONG).context("not all routers answer")?;
    scene.engine.remove(&probes)
}

fn in_sync(scene: &Scene, started: Instant) -> Result<Instant> {
    scene.lab.in_sync(Role::Agent, started, LONG).context("the agent does not say that it is in sync")
}

/// Starts the agent again so many times; how long each took, and what the kernel was told meanwhile.
fn restart(scene: &mut Scene, times: usize) -> Result<(Vec<f64>, Counts)> {
    let mut watch = Watch::start()?;
    let end = Instant::now() + LONG;
    loop {
        sleep(CALM);
        if watch.take()?.is_empty() {
            break;
        }
        ensure!(Instant::now() < end, "the host does not come to rest");
    }
    let mut took = Vec::new();
    for _ in 0..times {
        scene.lab.kill(Role::Agent)?;
        sleep(DOWN);
        let started = scene.lab.start(Role::Agent)?;
        took.push(ms_between(started, in_sync(scene, started)?));
    }
    sleep(DOWN);
    let mut events = Counts::new();
    for (what, count) in watch.take()? {
        let (kind, place) = what.split_once(" in ").unwrap_or((&what, ""));
        eprintln!("  told: {count} {kind} in {place}");
        *events.entry(kind.to_owned()).or_default() += count;
    }
    Ok((took, events))
}

fn costs(scene: &Scene, count: usize, before: usize, memory: u64) -> Vec<Figure> {
    let further = all_pids().len() as f64 - before as f64;
    let of = |role: Role| scene.lab.group(role).memory().0 as f64 / 1024.0;
    let host = memory.saturating_sub(available_kib()) as f64 / 1024.0;
    vec![
        Figure::of("processes more than with one router", "processes", vec![further]).goal(Goal::Max(0.0)),
        Figure::of("memory of the agent", "MiB", vec![of(Role::Agent)]),
        Figure::of("memory of the server", "MiB", vec![of(Role::Server)]),
        Figure::of("memory of the host, all in all", "MiB", vec![host])
            .note(format!("the kernel's with it; {:.0} KiB a router", host * 1024.0 / count.max(1) as f64)),
    ]
}
