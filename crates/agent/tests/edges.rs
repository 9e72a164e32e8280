//! Routers at the edges: MTUs that differ, IPv6 address scopes, addresses that move, what a change must leave alone, and orders that
//! contradict each other.

mod support;

use intent::{NetworkIntent, RouterIntent, Unit};
use std::io::{Read, Write};
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::traffic::*;

/// The router of the scene with both families: fd00:1::1, fd00:2::1, and 2001:db8::10 outside.
fn dual() -> RouterIntent {
    let mut dual = routed();
    dual.interfaces = vec![router_port(1, 1, &["10.0.1.1/24", "fd00:1::1/64"]), router_port(2, 2, &["10.0.2.1/24", "fd00:2::1/64"])];
    dual.gateway = Some(dual_gateway(20));
    dual
}

fn dual_gateway(number: u8) -> intent::RouterPort {
    let mut port = router_port(number, OUTSIDE, &["203.0.113.10/24", "2001:db8::10/64"]);
    port.subnets[0].gateway_ip = Some(ip("203.0.113.1"));
    port.subnets[1].gateway_ip = Some(ip("2001:db8::1"));
    port
}

fn dual_instance(number: u8, network: u8, v4: &str, v6: &str) -> Unit {
    let Unit::Port(mut port) = instance(number, network, v4) else { unreachable!("built so") };
    port.addresses.push(ip(v6));
    Unit::Port(port)
}

/// The scene with both families; the outside knows the way to both networks.
fn start_dual(host: &mut Inside, router: &RouterIntent, further: Vec<Unit>) {
    let ports = [dual_instance(5, 1, "10.0.1.5", "fd00:1::5"), dual_instance(7, 2, "10.0.2.7", "fd00:2::7")];
    start(host, router, ports.into_iter().chain(further).collect());
    for (name, own, gateway) in [("a", "fd00:1::5", "fd00:1::1"), ("c", "fd00:2::7", "fd00:2::1")] {
        sh_in(name, &format!("ip addr add {own}/64 dev eth0 nodad && ip -6 route add default via {gateway}"));
    }
    sh_in("internet", "ip addr add 2001:db8::1/64 dev eth0 nodad && ip -6 route add fd00::/16 via 2001:db8::10");
}

#[test]
fn between_address_scopes_of_ipv6() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        // IPv6 of the outside and network 1 is of one scope, that of network 2 of another; IPv4 is of none.
        let mut parted = dual();
        parted.gateway = parted.gateway.map(|port| scoped(0, 1, port));
        parted.interfaces = vec![scoped(0, 1, parted.interfaces[0].clone()), scoped(0, 2, parted.interfaces[1].clone())];
        start_dual(host, &dual(), vec![]);
        let (a, c, outer) = (listen("a", "[fd00:1::5]:80"), listen("c", "[fd00:2::7]:80"), listen("internet", "[2001:db8::1]:80"));
        let mut open = Open::new("a", "[fd00:2::7]:80", &c);
        assert!(open.works(), "{:?}", host.faults());
        host.change(Unit::Router(parted));
        assert!(closed("a", "[fd00:2::7]:80") && closed("c", "[fd00:1::5]:80"), "from one to the other");
        assert!(open.is_cut(), "what was open is judged too");
        assert!(closed("c", "[2001:db8::1]:80"), "nor out: nothing translates IPv6");
        assert!(closed("internet", "[fd00:2::7]:80"), "nor in");
        assert_eq!(seen("a", "[2001:db8::1]:80", &outer).as_deref(), Some("fd00:1::5"), "within the scope");
        assert_eq!(seen("internet", "[fd00:1::5]:80", &a).as_deref(), Some("2001:db8::1"), "and back");
        let v4 = listen("c", "10.0.2.7:80");
        assert_eq!(seen("a", "10.0.2.7:80", &v4).as_deref(), Some("10.0.1.5"), "the other family is of no scope");
        host.change(Unit::Router(dual()));
        assert_eq!(seen("a", "[fd00:2::7]:80", &c).as_deref(), Some("fd00:1::5"), "without scopes");
    });
}

