//! Declarations of named sets, maps and verdict maps.

use crate::nft::{Data, Key};
use std::collections::BTreeMap;

/// The elements of a set (no data) or map (data) by key.
pub type Elements = BTreeMap<Key, Option<Data>>;

/// A named set, or a map when `data` is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetSpec {
    /// Types of the key's components; more than one is a concatenation.
    pub key: Vec<DataType>,
    /// Elements may be prefixes and ranges, which must not overlap.
    pub interval: bool,
    /// What a key is mapped to.
    pub data: Option<MapData>,
}

impl SetSpec {
    /// A set of single constants.
    pub fn set(key: impl Into<Vec<DataType>>) -> SetSpec {
        SetSpec { key: key.into(), interval: false, data: None }
    }

    /// A set of disjoint prefixes and ranges.
    pub fn intervals(key: impl Into<Vec<DataType>>) -> SetSpec {
        SetSpec { interval: true, ..SetSpec::set(key) }
    }

    /// A map from keys to constants.
    pub fn map(key: impl Into<Vec<DataType>>, data: DataType) -> SetSpec {
        SetSpec { data: Some(MapData::Value(data)), ..SetSpec::set(key) }
    }

    /// A map from keys to an IPv4 address and a port.
    pub fn services(key: impl Into<Vec<DataType>>) -> SetSpec {
        SetSpec { data: Some(MapData::Service), ..SetSpec::set(key) }
    }

    /// A map from keys to verdicts.
    pub fn verdicts(key: impl Into<Vec<DataType>>) -> SetSpec {
        SetSpec { data: Some(MapData::Verdict), ..SetSpec::set(key) }
    }
}

/// What a map's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapData {
    /// A constant of this type.
    Value(DataType),
    /// An IPv4 address and a port, concatenated.
    Service,
    /// A verdict.
    Verdict,
}

/// The type of a key component or of a map's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// A link's name.
    Ifname,
    /// A MAC address.
    EtherAddr,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An Ethernet type.
    EtherType,
    /// An IP protocol number.
    InetProto,
    /// A TCP, UDP or SCTP port.
    InetService,
    /// A packet or connection mark; conntrack zones are mapped to in this type too.
    Mark,
    /// An ICMP type.
    IcmpType,
    /// An ICMPv6 type.
    Icmpv6Type,
    /// An ARP operation.
    ArpOperation,
}

impl DataType {
    /// All types.
    pub const ALL: [DataType; 11] = [
        DataType::Ifname,
        DataType::EtherAddr,
        DataType::Ipv4,
        DataType::Ipv6,
        DataType::EtherType,
        DataType::InetProto,
        DataType::InetService,
        DataType::Mark,
        DataType::IcmpType,
        DataType::Icmpv6Type,
        DataType::ArpOperation,
    ];

    /// The name in rulesets.
    pub fn name(self) -> &'static str {
        match self {
            DataType::Ifname => "ifname",
            DataType::EtherAddr => "ether_addr",
            DataType::Ipv4 => "ipv4_addr",
            DataType::Ipv6 => "ipv6_addr",
            DataType::EtherType => "ether_type",
            DataType::InetProto => "inet_proto",
            DataType::InetService => "inet_service",
            DataType::Mark => "mark",
            DataType::IcmpType => "icmp_type",
            DataType::Icmpv6Type => "icmpv6_type",
            DataType::ArpOperation => "arp_op",
        }
    }

    /// Size of a value in bytes.
    pub fn size(self) -> usize {
        match self {
            DataType::Ifname | DataType::Ipv6 => 16,
            DataType::EtherAddr => 6,
            DataType::Ipv4 | DataType::Mark => 4,
            DataType::EtherType | DataType::InetService | DataType::ArpOperation => 2,
            DataType::InetProto | DataType::IcmpType | DataType::Icmpv6Type => 1,
        }
    }

    /// Numbers are in the host's byte order; otherwise in the network's.
    pub fn host_order(self) -> bool {
        matches!(self, DataType::Mark | DataType::Ifname)
    }
}
