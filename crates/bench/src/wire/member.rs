//! A port joins and leaves a group that a rule of many ports names as remote.

use crate::probe::{Pace, Probe};
use crate::process::Meter;
use crate::report::Figure;
use crate::wire::Stage;
use crate::wire::rule::{Bystander, Change};
use crate::wire::stage::{group, pairs};
use anyhow::Result;
use serde_json::json;

const PORT: u16 = 7001;

pub(super) fn run(stage: &mut Stage, count: usize, rounds: usize) -> Result<Vec<Figure>> {
    let outside = group(&mut stage.api, "outside")?;
    let remote = group(&mut stage.api, "remote")?;
    let users = group(&mut stage.api, "users")?;
    let rule = json!({"security_group_id": users, "direction": "ingress", "ethertype": "IPv4", "protocol": "udp",
        "port_range_min": PORT, "port_range_max": PORT, "remote_group_id": remote});
    stage.api.create("security-group-rules", rule)?;
    let (instances, nics) = stage.instances(count, &[&users])?;
    let (mut joining, joining_nics) = stage.instances(1, &[&outside])?;
    for nic in &nics {
        let known = stage.known(vec![nic]);
        joining[0].learn(&known)?;
    }
    let bystander = Bystander::start(stage)?;
    stage.settle()?;
    let mut probes = Vec::new();
    for (instance, nic) in pairs(&instances, &nics) {
        probes.push(stage.engine.add(Probe::udp(&joining[0], instance, nic.address, PORT)?)?);
    }
    let meter = Meter::start(stage.agent_group());
    let mut change = Change::default();
    for _ in 0..rounds {
        let api = &mut stage.api;
        change.round(&stage.engine, &probes, Pace::first_of(count), |open| {
            let groups = if open { vec![&outside, &remote] } else { vec![&outside] };
            api.update("ports", &joining_nics[0].port, json!({"security_groups": groups}))
        })?;
    }
    let mut figures = change.figures(&format!("member of a remote group of {count} ports"), meter.read(), rounds);
    stage.engine.remove(&probes)?;
    figures.push(bystander.figure(stage, "members come and go: packets lost between two other ports")?);
    stage.remove(joining, &joining_nics)?;
    stage.remove(instances, &nics)?;
    Ok(figures)
}
