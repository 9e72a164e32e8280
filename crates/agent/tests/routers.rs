//! Real packets through routers: between networks, out, in by floating IPs and forwarded ports, and what must not pass.

mod support;

use intent::{Carrier, Direction, Remote, Route, RouterIntent, Transport, Unit, UnitId};
use std::net::UdpSocket;
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::traffic::*;

#[test]
fn between_two_networks() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![]);
        assert!(pings("a", "10.0.2.7"), "{:?}", host.faults());
        assert!(pings("c", "10.0.1.6"));
        let listener = listen("c", "10.0.2.7:80");
        assert_eq!(seen("a", "10.0.2.7:80", &listener).as_deref(), Some("10.0.1.5"), "nothing is translated inside");
        assert!(pings("a", "-M do -s 1422 10.0.2.7"), "a packet of the networks' MTU");
        let down = RouterIntent { admin_state_up: false, ..routed() };
        host.change(Unit::Router(down));
        assert!(silent("a", "10.0.2.7") && silent("a", "203.0.113.1"), "down");
        host.change(Unit::Router(routed()));
        assert!(pings("a", "10.0.2.7") && pings("a", "203.0.113.1"), "up again");
        let mut one = routed();
        let gone = one.interfaces.remove(1);
        host.tell([Unit::Router(one)], [UnitId::Port(gone.port_id)]);
        until("the interface is gone", || !sh(&format!("ip -n {} -o link", qrouter(1))).contains("qr-a0000002"));
        assert!(silent("a", "10.0.2.7"), "without the interface");
        assert!(pings("a", "198.51.100.1"), "the rest is there");
    });
}

#[test]
fn out_by_the_gateway() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![]);
        assert!(pings("a", "198.51.100.1"), "{:?}", host.faults());
        let listener = listen("internet", "198.51.100.1:80");
        assert_eq!(seen("a", "198.51.100.1:80", &listener).as_deref(), Some("203.0.113.10"), "as the gateway");
        assert_eq!(seen("c", "198.51.100.1:80", &listener).as_deref(), Some("203.0.113.10"));
        assert!(silent("internet", "10.0.1.5"), "there is no way in");
        // Without translation the outside must know the way back.
        host.change(Unit::Router(RouterIntent { enable_snat: false, ..routed() }));
        assert!(closed("a", "198.51.100.1:80"), "not translated");
        sh_in("internet", "ip route add 10.0.1.0/24 via 203.0.113.10");
        assert_eq!(seen("a", "198.51.100.1:80", &listener).as_deref(), Some("10.0.1.5"), "as itself");
        host.change(Unit::Router(routed()));
        assert_eq!(seen("a", "198.51.100.1:80", &listener).as_deref(), Some("203.0.113.10"), "translated again");
        let closed = RouterIntent { gateway: None, ..routed() };
        host.change(Unit::Router(closed));
        assert!(silent("a", "198.51.100.1") && pings("a", "10.0.2.7"), "without a gateway");
    });
}

#[test]
fn between_address_scopes() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        // The outside and network 1 are of one scope, network 2 of none.
        let mut parted = routed();
        parted.gateway = parted.gateway.map(|port| scoped(1, 0, port));
        parted.interfaces[0] = scoped(1, 0, parted.interfaces[0].clone());
        start(host, &routed(), vec![floating_ip(107, 1, Some("10.0.2.7"))]);
        sh_in("internet", "ip route add 10.0.1.0/24 via 203.0.113.10 && ip route add 10.0.2.0/24 via 203.0.113.10");
        let (inner, c, outer) = (listen("a", "10.0.1.5:80"), listen("c", "10.0.2.7:80"), listen("internet", "198.51.100.1:80"));
        let mut open = Open::new("a", "10.0.2.7:80", &c);
        host.change(Unit::Router(parted.clone()));
        assert!(silent("a", "10.0.2.7") && silent("c", "10.0.1.6"), "from one to the other");
        assert!(open.is_cut(), "what was open is judged too");
        assert_eq!(seen("a", "198.51.100.1:80", &outer).as_deref(), Some("10.0.1.5"), "as itself within the scope: {:?}", host.faults());
        assert_eq!(seen("internet", "10.0.1.5:80", &inner).as_deref(), Some("203.0.113.1"), "and back");
        assert!(closed("internet", "10.0.2.7:80"), "not into the other");
        assert_eq!(seen("b", "203.0.113.107:80", &c).as_deref(), Some("203.0.113.10"), "by the floating IP");
        assert_eq!(seen("c", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.107"), "out as the floating IP");
        parted.enable_snat = false;
        host.tell([], [floating_ip(107, 1, None).id()]);
        host.change(Unit::Router(parted));
        until("nothing leaves untranslated for another scope", || closed("c", "198.51.100.1:80"));
        assert!(connects("a", "198.51.100.1:80"));
        host.change(Unit::Router(routed()));
        assert!(pings("a", "10.0.2.7") && pings("c", "198.51.100.1"), "without scopes");
    });
}