#[test]
fn networks_of_different_mtu() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let mut narrow = dual();
        narrow.interfaces[1].mtu = 1300;
        let Unit::Network(second) = network(2, intent::Carrier::Local) else { unreachable!("built so") };
        start_dual(host, &narrow, vec![Unit::Network(NetworkIntent { mtu: 1300, ..second })]);
        sh_in("c", "ip link set eth0 mtu 1300");
        for (to, fits, family) in [("10.0.2.7", 1300 - 28, "-4"), ("fd00:2::7", 1300 - 48, "-6")] {
            assert!(pings("a", &format!("{family} -M do -s {fits} {to}")), "a packet of the smaller MTU: {:?}", host.faults());
            let told = inside("a", || try_sh(&format!("ping {family} -c 1 -W 9 -M do -s {} {to}", fits + 1))).1;
            assert!(told.contains("1300"), "the router says what fits: {told}");
        }
        // A megabyte gets through, though the sender began with segments that do not fit.
        for (to, flush) in [("10.0.2.7:80", "ip route flush cache"), ("[fd00:2::7]:80", "ip -6 route flush cache")] {
            sh_in("a", flush);
            let listener = listen("c", to);
            let Open { mut client, mut server } = Open::new("a", to, &listener);
            let sender = std::thread::spawn(move || client.write_all(&[7; 1 << 20]));
            server.set_read_timeout(Some(DEADLINE)).expect("a timeout");
            let mut all = Vec::new();
            server.read_to_end(&mut all).expect("all of it");
            assert_eq!(all.len(), 1 << 20, "to {to}");
            sender.join().expect("joined").expect("sent");
        }
    });
}

#[test]
fn a_change_leaves_the_connections_of_others_alone() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let forwarded = |to| forwarding(107, 6, (2200, 2200), to, (22, 22));
        let further = vec![
            floating_ip(101, 1, Some("10.0.1.5")),
            floating_ip(102, 1, Some("10.0.2.7")),
            floating_ip(107, 1, None),
            forwarded("10.0.1.6"),
        ];
        let keys: Vec<String> = further.iter().map(|unit| unit.id().to_string()).collect();
        start(host, &routed(), further);
        keys.iter().for_each(|key| host.wait(key, 0));
        let (a, b, c) = (listen("a", "10.0.1.5:80"), listen("b", "10.0.1.6:22"), listen("c", "10.0.2.7:80"));
        let outer = listen("internet", "198.51.100.1:80");
        let mut moving = Open::new("internet", "203.0.113.101:80", &a);
        let mut outward = Open::new("a", "198.51.100.1:80", &outer);
        let mut others = [
            ("by another floating IP", Open::new("internet", "203.0.113.102:80", &c)),
            ("out by another floating IP", Open::new("c", "198.51.100.1:80", &outer)),
            ("by a forwarded port", Open::new("internet", "203.0.113.107:2200", &b)),
            ("out by the gateway", Open::new("b", "198.51.100.1:80", &outer)),
            ("inside, to the same instance", Open::new("c", "10.0.1.5:80", &a)),
        ];
        assert!(moving.works() && outward.works() && others.iter_mut().all(|(_, open)| open.works()));
        host.tell([], [floating_ip(101, 1, None).id()]);
        until("both of the floating IP's are cut", || moving.is_cut() && outward.is_cut());
        for (what, open) in &mut others {
            assert!(open.works(), "{what}");
        }
        // A forwarded port goes elsewhere: its own connections end, and no others.
        host.change(forwarded("10.0.1.5"));
        until("that of the forwarded port is cut", || others[2].1.is_cut());
        for (what, open) in others.iter_mut().filter(|(what, _)| !what.contains("forwarded")) {
            assert!(open.works(), "{what}");
        }
    });
}

