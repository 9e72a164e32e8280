//! IP routes. Our mark is the protocol number ([`PROTOCOL`]).

use crate::Name;
use net::IpNet;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

/// The routing protocol number that marks routes and addresses as ours (`proto 110` in `ip route`).
pub const PROTOCOL: u8 = 110;

/// What the kernel tells routes apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// Routing table; 254 is `main`.
    pub table: u32,
    /// Destination prefix; a default route has length 0.
    pub destination: IpNet,
    /// Metric: smaller is preferred. IPv6 takes 0 for 1024, so use the same number for both families and not 0 for IPv6.
    pub metric: u32,
}

impl RouteKey {
    /// A route in `main`, with metric 0 for IPv4 and the kernel's default of 1024 for IPv6.
    pub fn main(destination: IpNet) -> RouteKey {
        let metric = if destination.addr().is_ipv6() { 1024 } else { 0 };
        RouteKey { table: 254, destination, metric }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} table {} metric {}", self.destination, self.table, self.metric)
    }
}

/// Where packets for a destination go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Forward or refuse.
    pub kind: RouteKind,
    /// How far the destination is.
    pub scope: Scope,
    /// Source address preferred for packets of this host.
    pub source: Option<IpAddr>,
}

/// What a route does with packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// Send out of a link, to a next hop or straight to the destination.
    Unicast {
        /// The link to send from.
        link: Name,
        /// The next hop; `None` when the destination is on the link.
        via: Option<Gateway>,
    },
    /// Spread over several next hops, two at least. By what, is a parameter of the namespace (`fib_multipath_hash_policy`).
    Multipath(BTreeSet<Hop>),
    /// Drop silently.
    Blackhole,
    /// Answer "unreachable".
    Unreachable,
}

/// One of several next hops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// The link to send from.
    pub link: Name,
    /// The next hop on it.
    pub via: Gateway,
}

/// A next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gateway {
    /// Its address, of the destination's family.
    pub address: IpAddr,
    /// Take it as reachable on the link although no prefix of the link covers it.
    pub onlink: bool,
}

/// The distance of a route's destination (IPv4 only; IPv6 routes are always [`Scope::Universe`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Beyond a router.
    Universe,
    /// On the link.
    Link,
}

impl Route {
    /// To a next hop.
    pub fn via(link: impl Into<Name>, gateway: IpAddr) -> Route {
        let via = Some(Gateway { address: gateway, onlink: false });
        Route { kind: RouteKind::Unicast { link: link.into(), via }, scope: Scope::Universe, source: None }
    }

    /// To one next hop, or spread over several.
    pub fn over(first: Hop, more: impl IntoIterator<Item = Hop>) -> Route {
        let mut hops: BTreeSet<Hop> = more.into_iter().chain([first]).collect();
        let kind = match (hops.len(), hops.pop_first()) {
            (1, Some(Hop { link, via })) => RouteKind::Unicast { link, via: Some(via) },
            (_, popped) => RouteKind::Multipath(popped.into_iter().chain(hops).collect()),
        };
        Route { kind, scope: Scope::Universe, source: None }
    }

    /// To a destination on the link.
    pub fn on_link(link: impl Into<Name>, destination: &IpNet) -> Route {
        let scope = if destination.addr().is_ipv6() { Scope::Universe } else { Scope::Link };
        Route { kind: RouteKind::Unicast { link: link.into(), via: None }, scope, source: None }
    }

    /// The links it sends from.
    pub fn links(&self) -> impl Iterator<Item = &Name> {
        let (one, several) = match &self.kind {
            RouteKind::Unicast { link, .. } => (Some(link), None),
            RouteKind::Multipath(hops) => (None, Some(hops)),
            RouteKind::Blackhole | RouteKind::Unreachable => (None, None),
        };
        one.into_iter().chain(several.into_iter().flatten().map(|hop| &hop.link))
    }
}