#[test]
fn gateways_beyond_their_prefix() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let mut single = routed();
        single.gateway = Some(gateway_port(20, "192.0.2.10/32"));
        start(host, &single, vec![]);
        sh_in("internet", "ip route add 192.0.2.10/32 dev eth0");
        assert!(pings("a", "198.51.100.1"), "out of a /32: {:?}", host.faults());
        single.gateway = Some(gateway_port(20, "203.0.113.0/31"));
        host.change(Unit::Router(single));
        sh_in("internet", "ip addr flush dev eth0 && ip addr add 203.0.113.1/31 dev eth0");
        assert!(pings("a", "198.51.100.1"), "out of a /31: {:?}", host.faults());
    });
}

#[test]
fn in_by_a_floating_ip() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![floating_ip(101, 1, Some("10.0.1.5"))]);
        let id = floating_ip(101, 1, None).id();
        host.wait(&id.to_string(), 0);
        assert!(pings("internet", "203.0.113.101"), "{:?}", host.faults());
        let (inner, outer) = (listen("a", "10.0.1.5:80"), listen("internet", "198.51.100.1:80"));
        assert_eq!(seen("internet", "203.0.113.101:80", &inner).as_deref(), Some("203.0.113.1"), "who it is outside");
        assert_eq!(seen("a", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.101"), "out as the floating IP");
        assert_eq!(seen("b", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.10"), "b has none");
        // It goes to b; what was open to a is cut.
        let mut open = Open::new("internet", "203.0.113.101:80", &inner);
        assert!(open.works());
        host.change(floating_ip(101, 1, Some("10.0.1.6")));
        until("the connection is cut", || open.is_cut());
        let other = listen("b", "10.0.1.6:80");
        assert_eq!(seen("internet", "203.0.113.101:80", &other).as_deref(), Some("203.0.113.1"), "b has it");
        assert_eq!(seen("a", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.10"), "a has none");
        host.tell([], [id]);
        until("it is silent", || silent("internet", "203.0.113.101"));
        assert!(closed("internet", "203.0.113.101:80"));
        let mut tracked = host::conntrack::Conntrack::open(&dataplane::Netns::named(qrouter(1))).expect("conntrack");
        let tracked = tracked.list(&[Default::default()]).expect("connections");
        let left = tracked.iter().find(|one| {
            let text = format!("{one:?}");
            text.contains("203.0.113.101") && text.contains("10.0.1.")
        });
        assert_eq!(left, None);
        assert_eq!(seen("b", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.10"));
    });
}

#[test]
fn a_floating_ip_is_removed_while_nobody_looks() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![floating_ip(101, 1, Some("10.0.1.5"))]);
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        let listener = listen("a", "10.0.1.5:80");
        let mut open = Open::new("internet", "203.0.113.101:80", &listener);
        host.kill();
        assert!(open.works(), "without the agent");
        host.start(scene().into_iter().chain(with_ports(&routed())));
        host.wait(&format!("router/{}", router_id(1)), 0);
        until("the connection is cut", || open.is_cut());
        assert!(closed("internet", "203.0.113.101:80"));
    });
}

#[test]
fn to_a_floating_ip_from_behind_its_router() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![floating_ip(101, 1, Some("10.0.1.5"))]);
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        let listener = listen("a", "10.0.1.5:80");
        assert_eq!(seen("b", "203.0.113.101:80", &listener).as_deref(), Some("203.0.113.10"), "from the same network: {:?}", host.faults());
        assert_eq!(seen("c", "203.0.113.101:80", &listener).as_deref(), Some("203.0.113.10"), "from another");
        assert_eq!(seen("a", "203.0.113.101:80", &listener).as_deref(), Some("203.0.113.101"), "its own");
        host.change(floating_ip(102, 1, Some("10.0.1.6")));
        assert_eq!(seen("b", "203.0.113.101:80", &listener).as_deref(), Some("203.0.113.102"), "from one that has one too");
        assert_eq!(seen("c", "10.0.1.5:80", &listener).as_deref(), Some("10.0.2.7"), "by the fixed IP");
    });
}

