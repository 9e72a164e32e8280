//! Address arithmetic that is the same for IPv4 and IPv6: the family is a value, not a type parameter.

use crate::Mac;
pub use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: &IpAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// The family of a prefix.
    pub fn of_net(net: &IpNet) -> Family {
        if matches!(net, IpNet::V4(_)) { Family::V4 } else { Family::V6 }
    }

    /// 4 or 6, as in `ip_version`.
    pub fn version(self) -> u8 {
        match self {
            Family::V4 => 4,
            Family::V6 => 6,
        }
    }

    /// 32 or 128.
    pub fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    /// `IPv4` or `IPv6`, as in `ethertype`.
    pub fn ethertype(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

impl TryFrom<u8> for Family {
    type Error = String;
    fn try_from(version: u8) -> Result<Self, String> {
        match version {
            4 => Ok(Family::V4),
            6 => Ok(Family::V6),
            other => Err(format!("{other} is not an IP version")),
        }
    }
}

impl From<Family> for u8 {
    fn from(family: Family) -> u8 {
        family.version()
    }
}

/// An address as a number, for arithmetic within its family.
pub fn number(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(u32::from(*a)),
        IpAddr::V6(a) => u128::from(*a),
    }
}

/// The address of a family that is this number; none past the end of the family's space.
pub fn address(family: Family, number: u128) -> Option<IpAddr> {
    match family {
        Family::V4 => u32::try_from(number).ok().map(|n| IpAddr::V4(Ipv4Addr::from(n))),
        Family::V6 => Some(IpAddr::V6(Ipv6Addr::from(number))),
    }
}

/// The address `by` after `from` in the same family, or none past the end of the family's space.
pub fn offset(from: &IpAddr, by: u128) -> Option<IpAddr> {
    number(from).checked_add(by).and_then(|n| address(Family::of(from), n))
}

/// Number of addresses in `first..=last`, saturating; 0 when `last` is before `first` or of another family.
pub fn addresses(first: &IpAddr, last: &IpAddr) -> u128 {
    if Family::of(first) != Family::of(last) || last < first {
        return 0;
    }
    (number(last) - number(first)).saturating_add(1)
}

/// The network address of a prefix.
pub fn first_address(net: &IpNet) -> IpAddr {
    net.network()
}

/// The last address of a prefix (the broadcast address in IPv4).
pub fn last_address(net: &IpNet) -> IpAddr {
    net.broadcast()
}

/// True when the address lies in the prefix and may be given to a host: in IPv4 not the network or broadcast address
/// (unless the prefix is /31 or /32, RFC 3021), in IPv6 not the subnet-router anycast address.
pub fn is_host_address(net: &IpNet, address: &IpAddr) -> bool {
    if !net.contains(address) {
        return false;
    }
    match net {
        IpNet::V4(n) if n.prefix_len() >= 31 => true,
        IpNet::V4(_) => *address != first_address(net) && *address != last_address(net),
        IpNet::V6(n) if n.prefix_len() >= 127 => true,
        IpNet::V6(_) => *address != first_address(net),
    }
}

fn interface_identifier(mac: Mac) -> u64 {
    let [a, b, c, d, e, f] = mac.0;
    u64::from_be_bytes([a ^ 0x02, b, c, 0xff, 0xfe, d, e, f])
}

/// The address that stateless autoconfiguration gives a MAC in a prefix (RFC 4862, modified EUI-64 of RFC 4291).
pub fn eui64(prefix: &IpNet, mac: Mac) -> Option<IpAddr> {
    match prefix {
        IpNet::V6(p) => Some(IpAddr::V6(Ipv6Addr::from(u128::from(p.network()) | u128::from(interface_identifier(mac))))),
        IpNet::V4(_) => None,
    }
}

/// The link-local address that a MAC gives itself (RFC 4291).
pub fn link_local_eui64(mac: Mac) -> Ipv6Addr {
    Ipv6Addr::from(0xfe80_u128 << 112 | u128::from(interface_identifier(mac)))
}

/// The name of an address that has no other: `host-10-0-0-5`.
pub fn host_label(address: IpAddr) -> String {
    let label = format!("host-{address}").replace(['.', ':'], "-");
    // A label does not end with a hyphen (RFC 1123); `::` is the same as `::0`.
    if label.ends_with('-') { label + "0" } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn arithmetic_stays_in_the_family() {
        assert_eq!(offset(&ip("10.0.0.255"), 1), Some(ip("10.0.1.0")));
        assert_eq!(offset(&ip("255.255.255.255"), 1), None);
        assert_eq!(addresses(&ip("10.0.0.2"), &ip("10.0.0.254")), 253);
        assert_eq!(addresses(&ip("10.0.0.2"), &ip("10.0.0.1")), 0);
        assert_eq!(addresses(&ip("10.0.0.2"), &ip("fd00::1")), 0);
    }

    #[test]
    fn eui64_as_in_rfc_4291() {
        let mac: Mac = "fa:16:3e:82:03:f3".parse().expect("a MAC");
        assert_eq!(eui64(&"fd00:5::/64".parse().expect("a prefix"), mac), Some(ip("fd00:5::f816:3eff:fe82:3f3")));
        assert_eq!(link_local_eui64(mac).to_string(), "fe80::f816:3eff:fe82:3f3");
    }

    #[test]
    fn host_addresses() {
        let net: IpNet = "10.0.0.0/24".parse().expect("a prefix");
        assert!(
            !is_host_address(&net, &ip("10.0.0.0")) && !is_host_address(&net, &ip("10.0.0.255")) && !is_host_address(&net, &ip("10.0.1.1"))
        );
        assert!(is_host_address(&net, &ip("10.0.0.1")));
        assert!(is_host_address(&"10.0.0.0/31".parse().expect("a prefix"), &ip("10.0.0.0")));
    }
}
