//! Which tracked connections to forget when what let them pass is gone.
//!
//! More may be forgotten than must: a connection that is still allowed is tracked anew by its next packet.

use crate::compile::is_filtered;
use crate::pipeline;
use agent::{Cut, Facts, Intents};
use dataplane::Netns;
use intent::{Direction, GroupRule, PortIntent, Remote, SecurityGroupIntent, Transport, Unit, UnitId};
use net::{Family, IpNet, NetworkId};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// `facts` has the numbers of the time before the change.
pub(crate) fn cuts(changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> Vec<Cut> {
    let mut cuts = BTreeSet::new();
    let scope = Scope { intents, facts };
    match (changed, before) {
        (UnitId::Network(network), Some(Unit::Network(before))) => {
            let now = intents.network(*network);
            if now.is_none_or(|now| before.admin_state_up && !now.admin_state_up) {
                cuts.extend(scope.zone(*network).into_iter().flat_map(|zone| [whole(zone, Family::V4), whole(zone, Family::V6)]));
            }
        }
        (UnitId::SecurityGroup(group), Some(Unit::SecurityGroup(before))) => {
            scope.group(before, intents.security_group(*group), &mut cuts);
        }
        (UnitId::Member(group, port), Some(Unit::Member(before))) => {
            let now = match intents.get(&UnitId::Member(*group, *port)) {
                Some(Unit::Member(now)) => now.addresses.as_slice(),
                _ => &[],
            };
            scope.remote(Remote::Group { group: *group }, &before.addresses, now, &mut cuts);
        }
        (UnitId::AddressGroup(group), Some(Unit::AddressGroup(before))) => {
            let now = intents.address_group(*group).map(|now| now.addresses.as_slice()).unwrap_or_default();
            scope.remote(Remote::AddressGroup { address_group: *group }, &before.addresses, now, &mut cuts);
        }
        (UnitId::Port(port), Some(Unit::Port(before))) => scope.port(before, intents.port(*port), &mut cuts),
        _ => {}
    }
    cuts.into_iter().collect()
}

/// Connections of a network that is gone, before its zone becomes another's.
pub(crate) fn of_number(space: &str, number: u32) -> Vec<Cut> {
    match u16::try_from(number) {
        Ok(zone) if space == pipeline::ZONES => vec![whole(zone, Family::V4), whole(zone, Family::V6)],
        _ => Vec::new(),
    }
}

fn whole(zone: u16, family: Family) -> Cut {
    Cut::all(Netns::ROOT, zone, family)
}

struct Scope<'a> {
    intents: &'a Intents,
    facts: &'a Facts,
}

