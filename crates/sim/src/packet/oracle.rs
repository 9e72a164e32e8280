//! Who gets a packet, as the world means it: read from ports, groups and rules as the API has them.
//!
//! Written from what Neutron promises and not from how hosts do it, so that it can judge them: no intents, no programs, no marks.

use super::track::{Tuple, is_error, is_own_icmp};
use super::{Body, Load, Packet};
use model::{AddressGroup, Direction, Network, NetworkType, Port, SecurityGroup, SecurityGroupRule};
use net::{AddressGroupId, HostName, IpNet, Mac, NetworkId, PortId, SecurityGroupId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use world::World;

/// Connections by the network and tuple of their first packet; true once an answer was seen.
type Begun = BTreeMap<(NetworkId, Tuple), bool>;

/// The connections that have passed each host.
#[derive(Default)]
pub struct Oracle {
    begun: BTreeMap<HostName, Begun>,
}

/// What a host remembers of a network.
struct Past<'a> {
    begun: Option<&'a Begun>,
    network: NetworkId,
}

impl Past<'_> {
    fn has(&self, tuple: Option<Tuple>) -> bool {
        tuple.is_some_and(|tuple| self.begun.is_some_and(|begun| begun.contains_key(&(self.network, tuple))))
    }

    fn is_answered(&self, tuple: Tuple) -> bool {
        self.begun.is_some_and(|begun| begun.get(&(self.network, tuple)) == Some(&true))
    }

    /// An answer within a connection, what follows an answer, or an error about it.
    fn continues(&self, packet: &Packet) -> bool {
        let Some(tuple) = Tuple::of(packet) else { return false };
        match error_about(packet) {
            Some(about) => self.has(about) || self.has(about.and_then(|about| about.reversed())),
            None => self.has(tuple.reversed()) || self.is_answered(tuple),
        }
    }

    /// Neither within a connection nor the begin of one.
    fn is_stray(&self, packet: &Packet) -> bool {
        let begins = Tuple::of(packet).is_some_and(|tuple| tuple.may_begin() && error_about(packet).is_none());
        !begins && !self.continues(packet) && !self.has(Tuple::of(packet))
    }
}

/// For ICMP errors: what they are about, if they say.
fn error_about(packet: &Packet) -> Option<Option<Tuple>> {
    match &packet.body {
        Body::Ip { source, load: Load::Icmp { protocol, kind, about, .. }, .. }
            if is_own_icmp(*protocol, source) && is_error(*protocol, *kind) =>
        {
            Some(*about)
        }
        _ => None,
    }
}

impl Oracle {
    /// The ports that get a frame which a port sends. `wired`: ports whose device is there and that are on the way.
    pub fn receivers(&mut self, world: &World, wired: &dyn Fn(&Port) -> bool, sender: &Port, packet: &Packet) -> BTreeSet<PortId> {
        let mut receivers = BTreeSet::new();
        let network = sender.network_id;
        let Some(here) = sender.bound_host().filter(|_| wired(sender)) else { return receivers };
        if is_filtered(sender) && !is_genuine(sender, packet) {
            return receivers;
        }
        self.arrives(here, network, packet);
        if is_filtered(sender) && !is_let(world, sender, Direction::Egress, packet, &self.past(here, network)) {
            return receivers;
        }
        let others = world.table::<Port>().by(Port::BY_NETWORK, network);
        let stays = is_on_one_host(world, network);
        let is_near = |port: &Port| !stays || port.bound_host() == Some(here);
        let others: Vec<&Port> = others.map(|port| &**port).filter(|port| port.id != sender.id && wired(port) && is_near(port)).collect();
        let addressed: Vec<&Port> = others.iter().copied().filter(|port| port.mac_address == packet.destination).collect();
        let mut passed = BTreeSet::new();
        if addressed.is_empty() && !stays {
            passed.insert(here);
        }
        let meant = if addressed.is_empty() { others } else { addressed };
        for (port, there) in meant.into_iter().filter_map(|port| Some((port, port.bound_host()?))) {
            if there != here {
                passed.insert(here);
                if is_of_a_service(world, there, network, packet.source) {
                    continue;
                }
                self.arrives(there, network, packet);
            }
            if !is_filtered(port) || is_let(world, port, Direction::Ingress, packet, &self.past(there, network)) {
                passed.insert(there);
                receivers.insert(port.id);
            }
        }
        passed.iter().for_each(|host| self.note(host, network, packet));
        receivers
    }

