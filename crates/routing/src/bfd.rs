//! Next hops that are watched by BFD (RFC 5881): what the process that does is told, what a router's filter lets through to it, and what its
//! word means for the routes.
//!
//! | unit | what |
//! |---|---|
//! | `bfd/process` | the daemon, while a router has its next hops watched |
//! | `router/…` | the file `bfd-<router>`: a [`Watched`] in JSON on each line |

use crate::Routing;
use crate::links::{Leg, Legs, legs};
use crate::{router_unit, routes, symmetric};
use agent::{Compiled, Cut, Facts, Intents, NextHop, NextHops};
use dataplane::nft::{Field, Rule, Statement};
use dataplane::{Daemon, Hop, Name, RouteKey, UnitKey};
use intent::RouterIntent;
use net::{Family, IpNet};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// What names of the files begin with.
pub const FILES: &str = "bfd-";

/// Where BFD listens (RFC 5881, section 4).
pub const PORT: u16 = 3784;
/// What has come over one link only (RFC 5881, section 5).
const ONE_LINK: u8 = 255;
const SIGHUP: i32 = 1;

/// A next hop and the address by which its router knows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Watched {
    /// The router's namespace.
    pub netns: SmolStr,
    /// The link of the gateway.
    pub link: Name,
    /// The gateway's address.
    pub local: IpAddr,
    /// The next hop's.
    pub remote: IpAddr,
}

impl Watched {
    /// Those of a file. Lines that cannot be understood are left out.
    pub fn read(text: &str) -> Vec<Watched> {
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} in {}", self.remote, self.link, self.netns)
    }
}

/// The process that watches.
#[derive(Clone, Debug)]
pub struct Process {
    /// The program, by its path, and the arguments before those that this role adds.
    pub program: Vec<SmolStr>,
    /// Changes with the program, so that another one is started.
    pub build: SmolStr,
    /// The directory in which it says what became of the next hops.
    pub states: SmolStr,
}

pub(crate) fn unit() -> UnitKey {
    UnitKey::new("bfd", "process")
}

/// True for a router whose next hops are watched. One that forwards nothing asks nobody.
pub(crate) fn is_watching(router: &RouterIntent) -> bool {
    router.bfd && router.admin_state_up
}

impl Routing {
    /// The daemon.
    pub(crate) fn process(&self, intents: &Intents) -> Compiled {
        let mut compiled = Compiled::default();
        if let Some(process) = self.bfd.as_ref().filter(|_| intents.routers().any(is_watching)) {
            let words = ["--files", "{files}", "--states", process.states.as_str(), "--build", process.build.as_str()];
            let argv = process.program.iter().cloned().chain(words.map(SmolStr::new)).collect();
            compiled.program.root().daemons.insert(Name::new_static("bfd"), Daemon { argv, files: BTreeMap::new(), reload_signal: SIGHUP });
        }
        compiled
    }
}

/// The next hops of a router's default routes that can be watched.
fn next_hops(legs: &Legs<'_>) -> impl Iterator<Item = (RouteKey, Hop, IpAddr)> {
    legs.gateways().flat_map(|leg| routes::hops(leg).filter_map(|(key, hop)| Some((key, hop.clone(), own_address(leg, &hop)?))))
}

/// The address of the gateway that the next hop knows. Those with a link-local address are not watched.
fn own_address(leg: &Leg<'_>, hop: &Hop) -> Option<IpAddr> {
    let address = hop.via.address;
    let is_link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    let of_family = || leg.port.addresses.iter().filter(|net| Family::of_net(net) == Family::of(&address));
    let own = of_family().find(|net| net.contains(&address)).or_else(|| of_family().next());
    own.filter(|_| !is_link_local).map(IpNet::addr)
}

/// Those that are watched.
pub(crate) fn watched(router: &RouterIntent, legs: &Legs<'_>) -> Vec<Watched> {
    let netns = format_smolstr!("{}", crate::netns(router.id));
    let hops = next_hops(legs).filter(|_| is_watching(router));
    hops.map(|(_, hop, local)| Watched { netns: netns.clone(), link: hop.link, local, remote: hop.via.address }).collect()
}