#[test]
fn a_gateway_that_moves_is_known_in_both_families() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start_dual(host, &dual(), vec![]);
        let known = |address: &str, mac: &str| sh_in("internet", &format!("ip neigh show {address}")).contains(mac);
        assert!(pings("internet", "203.0.113.10") && pings("internet", "2001:db8::10"), "{:?}", host.faults());
        assert!(known("203.0.113.10", "fa:16:3e:00:00:14") && known("2001:db8::10", "fa:16:3e:00:00:14"));
        // Another router has the addresses now; nobody asks for them, as the entries are as good as new.
        let heir = RouterIntent { id: router_id(2), gateway: Some(dual_gateway(21)), ..dual() };
        let gone = [intent::UnitId::Router(router_id(1)), intent::UnitId::Port(port_id(20))];
        let revision = host.tell(with_ports(&heir), gone);
        host.wait(&format!("router/{}", router_id(2)), revision);
        until("IPv4 is known to be there", || known("203.0.113.10", "fa:16:3e:00:00:15"));
        until("IPv6 is known to be there", || known("2001:db8::10", "fa:16:3e:00:00:15"));
        let (v4, v6) = (listen("internet", "198.51.100.1:80"), listen("internet", "[2001:db8::1]:80"));
        assert_eq!(seen("a", "198.51.100.1:80", &v4).as_deref(), Some("203.0.113.10"), "{:?}", host.faults());
        assert_eq!(seen("a", "[2001:db8::1]:80", &v6).as_deref(), Some("fd00:1::5"));
    });
}

#[test]
fn what_contradicts_itself_is_refused_alone() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let mut wrong = routed();
        // Inside the prefix of network 1, which has it already.
        wrong.interfaces[1] = router_port(2, 2, &["10.0.1.129/25"]);
        let nowhere = floating_ip(103, 1, Some("10.77.0.5"));
        start(host, &wrong, vec![floating_ip(101, 1, Some("10.0.1.5")), floating_ip(104, 7, Some("10.0.1.6")), nowhere]);
        let unit = format!("router/{}", router_id(1));
        until("it is said which overlap", || host.faults().get(&unit).is_some_and(|said| said.contains("overlaps 10.0.1.0/24")));
        until("and which has no router", || {
            host.faults().get(&floating_ip(104, 7, None).id().to_string()).is_some_and(|said| said.contains("was not told"))
        });
        assert_eq!(host.faults().len(), 2, "{:?}", host.faults());
        let listener = listen("a", "10.0.1.5:80");
        assert_eq!(seen("internet", "203.0.113.101:80", &listener).as_deref(), Some("203.0.113.1"), "its neighbours carry packets");
        assert!(silent("internet", "203.0.113.103"), "nobody is there");
        assert!(silent("c", "10.0.2.1"));
        host.change(Unit::Router(routed()));
        until("what is right again is in force", || !host.faults().contains_key(&unit));
        assert!(pings("c", "10.0.1.5"));
    });
}

/// Sends the first chunk of an SCTP association, or waits for it and says where it came from and whether its checksum is right (RFC 9260:
/// CRC32c). Not every kernel has sockets for it.
const SCTP: &str = r#"
import socket, struct, sys
def crc(data):
    value = 0xffffffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return struct.pack("<I", value ^ 0xffffffff)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
raw.settimeout(10)
if sys.argv[1] == "send":
    head = struct.pack("!HHI", 4000, int(sys.argv[3]), 0)
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 65535, 1, 1, 1)
    raw.sendto(head + crc(head + bytes(4) + chunk) + chunk, (sys.argv[2], 0))
else:
    print("ready", flush=True)
    packet, (source, _) = raw.recvfrom(2048)
    sctp = packet[20:]
    right = sctp[8:12] == crc(sctp[:8] + bytes(4) + sctp[12:])
    print(source, *struct.unpack("!HH", sctp[:4]), right, flush=True)
"#;

#[test]
fn a_forwarded_port_of_sctp() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let sctp = || forwarding(107, 132, (3868, 3869), "10.0.1.6", (13868, 13869));
        start(host, &routed(), vec![floating_ip(107, 1, None), sctp()]);
        host.wait(&sctp().id().to_string(), 0);
        let (script, said) = (host.state().join("sctp.py"), host.state().join("said"));
        std::fs::write(&script, SCTP).expect("a file");
        let send = |port: u16| sh_in("internet", &format!("python3 {} send 203.0.113.107 {port}", script.display()));
        sh_in("b", &format!("python3 {} receive > {} 2>&1 &", script.display(), said.display()));
        let text = || std::fs::read_to_string(&said).unwrap_or_default();
        until("it waits", || text().contains("ready"));
        // Not forwarded: were it to come, it would be the first.
        send(3867);
        send(3869);
        until("it has come", || text().lines().count() == 2);
        assert_eq!(text().lines().nth(1), Some("203.0.113.1 4000 13869 True"), "{:?}", host.faults());
    });
}
