//! Real packets through a router with two gateways.

mod support;

use intent::{Carrier, FloatingIpIntent, FurtherGateway, PortForwardingIntent, RouterIntent, RouterSubnet, Unit, UnitId};
use net::FloatingIpId;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::traffic::{Open, SHORT, closed, listen};

/// The second external network, and the machine there.
const ELSEWHERE: u8 = 8;
const MACHINE: u8 = 80;

/// The router of the scene with 192.0.2.10 on the second external network.
fn two_ways() -> RouterIntent {
    let port = router_port(21, ELSEWHERE, &["192.0.2.10/24"]);
    RouterIntent { further_gateways: vec![FurtherGateway { port, enable_snat: true }], ..routed() }
}

fn floating_elsewhere(fixed: &str) -> Unit {
    elsewhere(101, Some(fixed))
}

/// 192.0.2.<number>, for an instance or for port forwardings.
fn elsewhere(number: u8, fixed: Option<&str>) -> Unit {
    Unit::FloatingIp(FloatingIpIntent {
        id: FloatingIpId(uuid(0xf1, number)),
        router_id: router_id(1),
        network_id: Some(network_id(ELSEWHERE)),
        floating_ip_address: [192, 0, 2, number].into(),
        fixed_ip_address: fixed.map(|text| text.parse().expect("an IPv4 address")),
    })
}

/// The router of the scene with a second way to everywhere, in both families, and what it needs beside the scene.
fn two_ways_on() -> (RouterIntent, Vec<Unit>) {
    let mut outer = gateway_port(20, "203.0.113.10/24");
    outer.addresses.push(net("2001:db8:9::10/64"));
    outer.subnets.push(RouterSubnet {
        gateway_ip: Some(ip("2001:db8:9::1")),
        ..router_port(20, OUTSIDE, &["::/0", "2001:db8:9::10/64"]).subnets[1].clone()
    });
    let mut port = router_port(21, ELSEWHERE, &["192.0.2.10/24", "2001:db8:8::10/64"]);
    (port.subnets[0].gateway_ip, port.subnets[1].gateway_ip) = (Some(ip("192.0.2.1")), Some(ip("2001:db8:8::1")));
    let interfaces = vec![router_port(1, 1, &["10.0.1.1/24"]), router_port(2, 2, &["10.0.2.1/24", "fd00:2::1/64"])];
    let further_gateways = vec![FurtherGateway { port, enable_snat: true }];
    let machine = open_port(MACHINE, ELSEWHERE, "192.0.2.1", "compute:nova");
    (
        RouterIntent { further_gateways, ..router(1, Some(outer), interfaces) },
        vec![network(ELSEWHERE, Carrier::Local), machine, open_port(8, 2, "fd00:2::8", "compute:nova")],
    )
}

/// A port of 192.0.2.102, which leads to b.
fn forwarded_elsewhere() -> Unit {
    let Unit::PortForwarding(forwarding) = forwarding(102, 6, (8080, 8080), "10.0.1.6", (80, 80)) else { unreachable!("built so") };
    Unit::PortForwarding(PortForwardingIntent { floating_ip_address: [192, 0, 2, 102].into(), ..forwarding })
}

/// Listens at a port, connects; as whom the listener sees the other.
fn seen(from: &str, to: &str, at: &str) -> Option<String> {
    let port = to.parse::<SocketAddr>().expect("an address").port();
    seen_on(from, to, at, port)
}

fn seen_on(from: &str, to: &str, at: &str, port: u16) -> Option<String> {
    let any = if to.starts_with('[') { "[::]" } else { "0.0.0.0" };
    support::traffic::seen(from, to, &listen(at, &format!("{any}:{port}")))
}

/// What happens to the routes of a namespace, and to which of their tables count.
struct Monitored {
    netns: String,
    monitor: Child,
    lines: mpsc::Receiver<String>,
}

impl Monitored {
    fn new(netns: &str) -> Monitored {
        let argv = ["-n", netns, "-o", "monitor", "route", "rule"];
        let mut monitor = Command::new("ip").args(argv).stdout(Stdio::piped()).spawn().expect("there is ip");
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(monitor.stdout.take().expect("piped"));
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let monitored = Monitored { netns: netns.to_owned(), monitor, lines };
        // It looks from the first mark on.
        until("it looks", || !monitored.until_mark().is_empty());
        monitored
    }

    /// The lines up to a change made here, which is the last.
    fn until_mark(&self) -> Vec<String> {
        sh(&format!("ip -n {0} route add 192.0.2.254/32 dev lo && ip -n {0} route del 192.0.2.254/32 dev lo", self.netns));
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(SHORT) {
            let last = line.starts_with("Deleted 192.0.2.254");
            lines.push(line);
            if last {
                break;
            }
        }
        lines
    }

