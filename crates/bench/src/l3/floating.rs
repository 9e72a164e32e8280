//! A floating IP is associated with a port: from the request to the first reply outside.

use super::scene::{LONG, Network, Router, Scene};
use crate::lab::server::Role;
use crate::probe::{Pace, Probe, ProbeId};
use crate::process::Meter;
use crate::report::{Figure, Goal};
use crate::wire::ms_between;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(super) fn run(scene: &mut Scene, rounds: usize, many: usize) -> Result<Vec<Figure>> {
    let network = scene.network(20)?;
    let router = scene.router(&[&network])?;
    let mut figures = measure(scene, &network, &router, rounds, "")?;
    for port in scene.unplugged(&network, many)? {
        scene.floating_ip(&router, Some(&port))?;
    }
    figures.extend(measure(scene, &network, &router, rounds, &format!(" on a router with {many} others"))?);
    Ok(figures)
}

fn measure(scene: &mut Scene, network: &Network, router: &Router, rounds: usize, label: &str) -> Result<Vec<Figure>> {
    let (instance, nic) = scene.instance(network)?;
    let (floating_ip, address) = scene.floating_ip(router, None)?;
    let probe = scene.engine.add(Probe::echo(&scene.outside, address)?)?;
    // The first one waits until all that was asked for before is in force.
    associate(scene, &floating_ip, &nic.port, probe)?;
    let meter = Meter::start(scene.lab.group(Role::Agent));
    let (mut from_request, mut from_answer) = (Vec::new(), Vec::new());
    for number in 0..rounds {
        disassociate(scene, &floating_ip, probe)?;
        // No phase of anything periodic is met again and again.
        sleep(Duration::from_millis(20 + (number as u64 * 37) % 50));
        let [asked, answered, replied] = associate(scene, &floating_ip, &nic.port, probe)?;
        from_request.push(ms_between(asked, replied));
        from_answer.push(ms_between(answered, replied));
    }
    let metered = meter.read();
    scene.engine.remove(&[probe])?;
    drop(instance);
    let what = |what: &str| format!("floating IP{label}: {what}");
    Ok(vec![
        Figure::of(what("PUT to first reply outside"), "ms", from_request).goal(Goal::P50(20.0)).metered(metered).note("probes each 1 ms"),
        Figure::of(what("answer to first reply"), "ms", from_answer).note("negative: the reply came first"),
    ])
}

/// Request, answer, first reply.
fn associate(scene: &mut Scene, floating_ip: &str, port: &str, probe: ProbeId) -> Result<[Instant; 3]> {
    scene.engine.start(&[probe], Pace::first_of(1))?;
    let asked = Instant::now();
    let answered = scene.api.update("floatingips", floating_ip, json!({ "port_id": port }))?;
    let replied = scene.engine.all_arrived(&[probe], LONG).context("the floating IP does not answer")?;
    Ok([asked, answered, replied])
}

fn disassociate(scene: &mut Scene, floating_ip: &str, probe: ProbeId) -> Result<()> {
    scene.api.update("floatingips", floating_ip, json!({ "port_id": null }))?;
    let end = Instant::now() + LONG;
    loop {
        scene.engine.start(&[probe], Pace::first_of(1))?;
        if scene.engine.all_arrived(&[probe], Duration::from_millis(50)).is_none() {
            return scene.engine.stop(&[probe]);
        }
        ensure!(Instant::now() < end, "a floating IP of nobody answers");
    }
}