    /// Nothing is remembered any more, of a host or of all.
    pub fn forget(&mut self, host: Option<&HostName>) {
        match host {
            Some(host) => _ = self.begun.remove(host),
            None => self.begun.clear(),
        }
    }

    /// What is known of a connection on the hosts of two ports, for people.
    pub fn history(&self, ports: [&Port; 2], packet: &Packet) -> Vec<String> {
        let hosts: BTreeSet<&HostName> = ports.iter().filter_map(|port| port.bound_host()).collect();
        let tuple = Tuple::of(packet);
        let ways = [("forth", tuple), ("back", tuple.and_then(|tuple| tuple.reversed()))];
        let known = hosts.into_iter().flat_map(|host| ways.map(|(way, tuple)| (host, way, tuple)));
        let known = known.filter(|(host, _, tuple)| self.past(host, ports[0].network_id).has(*tuple));
        known.map(|(host, way, _)| format!("{host} has seen it begin {way}")).collect()
    }

    /// False when a packet of an old connection must not get to a port any more: the rules of now do not let it, and they
    /// do not let the first packet of the connection either to which it would be the answer.
    pub fn may_still_pass(&self, world: &World, sender: &Port, receiver: &Port, packet: &Packet, answered: &Packet) -> bool {
        if is_filtered(sender) && !is_genuine(sender, packet) {
            return false;
        }
        let filters =
            [(sender, receiver, Direction::Egress, Direction::Ingress), (receiver, sender, Direction::Ingress, Direction::Egress)];
        // A packet of a connection that was cut is not invalid, whatever it is: rules judge it.
        let lets = |port: &Port, direction, packet| !is_filtered(port) || is_let_by_rules(world, port, direction, packet);
        filters.iter().all(|(port, other, way, back)| {
            let Some(host) = port.bound_host() else { return false };
            let is_answer = self.past(host, port.network_id).has(Tuple::of(answered));
            let begins = lets(port, *back, answered) && (other.bound_host() != Some(host) || lets(other, *way, answered));
            lets(port, *way, packet) || (is_answer && is_stateful(world, port) && begins)
        })
    }

    fn past(&self, host: &HostName, network: NetworkId) -> Past<'_> {
        Past { begun: self.begun.get(host), network }
    }

    /// An answer makes a connection established.
    fn arrives(&mut self, host: &HostName, network: NetworkId, packet: &Packet) {
        let reversed = Tuple::of(packet).and_then(|tuple| tuple.reversed()).filter(|_| error_about(packet).is_none());
        let known = reversed.and_then(|reversed| self.begun.get_mut(host)?.get_mut(&(network, reversed)));
        known.into_iter().for_each(|answered| *answered = true);
    }

    fn note(&mut self, host: &HostName, network: NetworkId, packet: &Packet) {
        let Some(tuple) = Tuple::of(packet).filter(|tuple| tuple.may_begin() && error_about(packet).is_none()) else { return };
        let begun = self.begun.entry(host.clone()).or_default();
        if !tuple.reversed().is_some_and(|reversed| begun.contains_key(&(network, reversed))) {
            begun.entry((network, tuple)).or_insert(false);
        }
    }
}

fn is_on_one_host(world: &World, network: NetworkId) -> bool {
    let network = world.get::<Network>(&network);
    network.is_some_and(|network| network.segments.iter().all(|segment| segment.network_type == NetworkType::Local))
}

