//! A rule of a group that many ports are in comes and goes: answer to first packet, answer to last packet.

use crate::lab::api::id;
use crate::lab::events::{Counts, Events, told};
use crate::probe::{Engine, Pace, Probe, ProbeId};
use crate::process::Meter;
use crate::report::{Figure, Goal};
use crate::wire::ms_between;
use crate::wire::stage::{Stage, all_pass, echoes, group, pairs};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);
/// After so long without a packet a filter counts as closed.
const QUIET: Duration = Duration::from_millis(300);
/// Between two packets of an open flow.
const FLOW: Duration = Duration::from_millis(5);
const PORT: u16 = 7000;
const GOAL: Goal = Goal::Max(20.0);

/// Both directions of a change, over all rounds.
#[derive(Default)]
pub(super) struct Change {
    opened_first: Vec<f64>,
    opened: Vec<f64>,
    closed: Vec<f64>,
    /// Notifications of the kernel in each round.
    notified: Vec<f64>,
    told_opening: Counts,
    told_closing: Counts,
}

pub(super) fn run(stage: &mut Stage, count: usize, rounds: usize) -> Result<Vec<Figure>> {
    let closed_group = group(&mut stage.api, "closed")?;
    let (instances, nics) = stage.instances(count, &[&closed_group])?;
    let bystander = Bystander::start(stage)?;
    stage.settle()?;
    let mut figures = Vec::new();
    for protocol in ["icmp", "udp", "tcp"] {
        let mut probes = Vec::new();
        for (instance, nic) in pairs(&instances, &nics) {
            let reference = &stage.reference;
            let probe = match protocol {
                "icmp" => Probe::echo(reference, nic.address),
                "udp" => Probe::udp(reference, instance, nic.address, PORT),
                _ => Probe::tcp(reference, instance, nic.address, PORT),
            };
            probes.push(stage.engine.add(probe?)?);
        }
        let mut rule = json!({"security_group_id": closed_group, "direction": "ingress", "ethertype": "IPv4", "protocol": protocol});
        if protocol != "icmp" {
            rule["port_range_min"] = PORT.into();
            rule["port_range_max"] = PORT.into();
        }
        let meter = Meter::start(stage.agent_group());
        let mut change = Change::default();
        for _ in 0..rounds {
            let mut made = String::new();
            let api = &mut stage.api;
            let pace = if protocol == "tcp" { Pace::first_connection_of(count) } else { Pace::first_of(count) };
            let round = change.round(&stage.engine, &probes, pace, |open| {
                if open {
                    let (rule, answered) = api.create_timed("security-group-rules", rule.clone())?;
                    made = id(&rule)?;
                    Ok(answered)
                } else {
                    api.delete("security-group-rules", &made)
                }
            });
            round.with_context(|| format!("{protocol} rule of {count} ports"))?;
        }
        figures.extend(change.figures(&format!("{protocol} rule of a group of {count} ports"), meter.read(), rounds));
        stage.engine.remove(&probes)?;
    }
    figures.push(bystander.figure(stage, "rules come and go: packets lost between two other ports")?);
    stage.remove(instances, &nics)?;
    Ok(figures)
}

impl Change {
    /// Opens and closes once, at this pace until the first arrival. `change` carries it out (true: open) and returns the time of the answer.
    pub(super) fn round(
        &mut self,
        engine: &Engine,
        probes: &[ProbeId],
        pace: Pace,
        mut change: impl FnMut(bool) -> Result<Instant>,
    ) -> Result<()> {
        let mut events = Events::listen()?;
        engine.start(probes, pace)?;
        let before = Instant::now();
        engine.all_silent(probes, before, QUIET, QUIET * 2).context("packets pass before there is a rule for them")?;
        events.take()?;
        let answered = change(true)?;
        let all = engine.all_arrived(probes, LONG);
        let tallies = engine.tallies(probes);
        let all = all.with_context(|| format!("{} probes do not pass", tallies.iter().filter(|tally| tally.first.is_none()).count()))?;
        let first = tallies.iter().filter_map(|tally| tally.first).min().unwrap_or(all);
        self.opened_first.push(ms_between(answered, first));
        self.opened.push(ms_between(answered, all));
        // The flows that are open now go on: they must be cut with the rule.
        engine.start(probes, Pace::steady(FLOW.max(Duration::from_micros(50 * probes.len() as u64))))?;
        ensure!(engine.all_arrived(probes, LONG).is_some(), "open flows do not go on");
        let opening = events.take()?;
        let answered = change(false)?;
        let Some(last) = engine.all_silent(probes, answered, QUIET, LONG) else {
            let recently = Instant::now() - QUIET;
            let open = engine.tallies(probes).iter().filter(|tally| tally.last.is_some_and(|last| last > recently)).count();
            bail!("{open} of {} flows still pass {} s after the change that should cut them", probes.len(), LONG.as_secs());
        };
        self.closed.push(last.map_or(0.0, |last| ms_between(answered, last)));
        engine.stop(probes)?;
        engine.disconnect(probes)?;
        let closing = events.take()?;
        self.notified.push(opening.values().chain(closing.values()).sum::<u64>() as f64);
        add(&mut self.told_opening, opening);
        add(&mut self.told_closing, closing);
        Ok(())
    }