impl Scope<'_> {
    fn zone(&self, network: NetworkId) -> Option<u16> {
        self.facts.allocations.get(pipeline::ZONES, &network.to_string()).and_then(|zone| u16::try_from(zone).ok())
    }

    fn ports_in(&self, group: net::SecurityGroupId) -> impl Iterator<Item = &PortIntent> {
        self.intents.ports().filter(move |port| port.security_groups.contains(&group))
    }

    fn group(&self, before: &SecurityGroupIntent, now: Option<&SecurityGroupIntent>, cuts: &mut BTreeSet<Cut>) {
        let kept = now.filter(|now| now.stateful == before.stateful).map(|now| now.rules.as_slice()).unwrap_or_default();
        for rule in before.rules.iter().filter(|rule| !kept.iter().any(|kept| same(kept, rule))) {
            for port in self.ports_in(before.id) {
                self.rule(rule, port, cuts);
            }
        }
    }

    /// What rules let pass from or to addresses that are not any more of the remote that they name.
    fn remote(&self, remote: Remote, before: &[IpNet], now: &[IpNet], cuts: &mut BTreeSet<Cut>) {
        let left: Vec<IpNet> = before.iter().filter(|address| !now.contains(*address)).copied().collect();
        for group in self.intents.security_groups() {
            for rule in group.rules.iter().filter(|rule| rule.remote == remote) {
                for port in self.ports_in(group.id) {
                    for address in left.iter().filter(|address| Family::of_net(address) == rule.family) {
                        self.between(rule, port, Some(*address), cuts);
                    }
                }
            }
        }
    }

    fn port(&self, before: &PortIntent, now: Option<&PortIntent>, cuts: &mut BTreeSet<Cut>) {
        let Some(zone) = self.zone(before.network_id) else { return };
        let carried = now.filter(|now| now.admin_state_up && now.network_id == before.network_id && now.device == before.device);
        let left = || before.security_groups.iter().filter(|group| carried.is_none_or(|now| !now.security_groups.contains(group)));
        // Of a group that is gone from the host with its last port nobody knows the rules any more.
        let unknown = left().any(|group| self.intents.security_group(*group).is_none());
        let all = unknown || carried.is_none_or(|now| is_filtered(now) && !is_filtered(before));
        let gone = |address: &&IpAddr| all || carried.is_none_or(|now| !now.addresses.contains(address));
        for address in before.addresses.iter().filter(gone) {
            let net = Some(IpNet::from(*address));
            let any = whole(zone, Family::of(address));
            cuts.extend([Cut { source: net, ..any.clone() }, Cut { destination: net, ..any }]);
        }
        let pair_gone = |pair: &&intent::AllowedAddress| all || carried.is_none_or(|now| !now.allowed_addresses.contains(pair));
        for pair in before.allowed_addresses.iter().filter(pair_gone) {
            let any = whole(zone, Family::of_net(&pair.address));
            let net = Some(pair.address.trunc());
            cuts.extend([Cut { source: net, ..any.clone() }, Cut { destination: net, ..any }]);
        }
        let kept = carried.filter(|_| !all).map(link_locals).unwrap_or_default();
        for address in link_locals(before).difference(&kept) {
            let any = whole(zone, Family::V6);
            cuts.extend([Cut { source: Some(*address), ..any.clone() }, Cut { destination: Some(*address), ..any }]);
        }
        for group in left().filter(|_| !all).filter_map(|group| self.intents.security_group(*group)) {
            for rule in &group.rules {
                self.rule(rule, before, cuts);
            }
        }
    }

    /// What a rule let pass from or to a port.
    fn rule(&self, rule: &GroupRule, port: &PortIntent, cuts: &mut BTreeSet<Cut>) {
        let remote = match rule.remote {
            Remote::Prefix { prefix } => Some(prefix.trunc()),
            Remote::Any | Remote::Group { .. } | Remote::AddressGroup { .. } => None,
        };
        self.between(rule, port, remote, cuts);
    }

    fn between(&self, rule: &GroupRule, port: &PortIntent, remote: Option<IpNet>, cuts: &mut BTreeSet<Cut>) {
        let Some(zone) = self.zone(port.network_id) else { return };
        let own = port.addresses.iter().map(|address| IpNet::from(*address));
        let pairs = port.allowed_addresses.iter().map(|pair| pair.address.trunc());
        let remote = remote.filter(|remote| remote.prefix_len() > 0);
        let (protocol, destination_ports) = transport(rule);
        for local in own.chain(pairs).chain(link_locals(port)).filter(|local| Family::of_net(local) == rule.family) {
            let (source, destination) = match rule.direction {
                Direction::Ingress => (remote, Some(local)),
                Direction::Egress => (Some(local), remote),
            };
            cuts.insert(Cut { protocol, source, destination, destination_ports, ..whole(zone, rule.family) });
        }
    }
}

/// The addresses that a port has without being given them.
fn link_locals(port: &PortIntent) -> BTreeSet<IpNet> {
    let macs = port.allowed_addresses.iter().map(|pair| pair.mac).chain([port.mac]);
    macs.map(|mac| IpNet::from(IpAddr::from(net::link_local_eui64(mac)))).collect()
}

fn same(a: &GroupRule, b: &GroupRule) -> bool {
    (a.direction, a.family, a.transport, a.remote) == (b.direction, b.family, b.transport, b.remote)
}

fn transport(rule: &GroupRule) -> (Option<u8>, Option<(u16, u16)>) {
    match rule.transport {
        Transport::Any => (None, None),
        Transport::Protocol { protocol } => (Some(protocol), None),
        Transport::Ports { protocol, first, last } => (Some(protocol), Some((first, last))),
        Transport::Icmp { .. } => (Some(if rule.family == Family::V4 { 1 } else { 58 }), None),
    }
}
