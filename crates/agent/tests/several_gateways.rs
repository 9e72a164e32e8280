//! Real packets through a router with two gateways.

mod support;

use intent::{Carrier, FloatingIpIntent, FurtherGateway, RouterIntent, Unit, UnitId};
use net::FloatingIpId;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use support::build::*;
use support::lab::*;
use support::routed::*;

/// The second external network, and the machine there.
const ELSEWHERE: u8 = 8;
const MACHINE: u8 = 80;

/// The router of the scene with 192.0.2.10 on the second external network.
fn two_ways() -> RouterIntent {
    let port = router_port(21, ELSEWHERE, &["192.0.2.10/24"]);
    RouterIntent { further_gateways: vec![FurtherGateway { port, enable_snat: true }], ..routed() }
}

fn floating_elsewhere(fixed: &str) -> Unit {
    Unit::FloatingIp(FloatingIpIntent {
        id: FloatingIpId(uuid(0xf1, 1)),
        router_id: router_id(1),
        network_id: Some(network_id(ELSEWHERE)),
        floating_ip_address: [192, 0, 2, 101].into(),
        fixed_ip_address: Some(fixed.parse().expect("an IPv4 address")),
    })
}

/// Listens there, connects from here; as whom the listener sees the other.
fn seen(from: &str, to: &str, at: &str) -> Option<String> {
    let address: SocketAddr = to.parse().expect("an address");
    let listener = inside(at, || TcpListener::bind(("0.0.0.0", address.port())).expect("a socket"));
    let stream = inside(from, || TcpStream::connect_timeout(&address, Duration::from_millis(300))).ok()?;
    let (_, peer) = listener.accept().expect("a connection");
    drop(stream);
    Some(peer.ip().to_string())
}

#[test]
fn each_hides_what_leaves_by_it_and_has_floating_ips_of_its_own() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let machine = open_port(MACHINE, ELSEWHERE, "192.0.2.1", "compute:nova");
        start(host, &two_ways(), vec![network(ELSEWHERE, Carrier::Local), machine]);
        host.plug("machine", MACHINE, &["192.0.2.1/24"]);
        host.wait_port(MACHINE);
        until("both ways out", || pings("a", "192.0.2.1") && pings("a", "198.51.100.1"));
        assert_eq!(seen("a", "192.0.2.1:80", "machine").as_deref(), Some("192.0.2.10"), "{:?}", host.faults());
        assert_eq!(seen("a", "203.0.113.1:80", "internet").as_deref(), Some("203.0.113.10"));
        assert_eq!(seen("a", "198.51.100.1:80", "internet").as_deref(), Some("203.0.113.10"), "what goes nowhere else leaves by the first");
        sh_in("machine", "ip route add 203.0.113.0/24 via 192.0.2.10 && ip route add 10.0.1.0/24 via 192.0.2.10");
        assert!(!pings("machine", "203.0.113.1"), "it is no way from one outside to the other");
        host.change(floating_ip(101, 1, Some("10.0.1.5")));
        host.change(floating_elsewhere("10.0.1.5"));
        assert_eq!(seen("machine", "192.0.2.101:80", "a").as_deref(), Some("192.0.2.1"), "{:?}", host.faults());
        assert_eq!(seen("internet", "203.0.113.101:80", "a").as_deref(), Some("203.0.113.1"));
        assert_eq!(seen("a", "192.0.2.1:80", "machine").as_deref(), Some("192.0.2.101"), "by each as its floating IP there");
        assert_eq!(seen("a", "203.0.113.1:80", "internet").as_deref(), Some("203.0.113.101"));
        assert_eq!(seen("b", "192.0.2.101:80", "a").as_deref(), Some("203.0.113.10"), "from behind the router");
        // The second way goes, the first stays.
        host.tell([Unit::Router(routed())], [floating_elsewhere("10.0.1.5").id(), UnitId::Port(port_id(21))]);
        until("one gateway", || !pings("a", "192.0.2.1"));
        assert_eq!(seen("a", "203.0.113.1:80", "internet").as_deref(), Some("203.0.113.101"));
    });
}