#[test]
fn forwarded_ports() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let tcp = || forwarding(107, 6, (2200, 2202), "10.0.1.6", (22, 24));
        let udp = || forwarding(107, 17, (53, 53), "10.0.2.7", (5353, 5353));
        start(host, &routed(), vec![floating_ip(107, 1, None), tcp(), udp()]);
        for unit in [floating_ip(107, 1, None), tcp(), udp()] {
            host.wait(&unit.id().to_string(), 0);
        }
        let (first, last) = (listen("b", "10.0.1.6:22"), listen("b", "10.0.1.6:24"));
        assert_eq!(seen("internet", "203.0.113.107:2200", &first).as_deref(), Some("203.0.113.1"), "{:?}", host.faults());
        assert_eq!(seen("internet", "203.0.113.107:2202", &last).as_deref(), Some("203.0.113.1"), "the end of the range");
        assert_eq!(seen("a", "203.0.113.107:2200", &first).as_deref(), Some("203.0.113.10"), "from behind the router");
        assert!(closed("internet", "203.0.113.107:22") && closed("internet", "203.0.113.107:2203"), "other ports");
        let receiver = inside("c", || UdpSocket::bind("10.0.2.7:5353").expect("a socket"));
        receiver.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let sender = inside("internet", || UdpSocket::bind("203.0.113.1:0").expect("a socket"));
        sender.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        sender.send_to(b"ask", "203.0.113.107:53").expect("sent");
        let (_, peer) = receiver.recv_from(&mut [0; 8]).expect("received");
        receiver.send_to(b"say", peer).expect("sent");
        let (_, from) = sender.recv_from(&mut [0; 8]).expect("answered");
        assert_eq!(from.to_string(), "203.0.113.107:53", "the answer comes from where it was asked");
        host.tell([], [tcp().id()]);
        until("the port is closed", || closed("internet", "203.0.113.107:2200"));
        sender.send_to(b"ask", "203.0.113.107:53").expect("sent");
        assert!(receiver.recv_from(&mut [0; 8]).is_ok(), "the other stays");
    });
}

#[test]
fn security_groups_judge_what_is_routed() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let http = rule(12, Direction::Ingress, 4, Transport::Ports { protocol: 6, first: 80, last: 80 }, Remote::Any);
        let grouped = |number, network, address, group| {
            let Unit::Port(port) = instance(number, network, address) else { unreachable!("built so") };
            Unit::Port(intent::PortIntent { security_groups: vec![group_id(group)], ..port })
        };
        // c lets in port 80 only, a and b nothing.
        let further = vec![
            group(2, vec![http]),
            group(3, vec![]),
            grouped(7, 2, "10.0.2.7", 2),
            grouped(5, 1, "10.0.1.5", 3),
            grouped(6, 1, "10.0.1.6", 3),
            floating_ip(101, 1, Some("10.0.2.7")),
            floating_ip(102, 1, Some("10.0.1.5")),
        ];
        start(host, &routed(), further);
        let (open, other) = (listen("c", "10.0.2.7:80"), listen("c", "10.0.2.7:81"));
        assert_eq!(seen("a", "10.0.2.7:80", &open).as_deref(), Some("10.0.1.5"), "{:?}", host.faults());
        assert_eq!(seen("internet", "203.0.113.101:80", &open).as_deref(), Some("203.0.113.1"));
        assert_eq!(seen("a", "203.0.113.101:80", &open).as_deref(), Some("203.0.113.102"));
        assert_eq!(seen("b", "203.0.113.101:80", &open).as_deref(), Some("203.0.113.10"));
        let _inner = listen("a", "10.0.1.5:80");
        assert!(closed("a", "10.0.2.7:81") && closed("internet", "203.0.113.101:81"), "another port");
        assert!(closed("c", "10.0.1.5:80") && closed("internet", "203.0.113.102:80"), "nothing is let in");
        drop(other);
        assert!(pings("a", "198.51.100.1"), "answers are");
    });
}

