//! Which connections a router knows, and what becomes of those that come to know another router than they began with.

mod support;

use host::conntrack::{Conntrack, Filter};
use intent::{Route, RouterIntent, RouterSubnet, Unit};
use net::{IpNet, SubnetId};
use std::net::UdpSocket;
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::traffic::*;

/// What the router tracks: who asks whom, and whom answers go to.
fn tracked() -> Vec<[String; 3]> {
    let mut conntrack = Conntrack::open(&dataplane::Netns::named(qrouter(1))).expect("conntrack");
    let found = conntrack.list(&[Filter::default()]).expect("connections");
    found.iter().map(|one| [one.original.source, one.original.destination, one.reply.destination].map(|at| at.to_string())).collect()
}

fn knows(source: &str, destination: &str, answers: &str) -> bool {
    tracked().contains(&[source, destination, answers].map(str::to_owned))
}

/// More than one packet can hold, there and back.
fn datagrams(from: &str, at: &str, to: &str) -> bool {
    let receiver = inside(at, || UdpSocket::bind(to).expect("a socket"));
    let sender = inside(from, || UdpSocket::bind("0.0.0.0:0").expect("a socket"));
    [&receiver, &sender].into_iter().for_each(|socket| socket.set_read_timeout(Some(DEADLINE)).expect("a timeout"));
    let long = [7; 4000];
    sender.send_to(&long, to).expect("sent");
    let mut buffer = [0; 5000];
    let Ok((4000, peer)) = receiver.recv_from(&mut buffer) else { return false };
    receiver.send_to(&long, peer).expect("sent");
    sender.recv_from(&mut buffer).is_ok_and(|(length, _)| length == 4000)
}

#[test]
fn a_router_without_gateway_tracks_nothing() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let closed = || RouterIntent { gateway: None, ..routed() };
        start(host, &closed(), vec![]);
        let (b, c) = (listen("b", "10.0.1.6:80"), listen("c", "10.0.2.7:80"));
        let outer = listen("internet", "198.51.100.1:80");
        let mut near = Open::new("b", "10.0.2.7:80", &c);
        assert!(near.works() && datagrams("a", "c", "10.0.2.7:5000"), "{:?}", host.faults());
        assert_eq!(seen("c", "10.0.1.6:80", &b).as_deref(), Some("10.0.2.7"));
        assert_eq!(tracked(), [[""; 3]; 0]);
        // It gets a gateway: one instance talks to its neighbour, as before, and to the outside at once.
        let revision = host.tell(with_ports(&routed()), []);
        host.wait(&format!("router/{}", router_id(1)), revision);
        let mut far = Open::new("b", "198.51.100.1:80", &outer);
        assert!(near.works() && far.works() && near.works());
        assert!(knows("10.0.1.6", "198.51.100.1", "203.0.113.10"), "{:?}", tracked());
        // And loses it again: what is known is of no use, and what stays inside is not hurt.
        host.change(Unit::Router(closed()));
        assert!(near.works() && far.is_cut());
        sh_in(&qrouter(1), "conntrack -F");
        assert!(near.works() && pings("a", "10.0.2.7") && datagrams("a", "c", "10.0.2.7:5001"));
        assert_eq!(tracked(), [[""; 3]; 0]);
    });
}

#[test]
fn parts_of_a_network_that_are_elsewhere() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![]);
        sh_in("internet", "ip addr add 10.0.2.200/32 dev lo");
        let (c, outer) = (listen("c", "10.0.2.7:80"), listen("internet", "10.0.2.200:80"));
        assert_eq!(seen("a", "10.0.2.7:80", &c).as_deref(), Some("10.0.1.5"));
        assert!(closed("a", "10.0.2.200:80"), "not there");
        // By an extra route.
        let routes = vec![Route { destination: net("10.0.2.128/25"), nexthop: ip("203.0.113.1") }];
        host.change(Unit::Router(RouterIntent { routes, ..routed() }));
        assert_eq!(seen("a", "10.0.2.200:80", &outer).as_deref(), Some("203.0.113.10"), "hidden: {:?}", host.faults());
        assert_eq!(seen("a", "10.0.2.7:80", &c).as_deref(), Some("10.0.1.5"), "the rest is there");
        // As a subnet of the external network.
        let mut wide = routed();
        let gateway = wide.gateway.as_mut().expect("set");
        let cidr: IpNet = net("10.0.2.192/26");
        gateway.subnets.push(RouterSubnet { id: SubnetId(uuid(0x5f, 1)), cidr, ..gateway.subnets[0].clone() });
        host.change(Unit::Router(wide));
        assert_eq!(seen("a", "10.0.2.200:80", &outer).as_deref(), Some("203.0.113.10"), "hidden: {:?}", host.faults());
    });
}