/// True when this is the MAC of a service of the network that the host has: nobody else is heard there under it.
fn is_of_a_service(world: &World, host: &HostName, network: NetworkId, mac: Mac) -> bool {
    let ports = world.table::<Port>().by(Port::BY_NETWORK, network);
    let mut services = ports.filter(|port| port.bound_host() == Some(host) && port.device_owner.starts_with("network:"));
    services.any(|port| port.mac_address == mac && port.admin_state_up)
}

fn is_filtered(port: &Port) -> bool {
    port.port_security_enabled && !port.device_owner.starts_with("network:")
}

/// What a port may say it is: MACs, and addresses with the MACs they go with.
fn may_be(port: &Port, mac: Mac, address: IpAddr) -> bool {
    let fixed = mac == port.mac_address && port.fixed_ips.iter().any(|ip| ip.ip_address == address);
    let pair = port.allowed_address_pairs.iter().any(|pair| pair.mac_address == mac && pair.ip_address.contains(&address));
    let link_local = has_mac(port, mac) && address == IpAddr::from(net::link_local_eui64(mac));
    fixed || pair || link_local
}

/// True when a packet is between addresses that two ports have.
pub fn is_between(sender: &Port, receiver: &Port, packet: &Packet) -> bool {
    match &packet.body {
        Body::Ip { source, destination, .. } => {
            may_be(sender, packet.source, *source) && may_be(receiver, packet.destination, *destination)
        }
        _ => false,
    }
}

fn has_mac(port: &Port, mac: Mac) -> bool {
    mac == port.mac_address || port.allowed_address_pairs.iter().any(|pair| pair.mac_address == mac)
}

/// It says nothing of itself that is not its own.
fn is_genuine(port: &Port, packet: &Packet) -> bool {
    if !has_mac(port, packet.source) {
        return false;
    }
    match &packet.body {
        Body::Arp { mac, sender, .. } => may_be(port, *mac, (*sender).into()) || (has_mac(port, *mac) && sender.is_unspecified()),
        Body::Other(_) => false,
        Body::Ip { source, load, .. } => {
            let without_address = match load {
                Load::Ports { protocol: 17, source: 68, destination: 67 } => source.is_ipv4(),
                Load::Icmp { protocol: 58, kind, .. } => source.is_ipv6() && matches!(kind, 131 | 132 | 133 | 135 | 143),
                _ => false,
            };
            let advertised = match load {
                Load::Icmp { protocol: 58, kind: 136, target, .. } if source.is_ipv6() => Some(target),
                _ => None,
            };
            let target = advertised.is_none_or(|target| target.is_some_and(|target| may_be(port, packet.source, target.into())));
            target && (may_be(port, packet.source, *source) || (source.is_unspecified() && without_address))
        }
    }
}

