//! Judgement by packets: who gets a packet on the hosts as they are, and who should as the world is.

use super::Simulation;
use crate::check;
use crate::packet::Packet;
use crate::packet::oracle::{Oracle, is_between};
use crate::packet::path::Fabric;
use crate::packet::probe::{Prober, answer_to};
use crate::packet::track::{Track, Tuple};
use model::{Port, SecurityGroupRule};
use net::PortId;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use world::World;

/// Connections of the last quiet: who began them with whom by which packet, and what the oracle remembers.
#[derive(Default)]
pub(super) struct Traffic {
    oracle: Oracle,
    begun: Vec<Begun>,
}

/// Sender, receiver and packet.
type Begun = (Arc<Port>, Arc<Port>, Packet);

impl Simulation {
    /// Packets of connections that were begun before the trouble: none passes that only rules of then let pass.
    pub(super) fn judge_old(&mut self) {
        let world = self.newest();
        let mut fabric = check::fabric(&self.nodes, &world);
        for node in self.nodes.iter().filter(|node| node.died) {
            // What an agent was about to cut when it died nobody knows.
            self.traffic.oracle.forget(Some(&node.name));
            fabric.machines.get_mut(&node.name).into_iter().for_each(|machine| machine.track.clear());
        }
        let tracks: Vec<Track> = fabric.machines.values().map(|machine| machine.track.clone()).collect();
        for (sender, receiver, packet) in unambiguous(std::mem::take(&mut self.traffic.begun)) {
            // What a host has tracked of a port while that was elsewhere was not judged by its rules.
            let now = |then: &Port| world.get::<Port>(&then.id).filter(|now| now.bound_host() == then.bound_host());
            let (Some(sender), Some(receiver)) = (now(&sender), now(&receiver)) else { continue };
            let wired = check::is_wired(&self.nodes, &world, sender) && check::is_wired(&self.nodes, &world, receiver);
            let Some(answer) = answer_to(&packet).filter(|_| wired) else { continue };
            // Each by itself: what begins a connection makes it whole again, or begins one the other way.
            for (from, to, packet, other) in [(receiver, sender, &answer, &packet), (sender, receiver, &packet, &answer)] {
                let host = from.bound_host().expect("wired ports are bound").clone();
                fabric.machines.values_mut().zip(&tracks).for_each(|(machine, track)| machine.track = track.clone());
                let arrived = fabric.send(&(host, from.tap_name()), packet);
                let got = arrived.iter().any(|(host, tap)| check::port_of(&world, host, tap) == Some(to.id));
                self.summary.old += 1;
                self.summary.cut += usize::from(!got);
                if got && !self.traffic.oracle.may_still_pass(&world, from, to, packet, other) {
                    self.problems.push(format!("a connection outlives what let it pass: {packet}"));
                    self.problems.extend(self.traffic.oracle.history([from, to], packet));
                    self.problems.extend([format!("sender {from:?}"), format!("receiver {to:?}")]);
                    self.tell_rules(&world, [from, to]);
                    return;
                }
            }
        }
    }

    /// Sends random packets on hosts that track nothing yet.
    pub(super) fn judge(&mut self, salt: u64) {
        let world = self.newest();
        let mut fabric = check::fabric(&self.nodes, &world);
        fabric.machines.values_mut().for_each(|machine| machine.track.clear());
        self.traffic = Traffic::default();
        let ports = world.table::<Port>().iter().filter(|port| check::is_wired(&self.nodes, &world, port));
        let mut prober = Prober { world: &world, ports: ports.cloned().collect(), sent: Vec::new() };
        self.summary.wired += prober.ports.len();
        let mut rng = SmallRng::seed_from_u64(salt);
        for _ in 0..self.run.packets {
            let Some((sender, receiver, packet)) = prober.next(&mut rng) else { continue };
            if !self.judge_one(&world, &mut fabric, &sender, &packet) {
                return;
            }
            self.traffic.begun.push((sender, receiver, packet));
        }
        for node in &self.nodes {
            let machine = fabric.machines.remove(&node.name).expect("made of the nodes");
            node.kernel.state().track = machine.track;
        }
    }

    fn judge_one(&mut self, world: &World, fabric: &mut Fabric, sender: &Arc<Port>, packet: &Packet) -> bool {
        let host = sender.bound_host().expect("wired ports are bound").clone();
        let arrived = fabric.send(&(host.clone(), sender.tap_name()), packet);
        let got: Option<BTreeSet<PortId>> = arrived.iter().map(|(host, tap)| check::port_of(world, host, tap)).collect();
        let nodes = &self.nodes;
        let meant = self.traffic.oracle.receivers(world, &|port| check::is_wired(nodes, world, port), sender, packet);
        self.summary.packets += 1;
        self.summary.delivered += usize::from(!meant.is_empty());
        if got.as_ref() == Some(&meant) {
            return true;
        }
        let variant = if fabric.machines[&host].native { "native" } else { "hybrid" };
        self.problems.push(format!("{} on {host} ({variant}): {packet}\n    gets to {got:?}\n    should get to {meant:?}", sender.id));
        let wrong: Vec<PortId> = got.unwrap_or_default().symmetric_difference(&meant).copied().collect();
        let ports: Vec<&Arc<Port>> = wrong.iter().filter_map(|id| world.get::<Port>(id)).chain([sender]).collect();
        self.problems.extend(ports.iter().map(|port| format!("{port:?}")));
        self.tell_rules(world, ports);
        false
    }

    fn tell_rules<'a>(&mut self, world: &World, ports: impl IntoIterator<Item = &'a Arc<Port>>) {
        let groups: BTreeSet<_> = ports.into_iter().flat_map(|port| port.security_groups.iter().copied()).collect();
        for group in groups {
            let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group);
            self.problems.extend(rules.map(|rule| format!("{rule:?}")));
        }
    }
}

/// The first packet of each connection that can be of two ports only. What was flooded, or several ports have sent, others may have let begin.
fn unambiguous(begun: Vec<Begun>) -> Vec<Begun> {
    let mut between: BTreeMap<(Tuple, Tuple), BTreeSet<(PortId, PortId)>> = BTreeMap::new();
    let key = |packet: &Packet| {
        let tuple = Tuple::of(packet)?;
        let reversed = tuple.reversed()?;
        Some((tuple.min(reversed), tuple.max(reversed)))
    };
    for (sender, receiver, packet) in &begun {
        let Some(key) = key(packet) else { continue };
        let ends = between.entry(key).or_default();
        ends.insert((sender.id.min(receiver.id), sender.id.max(receiver.id)));
        // A flooded frame is between its sender and everybody. And turning port security on cuts what used the port's addresses:
        // a port without it may have used any.
        ends.extend((!is_between(sender, receiver, packet)).then_some((sender.id, sender.id)));
    }
    let mut first = BTreeSet::new();
    let mut is_clear = |packet: &Packet| key(packet).filter(|key| between[key].len() == 1).is_some_and(|key| first.insert(key));
    begun.into_iter().filter(|(_, _, packet)| is_clear(packet)).collect()
}
