//! Routers with several ways out, and flows that say by which they go.

use super::build::*;
use super::lab::*;
use super::routed::*;
use super::traffic::SHORT;
use intent::{Carrier, FurtherGateway, RouterIntent, RouterPort, RouterSubnet, Unit};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

/// The second external network, and the machine there.
pub const ELSEWHERE: u8 = 8;
pub const MACHINE: u8 = 80;
pub const FLOWS: usize = 48;

/// A gateway on a network with both families, whose next routers are .1 and ::1.
pub fn outer(number: u8, network: u8, v4: &str, v6: &str) -> RouterPort {
    let mut port = router_port(number, network, &[&format!("{v4}/24"), &format!("{v6}/64")]);
    let next = |of: &str, one: &str| ip(&format!("{}{one}", &of[..=of.rfind(['.', ':']).expect("an address")]));
    let hops = [next(v4, "1"), next(v6, "1")];
    port.subnets = port.subnets.into_iter().zip(hops).map(|(subnet, hop)| RouterSubnet { gateway_ip: Some(hop), ..subnet }).collect();
    port
}

pub fn first() -> RouterPort {
    outer(20, OUTSIDE, "203.0.113.10", "2001:db8:9::10")
}

pub fn second() -> RouterPort {
    outer(21, ELSEWHERE, "192.0.2.10", "2001:db8:8::10")
}

/// On the network of the first.
pub fn third() -> RouterPort {
    outer(22, OUTSIDE, "203.0.113.11", "2001:db8:9::11")
}

pub fn shared(ecmp: bool, gateways: Vec<RouterPort>) -> RouterIntent {
    let mut gateways = gateways.into_iter();
    let interfaces = vec![router_port(1, 1, &["10.0.1.1/24"]), router_port(2, 2, &["10.0.2.1/24", "fd00:2::1/64"])];
    let first = gateways.next();
    let further_gateways = gateways.map(|port| FurtherGateway { port, enable_snat: true }).collect();
    RouterIntent { further_gateways, ecmp, ..router(1, first, interfaces) }
}

/// What there is beside the scene.
pub fn beside() -> Vec<Unit> {
    let machine = open_port(MACHINE, ELSEWHERE, "192.0.2.1", "compute:nova");
    vec![network(ELSEWHERE, Carrier::Local), machine, open_port(8, 2, "fd00:2::8", "compute:nova")]
}

/// The scene with that router; a machine at either end of the ways out has the same addresses, 198.51.100.1 and 2001:db8:18::1.
pub fn on_the_scene(host: &mut Inside, router: &RouterIntent) {
    start(host, router, beside());
    host.plug("machine", MACHINE, &["192.0.2.1/24", "2001:db8:8::1/64"]);
    host.plug("d", 8, &["fd00:2::8/64"]);
    [MACHINE, 8].into_iter().for_each(|port| host.wait_port(port));
    sh_in("d", "ip route add default via fd00:2::1");
    sh_in("internet", "ip addr add 2001:db8:9::1/64 dev eth0 nodad && ip route add fd00:2::/64 via 2001:db8:9::10");
    sh_in("machine", "ip addr add 198.51.100.1/32 dev lo && ip route add fd00:2::/64 via 2001:db8:8::10");
    for machine in ["internet", "machine"] {
        sh_in(machine, "ip addr add 2001:db8:18::1/128 dev lo nodad");
        answer(machine, "198.51.100.1:99");
        answer(machine, "[2001:db8:18::1]:99");
    }
}

/// Tells whoever asks who answers and as whom it is seen.
pub fn answer(machine: &'static str, at: &str) {
    let socket = inside(machine, || UdpSocket::bind(at).expect("a socket"));
    std::thread::spawn(move || {
        let mut question = [0; 64];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            let number = String::from_utf8_lossy(&question[..length]).into_owned();
            _ = socket.send_to(format!("{number} {machine} {}", from.ip()).as_bytes(), from);
        }
    });
}

/// A socket of its own that asks the same address again and again, and how often it has.
pub struct Flow(UdpSocket, Cell<usize>);

impl Flow {
    pub fn new(from: &str, to: &str) -> Flow {
        let to: SocketAddr = to.parse().expect("an address");
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = inside(from, || UdpSocket::bind(any).and_then(|socket| socket.connect(to).map(|()| socket)).expect("a socket"));
        socket.set_read_timeout(Some(SHORT)).expect("a timeout");
        Flow(socket, Cell::new(0))
    }

    /// Who answers, and as whom it is seen.
    pub fn ask(&self) -> String {
        let (begin, number) = (Instant::now(), self.1.get() + 1);
        self.1.set(number);
        while begin.elapsed() < DEADLINE {
            // That there is no way for now is said by the next call.
            _ = self.0.send(number.to_string().as_bytes());
            let mut answer = [0; 64];
            while let Ok(length) = self.0.recv(&mut answer) {
                let text = String::from_utf8_lossy(&answer[..length]);
                if let Some((_, who)) = text.split_once(' ').filter(|(of, _)| *of == number.to_string()) {
                    return who.to_owned();
                }
            }
        }
        panic!("nobody answers {:?}", self.0)
    }
}

pub fn flows(from: &str, to: &str) -> Vec<Flow> {
    (0..FLOWS).map(|_| Flow::new(from, to)).collect()
}

pub fn answers(flows: &[Flow]) -> Vec<String> {
    flows.iter().map(Flow::ask).collect()
}

pub fn all(answers: &[String]) -> BTreeSet<&str> {
    answers.iter().map(String::as_str).collect()
}

pub const OUT: &str = "198.51.100.1:99";
pub const OUT6: &str = "[2001:db8:18::1]:99";
pub const BY: [&str; 3] = ["internet 203.0.113.10", "machine 192.0.2.10", "internet 203.0.113.11"];
