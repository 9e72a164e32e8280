//! One port at a time: API answer, plug, first ping, `ACTIVE`.

use crate::lab::instance::{Instance, Nic, plug};
use crate::probe::{Pace, Probe};
use crate::process::Meter;
use crate::report::{Figure, Goal};
use crate::wire::Stage;
use crate::wire::ms_between;
use crate::wire::stage::watch_active;
use anyhow::{Context, Result};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);

struct Round {
    create: f64,
    to_ping: f64,
    ping_to_active: f64,
    to_active: f64,
}

pub(super) fn run(stage: &mut Stage, rounds: usize) -> Result<Vec<Figure>> {
    let meter = Meter::start(stage.agent_group());
    let mut done = Vec::new();
    for number in 0..rounds {
        done.push(round(stage)?);
        // No phase of anything periodic is met again and again.
        sleep(Duration::from_millis(20 + (number as u64 * 37) % 50));
    }
    let metered = meter.read();
    let figure = |what: &str, of: fn(&Round) -> f64| Figure::of(format!("one port: {what}"), "ms", done.iter().map(of).collect());
    Ok(vec![
        figure("create, request to answer", |round| round.create),
        figure("plug to first ping", |round| round.to_ping).goal(Goal::P50(50.0)).metered(metered).note("probes each 1 ms"),
        figure("first ping to ACTIVE", |round| round.ping_to_active)
            .goal(Goal::P50(20.0))
            .note("asked each 1 ms; negative: ACTIVE came first"),
        figure("plug to ACTIVE", |round| round.to_active),
    ])
}

fn round(stage: &mut Stage) -> Result<Round> {
    let mut instance = Instance::new()?;
    let probe = stage.engine.add(Probe::echo(&instance, stage.reference_nic.address)?)?;
    let mut watcher = stage.api.another()?;
    watcher.get("ports?limit=1&fields=id")?;
    let attributes = stage.port(&[&stage.open_group]);
    let asked = Instant::now();
    let (port, answered) = stage.api.create_timed("ports", attributes)?;
    let nic = Nic::of(&port)?;
    let known = stage.known(vec![&nic]);
    stage.reference.learn(&known)?;
    let give_up = AtomicBool::new(false);
    let (plugged, ping, active) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch_active(&mut watcher, &nic.port, &give_up));
        let wired = wire(stage, &mut instance, &nic, probe);
        if wired.is_err() {
            give_up.store(true, Ordering::Relaxed);
        }
        let active = watch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (plugged, ping) = wired?;
        anyhow::Ok((plugged, ping, active?))
    })?;
    stage.engine.remove(&[probe])?;
    stage.unplug(&nic)?;
    stage.api.delete("ports", &nic.port)?;
    Ok(Round {
        create: ms_between(asked, answered),
        to_ping: ms_between(plugged, ping),
        ping_to_active: ms_between(ping, active),
        to_active: ms_between(plugged, active),
    })
}

/// Plugs and waits for the first reply: the times of both.
fn wire(stage: &mut Stage, instance: &mut Instance, nic: &Nic, probe: usize) -> Result<(Instant, Instant)> {
    stage.engine.start(&[probe], Pace::first_of(1))?;
    let plugged = Instant::now();
    plug(&mut stage.host, instance, nic)?;
    instance.configure(nic, &stage.known(vec![&stage.reference_nic]))?;
    let ping = stage.engine.all_arrived(&[probe], LONG).context("no ping reply")?;
    Ok((plugged, ping))
}