    fn end(mut self) -> Vec<String> {
        let lines = self.until_mark();
        self.monitor.kill().expect("it runs");
        self.monitor.wait().expect("it has ended");
        lines.into_iter().filter(|line| !line.contains("192.0.2.254")).collect()
    }
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
        assert!(silent("machine", "203.0.113.1"), "it is no way from one outside to the other");
        host.change(floating_ip(101, 1, Some("10.0.1.5")));
        host.change(floating_elsewhere("10.0.1.5"));
        assert_eq!(seen("machine", "192.0.2.101:80", "a").as_deref(), Some("192.0.2.1"), "{:?}", host.faults());
        assert_eq!(seen("internet", "203.0.113.101:80", "a").as_deref(), Some("203.0.113.1"));
        assert_eq!(seen("a", "192.0.2.1:80", "machine").as_deref(), Some("192.0.2.101"), "by each as its floating IP there");
        assert_eq!(seen("a", "203.0.113.1:80", "internet").as_deref(), Some("203.0.113.101"));
        assert_eq!(seen("b", "192.0.2.101:80", "a").as_deref(), Some("203.0.113.10"), "from behind the router");
        // The second way goes, the first stays.
        host.tell([Unit::Router(routed())], [floating_elsewhere("10.0.1.5").id(), UnitId::Port(port_id(21))]);
        until("one gateway", || silent("a", "192.0.2.1"));
        assert_eq!(seen("a", "203.0.113.1:80", "internet").as_deref(), Some("203.0.113.101"));
    });
}

#[test]
fn answers_leave_by_the_gateway_by_which_the_question_came() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let (router, further) = two_ways_on();
        start(host, &router, further);
        host.plug("machine", MACHINE, &["192.0.2.1/24", "2001:db8:8::1/64"]);
        host.plug("d", 8, &["fd00:2::8/64"]);
        [MACHINE, 8].into_iter().for_each(|port| host.wait_port(port));
        sh_in("d", "ip route add default via fd00:2::1");
        // Clients that both outsides would lead to: the first, were the routes asked alone. The router's neighbours there know both ways.
        sh_in("machine", "ip addr add 198.18.0.1/32 dev lo && ip addr add 2001:db8:18::1/128 dev lo nodad");
        sh_in(
            "machine",
            "ip route add 192.0.2.96/27 via 192.0.2.10 src 198.18.0.1 && ip route add 203.0.113.0/24 via 192.0.2.10 src 198.18.0.1",
        );
        sh_in("machine", "ip route add fd00:2::/64 via 2001:db8:8::10 src 2001:db8:18::1");
        // One of them has an address like those behind the router.
        sh_in("machine", "ip addr add 10.0.1.77/32 dev lo && ip route add 192.0.2.103/32 via 192.0.2.10 src 10.0.1.77");
        sh_in("internet", "ip addr add 2001:db8:9::1/64 dev eth0 nodad");
        sh_in("internet", "nft 'add table inet leaks; add chain inet leaks in { type filter hook prerouting priority 0; }'");
        for leaked in ["ip daddr 198.18.0.1", "ip6 daddr 2001:db8:18::1", "ip saddr 192.0.2.0/24"] {
            sh_in("internet", &format!("nft add rule inet leaks in {leaked} counter"));
        }
        for unit in [
            floating_ip(101, 1, Some("10.0.1.5")),
            floating_elsewhere("10.0.1.5"),
            elsewhere(102, None),
            forwarded_elsewhere(),
            elsewhere(103, Some("10.0.2.7")),
        ] {
            host.change(unit);
        }
        assert_eq!(seen("machine", "192.0.2.103:80", "c").as_deref(), Some("10.0.1.77"), "back outside: {:?}", host.faults());
        host.tell([], [elsewhere(103, None).id()]);
        assert_eq!(seen("machine", "192.0.2.101:80", "a").as_deref(), Some("198.18.0.1"), "by the floating IP: {:?}", host.faults());
        assert_eq!(seen_on("machine", "192.0.2.102:8080", "b", 80).as_deref(), Some("198.18.0.1"), "by a forwarded port");
        assert_eq!(seen("machine", "[fd00:2::8]:80", "d").as_deref(), Some("2001:db8:18::1"), "without translation");
        assert_eq!(seen("machine", "203.0.113.101:80", "a").as_deref(), Some("198.18.0.1"), "as the other outside's floating IP");
        assert!(pings("machine", "-I 198.18.0.1 192.0.2.102"), "the router itself answers there");
        let expired = |at: &str| inside("machine", || try_sh(&format!("ping -c 1 -W 1 -t 1 -I 198.18.0.1 {at}"))).1;
        assert!(expired("192.0.2.101").contains("From 192.0.2.101 icmp_seq=1 Time to live exceeded"));
        sh_in("machine", "ip route add 10.0.2.0/24 via 192.0.2.10");
        assert!(expired("10.0.2.7").contains("From 192.0.2.10 icmp_seq=1 Time to live exceeded"), "{}", expired("10.0.2.7"));
        assert_eq!(sh_in("internet", "nft list chain inet leaks in").matches("counter packets 0 bytes 0").count(), 3);
        assert_eq!(
            seen("a", "198.51.100.1:80", "internet").as_deref(),
            Some("203.0.113.101"),
            "what begins behind the router leaves by the first"
        );
        assert!(closed("a", "198.18.0.1:80"), "also to those who came by the other");

        let mut open = Open::new("machine", "192.0.2.101:81", &listen("a", "10.0.1.5:81"));
        let meanwhile = Monitored::new(&qrouter(1));
        host.kill();
        host.start(scene().into_iter().chain(with_ports(&router)).chain(two_ways_on().1).chain([
            floating_ip(101, 1, Some("10.0.1.5")),
            floating_elsewhere("10.0.1.5"),
            elsewhere(102, None),
            forwarded_elsewhere(),
        ]));
        host.wait(&format!("router/{}", router_id(1)), 0);
        host.wait(&forwarded_elsewhere().id().to_string(), 0);
        assert_eq!(meanwhile.end(), [""; 0], "a new process finds all as it should be");
        assert!(open.works(), "the connection stays");
    });
}
