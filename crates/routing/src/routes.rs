//! The routes of a router. Those to the prefixes of its addresses are the kernel's; what a router with several gateways has besides
//! is in `symmetric.rs`.

use crate::links::{Leg, Legs};
use crate::symmetric;
use dataplane::{Gateway, Hop, Route, RouteKey};
use intent::{RouterIntent, RouterSubnet};
use net::{Family, IpNet};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) type Routes = BTreeMap<RouteKey, Route>;

/// The routes, and why some are not there.
pub(crate) fn routes(router: &RouterIntent, legs: &Legs<'_>) -> (Routes, Vec<String>) {
    let mut routes = Routes::new();
    // What is on a network is reached by its first gateway.
    for (key, route) in legs.gateways().filter(|leg| leg.rank == 0).flat_map(beside) {
        routes.entry(key).or_insert(route);
    }
    routes.extend(onward(legs));
    let (extra, reasons) = extra(router, &legs.all().collect::<Vec<_>>());
    routes.extend(extra);
    routes.extend(symmetric::tables(router, legs));
    (routes, reasons)
}

/// The extra routes by next hops on these legs, and why some are not there.
pub(crate) fn extra(router: &RouterIntent, legs: &[&Leg<'_>]) -> (Routes, Vec<String>) {
    let mut extra = Routes::new();
    let mut reasons = Vec::new();
    for route in &router.routes {
        let hop = route.nexthop;
        let key = RouteKey::main(route.destination.trunc());
        match legs.iter().find(|leg| connects(leg, hop)) {
            None => reasons.push(format!("next hop {hop} to {} is on none of its networks", route.destination)),
            Some(_) if Family::of(&hop) != Family::of_net(&route.destination) => {
                reasons.push(format!("next hop {hop} to {} is of another family", route.destination));
            }
            Some(leg) => match extra.get(&key) {
                Some(_) => reasons.push(format!("{} has another next hop than {hop} already", route.destination)),
                None => _ = extra.insert(key, Route::via(leg.link.clone(), hop)),
            },
        }
    }
    (extra, reasons)
}

/// An address of the port has a prefix with this neighbour in it.
fn connects(leg: &Leg<'_>, neighbour: IpAddr) -> bool {
    leg.port.addresses.iter().any(|net| net.contains(&neighbour))
}

/// All that is reached by a gateway, apart from the prefixes of its addresses.
pub(crate) fn outside(legs: &Legs<'_>, gateway: &Leg<'_>) -> Routes {
    beside(gateway).chain(default(legs, gateway).map(|(key, hop)| (key, Route::over(hop, [])))).collect()
}

/// The default routes: by the first gateway that has a way on, or spread over all of these.
fn onward(legs: &Legs<'_>) -> Routes {
    let mut ways: BTreeMap<RouteKey, (Hop, Vec<Hop>)> = BTreeMap::new();
    for (key, hop) in legs.gateways().flat_map(|leg| default(legs, leg)) {
        match ways.entry(key) {
            Entry::Vacant(entry) => _ = entry.insert((hop, Vec::new())),
            Entry::Occupied(mut entry) if legs.spread => entry.get_mut().1.push(hop),
            Entry::Occupied(_) => {}
        }
    }
    ways.into_iter().map(|(key, (first, more))| (key, Route::over(first, more))).collect()
}

/// The gateway has an address in the subnet.
fn is_in(gateway: &Leg<'_>, subnet: &RouterSubnet) -> bool {
    gateway.port.addresses.iter().any(|net| subnet.cidr.contains(&net.addr()))
}

/// The routes to further prefixes of the external network.
fn beside(gateway: &Leg<'_>) -> impl Iterator<Item = (RouteKey, Route)> {
    let elsewhere = gateway.port.subnets.iter().filter(|subnet| !is_in(gateway, subnet));
    elsewhere.map(|subnet| (RouteKey::main(subnet.cidr.trunc()), Route::on_link(gateway.link.clone(), &subnet.cidr)))
}

/// The default routes that can be used.
fn default(legs: &Legs<'_>, gateway: &Leg<'_>) -> impl Iterator<Item = (RouteKey, Hop)> {
    hops(gateway).filter(|(_, hop)| !legs.silent.contains(hop))
}

/// The next hops of the default routes, one of each family.
pub(crate) fn hops(gateway: &Leg<'_>) -> impl Iterator<Item = (RouteKey, Hop)> {
    let here = gateway.port.subnets.iter().filter(|subnet| is_in(gateway, subnet));
    let mut hops = BTreeMap::new();
    for address in here.filter_map(|subnet| subnet.gateway_ip) {
        let hop = Hop { link: gateway.link.clone(), via: Gateway { address, onlink: !connects(gateway, address) } };
        // With several subnets the first says where outside is.
        hops.entry(RouteKey::main(everywhere(Family::of(&address)))).or_insert(hop);
    }
    hops.into_iter()
}

/// The prefix of all addresses of a family.
pub(crate) fn everywhere(family: Family) -> IpNet {
    let any = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    IpNet::new(any, 0).expect("0 is a prefix length of both families")
}
