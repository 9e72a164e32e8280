//! Real packets through a router with two gateways on one external network: two links with addresses of the same prefix.

mod support;

use intent::{FurtherGateway, RouterIntent, RouterSubnet, Unit, UnitId};
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::traffic::{Open, listen};

/// The ports of the gateways, of which .10 is the first, and .11.
const FIRST: u8 = 20;
const SECOND: u8 = 22;

/// The addresses of a gateway in both families, with the next router at .1 and ::1.
fn outer(number: u8, last: &str) -> intent::RouterPort {
    let mut port = gateway_port(number, &format!("203.0.113.{last}/24"));
    let six = router_port(number, OUTSIDE, &["::/0", "2001:db8:9::/64"]).subnets[1].clone();
    port.addresses.push(net(&format!("2001:db8:9::{last}/64")));
    port.subnets.push(RouterSubnet { gateway_ip: Some(ip("2001:db8:9::1")), ..six });
    port
}

/// The router of the scene with these gateways in this order.
fn by(gateways: &[(u8, &str)]) -> RouterIntent {
    let mut ports = gateways.iter().map(|(number, last)| outer(*number, last));
    let interfaces = vec![router_port(1, 1, &["10.0.1.1/24"]), router_port(2, 2, &["10.0.2.1/24", "fd00:2::1/64"])];
    let first = ports.next();
    let further_gateways = ports.map(|port| FurtherGateway { port, enable_snat: true }).collect();
    RouterIntent { further_gateways, ..router(1, first, interfaces) }
}

fn both() -> RouterIntent {
    by(&[(FIRST, "10"), (SECOND, "11")])
}

/// A host with that router, and d (fd00:2::8) on network 2; the outside knows the ways in.
fn on_the_scene(host: &mut Inside) {
    start(host, &both(), vec![open_port(8, 2, "fd00:2::8", "compute:nova"), floating_ip(101, 1, Some("10.0.1.5"))]);
    host.plug("d", 8, &["fd00:2::8/64"]);
    host.wait_port(8);
    sh_in("d", "ip route add default via fd00:2::1");
    sh_in("internet", "ip addr add 2001:db8:9::1/64 dev eth0 nodad && ip addr add 2001:db8:18::1/128 dev lo nodad");
    host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
}

/// Who a machine outside takes for an address.
fn neighbour(address: &str) -> String {
    let line = sh_in("internet", &format!("ip neigh show {address}"));
    line.split_once("lladdr ").map(|(_, rest)| rest.split_whitespace().next().expect("a MAC").to_owned()).unwrap_or_default()
}

/// Counts what the outside hears of an address: from the link that has it, and from the other.
fn count(families: &[(&str, u8, u8)]) {
    sh_in("internet", "nft 'add table inet heard; add chain inet heard in { type filter hook prerouting priority -500; }'");
    sh_in("internet", "nft 'add table arp heard; add chain arp heard in { type filter hook input priority 0; }'");
    for (address, own, other) in families {
        let family = if address.contains(':') { "ip6" } else { "ip" };
        sh_in("internet", &format!("nft add rule inet heard in {family} saddr {address} ether saddr {} counter comment right", mac(*own)));
        sh_in(
            "internet",
            &format!("nft add rule inet heard in {family} saddr {address} ether saddr {} counter comment wrong", mac(*other)),
        );
        if family == "ip" {
            sh_in(
                "internet",
                &format!("nft add rule arp heard in arp saddr ip {address} arp saddr ether {} counter comment wrong", mac(*other)),
            );
        }
    }
}

fn heard(which: &str) -> Vec<bool> {
    let text = sh_in("internet", "nft list ruleset");
    text.lines().filter(|line| line.contains(&format!("comment \"{which}\""))).map(|line| !line.contains("packets 0 ")).collect()
}