#[test]
fn extra_routes() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![]);
        // c leads on to 10.9.0.0/24.
        sh_in("c", "ip addr add 10.9.0.1/24 dev lo");
        host.change(open_port(7, 2, "10.0.2.7", "compute:nova"));
        assert!(silent("a", "10.9.0.1"), "nobody knows it");
        let route = |nexthop| Route { destination: net("10.9.0.0/24"), nexthop: ip(nexthop) };
        host.change(Unit::Router(RouterIntent { routes: vec![route("10.0.2.7")], ..routed() }));
        assert!(pings("a", "10.9.0.1"), "{:?}", host.faults());
        host.change(Unit::Router(RouterIntent { routes: vec![route("10.0.3.7")], ..routed() }));
        assert!(silent("a", "10.9.0.1"), "by nobody");
        let said = host.faults();
        assert!(said.values().any(|said| said.contains("next hop 10.0.3.7")), "{said:?}");
        assert!(pings("a", "10.0.2.7"), "the rest is unharmed");
        host.change(Unit::Router(routed()));
        until("nothing is amiss", || host.faults().is_empty());
    });
}

#[test]
fn both_families() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let mut dual = routed();
        dual.interfaces = vec![router_port(1, 1, &["10.0.1.1/24", "fd00:1::1/64"]), router_port(2, 2, &["10.0.2.1/24", "fd00:2::1/64"])];
        dual.gateway = Some(router_port(20, OUTSIDE, &["2001:db8::10/64"]));
        dual.gateway.as_mut().expect("set").subnets[0].gateway_ip = Some(ip("2001:db8::1"));
        let address = |number: u8, network: u8, v4: &str, v6: &str| {
            let Unit::Port(mut port) = instance(number, network, v4) else { unreachable!("built so") };
            port.addresses.push(ip(v6));
            Unit::Port(port)
        };
        start(host, &dual, vec![address(5, 1, "10.0.1.5", "fd00:1::5"), address(7, 2, "10.0.2.7", "fd00:2::7")]);
        for (name, own, gateway) in [("a", "fd00:1::5", "fd00:1::1"), ("c", "fd00:2::7", "fd00:2::1")] {
            sh_in(name, &format!("ip addr add {own}/64 dev eth0 nodad && ip -6 route add default via {gateway}"));
        }
        sh_in("internet", "ip addr add 2001:db8::1/64 dev eth0 nodad && ip -6 route add fd00:1::/64 via 2001:db8::10");
        assert!(pings("a", "fd00:2::7"), "{:?}", host.faults());
        let listener = listen("internet", "[2001:db8::1]:80");
        assert_eq!(seen("a", "[2001:db8::1]:80", &listener).as_deref(), Some("fd00:1::5"), "IPv6 is not translated");
        assert!(pings("a", "10.0.2.7"), "IPv4 beside it");
    });
}

#[test]
fn one_prefix_behind_two_routers() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let twin = router(2, Some(gateway_port(21, "203.0.113.20/24")), vec![router_port(3, 3, &["10.0.1.1/24"])]);
        let mut units = vec![network(3, Carrier::Local), instance(15, 3, "10.0.1.5")];
        units.extend(with_ports(&twin));
        units.extend([floating_ip(101, 1, Some("10.0.1.5")), floating_ip(102, 2, Some("10.0.1.5"))]);
        start(host, &routed(), units);
        host.plug_routed("twin", 15, "10.0.1.5/24", "10.0.1.1");
        for (number, router) in [(101, 1), (102, 2)] {
            host.wait(&floating_ip(number, router, None).id().to_string(), 0);
        }
        let (one, other) = (listen("a", "10.0.1.5:80"), listen("twin", "10.0.1.5:80"));
        let outer = listen("internet", "198.51.100.1:80");
        assert_eq!(seen("internet", "203.0.113.101:80", &one).as_deref(), Some("203.0.113.1"), "{:?}", host.faults());
        assert_eq!(seen("internet", "203.0.113.102:80", &other).as_deref(), Some("203.0.113.1"));
        assert_eq!(seen("a", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.101"));
        assert_eq!(seen("twin", "198.51.100.1:80", &outer).as_deref(), Some("203.0.113.102"));
        assert!(silent("twin", "10.0.1.6") && silent("twin", "10.0.2.7"), "silence across");
        assert_eq!(seen("twin", "203.0.113.101:80", &one).as_deref(), Some("203.0.113.102"), "from one router to the other");
    });
}

