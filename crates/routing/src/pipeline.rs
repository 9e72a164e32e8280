//! The nft table of a router: its chains and maps, which the units of floating IPs and port forwardings fill.
//!
//! | chain | hook | what it does |
//! |---|---|---|
//! | `forward` | forward | drops all of a router that is administratively down, what would leave untranslated, and what comes to addresses that are not proxied where some are |
//! | `input` | input | drops what comes from outside to the metadata service, and to BFD from others than the next hops that are watched |
//! | `to-inside` | prerouting | destination: ports of a floating IP, then floating IPs, wherever the packet comes from |
//! | `to-outside` | postrouting | source: what leaves by the gateway, and what returned to an instance by a floating IP |
//! | `came-by`, `left-by`, `own-answers` | prerouting, postrouting, output | of a router with several gateways: which of them a connection belongs to; see `symmetric.rs` |
//! | `helpers` | prerouting | gives new connections to some ports a conntrack helper; see `conntrack_helpers.rs` |
//! | `between-scopes` | postrouting, then | drops what goes from one address scope to another untranslated; see `scopes.rs` |
//!
//! Every packet that is routed pays for the chains at its hooks and for what their rules look at first, far more than for being tracked: so a
//! chain is there only where it may say something. A router without gateway translates nothing: nothing in it asks for a connection, and the kernel
//! tracks none. What goes between the networks behind a router with one is tracked, although it is not translated. To exempt it costs each
//! packet a look into the set of their prefixes, before any of its connection is known: new connections would cost a fifth less, lasting ones the
//! same, and all that is translated some percent more.

use crate::bfd::{self, Watched};
use crate::conntrack_helpers;
use crate::links::{Leg, Legs};
use crate::scopes::Scopes;
use crate::symmetric;
use dataplane::Name;
use dataplane::nft::{Base, Chain, ChainKind, Ct, DataType, Family, Field, Hook, Policy, Rule, SetSpec, Statement, Table, TableKey};
use intent::{RouterIntent, RouterPort};
use net::IpNet;
use smol_str::format_smolstr;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Floating IP to fixed IP.
pub(crate) const FLOATING: &str = "floating";
/// Fixed IP to floating IP.
pub(crate) const FIXED: &str = "fixed";
/// Protocol, floating IP and port to fixed IP and port.
pub(crate) const FORWARDED: &str = "forwarded";

/// IPv6 addresses that are reached from outside.
pub(crate) const PROXIED: &str = "proxied";

/// The priority of chains that know a packet's connection, before its destination is translated.
pub(crate) const UNTRANSLATED: i32 = -150;

/// The key of the table.
pub(crate) fn table() -> TableKey {
    TableKey::new(Family::Inet, "neutrino")
}

/// The table of a router with the ports that carry packets.
pub(crate) fn program(router: &RouterIntent, legs: &Legs<'_>, watched: &[Watched]) -> Table {
    let mut table = Table::declared();
    table.sets.extend([
        (FLOATING.into(), SetSpec::map([DataType::Ipv4], DataType::Ipv4)),
        (FIXED.into(), SetSpec::map([DataType::Ipv4], DataType::Ipv4)),
        (FORWARDED.into(), SetSpec::services([DataType::InetProto, DataType::Ipv4, DataType::InetService])),
    ]);
    let scopes = Scopes::of(legs);
    let outsides = outsides(router, legs, &scopes);
    for outside in &outsides {
        table.sets.entry(outside.fixed.clone()).or_insert_with(|| SetSpec::map([DataType::Ipv4], DataType::Ipv4));
    }
    let policy = if router.admin_state_up { Policy::Accept } else { Policy::Drop };
    let mut forward: Vec<Rule> = outsides.iter().filter_map(Outside::untranslated).collect();
    forward.extend(transit(legs));
    if let Some(gateway) = legs.gateway.as_ref().filter(|_| router.ndp_proxy) {
        table.sets.insert(PROXIED.into(), SetSpec::set([DataType::Ipv6]));
        let outside = legs.gateways().filter(|leg| leg.port.network_id == gateway.port.network_id);
        forward.extend(outside.flat_map(|leg| unproxied(leg, &legs.interfaces)));
    }
    if policy == Policy::Drop || !forward.is_empty() {
        table.chains.insert("forward".into(), Chain::filter(Hook::Forward, 0, policy, forward));
    }
    if !outsides.is_empty() {
        let input = outsides.iter().map(Outside::metadata).chain(bfd::rules(watched)).collect();
        table.chains.insert("input".into(), Chain::filter(Hook::Input, 0, Policy::Accept, input));
        table.chains.insert("to-inside".into(), nat(Hook::Prerouting, -100, to_inside()));
        let gateways: Vec<Name> = legs.gateways().map(|leg| leg.link.clone()).collect();
        let to_outside = outsides.iter().flat_map(|outside| outside.rules(&gateways)).collect();
        table.chains.insert("to-outside".into(), nat(Hook::Postrouting, 100, to_outside));
    }
    scopes.put(legs, &mut table);
    symmetric::put(legs, &mut table);
    conntrack_helpers::put(router, legs, &mut table);
    table
}

/// Networks of the outside's scope are reached at the addresses only for which the router answers outside, whoever routes there.
fn unproxied(gateway: &Leg<'_>, interfaces: &[Leg<'_>]) -> Vec<Rule> {
    let peers = interfaces.iter().filter(|leg| leg.port.scopes.v6 == gateway.port.scopes.v6);
    let prefixes: BTreeSet<IpNet> = peers.flat_map(|leg| leg.port.addresses.iter().map(IpNet::trunc)).collect();
    let rule = |prefix: IpNet| {
        let (from, to) = (Statement::is(Field::Iifname, gateway.link.clone()), Statement::is(Field::Ip6Daddr, prefix));
        let other = Statement::outside_set([Field::Ip6Daddr], PROXIED);
        Rule::new("not proxied", vec![from, to, other, Statement::Counter, Statement::DROP])
    };
    prefixes.into_iter().filter(|prefix| prefix.addr().is_ipv6()).map(rule).collect()
}