/// Whatever groups say: address assignment and neighbour discovery work, and nobody plays the server or the router.
fn basics(direction: Direction, source: &IpAddr, load: &Load) -> Option<bool> {
    let v4 = source.is_ipv4();
    match (load, direction) {
        (Load::Ports { protocol: 17, source: 68, destination: 67 }, Direction::Egress) if v4 => Some(true),
        (Load::Ports { protocol: 17, source: 546, destination: 547 }, Direction::Egress) if !v4 => Some(true),
        (Load::Ports { protocol: 17, source: 67, destination: 68 }, direction) if v4 => Some(direction == Direction::Ingress),
        (Load::Ports { protocol: 17, source: 547, destination: 546 }, direction) if !v4 => Some(direction == Direction::Ingress),
        (Load::Icmp { protocol: 58, kind, .. }, direction) if !v4 => match (kind, direction) {
            (134 | 137, Direction::Egress) => Some(false),
            (130 | 131 | 132 | 135 | 136 | 143, _) | (133, Direction::Egress) | (134, Direction::Ingress) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

fn groups<'a>(world: &'a World, port: &'a Port) -> impl Iterator<Item = &'a SecurityGroup> {
    port.security_groups.iter().filter_map(|id| world.get::<SecurityGroup>(id)).map(|group| &**group)
}

/// Without groups, answers to nothing are as good as none.
fn is_stateful(world: &World, port: &Port) -> bool {
    port.security_groups.is_empty() || groups(world, port).any(|group| group.stateful)
}

/// Groups judge IP; ARP is no matter of theirs, and nothing else passes.
fn is_let(world: &World, port: &Port, direction: Direction, packet: &Packet, past: &Past<'_>) -> bool {
    let Body::Ip { source, load, .. } = &packet.body else { return matches!(packet.body, Body::Arp { .. }) };
    let judged = basics(direction, source, load).is_none();
    if judged && is_stateful(world, port) {
        if past.continues(packet) {
            return true;
        }
        let untracked = matches!(load, Load::Icmp { protocol: 58, kind: 130..=137 | 143, .. } if source.is_ipv6());
        if !untracked && past.is_stray(packet) {
            return false;
        }
    }
    is_let_by_rules(world, port, direction, packet)
}

fn is_let_by_rules(world: &World, port: &Port, direction: Direction, packet: &Packet) -> bool {
    let Body::Ip { source, destination, load } = &packet.body else { return matches!(packet.body, Body::Arp { .. }) };
    if let Some(verdict) = basics(direction, source, load) {
        return verdict;
    }
    let far = if direction == Direction::Ingress { source } else { destination };
    let rules = groups(world, port).flat_map(|group| world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group.id));
    rules.filter(|rule| rule.direction == direction).any(|rule| matches(world, rule, far, load))
}

fn matches(world: &World, rule: &SecurityGroupRule, far: &IpAddr, load: &Load) -> bool {
    let family = net::Family::of(far) == rule.ethertype;
    let prefix = rule.remote_ip_prefix.as_ref().is_none_or(|prefix| prefix.parse::<IpNet>().is_ok_and(|net| net.contains(far)));
    let member = rule.remote_group_id.is_none_or(|group| is_member(world, group, far));
    let listed = rule.remote_address_group_id.is_none_or(|group| is_listed(world, group, far));
    family && prefix && member && listed && is_protocol(rule, far.is_ipv4(), load)
}

fn is_listed(world: &World, group: AddressGroupId, address: &IpAddr) -> bool {
    world.get::<AddressGroup>(&group).is_some_and(|group| group.addresses.iter().any(|net| net.contains(address)))
}

fn is_member(world: &World, group: SecurityGroupId, address: &IpAddr) -> bool {
    world.table::<Port>().by(Port::BY_SECURITY_GROUP, group).any(|port| {
        let pair = || port.allowed_address_pairs.iter().any(|pair| pair.ip_address.contains(address));
        port.fixed_ips.iter().any(|ip| ip.ip_address == *address) || pair()
    })
}

fn is_protocol(rule: &SecurityGroupRule, v4: bool, load: &Load) -> bool {
    let Some(word) = rule.protocol.as_deref() else { return true };
    let number = match word {
        "icmp" | "1" => {
            if v4 {
                1
            } else {
                58
            }
        }
        "ipv6-icmp" | "icmpv6" => 58,
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        "dccp" => 33,
        "udplite" => 136,
        "gre" => 47,
        "vrrp" => 112,
        other => match other.parse::<u8>() {
            Ok(number) => number,
            Err(_) => panic!("the oracle does not know protocol {other}"),
        },
    };
    if load.protocol() != number {
        return false;
    }
    match (rule.port_range_min, rule.port_range_max, load) {
        (None, None, _) => true,
        (first, last, Load::Ports { destination, .. }) => (first.unwrap_or(0)..=last.unwrap_or(u16::MAX)).contains(destination),
        (kind, only, Load::Icmp { kind: is, code, .. }) => {
            kind.is_none_or(|kind| kind == u16::from(*is)) && only.is_none_or(|only| only == u16::from(*code))
        }
        _ => false,
    }
}
