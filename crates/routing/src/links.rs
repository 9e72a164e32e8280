//! `router/…`: the namespace of a router with its ports.

use crate::{Routing, advertise, bfd, gateway_link, interface_link, netns, pipeline, routes, symmetric};
use agent::{Compiled, Complaint, Facts};
use dataplane::{Address, Hop, Link, LinkKind, Name, Program, RouteKey, Veth};
use intent::{RouterIntent, RouterPort, UnitId, metadata_v4, metadata_v6};
use net::{IpNet, NetworkId, RouterId};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// Kernel parameters of a router, set before it has links.
const SYSCTLS: [(&str, &str); 11] = [
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv6.conf.all.forwarding", "1"),
    // Somebody else's router has nothing to say to this one.
    ("net.ipv6.conf.all.accept_ra", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    // Addresses come from the control plane, which gives each out once.
    ("net.ipv6.conf.default.accept_dad", "0"),
    // Packets may come and go by different links: what may come from where is the filter's business.
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    // Answers and asks with the addresses of the link it is on, so that floating IPs are known outside only.
    ("net.ipv4.conf.all.arp_ignore", "1"),
    ("net.ipv4.conf.all.arp_announce", "2"),
    // A packet to a floating IP behind the same link must come through here.
    ("net.ipv4.conf.all.send_redirects", "0"),
    ("net.ipv4.conf.default.send_redirects", "0"),
];

/// Kernel parameters of a link that answers neighbour solicitations for others: at once, because nobody else does.
fn proxying(link: &Name) -> [(SmolStr, SmolStr); 2] {
    [("conf", "proxy_ndp", "1"), ("neigh", "proxy_delay", "0")]
        .map(|(of, parameter, value)| (format_smolstr!("net.ipv6.{of}.{link}.{parameter}"), value.into()))
}

/// A port of a router that is there, and its link inside.
#[derive(Clone)]
pub(crate) struct Leg<'a> {
    pub(crate) link: Name,
    pub(crate) port: &'a RouterPort,
    /// How many gateways on the same network come before this one.
    pub(crate) rank: u32,
}

impl Leg<'_> {
    /// Of several gateways on one network the first is the way to what is there, also to prefixes in which only others have an address:
    /// the routes to those have the metrics of [`RouteKey::main`].
    fn metric(&self, net: &IpNet) -> u32 {
        if self.rank == 0 { 0 } else { RouteKey::main(net.trunc()).metric + self.rank }
    }
}

/// The ports that can be; the gateways come first.
pub(crate) struct Legs<'a> {
    pub(crate) gateway: Option<Leg<'a>>,
    /// Further gateways; true: what leaves there is hidden.
    pub(crate) further: Vec<(Leg<'a>, bool)>,
    pub(crate) interfaces: Vec<Leg<'a>>,
    /// Connections to the outside are spread over the gateways.
    pub(crate) spread: bool,
    /// Next hops that are not used, because they do not answer.
    pub(crate) silent: BTreeSet<Hop>,
}

impl<'a> Legs<'a> {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Leg<'a>> {
        self.gateways().chain(&self.interfaces)
    }

    pub(crate) fn gateways(&self) -> impl Iterator<Item = &Leg<'a>> {
        self.gateway.iter().chain(self.further.iter().map(|(leg, _)| leg))
    }
}

impl Routing {
    pub(crate) fn router(&self, router: &RouterIntent, facts: &Facts) -> Compiled {
        let mut compiled = Compiled { realises: vec![UnitId::Router(router.id)], ..Compiled::default() };
        let complain = |reason| Complaint { unit: UnitId::Router(router.id), reason };
        let (mut legs, reasons) = legs(router);
        compiled.complaints.extend(reasons.into_iter().map(complain));
        let (silent, reasons) = bfd::silent(router, &legs, &facts.next_hops);
        legs.silent = silent;
        compiled.complaints.extend(reasons.into_iter().map(complain));
        let watched = bfd::watched(router, &legs);
        if !watched.is_empty() {
            compiled.program.root().files.insert(format_smolstr!("{}{}", bfd::FILES, router.id), bfd::text(&watched));
        }
        for leg in legs.all() {
            self.veth(router.id, leg, &mut compiled.program);
        }
        let (routes, reasons) = routes::routes(router, &legs);
        compiled.complaints.extend(reasons.into_iter().map(complain));
        let space = compiled.program.netns(&netns(router.id));
        space.create = true;
        space.sysctls.extend(SYSCTLS.map(|(key, value)| (key.into(), value.into())));
        if let Some(gateway) = legs.gateway.as_ref().filter(|_| router.ndp_proxy) {
            space.sysctls.extend(proxying(&gateway.link));
        }
        space.routes = routes;
        space.route_rules = symmetric::rules(&legs);
        space.sysctls.extend(symmetric::has_several(&legs).then_some(symmetric::SYSCTL));
        space.sysctls.extend(symmetric::SPREAD.into_iter().filter(|_| legs.spread));
        if router.admin_state_up {
            space.addresses.extend(metadata(&legs.interfaces));
            space.daemons.extend(advertise::radvd(&legs.interfaces).map(|daemon| (Name::new_static(advertise::RADVD), daemon)));
        }
        space.tables.insert(pipeline::table(), pipeline::program(router, &legs, &watched));
        compiled
    }

