//! Intents in, programs out.

use super::text::text;
use super::*;

fn all(units: impl IntoIterator<Item = Unit>) -> String {
    let (intents, facts) = (intents(units), Facts::default());
    L3.units(&intents, &facts).iter().map(|unit| text(unit.as_str(), &L3.compile(unit, &intents, &facts))).collect()
}

/// Without the parameters, which are the same for all.
fn program(units: impl IntoIterator<Item = Unit>) -> String {
    all(units).lines().filter(|line| !line.starts_with("sysctl")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_router_with_gateway() {
    let mut routed = router(1, Some(gateway(20)), vec![interface(1), interface(2)]);
    routed.routes = vec![Route { destination: net("10.9.0.0/16"), nexthop: ip("10.0.2.9") }];
    let units = [
        Unit::Router(routed),
        Unit::FloatingIp(floating_ip(1, 1, Some("10.0.1.5"))),
        Unit::FloatingIp(floating_ip(7, 1, None)),
        Unit::PortForwarding(forwarding(1, 1, (2222, 2222), (22, 22))),
        Unit::PortForwarding(forwarding(2, 1, (8000, 8002), (80, 82))),
    ];
    insta::assert_snapshot!(all(units));
}

#[test]
fn without_translation_and_down() {
    let mut routed = router(1, Some(gateway(20)), vec![interface(1)]);
    (routed.enable_snat, routed.admin_state_up) = (false, false);
    insta::assert_snapshot!(program([Unit::Router(routed)]));
}

#[test]
fn who_translates_nothing_asks_for_no_connection() {
    let mut routed = router(1, None, vec![interface(1), interface(2)]);
    routed.conntrack_helpers = true;
    let text = program([Unit::Router(routed.clone()), Unit::ConntrackHelper(helper(1, 1, "ftp", 21))]);
    assert!(!text.contains("hook"), "packets meet no chain: {text}");
    routed.admin_state_up = false;
    assert!(program([Unit::Router(routed)]).contains("hook forward priority 0; policy drop;"));
}

#[test]
fn address_scopes() {
    let scope = |number| Some(net::AddressScopeId(uuid(0x60, number)));
    let of = |v4, v6, port| RouterPort { scopes: Scopes { v4, v6 }, ..port };
    let inside = vec![of(scope(1), None, interface(1)), of(scope(2), None, interface(2)), of(None, None, interface(3))];
    let mut routed = router(1, Some(of(scope(1), scope(3), gateway(20))), inside);
    insta::assert_snapshot!(program([Unit::Router(routed.clone())]));
    routed.gateway = None;
    let text = program([Unit::Router(routed)]);
    assert!(text.contains("oifname != @scope4-none counter drop") && !text.contains("ct "), "no connection is asked for: {text}");
}

#[test]
fn several_gateways() {
    let second = port(21, 8, &["198.51.100.10/24"], vec![subnet(8, "198.51.100.0/24", Some("198.51.100.1"))]);
    let mut routed = router(1, Some(gateway(20)), vec![interface(1)]);
    routed.further_gateways = vec![FurtherGateway { port: second, enable_snat: true }];
    let mut there = floating_ip(2, 1, Some("10.0.1.6"));
    (there.network_id, there.floating_ip_address) = (Some(NetworkId(uuid(0x10, 8))), ip4("198.51.100.102"));
    let nowhere = FloatingIpIntent { network_id: Some(NetworkId(uuid(0x10, 7))), ..floating_ip(3, 1, Some("10.0.1.7")) };
    let units = [there, floating_ip(1, 1, Some("10.0.1.5")), nowhere].map(Unit::FloatingIp);
    insta::assert_snapshot!(program([Unit::Router(routed)].into_iter().chain(units)));
}

#[test]
fn several_gateways_on_one_network() {
    let subnets = || {
        let six = subnet(8, "2001:db8:9::/64", Some("2001:db8:9::1"));
        vec![subnet(7, "198.51.100.0/24", None), six, subnet(9, "203.0.113.0/24", Some("203.0.113.1"))]
    };
    let on = |number: u8, addresses: &[&str]| port(number, 9, addresses, subnets());
    let mut routed = router(1, Some(on(20, &["203.0.113.10/24", "2001:db8:9::10/64"])), vec![interface(1)]);
    let further = [on(21, &["203.0.113.11/24", "2001:db8:9::11/64"]), on(22, &["198.51.100.12/24"]), on(23, &["203.0.113.11/24"])];
    routed.further_gateways = further.map(|port| FurtherGateway { port, enable_snat: true }).into();
    let mut floating = floating_ip(1, 1, Some("10.0.1.5"));
    floating.network_id = Some(NetworkId(uuid(0x10, 9)));
    insta::assert_snapshot!(program([Unit::Router(routed), Unit::FloatingIp(floating)]));
}

#[test]
fn default_routes_that_are_spread() {
    let second = port(21, 8, &["198.51.100.10/24"], vec![subnet(8, "198.51.100.0/24", Some("192.0.2.1"))]);
    let third = port(22, 7, &["2001:db8:9::10/64"], vec![subnet(7, "2001:db8:9::/64", Some("2001:db8:9::1"))]);
    let mut routed = router(1, Some(gateway(20)), vec![interface(1)]);
    routed.ecmp = true;
    let one = all([Unit::Router(routed.clone())]);
    assert!(one.contains("route 0.0.0.0/0 via 203.0.113.1 dev qg-a0000014-00\n") && one.contains("\"left by\""), "{one}");
    routed.further_gateways = [second, third].map(|port| FurtherGateway { port, enable_snat: true }).into();
    let text = all([Unit::Router(routed)]);
    let main = text.lines().filter(|line| line.starts_with("route ") && !line.contains("table"));
    assert_eq!(
        main.filter(|line| !line.starts_with("route rule")).collect::<Vec<_>>(),
        [
            "route 0.0.0.0/0 nexthop via 203.0.113.1 dev qg-a0000014-00 nexthop via 192.0.2.1 onlink dev qg-a0000015-00",
            "route ::/0 via 2001:db8:9::1 dev qg-a0000016-00",
        ]
    );
    assert_eq!(text.matches("fib_multipath_hash_policy = 1").count(), 2, "{text}");
}

#[test]
fn next_hops_that_are_watched() {
    let second = port(21, 8, &["198.51.100.10/24"], vec![subnet(8, "198.51.100.0/24", Some("198.51.100.1"))]);
    let local = port(22, 7, &["2001:db8:9::10/64"], vec![subnet(7, "2001:db8:9::/64", Some("fe80::1"))]);
    let mut routed = router(1, Some(gateway(20)), vec![interface(1)]);
    routed.further_gateways = [second, local].map(|port| FurtherGateway { port, enable_snat: true }).into();
    (routed.ecmp, routed.bfd) = (true, true);
    let intents = intents([Unit::Router(routed.clone())]);
    let unit = UnitId::Router(router_id(1)).to_string();
    let key = dataplane::UnitKey::new("router", router_id(1));
    let compiled = |facts: &Facts| text(&unit, &L3.compile(&key, &intents, facts));
    let hop = |link: &str, address: &str| NextHop { netns: crate::netns(router_id(1)), link: link.into(), address: ip(address) };
    let (one, other) = (hop("qg-a0000014-00", "203.0.113.1"), hop("qg-a0000015-00", "198.51.100.1"));
    let facts = |states: [Option<&str>; 2]| Facts {
        next_hops: [one.clone(), other.clone()].into_iter().zip(states.map(|state| state.map(Into::into))).collect(),
        ..Facts::default()
    };
    let routes =
        |text: &str| -> Vec<String> { text.lines().filter(|line| line.starts_with("route 0.0.0.0/0")).map(str::to_owned).collect() };
    let unknown = compiled(&Facts::default());
    assert!(unknown.contains("nexthop via 203.0.113.1 dev qg-a0000014-00") && !unknown.contains("complaint"), "{unknown}");
    let input: Vec<&str> = unknown.lines().filter(|line| line.contains("3784")).map(str::trim).collect();
    assert_eq!(
        input,
        [
            r#"iifname "qg-a0000014-00" ip saddr 203.0.113.1 ip daddr 203.0.113.10 ip ttl 255 udp dport 3784 accept comment "BFD""#,
            r#"iifname "qg-a0000015-00" ip saddr 198.51.100.1 ip daddr 198.51.100.10 ip ttl 255 udp dport 3784 accept comment "BFD""#,
            r#"udp dport 3784 counter drop comment "BFD of others""#,
        ]
    );
    let half = compiled(&facts([None, Some("nothing is heard")]));
    let numbers = ["2684354580", "2684354581", "2684354582"].map(|number| format!(" table {number}"));
    assert_eq!(
        routes(&half),
        [
            "route 0.0.0.0/0 via 203.0.113.1 dev qg-a0000014-00".to_owned(),
            format!("route 0.0.0.0/0 via 203.0.113.1 dev qg-a0000014-00{}", numbers[0]),
            format!("route 0.0.0.0/0 Unreachable{}", numbers[1]),
            format!("route 0.0.0.0/0 Unreachable{}", numbers[2]),
        ]
    );
    assert!(half.contains("next hop 198.51.100.1 by qg-a0000015-00 is not used: nothing is heard (BFD)"), "{half}");
    let none = compiled(&facts([Some("x"), Some("y")]));
    assert_eq!(routes(&none), routes(&unknown), "a router is not cut off");
    let change = |before: &Facts, after: &Facts| L3.next_hops_changed(&before.next_hops, &intents, after);
    let (both, half) = (facts([None, None]), facts([None, Some("y")]));
    let (units, cuts) = change(&both, &half);
    assert_eq!((units.len(), cuts.iter().map(|cut| cut.mark).collect::<Vec<_>>()), (1, vec![Some(0xa000_0015)]));
    assert_eq!(change(&half, &both).1, [], "who comes back takes nothing along");
    assert_eq!(change(&half, &half), Default::default());
    assert_eq!(change(&half, &facts([Some("x"), Some("y")])).1, [], "nothing else answers");
    routed.bfd = false;
    assert!(!all([Unit::Router(routed)]).contains("3784"));
}

#[test]
fn ndp_proxies() {
    let scope = |number| Scopes { v4: None, v6: Some(net::AddressScopeId(uuid(0x60, number))) };
    let inside = |number: u8, of| RouterPort { scopes: scope(of), ..port(number, number, &[&format!("2001:db8:{number}::1/64")], vec![]) };
    let outside = port(20, 9, &["203.0.113.10/24", "2001:db8:9::10/64"], vec![subnet(9, "2001:db8:9::/64", Some("2001:db8:9::1"))]);
    let mut routed = router(1, Some(RouterPort { scopes: scope(1), ..outside }), vec![inside(1, 1), inside(2, 2), inside(3, 1)]);
    let proxies = || [Unit::NdpProxy(proxy(1, 1, "2001:db8:1::5")), Unit::NdpProxy(proxy(2, 1, "2001:db8:3::5"))];
    let refused = all([Unit::Router(routed.clone())].into_iter().chain(proxies()));
    assert_eq!(refused.matches("has no NDP proxies").count(), 2, "{refused}");
    routed.ndp_proxy = true;
    insta::assert_snapshot!(all([Unit::Router(routed)].into_iter().chain(proxies())));
}

#[test]
fn helpers_of_connection_tracking() {
    let mut routed = router(1, Some(gateway(20)), vec![interface(1)]);
    let helpers = [(1, "tftp", 69), (2, "h323", 1719), (3, "h323", 1720), (4, "sip", 69)];
    let units = || helpers.map(|(number, name, port)| Unit::ConntrackHelper(helper(number, 1, name, port)));
    let refused = all([Unit::Router(routed.clone())].into_iter().chain(units()));
    assert_eq!(refused.matches("has no conntrack helpers").count(), 4, "{refused}");
    routed.conntrack_helpers = true;
    insta::assert_snapshot!(program([Unit::Router(routed)].into_iter().chain(units())));
}

#[test]
fn both_families_and_odd_gateways() {
    let subnets = vec![
        subnet(1, "198.51.100.7/32", Some("192.0.2.1")),
        subnet(2, "2001:db8:9::/64", Some("2001:db8:9::1")),
        subnet(3, "203.0.113.0/24", Some("203.0.113.1")),
    ];
    let outside = port(20, 9, &["198.51.100.7/32", "2001:db8:9::10/64"], subnets);
    let inside = port(1, 1, &["10.0.0.0/31", "fd00:1::1/64"], vec![]);
    insta::assert_snapshot!(program([Unit::Router(router(1, Some(outside), vec![inside]))]));
}

#[test]
fn advertisements() {
    let mode = |number, cidr, mode, servers: &[&str]| RouterSubnet {
        ra_mode: mode,
        dns_nameservers: servers.iter().map(|server| ip(server)).collect(),
        ..subnet(number, cidr, None)
    };
    let four = ["2001:db8::53", "2001:db8::54", "192.0.2.53", "2001:db8::55", "2001:db8::56"];
    let legs = vec![
        port(
            1,
            1,
            &["10.0.1.1/24", "fd00:1::1/64"],
            vec![subnet(1, "10.0.1.0/24", None), mode(2, "fd00:1::/64", Some(RaMode::Slaac), &four)],
        ),
        port(2, 2, &["fd00:2::1/64"], vec![mode(3, "fd00:2::/64", Some(RaMode::Dhcpv6Stateless), &four)]),
        port(3, 3, &["fd00:3::1/64"], vec![mode(4, "fd00:3::/64", Some(RaMode::Dhcpv6Stateful), &[])]),
        // Nothing is said of a subnet without a mode, nor on a network without any other.
        port(4, 4, &["fd00:4::1/64"], vec![mode(5, "fd00:4::/64", None, &[])]),
        port(
            5,
            5,
            &["fd00:5::1/64", "fd00:6::1/80"],
            vec![mode(6, "fd00:5::/64", Some(RaMode::Slaac), &["::"]), mode(7, "fd00:6::/80", Some(RaMode::Dhcpv6Stateful), &[])],
        ),
    ];
    let outside = port(20, 9, &["2001:db8:9::10/64"], vec![mode(9, "2001:db8:9::/64", Some(RaMode::Slaac), &[])]);
    let mut routed = router(1, Some(outside), legs);
    let radvd = |router: &RouterIntent| program([Unit::Router(router.clone())]).split_once("daemon radvd").map(|(_, text)| text.to_owned());
    insta::assert_snapshot!(radvd(&routed).expect("it advertises"));
    routed.interfaces[0].mtu = 1279;
    assert!(!radvd(&routed).expect("it advertises").contains("AdvLinkMTU 1279"), "no link for IPv6");
    routed.admin_state_up = false;
    assert_eq!(radvd(&routed), None, "who does not forward is no router");
    (routed.admin_state_up, routed.interfaces) = (true, routed.interfaces.split_off(3));
    routed.interfaces.truncate(1);
    assert_eq!(radvd(&routed), None, "nothing to say");
}

#[test]
fn delegated_prefixes_are_asked_for_and_told_with_short_lives() {
    let delegated = |number, cidr| RouterSubnet { ra_mode: Some(RaMode::Slaac), delegated: true, ..subnet(number, cidr, None) };
    let legs = vec![port(1, 1, &["2001:db8:1::1/64"], vec![delegated(1, "2001:db8:1::/64"), delegated(2, "::/64")])];
    let mut routed = router(1, Some(gateway(20)), legs);
    let text = program([Unit::Router(routed.clone())]);
    assert!(text.contains("prefix 2001:db8:1::/64 { AdvOnLink on; AdvAutonomous on; AdvPreferredLifetime 2700; AdvValidLifetime 5400; };"));
    assert!(!text.contains("prefix ::/64"), "nobody has delegated it yet: {text}");
    let asked = |router: &RouterIntent| {
        let mut intents = Intents::default();
        intents.put(Unit::Router(router.clone()));
        L3.delegations(&intents).into_iter().map(|one| (one.link.to_string(), one.known)).collect::<Vec<_>>()
    };
    let link = || "qg-a0000014-00".to_owned();
    assert_eq!(asked(&routed), [(link(), Some(net("2001:db8:1::/64"))), (link(), None)]);
    routed.gateway = None;
    assert_eq!(asked(&routed), [], "there is nobody to ask");
}

#[test]
fn what_cannot_be_is_left_out_and_said() {
    let mut bad = interface(3);
    bad.mac = "01:00:5e:00:00:01".parse().expect("a MAC");
    let twice = port(4, 4, &["10.0.1.9/16"], vec![]);
    let mut routed = router(1, None, vec![interface(1), bad, twice]);
    let route = |destination, nexthop| Route { destination: net(destination), nexthop: ip(nexthop) };
    routed.routes = vec![
        route("10.9.0.0/16", "10.8.0.1"),
        route("10.7.0.0/16", "10.0.1.7"),
        route("10.7.0.0/16", "10.0.1.8"),
        route("fd00::/64", "10.0.1.7"),
    ];
    let units = [
        Unit::Router(routed),
        Unit::FloatingIp(floating_ip(1, 1, Some("10.0.1.5"))),
        Unit::FloatingIp(floating_ip(2, 2, Some("10.0.1.5"))),
        Unit::PortForwarding(forwarding(1, 1, (1, 1), (1, 1))),
    ];
    insta::assert_snapshot!(program(units));
    let mut icmp = forwarding(1, 1, (1, 1), (1, 1));
    icmp.protocol = 1;
    let units = [
        Unit::Router(router(1, Some(gateway(20)), vec![])),
        Unit::PortForwarding(icmp),
        Unit::PortForwarding(forwarding(2, 1, (1, 9), (1, 3))),
    ];
    let text = program(units);
    assert!(text.contains("protocol 1 has no ports to forward") && text.contains("ports 1-9 cannot become 1-3"), "{text}");
}