/// The file that names them.
pub(crate) fn text(watched: &[Watched]) -> String {
    watched.iter().map(|one| serde_json::to_string(one).expect("addresses and names are text") + "\n").collect()
}

/// What is known of a next hop, if anything is.
type Said<'k> = Option<&'k Option<SmolStr>>;

/// The next hops that are not to be used, and what is to be said of those that do not answer. Of a family of which none answers all are
/// used: a router whose neighbours do not speak BFD, or do not yet, is not cut off.
pub(crate) fn silent(router: &RouterIntent, legs: &Legs<'_>, known: &NextHops) -> (BTreeSet<Hop>, Vec<String>) {
    let netns = crate::netns(router.id);
    let mut by_route: BTreeMap<RouteKey, Vec<(Hop, Said<'_>)>> = BTreeMap::new();
    for (key, hop, _) in next_hops(legs).filter(|_| is_watching(router)) {
        let said = known.get(&NextHop { netns: netns.clone(), link: hop.link.clone(), address: hop.via.address });
        by_route.entry(key).or_default().push((hop, said));
    }
    let is_up = |said: Said<'_>| said == Some(&None);
    let (mut silent, mut reasons) = (BTreeSet::new(), Vec::new());
    for hops in by_route.into_values() {
        let any = hops.iter().any(|(_, said)| is_up(*said));
        for (hop, said) in hops.into_iter().filter(|(_, said)| !is_up(*said)) {
            let what = if any { "is not used" } else { "is used, for no other answers either" };
            let reason = said.and_then(Option::as_ref);
            reasons.extend(reason.map(|reason| format!("next hop {} by {} {what}: {reason} (BFD)", hop.via.address, hop.link)));
            silent.extend(any.then_some(hop));
        }
    }
    (silent, reasons)
}

/// Nothing but the next hops, each by its own link, speaks to the process.
pub(crate) fn rules(watched: &[Watched]) -> Vec<Rule> {
    let port = || Statement::is(Field::UdpDport, PORT);
    let lets = |one: &Watched| {
        let [saddr, daddr, hops] = match one.remote {
            IpAddr::V4(_) => [Field::IpSaddr, Field::IpDaddr, Field::IpTtl],
            IpAddr::V6(_) => [Field::Ip6Saddr, Field::Ip6Daddr, Field::Ip6HopLimit],
        };
        let from = [Statement::is(Field::Iifname, one.link.clone()), Statement::is(saddr, one.remote), Statement::is(daddr, one.local)];
        let statements = from.into_iter().chain([Statement::is(hops, ONE_LINK), port(), Statement::ACCEPT]);
        Rule::new("BFD", statements.collect())
    };
    let others = Rule::new("BFD of others", vec![port(), Statement::Counter, Statement::DROP]);
    watched.iter().map(lets).chain((!watched.is_empty()).then_some(others)).collect()
}

/// The routers of which more or less is known than before, and the connections of gateways that are not used any more: they begin anew by
/// another.
pub(crate) fn changed(before: &NextHops, intents: &Intents, facts: &Facts) -> (BTreeSet<UnitKey>, Vec<Cut>) {
    let differs = |hop: &&NextHop| before.get(*hop) != facts.next_hops.get(*hop);
    let spaces: BTreeSet<_> = before.keys().chain(facts.next_hops.keys()).filter(differs).map(|hop| &hop.netns).collect();
    let (mut units, mut cuts) = (BTreeSet::new(), Vec::new());
    for router in intents.routers().filter(|router| is_watching(router) && spaces.contains(&crate::netns(router.id))) {
        units.insert(router_unit(router.id));
        let (legs, _) = legs(router);
        let (was, is) = (silent(router, &legs, before).0, silent(router, &legs, &facts.next_hops).0);
        for hop in is.difference(&was) {
            let gateway = legs.gateways().find(|leg| leg.link == hop.link);
            let mark = gateway.map(|leg| symmetric::number(leg.port.port_id));
            let family = Family::of(&hop.via.address);
            cuts.push(Cut { mark, source: Some(routes::everywhere(family)), ..Cut::all(crate::netns(router.id), 0, family) });
        }
    }
    (units, cuts)
}
