//! Connection tracking as the kernel does it, as far as filters can see.
//!
//! A packet of a tuple not seen before begins a connection when its protocol can begin one so; the connection is kept once the packet
//! has passed the host. Timeouts, TCP's states and helpers are left out: a simulated connection does not end by itself.

use super::{Body, Load, Packet};
use agent::{CUT_MARK, Cut};
use dataplane::nft::Ct;
use net::{Family, IpNet};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// What tells the packets of a connection in one direction from all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tuple {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Protocol.
    pub protocol: u8,
    /// Source port, or ICMP identifier.
    pub from: u16,
    /// Destination port, or ICMP type and code.
    pub to: u16,
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{} > {}#{} protocol {}", self.source, self.from, self.destination, self.to, self.protocol)
    }
}

impl Tuple {
    /// The tuple of a packet; none for ARP and for protocols whose packets belong to no connection.
    pub fn of(packet: &Packet) -> Option<Tuple> {
        let Body::Ip { source, destination, load } = &packet.body else { return None };
        let (from, to) = match load {
            Load::Ports { source, destination, .. } => (*source, *destination),
            Load::Icmp { protocol, kind, code, id, .. } if is_own_icmp(*protocol, source) => (*id, u16::from_be_bytes([*kind, *code])),
            Load::Icmp { .. } | Load::Other(_) => (0, 0),
        };
        Some(Tuple { source: *source, destination: *destination, protocol: load.protocol(), from, to })
    }

    /// The tuple of packets the other way; none for ICMP types that have no answer.
    pub fn reversed(&self) -> Option<Tuple> {
        let (from, to) = if is_own_icmp(self.protocol, &self.source) {
            let [kind, code] = self.to.to_be_bytes();
            (self.from, u16::from_be_bytes([answer(self.protocol, kind)?, code]))
        } else {
            (self.to, self.from)
        };
        Some(Tuple { source: self.destination, destination: self.source, protocol: self.protocol, from, to })
    }

    /// Its first packet may begin a connection.
    pub fn may_begin(&self) -> bool {
        let [kind, _] = self.to.to_be_bytes();
        match self.protocol {
            1 if self.source.is_ipv4() => matches!(kind, 8 | 13 | 15 | 17),
            58 if self.source.is_ipv6() => matches!(kind, 128 | 139),
            _ => true,
        }
    }
}

/// ICMP in IPv4, ICMPv6 in IPv6; in the other family they are protocols like any other.
pub fn is_own_icmp(protocol: u8, address: &IpAddr) -> bool {
    (protocol, address.is_ipv4()) == (1, true) || (protocol, address.is_ipv4()) == (58, false)
}

fn answer(protocol: u8, kind: u8) -> Option<u8> {
    let pairs: &[(u8, u8)] = if protocol == 1 { &[(8, 0), (13, 14), (15, 16), (17, 18)] } else { &[(128, 129), (139, 140)] };
    pairs.iter().find_map(|(ask, tell)| match kind {
        kind if kind == *ask => Some(*tell),
        kind if kind == *tell => Some(*ask),
        _ => None,
    })
}

/// True for ICMP errors, which are about a packet of another connection.
pub fn is_error(protocol: u8, kind: u8) -> bool {
    if protocol == 1 { matches!(kind, 3 | 4 | 5 | 11 | 12) } else { kind < 128 }
}

/// The connections that a host tracks, by zone and the tuple of the first packet.
#[derive(Clone, Default, Debug)]
pub struct Track {
    connections: BTreeMap<(u16, Tuple), Connection>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Connection {
    /// A packet came the other way.
    answered: bool,
    mark: u32,
}

/// What is known of a packet when it comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Bits of [`Ct`].
    pub state: u32,
    /// Its connection, and whether it goes in the direction of the first packet.
    pub connection: Option<((u16, Tuple), bool)>,
    /// The mark of the connection.
    pub mark: u32,
}

impl Default for Seen {
    /// Of no connection.
    fn default() -> Seen {
        Seen { state: Ct::INVALID, connection: None, mark: 0 }
    }
}

impl Track {
    /// Classifies a packet.
    pub fn see(&mut self, zone: u16, packet: &Packet) -> Seen {
        let Some(tuple) = Tuple::of(packet) else { return Seen::default() };
        if let Body::Ip { source, load: Load::Icmp { protocol, kind, about, .. }, .. } = &packet.body
            && is_own_icmp(*protocol, source)
        {
            // Neighbour discovery and multicast listener messages are never tracked.
            if *protocol == 58 && matches!(kind, 130..=137 | 143) {
                return Seen { state: Ct::UNTRACKED, ..Seen::default() };
            }
            if is_error(*protocol, *kind) {
                let known = about.and_then(|about| self.find(zone, &about));
                // An error about a packet goes the other way.
                return known.map_or(Seen::default(), |(original, forth)| self.seen(zone, original, !forth, Ct::RELATED));
            }
        }
        match self.find(zone, &tuple) {
            Some((original, forth)) => {
                let connection = self.connections.entry((zone, original)).or_default();
                connection.answered |= !forth;
                let state = if connection.answered { Ct::ESTABLISHED } else { Ct::NEW };
                self.seen(zone, original, forth, state)
            }
            None if tuple.may_begin() => self.seen(zone, tuple, true, Ct::NEW),
            None => Seen::default(),
        }
    }

    fn seen(&self, zone: u16, original: Tuple, forth: bool, state: u32) -> Seen {
        let mark = self.connections.get(&(zone, original)).map_or(0, |connection| connection.mark);
        Seen { state, connection: Some(((zone, original), forth)), mark }
    }

    /// The first tuple of the connection a tuple belongs to, and whether it goes the same way.
    fn find(&self, zone: u16, tuple: &Tuple) -> Option<(Tuple, bool)> {
        if self.connections.contains_key(&(zone, *tuple)) {
            return Some((*tuple, true));
        }
        let reversed = tuple.reversed()?;
        self.connections.contains_key(&(zone, reversed)).then_some((reversed, false))
    }

    /// Keeps the connection of a packet that has passed.
    pub fn pass(&mut self, seen: &Seen) {
        if let Some((key, _)) = seen.connection {
            self.connections.entry(key).or_insert(Connection { answered: false, mark: seen.mark });
        }
    }

    /// A rule has given the connection of a packet a mark.
    pub fn mark(&mut self, seen: &Seen) {
        let connection = seen.connection.and_then(|(key, _)| self.connections.get_mut(&key));
        connection.into_iter().for_each(|connection| connection.mark = seen.mark);
    }

    /// Marks connections as cut, or forgets them when all of a zone are meant.
    pub fn cut(&mut self, cuts: &[Cut]) {
        self.connections.retain(|(zone, tuple), connection| {
            let mut hit = cuts.iter().filter(|cut| is_cut(cut, *zone, tuple)).peekable();
            if hit.peek().is_some() {
                connection.mark = CUT_MARK;
            }
            !hit.any(|cut| !cut.is_judged())
        });
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.connections.clear();
    }
}

fn is_cut(cut: &Cut, zone: u16, tuple: &Tuple) -> bool {
    let within = |net: &Option<IpNet>, address: &IpAddr| net.is_none_or(|net| net.contains(address));
    cut.netns.is_root()
        && cut.translated_source.is_none()
        && cut.zone == zone
        && cut.family == Family::of(&tuple.source)
        && cut.protocol.is_none_or(|protocol| protocol == tuple.protocol)
        && within(&cut.source, &tuple.source)
        && within(&cut.destination, &tuple.destination)
        && cut.destination_ports.is_none_or(|(first, last)| (first..=last).contains(&tuple.to))
}
