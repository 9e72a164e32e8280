//! What rules look at: header fields, packet metadata and connection state, with where the kernel finds them.

use crate::nft::DataType;

/// Something of a packet that rules compare or look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Name of the link the packet came in by.
    Iifname,
    /// Name of the link the packet leaves by.
    Oifname,
    /// Name of the bridge of the incoming port (needs the bridge metadata feature of the kernel).
    Ibrname,
    /// Name of the bridge of the outgoing port (likewise).
    Obrname,
    /// Group of the link the packet came in by.
    Iifgroup,
    /// Group of the link the packet leaves by.
    Oifgroup,
    /// The packet mark.
    Mark,
    /// Transport protocol number.
    L4proto,
    /// Ethernet type of the packet.
    Protocol,
    /// 2 for IPv4, 10 for IPv6 (family inet).
    Nfproto,
    /// 0 to this host, 1 broadcast, 2 multicast, 3 to another host.
    Pkttype,
    /// Source MAC address.
    EtherSaddr,
    /// Destination MAC address.
    EtherDaddr,
    /// Ethernet type in the header.
    EtherType,
    /// Priority and VLAN identifier of a frame whose Ethernet type in the header says that it is tagged.
    VlanTag,
    /// ARP operation: 1 request, 2 reply.
    ArpOperation,
    /// ARP sender IPv4 address.
    ArpSaddrIp,
    /// ARP sender MAC address.
    ArpSaddrEther,
    /// ARP target IPv4 address.
    ArpDaddrIp,
    /// ARP target MAC address.
    ArpDaddrEther,
    /// IPv4 source.
    IpSaddr,
    /// IPv4 destination.
    IpDaddr,
    /// IPv4 time to live.
    IpTtl,
    /// IPv6 hop limit.
    Ip6HopLimit,
    /// IPv6 source.
    Ip6Saddr,
    /// IPv6 destination.
    Ip6Daddr,
    /// TCP source port.
    TcpSport,
    /// TCP destination port.
    TcpDport,
    /// UDP source port.
    UdpSport,
    /// UDP destination port.
    UdpDport,
    /// SCTP source port.
    SctpSport,
    /// SCTP destination port.
    SctpDport,
    /// Source port of whatever transport the rule asked for before (DCCP, UDP-Lite …).
    ThSport,
    /// Destination port likewise.
    ThDport,
    /// ICMP type.
    IcmpType,
    /// ICMP code.
    IcmpCode,
    /// ICMPv6 type.
    Icmpv6Type,
    /// ICMPv6 code.
    Icmpv6Code,
    /// Target address of a neighbour solicitation or advertisement (ICMPv6 types 135 and 136, RFC 4861).
    NdTarget,
    /// Connection state, as bits of [`crate::nft::Ct`].
    CtState,
    /// What became of the connection, as bits of the kernel's `IPS_…`: [`crate::nft::Ct::DNAT`].
    CtStatus,
    /// 0 for packets in the direction of the connection's first packet, 1 for answers.
    CtDirection,
    /// Connection mark.
    CtMark,
    /// Conntrack zone.
    CtZone,
    /// IPv4 source of the connection's first packet; connections of IPv6 have none.
    CtOriginalIpSaddr,
    /// IPv4 destination likewise.
    CtOriginalIpDaddr,
    /// IPv6 source likewise.
    CtOriginalIp6Saddr,
    /// IPv6 destination likewise.
    CtOriginalIp6Daddr,
    /// Destination port of the connection's first packet, of protocols that have ports.
    CtOriginalDport,
}

/// How the kernel loads a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Packet metadata, by `NFT_META_*` number.
    Meta(u32),
    /// Header bytes: which header and the offset in it.
    Payload(Layer, u32),
    /// Conntrack, by `NFT_CT_*` number.
    Ct(u32),
    /// The direction of a connection's first packet, likewise.
    CtOriginal(u32),
}