fn nat(hook: Hook, priority: i32, rules: Vec<Rule>) -> Chain {
    Chain { base: Some(Base { kind: ChainKind::Nat, hook, priority, policy: Policy::Accept, device: None }), rules }
}

fn to_inside() -> Vec<Rule> {
    let service = vec![Field::L4proto, Field::IpDaddr, Field::ThDport];
    vec![
        Rule::new("port forwarding", vec![Statement::DnatServiceMap(service, FORWARDED.into())]),
        Rule::new("floating IP", vec![Statement::DnatMap(vec![Field::IpDaddr], FLOATING.into())]),
    ]
}

/// What a router does at each of its gateways.
fn outsides(router: &RouterIntent, legs: &Legs<'_>, scopes: &Scopes) -> Vec<Outside> {
    let outside = |leg: &Leg<'_>, hides: bool| {
        let own = leg.port.addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv4);
        let fixed = fixed(router, leg.port);
        Outside { link: leg.link.clone(), own, hides, peers: scopes.peers_outside(leg), fixed, is_first: leg.rank == 0 }
    };
    let first = legs.gateway.iter().map(|leg| outside(leg, router.enable_snat));
    let further = legs.further.iter().map(|(leg, hides)| outside(leg, *hides));
    first.chain(further).collect()
}

/// The ports of a router's gateways, the first of them first.
pub(crate) fn gateways(router: &RouterIntent) -> impl Iterator<Item = &RouterPort> {
    router.gateway.iter().chain(router.further_gateways.iter().map(|further| &further.port))
}

/// The map of the floating IPs by which instances are seen where they leave by this gateway. Gateways on one network share it: the
/// first of them carries the addresses.
pub(crate) fn fixed(router: &RouterIntent, gateway: &RouterPort) -> Name {
    let first = gateways(router).find(|port| port.network_id == gateway.network_id).unwrap_or(gateway);
    if router.gateway.as_ref().is_some_and(|port| port.port_id == first.port_id) {
        return FIXED.into();
    }
    format_smolstr!("{FIXED}-{}", first.port_id.short())
}

/// A router is no way from one external network to another.
fn transit(legs: &Legs<'_>) -> Vec<Rule> {
    let links: Vec<&Name> = legs.gateways().map(|leg| &leg.link).collect();
    let pairs = links.iter().flat_map(|from| links.iter().filter(move |to| *to != from).map(move |to| (*from, *to)));
    let rule = |(from, to): (&Name, &Name)| {
        let (from, to) = (Statement::is(Field::Iifname, from.clone()), Statement::is(Field::Oifname, to.clone()));
        Rule::new("between gateways", vec![from, to, Statement::Counter, Statement::DROP])
    };
    pairs.map(rule).collect()
}

struct Outside {
    link: Name,
    /// The address that stands for those without a floating IP.
    own: Option<IpAddr>,
    hides: bool,
    /// The links of the networks that are of the outside's address scope.
    peers: Option<Name>,
    /// The map of its floating IPs.
    fixed: Name,
    /// It is the first on its network.
    is_first: bool,
}

impl Outside {
    fn leaves(&self) -> Statement {
        Statement::is(Field::Oifname, self.link.clone())
    }

    /// Metadata is for instances behind the router.
    fn metadata(&self) -> Rule {
        let to = Statement::is(Field::IpDaddr, intent::METADATA_V4);
        let from = Statement::is(Field::Iifname, self.link.clone());
        Rule::new("metadata from outside", vec![from, to, Statement::Counter, Statement::DROP])
    }

    /// A packet of no connection is not translated: it must not show an address of the inside.
    fn untranslated(&self) -> Option<Rule> {
        // Nearly all packets fail at the state, which costs less to look at than a link's name.
        let invalid = Statement::ct_state(Ct::INVALID);
        let statements = vec![invalid, self.leaves(), Statement::is(Field::Nfproto, 2_u8), Statement::Counter, Statement::DROP];
        self.hides.then(|| Rule::new("not translated", statements))
    }

    fn rules(&self, gateways: &[Name]) -> Vec<Rule> {
        let by_fixed = || Statement::SnatMap(vec![Field::IpSaddr], self.fixed.clone());
        // From an instance to a floating IP of this router: the answer must come back here to be translated.
        let returns = |end: Statement| {
            let inside = |side: Field| gateways.iter().map(move |link| Statement::is_not(side, link.clone()));
            let inside = inside(Field::Iifname).chain(inside(Field::Oifname));
            std::iter::once(Statement::is_dnated()).chain(inside).chain([end]).collect::<Vec<Statement>>()
        };
        let mut rules = vec![Rule::new("floating IP", vec![self.leaves(), by_fixed()])];
        if self.is_first {
            rules.push(Rule::new("floating IP to floating IP", returns(by_fixed())));
        }
        if let Some(own) = self.own {
            rules.push(Rule::new("to floating IP", returns(Statement::Snat(own, None))));
            if self.hides {
                // What came from outside and goes back there is as it came.
                let inside = Statement::is_not(Field::Iifname, self.link.clone());
                if let Some(peers) = &self.peers {
                    let from = Statement::within_set([Field::Iifname], peers.clone());
                    rules.push(Rule::new("of the outside's scope", vec![self.leaves(), from, Statement::ACCEPT]));
                }
                rules.push(Rule::new("gateway", vec![self.leaves(), inside, Statement::Snat(own, None)]));
            }
        }
        rules
    }
}