    /// The near end `tap…` is a port of the network's bridge, the far end the router's.
    fn veth(&self, router: RouterId, leg: &Leg<'_>, program: &mut Program) {
        let (port, link) = (leg.port, &leg.link);
        let netns = netns(router);
        let veth = Veth { peer: link.clone(), peer_netns: netns.clone(), peer_mac: Some(port.mac) };
        let near = Link { mtu: Some(port.mtu), master: Some((self.bridge)(port.network_id)), ..Link::new(LinkKind::Veth(veth)) };
        program.root().links.insert(format_smolstr!("tap{}", port.port_id.short()), near);
        let space = program.netns(&netns);
        space.links.insert(link.clone(), Link { mtu: Some(port.mtu), mac: Some(port.mac), ..Link::new(LinkKind::Peer) });
        space.addresses.extend(port.addresses.iter().map(|net| Address { metric: leg.metric(net), ..Address::new(link.clone(), *net) }));
    }
}

/// The addresses of the metadata service, for those who have this router as theirs.
fn metadata(interfaces: &[Leg<'_>]) -> Vec<Address> {
    let v4 = (!interfaces.is_empty()).then(|| Address::new("lo", metadata_v4()));
    let on_link = interfaces.iter().filter(|leg| leg.port.metadata_v6);
    on_link.map(|leg| Address::new(leg.link.clone(), metadata_v6())).chain(v4).collect()
}

pub(crate) fn legs(router: &RouterIntent) -> (Legs<'_>, Vec<String>) {
    let mut reasons = Vec::new();
    let mut taken = Taken::default();
    let mut may = |port: &RouterPort, outside: Option<NetworkId>| -> bool {
        if port.mac.is_group() || port.mac.is_zero() {
            reasons.push(format!("{} cannot be the MAC of port {}", port.mac, port.port_id));
            return false;
        }
        if let Some((net, other)) = port.addresses.iter().find_map(|net| Some((net, taken.rival(net, outside)?))) {
            reasons.push(format!("{net} of port {} overlaps {other}", port.port_id));
            return false;
        }
        taken.0.extend(port.addresses.iter().map(|net| (*net, outside)));
        true
    };
    let gateway = router.gateway.iter().map(|port| (port, router.enable_snat));
    let further = router.further_gateways.iter().map(|further| (&further.port, further.enable_snat));
    let mut ranks: BTreeMap<NetworkId, u32> = BTreeMap::new();
    let mut outside = Vec::new();
    for (port, hides) in gateway.chain(further).filter(|(port, _)| may(port, Some(port.network_id))) {
        let rank = ranks.entry(port.network_id).or_default();
        outside.push((Leg { link: gateway_link(port.port_id), port, rank: *rank }, hides));
        *rank += 1;
    }
    let interfaces = router.interfaces.iter().filter(|port| may(port, None));
    let interfaces = interfaces.map(|port| Leg { link: interface_link(port.port_id), port, rank: 0 }).collect();
    let is_first = |(leg, _): &mut (Leg<'_>, bool)| router.gateway.as_ref().is_some_and(|port| port.port_id == leg.port.port_id);
    let gateway = outside.extract_if(.., is_first).next().map(|(leg, _)| leg);
    (Legs { gateway, further: outside, interfaces, spread: router.ecmp, silent: BTreeSet::new() }, reasons)
}

/// The addresses of the ports so far; of gateways with their network.
#[derive(Default)]
struct Taken(Vec<(IpNet, Option<NetworkId>)>);

impl Taken {
    /// An address with which this one cannot be. Gateways on one network may have the same prefix.
    fn rival(&self, net: &IpNet, outside: Option<NetworkId>) -> Option<IpNet> {
        let overlaps = |(other, of): &&(IpNet, Option<NetworkId>)| {
            let beside = outside.is_some() && *of == outside && other.addr() != net.addr();
            !beside && (other.trunc().contains(net) || net.contains(&other.trunc()))
        };
        self.0.iter().find(overlaps).map(|(other, _)| other.trunc())
    }
}
