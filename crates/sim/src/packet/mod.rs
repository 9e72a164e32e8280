//! Packets, and what becomes of them: on the hosts as they are programmed ([`path`]), and as the world means it ([`oracle`]).
//!
//! The two know nothing of each other: one interprets the nft rules of the compiled programs with a model of connection tracking,
//! the other reads ports, groups and rules of the API. That they agree on random packets is what isolation means.

pub mod filter;
pub mod oracle;
pub mod path;
pub mod probe;
pub mod track;

use dataplane::Name;
use net::{HostName, Mac};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use track::Tuple;

/// An Ethernet frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Source MAC.
    pub source: Mac,
    /// Destination MAC.
    pub destination: Mac,
    /// What is in it.
    pub body: Body,
}

/// What is in a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// ARP (RFC 826).
    Arp {
        /// The sender's MAC.
        mac: Mac,
        /// The sender's address.
        sender: Ipv4Addr,
        /// Whose MAC is asked for, or who is told.
        target: Ipv4Addr,
    },
    /// IPv4 or IPv6; both addresses are of one family.
    Ip {
        /// Source.
        source: IpAddr,
        /// Destination.
        destination: IpAddr,
        /// What it carries.
        load: Load,
    },
    /// Another Ethernet type.
    Other(u16),
}

/// What an IP packet carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Load {
    /// A protocol with ports in its first four bytes: TCP, UDP, SCTP, DCCP, UDP-Lite.
    Ports {
        /// Its number.
        protocol: u8,
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
    },
    /// ICMP (1) or ICMPv6 (58), whatever the family of the packet.
    Icmp {
        /// 1 or 58.
        protocol: u8,
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier of echo messages.
        id: u16,
        /// Target of neighbour discovery messages.
        target: Option<Ipv6Addr>,
        /// The packet that an error is about.
        about: Option<Tuple>,
    },
    /// Any other protocol.
    Other(u8),
}

/// A link of a host.
pub type Place = (HostName, Name);

impl Load {
    /// The protocol's number.
    pub fn protocol(&self) -> u8 {
        match self {
            Load::Ports { protocol, .. } | Load::Icmp { protocol, .. } | Load::Other(protocol) => *protocol,
        }
    }
}

impl Packet {
    /// The Ethernet type.
    pub fn ether_type(&self) -> u16 {
        match &self.body {
            Body::Arp { .. } => 0x0806,
            Body::Ip { source: IpAddr::V4(_), .. } => 0x0800,
            Body::Ip { source: IpAddr::V6(_), .. } => 0x86dd,
            Body::Other(ether_type) => *ether_type,
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}: ", self.source, self.destination)?;
        match &self.body {
            Body::Arp { mac, sender, target } => write!(f, "ARP {mac} {sender} > {target}"),
            Body::Other(ether_type) => write!(f, "Ethernet type {ether_type:#06x}"),
            Body::Ip { source, destination, load } => {
                write!(f, "{source} > {destination}: ")?;
                match load {
                    Load::Ports { protocol, source, destination } => write!(f, "protocol {protocol} ports {source} > {destination}"),
                    Load::Other(protocol) => write!(f, "protocol {protocol}"),
                    Load::Icmp { protocol, kind, code, id, target, about } => {
                        write!(f, "protocol {protocol} type {kind} code {code} id {id}")?;
                        target.iter().try_for_each(|target| write!(f, " target {target}"))?;
                        about.iter().try_for_each(|about| write!(f, " about {about}"))
                    }
                }
            }
        }
    }
}