#[test]
fn neighbours_learn_where_an_address_has_gone() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let twin = router(2, Some(gateway_port(21, "203.0.113.20/24")), vec![router_port(3, 3, &["10.0.3.1/24"])]);
        let mut units = vec![network(3, Carrier::Local), instance(15, 3, "10.0.3.5")];
        units.extend(with_ports(&twin));
        units.push(floating_ip(101, 1, Some("10.0.1.5")));
        start(host, &routed(), units);
        host.plug_routed("d", 15, "10.0.3.5/24", "10.0.3.1");
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        let known = |mac: &str| sh_in("internet", "ip neigh show 203.0.113.101").contains(mac);
        assert!(pings("internet", "203.0.113.101") && known("fa:16:3e:00:00:14"), "at the first router: {:?}", host.faults());
        let there = floating_ip(101, 2, Some("10.0.3.5"));
        let key = there.id().to_string();
        let revision = host.tell([there], [floating_ip(101, 1, None).id()]);
        host.wait(&key, revision);
        // Nobody asks: the entry is as good as new for many seconds.
        until("the neighbour knows", || known("fa:16:3e:00:00:15"));
        assert!(pings("internet", "203.0.113.101"), "at the second");
    });
}

#[test]
fn what_is_deleted_by_others_comes_back() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![floating_ip(101, 1, Some("10.0.1.5"))]);
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        let _listener = listen("a", "10.0.1.5:80");
        let works = || {
            // Who has the address is to be asked each time.
            sh_in("internet", "ip neigh flush dev eth0");
            !closed("internet", "203.0.113.101:80") && !silent("c", "198.51.100.1")
        };
        until("it works", works);
        let inside = [
            "ip addr del 203.0.113.101/32 dev qg-a0000014-00",
            "ip route del default",
            "nft delete element inet neutrino floating { 203.0.113.101 }",
            "nft flush chain inet neutrino to-outside",
            "nft delete table inet neutrino",
            "ip link set qg-a0000014-00 down",
            "sysctl -qw net.ipv4.ip_forward=0",
        ];
        for command in inside {
            sh_in(&qrouter(1), command);
            assert!(!works(), "{command}");
            host.send(agent::Event::Resync);
            until(command, works);
        }
        // Links of the agent's own namespace are watched.
        sh("ip link del tapa0000014-00");
        until("the gateway is back", works);
        sh(&format!("ip netns del {}", qrouter(1)));
        host.send(agent::Event::Resync);
        until("the namespace is back", works);
    });
}

/// All that the agent makes, with the kernel's own numbers, but without counters, timers and the carrier's state.
fn objects() -> String {
    let of = |command: &str| sh(&format!("{command}; ip netns exec {} sh -c '{command}'", qrouter(1)));
    let links = of("ip -d -o link | sed \"s/[a-z_]*timer *[0-9.]*//g; s/<[^>]*>//; s/state [A-Z]*//\"");
    links + &of("ip -o addr; ip route; ip -6 route | sed \"s/expires.*//\"; nft -a list ruleset | sed \"s/packets [0-9]* bytes [0-9]*//\"")
}

#[test]
fn a_restart_under_traffic() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let further =
            || vec![floating_ip(101, 1, Some("10.0.1.5")), floating_ip(107, 1, None), forwarding(107, 6, (22, 24), "10.0.1.6", (22, 24))];
        let units = || scene().into_iter().chain(with_ports(&routed())).chain(further());
        start(host, &routed(), further());
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        assert!(pings("a", "198.51.100.1") && pings("b", "198.51.100.1") && pings("internet", "203.0.113.101"));
        let listener = listen("internet", "198.51.100.1:80");
        let mut open = Open::new("b", "198.51.100.1:80", &listener);
        let before = objects();
        let traffic = [("a", "10.0.2.7"), ("b", "198.51.100.1"), ("internet", "203.0.113.101")]
            .map(|(from, to)| std::thread::spawn(move || inside(from, || sh(&format!("ping -q -i 0.002 -w 2 {to}")))));
        host.kill();
        host.start(units());
        for key in [format!("router/{}", router_id(1)), floating_ip(101, 1, None).id().to_string()] {
            host.wait(&key, 0);
        }
        assert!(objects() == before, "nothing right is touched:\n{before}\n{}", objects());
        for traffic in traffic {
            let text = traffic.join().expect("pinged");
            assert!(text.contains(" 0% packet loss"), "{text}");
        }
        assert!(open.works(), "the translated connection goes on");
    });
}