    pub(super) fn figures(self, what: &str, metered: (f64, f64), rounds: usize) -> Vec<Figure> {
        let told = |counts: &Counts| format!("kernel told in {rounds} rounds: {}", told(counts));
        vec![
            Figure::of(format!("{what} added: answer to first packet"), "ms", self.opened_first).note("negative: before the answer"),
            Figure::of(format!("{what} added: answer to the last port's first packet"), "ms", self.opened)
                .goal(GOAL)
                .metered(metered)
                .note(told(&self.told_opening)),
            Figure::of(format!("{what} removed: answer to the last packet of all open flows"), "ms", self.closed)
                .goal(GOAL)
                .note(told(&self.told_closing)),
            Figure::of(format!("{what} added and removed: what the kernel was told"), "events", self.notified),
        ]
    }
}

/// A flow between two ports that no change concerns.
pub(super) struct Bystander {
    probes: Vec<ProbeId>,
    instances: Vec<crate::lab::instance::Instance>,
    nics: Vec<crate::lab::instance::Nic>,
}

impl Bystander {
    pub(super) fn start(stage: &mut Stage) -> Result<Bystander> {
        let open_group = stage.open_group.clone();
        let (instances, nics) = stage.instances(1, &[&open_group])?;
        let to = stage.reference_nic.address;
        let probes = echoes(&mut stage.engine, &instances, |_| to)?;
        all_pass(&stage.engine, &probes)?;
        stage.engine.start(&probes, Pace::steady(Duration::from_millis(1)))?;
        Ok(Bystander { probes, instances, nics })
    }

    pub(super) fn figure(self, stage: &mut Stage, what: &str) -> Result<Figure> {
        stage.engine.stop(&self.probes)?;
        stage.engine.all_silent(&self.probes, Instant::now(), QUIET, LONG);
        let tally = stage.engine.tallies(&self.probes).remove(0);
        stage.engine.remove(&self.probes)?;
        stage.remove(self.instances, &self.nics)?;
        let lost = tally.sent - tally.received;
        Ok(Figure::of(what, "packets", vec![lost as f64]).goal(Goal::Max(0.0)).note(format!("of {}, each 1 ms", tally.sent)))
    }
}

fn add(to: &mut Counts, counts: Counts) {
    for (kind, count) in counts {
        *to.entry(kind).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::tests::{Bridge, bridge};

    /// A stateless filter opened and closed by nft: what is measured must be close to when nft did it.
    fn opens_and_closes(probe: fn(&Bridge) -> Probe, rule: &str) {
        let Some(mut bridge) = bridge(2) else { return };
        bridge.nft("table bridge t { chain c { type filter hook forward priority 0; policy accept; icmp type echo-request drop; udp dport 7000 drop; tcp dport 7000 drop; }; }");
        let probes = vec![bridge.engine.add(probe(&bridge)).unwrap()];
        let mut change = Change::default();
        change
            .round(&bridge.engine, &probes, Pace::first_of(1), |open| {
                if open {
                    bridge.nft(&format!("insert rule bridge t c {rule} accept"));
                } else {
                    bridge.nft("flush chain bridge t c; add rule bridge t c icmp type echo-request drop; add rule bridge t c tcp dport 7000 drop; add rule bridge t c udp dport 7000 drop");
                }
                Ok(Instant::now())
            })
            .unwrap();
        for at in [change.opened[0], change.closed[0]] {
            assert!(at.abs() < 200.0, "{at} ms after nft changed the rule");
        }
    }

    #[test]
    fn udp() {
        opens_and_closes(
            |bridge| Probe::udp(&bridge.instances[0], &bridge.instances[1], bridge.nics[1].address, PORT).unwrap(),
            "udp dport 7000",
        );
    }

    #[test]
    fn tcp() {
        opens_and_closes(
            |bridge| Probe::tcp(&bridge.instances[0], &bridge.instances[1], bridge.nics[1].address, PORT).unwrap(),
            "tcp dport 7000",
        );
    }

    #[test]
    fn icmp() {
        opens_and_closes(|bridge| Probe::echo(&bridge.instances[0], bridge.nics[1].address).unwrap(), "icmp type echo-request");
    }
}
