//! Random packets that matter: from ports that are there to ports that are there, at the borders of their rules, with their own
//! addresses and with others', answers and errors of connections, and what no port may send.

use super::track::Tuple;
use super::{Body, Load, Packet};
use model::{Port, SecurityGroupRule};
use net::{IpNet, Mac};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use world::World;

/// Ports that play, and what was sent lately.
pub struct Prober<'a> {
    /// The world.
    pub world: &'a World,
    /// Ports whose devices are there.
    pub ports: Vec<Arc<Port>>,
    /// Sender, receiver and packet of what was sent.
    pub sent: Vec<(Arc<Port>, Arc<Port>, Packet)>,
}

const PORTS: [u16; 8] = [22, 80, 443, 68, 67, 546, 547, 40000];

impl Prober<'_> {
    /// A packet, its sender, and who is meant; none when there are no two ports.
    pub fn next(&mut self, rng: &mut SmallRng) -> Option<(Arc<Port>, Arc<Port>, Packet)> {
        if !self.sent.is_empty() && rng.random_bool(0.3) {
            return self.answer(rng);
        }
        let sender = self.ports.choose(rng)?.clone();
        let near: Vec<_> = self.ports.iter().filter(|port| port.network_id == sender.network_id && port.id != sender.id).collect();
        let receiver = if rng.random_bool(0.95) { (*near.choose(rng)?).clone() } else { self.ports.choose(rng)?.clone() };
        if receiver.id == sender.id {
            return None;
        }
        let packet = match rng.random_range(0..20) {
            0 => Packet { source: self.mac(rng, &sender), destination: receiver.mac_address, body: Body::Other(0x88cc) },
            1 | 2 => self.arp(rng, &sender, &receiver),
            3 => self.discovery(rng, &sender, &receiver),
            _ => self.ip(rng, &sender, &receiver),
        };
        if matches!(packet.body, Body::Ip { source, destination, .. } if source == destination) {
            // A packet that is its own answer says nothing about directions.
            return None;
        }
        self.sent.push((sender.clone(), receiver.clone(), packet.clone()));
        Some((sender, receiver, packet))
    }

    /// The other way, an error about it, or the same again.
    fn answer(&self, rng: &mut SmallRng) -> Option<(Arc<Port>, Arc<Port>, Packet)> {
        let (sender, receiver, packet) = self.sent.choose(rng)?;
        let Body::Ip { source, destination, .. } = packet.body else { return Some((sender.clone(), receiver.clone(), packet.clone())) };
        let tuple = Tuple::of(packet)?;
        let body = match rng.random_range(0..8) {
            0 => return Some((sender.clone(), receiver.clone(), packet.clone())),
            1 => {
                let (protocol, kind) = if source.is_ipv4() { (1, 3) } else { (58, 1) };
                let load = Load::Icmp { protocol, kind, code: rng.random_range(0..2), id: 0, target: None, about: Some(tuple) };
                Body::Ip { source: destination, destination: source, load }
            }
            _ => {
                return Some((
                    receiver.clone(),
                    sender.clone(),
                    Packet { source: receiver.mac_address, destination: sender.mac_address, ..answer_to(packet)? },
                ));
            }
        };
        let back = Packet { source: receiver.mac_address, destination: sender.mac_address, body };
        Some((receiver.clone(), sender.clone(), back))
    }

    fn mac(&self, rng: &mut SmallRng, port: &Port) -> Mac {
        let pair = port.allowed_address_pairs.choose(rng).map_or(port.mac_address, |pair| pair.mac_address);
        match rng.random_range(0..20) {
            0 => self.ports.choose(rng).map_or(port.mac_address, |port| port.mac_address),
            1..=4 => pair,
            _ => port.mac_address,
        }
    }

    /// An address that a port has, or may have, or (sometimes) that it has not.
    fn address(&self, rng: &mut SmallRng, port: &Port, v4: bool) -> IpAddr {
        let own = port.fixed_ips.iter().map(|ip| ip.ip_address);
        let link_local = IpAddr::from(net::link_local_eui64(port.mac_address));
        let own: Vec<IpAddr> = own.chain([link_local]).filter(|ip| ip.is_ipv4() == v4).collect();
        let other = || if v4 { IpAddr::from(Ipv4Addr::new(192, 0, 2, 77)) } else { IpAddr::from(Ipv6Addr::from(0x2001_0db8 << 96 | 77)) };
        match rng.random_range(0..20) {
            0 => other(),
            1 => self.any_address(rng, v4).unwrap_or_else(other),
            2 if v4 => Ipv4Addr::UNSPECIFIED.into(),
            2 => Ipv6Addr::UNSPECIFIED.into(),
            3..=6 => {
                let pairs: Vec<_> = port.allowed_address_pairs.iter().filter(|pair| pair.ip_address.addr().is_ipv4() == v4).collect();
                let edge = pairs.choose(rng).map(|pair| edge(rng, &pair.ip_address));
                edge.or_else(|| own.choose(rng).copied()).unwrap_or_else(other)
            }
            _ => own.choose(rng).copied().unwrap_or_else(other),
        }
    }

    fn any_address(&self, rng: &mut SmallRng, v4: bool) -> Option<IpAddr> {
        let rules = self.world.table::<SecurityGroupRule>().iter();
        let prefixes = rules.filter_map(|rule| rule.remote_ip_prefix.as_ref()?.parse::<IpNet>().ok());
        let edges: Vec<IpAddr> = prefixes.map(|net| edge(rng, &net)).collect();
        let ports = self.ports.iter().flat_map(|port| port.fixed_ips.iter().map(|ip| ip.ip_address));
        let all: Vec<IpAddr> = ports.chain(edges).filter(|ip| ip.is_ipv4() == v4).collect();
        all.choose(rng).copied()
    }

    fn ip(&self, rng: &mut SmallRng, sender: &Port, receiver: &Port) -> Packet {
        let v4 = rng.random_bool(0.7);
        let (source, destination) = (self.address(rng, sender, v4), self.address(rng, receiver, v4));
        let load = match rng.random_range(0..20) {
            0..=8 => Load::Ports { protocol: if rng.random_bool(0.7) { 6 } else { 17 }, source: port(rng), destination: self.port(rng) },
            9 | 10 => {
                let (source, destination) = *[(68, 67), (67, 68), (546, 547), (547, 546)].choose(rng).unwrap_or(&(68, 67));
                Load::Ports { protocol: 17, source, destination }
            }
            11 | 12 => {
                Load::Ports { protocol: *[132, 33, 136].choose(rng).unwrap_or(&132), source: port(rng), destination: self.port(rng) }
            }
            13 => Load::Other(*[47, 50, 112, 2].choose(rng).unwrap_or(&47)),
            14 => icmp(rng, if v4 { 58 } else { 1 }),
            _ => icmp(rng, if v4 { 1 } else { 58 }),
        };
        let destination_mac = if rng.random_bool(0.95) { receiver.mac_address } else { Mac::BROADCAST };
        Packet { source: self.mac(rng, sender), destination: destination_mac, body: Body::Ip { source, destination, load } }
    }

    /// A destination port at the border of a rule, or a usual one.
    fn port(&self, rng: &mut SmallRng) -> u16 {
        let rules: Vec<_> =
            self.world.table::<SecurityGroupRule>().iter().filter_map(|rule| rule.port_range_min.zip(rule.port_range_max)).collect();
        match rules.choose(rng) {
            Some((first, last)) if rng.random_bool(0.7) => {
                let near = [*first, *last, first.saturating_sub(1), last.saturating_add(1)];
                near.choose(rng).copied().unwrap_or(*first).max(1)
            }
            _ => port(rng),
        }
    }

    fn arp(&self, rng: &mut SmallRng, sender: &Port, receiver: &Port) -> Packet {
        let v4 = |ip: IpAddr| if let IpAddr::V4(ip) = ip { ip } else { Ipv4Addr::UNSPECIFIED };
        let (mac, source) = (self.mac(rng, sender), self.mac(rng, sender));
        let (own, target) = (v4(self.address(rng, sender, true)), v4(self.address(rng, receiver, true)));
        let destination = if rng.random_bool(0.5) { Mac::BROADCAST } else { receiver.mac_address };
        Packet { source, destination, body: Body::Arp { mac, sender: own, target } }
    }

    /// Neighbour discovery and router messages.
    fn discovery(&self, rng: &mut SmallRng, sender: &Port, receiver: &Port) -> Packet {
        let target = if let IpAddr::V6(target) = self.address(rng, sender, false) { Some(target) } else { None };
        let load = Load::Icmp { protocol: 58, kind: rng.random_range(130..=137), code: 0, id: 0, target, about: None };
        let (source, destination) = (self.address(rng, sender, false), self.address(rng, receiver, false));
        let to = if rng.random_bool(0.5) { Mac::BROADCAST } else { receiver.mac_address };
        Packet { source: self.mac(rng, sender), destination: to, body: Body::Ip { source, destination, load } }
    }
}

