//! IP protocols by the names that the API knows (numbers of the IANA registry).

use net::Family;

const NAMES: [(&str, u8); 25] = [
    ("ah", 51),
    ("dccp", 33),
    ("egp", 8),
    ("esp", 50),
    ("gre", 47),
    ("hopopt", 0),
    ("icmp", 1),
    ("icmpv6", 58),
    ("igmp", 2),
    ("ipip", 4),
    ("ipv6-encap", 41),
    ("ipv6-frag", 44),
    ("ipv6-icmp", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("ipv6-route", 43),
    ("ospf", 89),
    ("pgm", 113),
    ("rsvp", 46),
    ("sctp", 132),
    ("tcp", 6),
    ("udp", 17),
    ("udplite", 136),
    ("vrrp", 112),
    ("ip", 0),
];

/// ICMP of IPv4.
pub const ICMP: u8 = 1;
/// ICMP of IPv6.
pub const ICMPV6: u8 = 58;

/// The words that the fault for an unknown protocol lists, as clients have seen them.
pub(super) const LISTED: &str = "None, 'any', 'ah', 'dccp', 'egp', 'esp', 'gre', 'hopopt', 'icmp', 'igmp', 'ip', 'ipip', 'ipv6-encap', \
     'ipv6-frag', 'ipv6-icmp', 'icmpv6', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route', 'ospf', 'pgm', 'rsvp', 'sctp', 'tcp', 'udp', 'udplite', \
     'vrrp'";

/// The number of a rule's protocol: a name in lower case or a decimal number.
pub fn number(protocol: &str) -> Option<u8> {
    NAMES.iter().find(|(name, _)| *name == protocol).map(|(_, number)| *number).or_else(|| protocol.parse().ok())
}

/// True for the names and the number that mean any protocol.
pub fn is_any(protocol: &str) -> bool {
    matches!(protocol, "any" | "ip" | "0")
}

/// True when the protocol's header has ports: TCP, UDP, SCTP, DCCP, UDP-Lite.
pub fn has_ports(number: u8) -> bool {
    matches!(number, 6 | 17 | 132 | 33 | 136)
}

/// True when the protocol has types and codes.
pub fn is_icmp(number: u8) -> bool {
    matches!(number, ICMP | ICMPV6)
}

/// True when the protocol, by this name or number, is only for IPv6 rules.
pub(super) fn is_ipv6_only(protocol: &str) -> bool {
    let number = protocol.parse().ok();
    protocol == "icmpv6" || NAMES.iter().any(|(name, of)| name.starts_with("ipv6-") && (*name == protocol || number == Some(*of)))
}

/// The ICMP that a rule means in a family: `icmp` in an IPv6 rule is ICMPv6.
pub fn in_family(number: u8, family: Family) -> u8 {
    match family {
        Family::V6 if number == ICMP => ICMPV6,
        _ => number,
    }
}