#[test]
fn each_answers_for_its_own_addresses_with_its_own_link() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        on_the_scene(host);
        count(&[
            ("203.0.113.10", FIRST, SECOND),
            ("203.0.113.11", SECOND, FIRST),
            ("203.0.113.101", FIRST, SECOND),
            ("2001:db8:9::10", FIRST, SECOND),
            ("2001:db8:9::11", SECOND, FIRST),
            ("10.0.2.7", SECOND, FIRST),
            ("fd00:2::8", SECOND, FIRST),
        ]);
        sh_in("internet", "ip neigh flush all");
        for address in ["203.0.113.10", "203.0.113.11", "203.0.113.101", "2001:db8:9::10", "2001:db8:9::11"] {
            assert!(pings("internet", address), "{address}: {:?}", host.faults());
        }
        // Clients beyond the prefix, to whom the first would lead.
        assert!(pings("internet", "-I 198.51.100.1 203.0.113.11") && pings("internet", "-I 2001:db8:18::1 2001:db8:9::11"));
        sh_in("internet", "ip route add 10.0.2.0/24 via 203.0.113.11 && ip route add fd00:2::/64 via 2001:db8:9::11");
        for (address, at) in [("10.0.2.7:80", "c"), ("[fd00:2::8]:80", "d")] {
            assert!(Open::new("internet", address, &listen(at, address)).works(), "in by the second without translation");
        }
        assert!(pings("internet", "-I 198.51.100.1 10.0.2.7") && pings("internet", "-I 2001:db8:18::1 fd00:2::8"));
        let first = [neighbour("203.0.113.10"), neighbour("203.0.113.101"), neighbour("2001:db8:9::10")];
        assert_eq!(first, [FIRST; 3].map(|port| mac(port).to_string()), "the first has the floating IPs too");
        assert_eq!([neighbour("203.0.113.11"), neighbour("2001:db8:9::11")], [SECOND; 2].map(|port| mac(port).to_string()));
        assert_eq!(heard("right"), [true; 7], "{}", sh_in("internet", "nft list ruleset"));
        assert_eq!(heard("wrong"), [false; 11], "{}", sh_in("internet", "nft list ruleset"));
    });
}

#[test]
fn what_begins_inside_leaves_by_the_first_whichever_came_first() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        on_the_scene(host);
        let outer = listen("internet", "0.0.0.0:80");
        let seen = |from: &str, to: &str| support::traffic::seen(from, to, &outer);
        for to in ["203.0.113.1:80", "198.51.100.1:80"] {
            assert_eq!(seen("b", to).as_deref(), Some("203.0.113.10"), "{:?}", host.faults());
            assert_eq!(seen("a", to).as_deref(), Some("203.0.113.101"), "as the floating IP");
        }
        let mut inward = Open::new("internet", "203.0.113.101:81", &listen("a", "10.0.1.5:81"));
        let mut outward = Open::new("a", "198.51.100.1:82", &listen("internet", "198.51.100.1:82"));
        // The other way round.
        let (first, second) = ((FIRST, "10"), (SECOND, "11"));
        host.change(Unit::Router(by(&[second, first])));
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        for to in ["203.0.113.1:80", "198.51.100.1:80"] {
            assert_eq!(seen("b", to).as_deref(), Some("203.0.113.11"), "{:?}", host.faults());
            assert_eq!(seen("a", to).as_deref(), Some("203.0.113.101"));
        }
        until("the floating IP is known to have moved", || neighbour("203.0.113.101") == mac(SECOND).to_string());
        assert!(inward.works() && outward.works(), "connections of the floating IP stay");
        // What is first does not depend on what was there first.
        host.kill();
        let units = scene().into_iter().chain(with_ports(&both())).chain([floating_ip(101, 1, Some("10.0.1.5"))]);
        host.start(units.chain([open_port(8, 2, "fd00:2::8", "compute:nova")]));
        host.wait(&format!("router/{}", router_id(1)), 0);
        until("the first is the first again", || seen("b", "203.0.113.1:80").as_deref() == Some("203.0.113.10"));
        // The first goes, and the floating IP to the other.
        host.tell([Unit::Router(by(&[second]))], [UnitId::Port(port_id(FIRST))]);
        until("one gateway", || !sh(&format!("ip -n {} -o link", qrouter(1))).contains(&format!("qg-a00000{FIRST:02x}")));
        assert_eq!(seen("b", "198.51.100.1:80").as_deref(), Some("203.0.113.11"), "{:?}", host.faults());
        assert_eq!(seen("a", "198.51.100.1:80").as_deref(), Some("203.0.113.101"));
        until("the floating IP has moved", || neighbour("203.0.113.101") == mac(SECOND).to_string());
        assert!(inward.works() && outward.works(), "connections of the floating IP stay");
        assert!(silent("internet", "203.0.113.10"), "nobody has its address");
    });
}