/// A header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet.
    Link,
    /// IP or ARP.
    Network,
    /// TCP, UDP, ICMP ….
    Transport,
}

/// What must hold before a field means anything; encoders add the missing matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// This Ethernet type.
    Protocol(u16),
    /// This transport protocol.
    L4proto(u8),
}

const IPV4: Dependency = Dependency::Protocol(0x0800);
const IPV6: Dependency = Dependency::Protocol(0x86dd);
const ARP: Dependency = Dependency::Protocol(0x0806);

/// Name, load, size in bytes and dependency of a field.
type Facts = (&'static str, Load, usize, Option<Dependency>);

impl Field {
    fn facts(self) -> Facts {
        use Layer::{Link, Network, Transport};
        use Load::{Ct, CtOriginal, Meta, Payload};
        let l4 = |protocol| Some(Dependency::L4proto(protocol));
        match self {
            Field::Iifname => ("iifname", Meta(6), 16, None),
            Field::Oifname => ("oifname", Meta(7), 16, None),
            Field::Ibrname => ("meta ibrname", Meta(17), 16, None),
            Field::Obrname => ("meta obrname", Meta(18), 16, None),
            Field::Iifgroup => ("iifgroup", Meta(21), 4, None),
            Field::Oifgroup => ("oifgroup", Meta(22), 4, None),
            Field::Mark => ("meta mark", Meta(3), 4, None),
            Field::L4proto => ("meta l4proto", Meta(16), 1, None),
            Field::Protocol => ("meta protocol", Meta(1), 2, None),
            Field::Nfproto => ("meta nfproto", Meta(15), 1, None),
            Field::Pkttype => ("meta pkttype", Meta(19), 1, None),
            Field::EtherSaddr => ("ether saddr", Payload(Link, 6), 6, None),
            Field::EtherDaddr => ("ether daddr", Payload(Link, 0), 6, None),
            Field::EtherType => ("ether type", Payload(Link, 12), 2, None),
            Field::VlanTag => ("@ll,112,16", Payload(Link, 14), 2, None),
            Field::ArpOperation => ("arp operation", Payload(Network, 6), 2, Some(ARP)),
            Field::ArpSaddrEther => ("arp saddr ether", Payload(Network, 8), 6, Some(ARP)),
            Field::ArpSaddrIp => ("arp saddr ip", Payload(Network, 14), 4, Some(ARP)),
            Field::ArpDaddrEther => ("arp daddr ether", Payload(Network, 18), 6, Some(ARP)),
            Field::ArpDaddrIp => ("arp daddr ip", Payload(Network, 24), 4, Some(ARP)),
            Field::IpSaddr => ("ip saddr", Payload(Network, 12), 4, Some(IPV4)),
            Field::IpDaddr => ("ip daddr", Payload(Network, 16), 4, Some(IPV4)),
            Field::IpTtl => ("ip ttl", Payload(Network, 8), 1, Some(IPV4)),
            Field::Ip6HopLimit => ("ip6 hoplimit", Payload(Network, 7), 1, Some(IPV6)),
            Field::Ip6Saddr => ("ip6 saddr", Payload(Network, 8), 16, Some(IPV6)),
            Field::Ip6Daddr => ("ip6 daddr", Payload(Network, 24), 16, Some(IPV6)),
            Field::TcpSport => ("tcp sport", Payload(Transport, 0), 2, l4(6)),
            Field::TcpDport => ("tcp dport", Payload(Transport, 2), 2, l4(6)),
            Field::UdpSport => ("udp sport", Payload(Transport, 0), 2, l4(17)),
            Field::UdpDport => ("udp dport", Payload(Transport, 2), 2, l4(17)),
            Field::SctpSport => ("sctp sport", Payload(Transport, 0), 2, l4(132)),
            Field::SctpDport => ("sctp dport", Payload(Transport, 2), 2, l4(132)),
            Field::ThSport => ("th sport", Payload(Transport, 0), 2, None),
            Field::ThDport => ("th dport", Payload(Transport, 2), 2, None),
            Field::IcmpType => ("icmp type", Payload(Transport, 0), 1, l4(1)),
            Field::IcmpCode => ("icmp code", Payload(Transport, 1), 1, l4(1)),
            Field::Icmpv6Type => ("icmpv6 type", Payload(Transport, 0), 1, l4(58)),
            Field::Icmpv6Code => ("icmpv6 code", Payload(Transport, 1), 1, l4(58)),
            Field::NdTarget => ("@th,64,128", Payload(Transport, 8), 16, l4(58)),
            Field::CtState => ("ct state", Ct(0), 4, None),
            Field::CtStatus => ("ct status", Ct(2), 4, None),
            Field::CtDirection => ("ct direction", Ct(1), 1, None),
            Field::CtMark => ("ct mark", Ct(3), 4, None),
            Field::CtZone => ("ct zone", Ct(17), 2, None),
            Field::CtOriginalIpSaddr => ("ct original ip saddr", CtOriginal(19), 4, None),
            Field::CtOriginalIpDaddr => ("ct original ip daddr", CtOriginal(20), 4, None),
            Field::CtOriginalIp6Saddr => ("ct original ip6 saddr", CtOriginal(21), 16, None),
            Field::CtOriginalIp6Daddr => ("ct original ip6 daddr", CtOriginal(22), 16, None),
            Field::CtOriginalDport => ("ct original proto-dst", CtOriginal(12), 2, None),
        }
    }

    /// The name in rulesets.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// Where the kernel finds it.
    pub fn load(self) -> Load {
        self.facts().1
    }

    /// Size in bytes.
    pub fn size(self) -> usize {
        self.facts().2
    }

    /// What the encoder must have matched before.
    pub fn dependency(self) -> Option<Dependency> {
        self.facts().3
    }

    /// Numbers are in the host's byte order (metadata and conntrack), otherwise in the network's, as in packets.
    pub fn host_order(self) -> bool {
        !matches!(self.load(), Load::Payload(..) | Load::CtOriginal(_)) && self != Field::Protocol
    }

    /// The type of set keys it is looked up with; `None` when no set can hold it.
    pub fn data_type(self) -> Option<DataType> {
        Some(match self {
            Field::Iifname | Field::Oifname | Field::Ibrname | Field::Obrname => DataType::Ifname,
            Field::Mark | Field::CtMark => DataType::Mark,
            Field::L4proto => DataType::InetProto,
            Field::Protocol | Field::EtherType => DataType::EtherType,
            Field::EtherSaddr | Field::EtherDaddr | Field::ArpSaddrEther | Field::ArpDaddrEther => DataType::EtherAddr,
            Field::ArpOperation => DataType::ArpOperation,
            Field::IpSaddr | Field::IpDaddr | Field::ArpSaddrIp | Field::ArpDaddrIp => DataType::Ipv4,
            Field::Ip6Saddr | Field::Ip6Daddr | Field::NdTarget => DataType::Ipv6,
            Field::CtOriginalIpSaddr | Field::CtOriginalIpDaddr => DataType::Ipv4,
            Field::CtOriginalIp6Saddr | Field::CtOriginalIp6Daddr => DataType::Ipv6,
            Field::CtOriginalDport => DataType::InetService,
            Field::TcpSport | Field::TcpDport | Field::UdpSport | Field::UdpDport => DataType::InetService,
            Field::SctpSport | Field::SctpDport | Field::ThSport | Field::ThDport => DataType::InetService,
            Field::IcmpType => DataType::IcmpType,
            Field::Icmpv6Type => DataType::Icmpv6Type,
            Field::Iifgroup | Field::Oifgroup | Field::VlanTag | Field::Nfproto | Field::Pkttype | Field::IcmpCode | Field::Icmpv6Code => return None,
            Field::IpTtl | Field::Ip6HopLimit | Field::CtState | Field::CtStatus | Field::CtDirection | Field::CtZone => return None,
        })
    }
}