/// What goes the other way in the connection of a packet; none when nothing does.
pub fn answer_to(packet: &Packet) -> Option<Packet> {
    let reversed = Tuple::of(packet)?.reversed()?;
    let body = Body::Ip { source: reversed.source, destination: reversed.destination, load: load_of(&reversed) };
    Some(Packet { source: packet.destination, destination: packet.source, body })
}

fn port(rng: &mut SmallRng) -> u16 {
    PORTS.choose(rng).copied().unwrap_or(80)
}

fn icmp(rng: &mut SmallRng, protocol: u8) -> Load {
    let kinds: &[u8] = if protocol == 1 { &[0, 3, 8, 11, 13, 9, 135] } else { &[1, 128, 129, 131, 133, 134, 135, 137, 143, 3] };
    let kind = kinds.choose(rng).copied().unwrap_or(8);
    // The target of a neighbour message is what `discovery` is about; here it is nobody's.
    Load::Icmp { protocol, kind, code: rng.random_range(0..2), id: rng.random_range(1..4), target: Some(Ipv6Addr::LOCALHOST), about: None }
}

fn load_of(tuple: &Tuple) -> Load {
    let [kind, code] = tuple.to.to_be_bytes();
    match tuple.protocol {
        6 | 17 | 132 | 33 | 136 => Load::Ports { protocol: tuple.protocol, source: tuple.from, destination: tuple.to },
        protocol @ (1 | 58) => Load::Icmp { protocol, kind, code, id: tuple.from, target: Some(Ipv6Addr::LOCALHOST), about: None },
        protocol => Load::Other(protocol),
    }
}

/// An address just inside or outside of a prefix.
fn edge(rng: &mut SmallRng, net: &IpNet) -> IpAddr {
    let (first, last) = (net.network(), net::last_address(net));
    match rng.random_range(0..3) {
        0 => first,
        1 => last,
        _ => net::offset(&last, 1).unwrap_or(last),
    }
}
