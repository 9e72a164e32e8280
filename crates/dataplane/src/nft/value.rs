//! Constants: addresses, names and numbers, spans of them, keys and data of elements.

use crate::Name;
use crate::nft::rule::Verdict;
use net::{IpNet, Mac};
use std::net::IpAddr;

/// One constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A link's name.
    Name(Name),
    /// A MAC address.
    Mac(Mac),
    /// An IP address.
    Ip(IpAddr),
    /// A number: mark, port, protocol, type, zone.
    Number(u32),
}

impl From<Mac> for Value {
    fn from(mac: Mac) -> Value {
        Value::Mac(mac)
    }
}
impl From<IpAddr> for Value {
    fn from(address: IpAddr) -> Value {
        Value::Ip(address)
    }
}
impl From<std::net::Ipv4Addr> for Value {
    fn from(address: std::net::Ipv4Addr) -> Value {
        Value::Ip(address.into())
    }
}
impl From<std::net::Ipv6Addr> for Value {
    fn from(address: std::net::Ipv6Addr) -> Value {
        Value::Ip(address.into())
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Number(number)
    }
}
impl From<u16> for Value {
    fn from(number: u16) -> Value {
        Value::Number(number.into())
    }
}
impl From<u8> for Value {
    fn from(number: u8) -> Value {
        Value::Number(number.into())
    }
}
impl From<Name> for Value {
    fn from(name: Name) -> Value {
        Value::Name(name)
    }
}
impl From<&str> for Value {
    fn from(name: &str) -> Value {
        Value::Name(name.into())
    }
}

/// One component of a key: a constant or an interval. In canonical form ([`Span::canonical`]) equal sets of constants
/// are equal values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// One constant.
    One(Value),
    /// All from the first to the last, both included; numbers or addresses of one family.
    Range(Value, Value),
    /// All addresses of a prefix.
    Prefix(IpNet),
}

impl Span {
    /// A prefix of one address becomes that address, a range that is a prefix becomes the prefix, host bits are cleared.
    pub fn canonical(self) -> Span {
        match self {
            Span::Prefix(net) if net.prefix_len() == net.max_prefix_len() => Span::One(Value::Ip(net.addr())),
            Span::Prefix(net) => Span::Prefix(net.trunc()),
            Span::Range(first, last) if first == last => Span::One(first),
            Span::Range(Value::Ip(first), Value::Ip(last)) => match prefix_of(first, last) {
                Some(net) => Span::Prefix(net),
                None => Span::Range(Value::Ip(first), Value::Ip(last)),
            },
            other => other,
        }
    }

    /// The first and the last constant.
    pub fn bounds(&self) -> (Value, Value) {
        match self {
            Span::One(value) => (value.clone(), value.clone()),
            Span::Range(first, last) => (first.clone(), last.clone()),
            Span::Prefix(net) => (Value::Ip(net.network()), Value::Ip(net::last_address(net))),
        }
    }
}

fn prefix_of(first: IpAddr, last: IpAddr) -> Option<IpNet> {
    let (a, b, bits) = match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(u32::from(a)) << 96, u128::from(u32::from(b)) << 96 | (u128::MAX >> 32), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a), u128::from(b), 128),
        _ => return None,
    };
    let length = (a ^ b).leading_zeros().min(128);
    let host = u128::MAX.checked_shr(length).unwrap_or(0);
    (a & host == 0 && b & host == host && length <= bits).then(|| IpNet::new(first, length as u8).expect("at most the family's bits"))
}

impl<V: Into<Value>> From<V> for Span {
    fn from(value: V) -> Span {
        Span::One(value.into())
    }
}
impl From<IpNet> for Span {
    fn from(net: IpNet) -> Span {
        Span::Prefix(net).canonical()
    }
}

/// The key of an element: one component, or several of a concatenation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub Vec<Span>);

impl Key {
    /// The key with each component in canonical form.
    pub fn canonical(&self) -> Key {
        Key(self.0.iter().cloned().map(Span::canonical).collect())
    }
}

impl<S: Into<Span>> From<S> for Key {
    fn from(span: S) -> Key {
        Key(vec![span.into()])
    }
}
impl<A: Into<Span>, B: Into<Span>> From<(A, B)> for Key {
    fn from((a, b): (A, B)) -> Key {
        Key(vec![a.into(), b.into()])
    }
}
impl<A: Into<Span>, B: Into<Span>, C: Into<Span>> From<(A, B, C)> for Key {
    fn from((a, b, c): (A, B, C)) -> Key {
        Key(vec![a.into(), b.into(), c.into()])
    }
}

/// What a map gives for a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// A constant.
    Value(Value),
    /// An IPv4 address and a port.
    Service(std::net::Ipv4Addr, u16),
    /// A verdict.
    Verdict(Verdict),
}

impl From<Verdict> for Data {
    fn from(verdict: Verdict) -> Data {
        Data::Verdict(verdict)
    }
}
impl<V: Into<Value>> From<V> for Data {
    fn from(value: V) -> Data {
        Data::Value(value.into())
    }
}

/// The keys of an interval set that holds exactly these prefixes: disjoint (the kernel refuses overlaps) and as few as
/// possible. All of one family.
pub fn prefix_elements(nets: impl IntoIterator<Item = IpNet>) -> Vec<Key> {
    let nets: Vec<IpNet> = nets.into_iter().collect();
    IpNet::aggregate(&nets).into_iter().map(Key::from).collect()
}
