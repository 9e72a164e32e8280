//! A router with several gateways: what answers a connection from outside leaves by the gateway by which the connection came, wherever
//! the routes to its client lead, so that no address of one outside is seen on another; and a connection to the outside stays with the
//! gateway by which it left first, where its address was translated, whatever other gateways come and go.
//!
//! The connection keeps the mark of that gateway. Packets of it that come from elsewhere (behind the router, where floating IPs are
//! translated only after the route is chosen, or the router itself) take the mark over, and a rule has them routed by a table of
//! the gateway. What begins behind the router is routed by `main`, which chooses among the gateways where they are to share
//! (`RouterIntent::ecmp`). Such a router has all this with one gateway, too: more may come.

use crate::links::{Leg, Legs};
use crate::pipeline::UNTRANSLATED;
use crate::routes::{self, Routes};
use dataplane::nft::{Base, Chain, ChainKind, Ct, Field, Hook, Policy, Rule, Statement, Table, Target};
use dataplane::{Route, RouteKey, RouteKind, RouteRule, Scope};
use intent::RouterIntent;
use net::{Family, IpNet, PortId};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Of the rules, before `main`.
const PRIORITY: u32 = 100;
/// Marks and tables are of the upper half, which has none of the kernel's own tables.
const UPPER: u32 = 1 << 31;

/// Errors about packets from outside go back with an address of the link by which they came.
pub(crate) const SYSCTL: (SmolStr, SmolStr) = (SmolStr::new_static("net.ipv4.icmp_errors_use_inbound_ifaddr"), SmolStr::new_static("1"));

/// Connections are spread by addresses and ports, not by addresses alone.
pub(crate) const SPREAD: [(SmolStr, SmolStr); 2] = [
    (SmolStr::new_static("net.ipv4.fib_multipath_hash_policy"), SmolStr::new_static("1")),
    (SmolStr::new_static("net.ipv6.fib_multipath_hash_policy"), SmolStr::new_static("1")),
];

/// The number of a gateway's mark and table. It follows from the port alone: a connection keeps its mark whatever becomes of other gateways.
pub(crate) fn number(gateway: PortId) -> u32 {
    let [a, b, c, d, ..] = *gateway.0.as_bytes();
    u32::from_be_bytes([a, b, c, d]) | UPPER
}

/// The gateways of a router that has several, or is to spread connections over those that it gets.
fn several<'l, 'a>(legs: &'l Legs<'a>) -> impl Iterator<Item = &'l Leg<'a>> {
    let has = legs.spread || legs.gateways().nth(1).is_some();
    legs.gateways().filter(move |_| has)
}

/// True for such a router that has a gateway.
pub(crate) fn has_several(legs: &Legs<'_>) -> bool {
    several(legs).next().is_some()
}

/// The rules that have the tables asked.
pub(crate) fn rules(legs: &Legs<'_>) -> BTreeSet<RouteRule> {
    let rule = |leg: &Leg<'_>| {
        let number = number(leg.port.port_id);
        [Family::V4, Family::V6].map(|family| RouteRule { priority: PRIORITY, family, mark: number, table: number })
    };
    several(legs).flat_map(rule).collect()
}

/// What the tables have: all that is reached by their gateway. The rest is nowhere: it would leave by another.
pub(crate) fn tables(router: &RouterIntent, legs: &Legs<'_>) -> Routes {
    let mut tables = Routes::new();
    for leg in several(legs) {
        let table = number(leg.port.port_id);
        let mut routes: Routes = routes::outside(legs, leg);
        routes.extend(routes::extra(router, &[leg]).0);
        for net in leg.port.addresses.iter().filter(|net| !is_host(net)) {
            routes.entry(RouteKey::main(net.trunc())).or_insert_with(|| Route::on_link(leg.link.clone(), net));
        }
        for family in [Family::V4, Family::V6] {
            let nowhere = Route { kind: RouteKind::Unreachable, scope: Scope::Universe, source: None };
            routes.entry(RouteKey::main(routes::everywhere(family))).or_insert(nowhere);
        }
        tables.extend(routes.into_iter().map(|(key, route)| (RouteKey { table, ..key }, route)));
    }
    tables
}

/// The chains that give marks to connections and take them over.
pub(crate) fn put(legs: &Legs<'_>, table: &mut Table) {
    if !has_several(legs) {
        return;
    }
    let came = |leg: &Leg<'_>| {
        let from = Statement::is(Field::Iifname, leg.link.clone());
        Rule::new("came by", vec![from, Statement::ct_state(Ct::NEW), Statement::Set(Target::CtMark, number(leg.port.port_id))])
    };
    let take_over = || Statement::Copy { target: Target::Mark, from: Field::CtMark };
    let inside = several(legs).map(|leg| Statement::is_not(Field::Iifname, leg.link.clone())).chain([take_over()]).collect();
    let rules = several(legs).map(came).chain([Rule::new("goes back", inside)]).collect();
    table.chains.insert("came-by".into(), Chain::filter(Hook::Prerouting, UNTRANSLATED, Policy::Accept, rules));
    let left = |leg: &Leg<'_>| {
        let to = Statement::is(Field::Oifname, leg.link.clone());
        let unmarked = Statement::is(Field::CtMark, 0_u32);
        Rule::new("left by", vec![to, unmarked, Statement::Set(Target::CtMark, number(leg.port.port_id))])
    };
    let rules = several(legs).map(left).collect();
    table.chains.insert("left-by".into(), Chain::filter(Hook::Postrouting, UNTRANSLATED, Policy::Accept, rules));
    let answers = vec![Statement::is(Field::CtDirection, 1_u8), take_over()];
    let base = Base { kind: ChainKind::Route, hook: Hook::Output, priority: UNTRANSLATED, policy: Policy::Accept, device: None };
    table.chains.insert("own-answers".into(), Chain { base: Some(base), rules: vec![Rule::new("goes back", answers)] });
}

/// A prefix of one address has nothing else on the link.
fn is_host(net: &IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}
