//! Real TFTP and FTP out of a router: what a server sends of its own accord comes back with a helper only.

mod support;

use intent::{ConntrackHelperIntent, RouterIntent, Unit};
use net::ConntrackHelperId;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use support::build::*;
use support::lab::*;
use support::routed::*;
use support::traffic::*;

const TCP: u8 = 6;
const UDP: u8 = 17;

fn helper(name: &str, protocol: u8, port: u16) -> Unit {
    let id = ConntrackHelperId(uuid(0xfb, u8::try_from(port % 251).expect("below 251")));
    Unit::ConntrackHelper(ConntrackHelperIntent { id, router_id: router_id(1), helper: name.into(), protocol, port })
}

fn helped() -> RouterIntent {
    RouterIntent { conntrack_helpers: true, ..routed() }
}

/// Asks the server for a file at a port; it answers from another one. What comes back.
fn tftp(port: u16) -> Option<Vec<u8>> {
    let bind = |address: &str| UdpSocket::bind(address).expect("a socket");
    let server = inside("internet", || bind(&format!("198.51.100.1:{port}")));
    let client = inside("a", || bind("0.0.0.0:0"));
    server.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    client.set_read_timeout(Some(SHORT)).expect("a timeout");
    client.send_to(b"\0\x01file\0octet\0", ("198.51.100.1", port)).expect("sent");
    let mut buffer = [0; 100];
    let (_, peer) = server.recv_from(&mut buffer).expect("a request");
    assert_eq!(peer.ip(), ip("203.0.113.10"), "hidden behind the gateway");
    let transfer = inside("internet", || bind("198.51.100.1:0"));
    transfer.send_to(b"\0\x03\0\x01data", peer).expect("sent");
    let (length, from) = client.recv_from(&mut buffer).ok()?;
    assert_eq!(from, transfer.local_addr().expect("bound"));
    Some(buffer[..length].to_vec())
}

/// Has the server of a listener send data to where the client says (active mode); what it was told, and whether that led to the client.
fn ftp(control: &TcpListener) -> (String, bool) {
    let port = control.local_addr().expect("bound").port();
    let data = listen("a", "10.0.1.5:0");
    let wanted = data.local_addr().expect("bound").port();
    let mut open = Open::new("a", &format!("203.0.113.1:{port}"), control);
    open.client.write_all(b"USER anonymous\r\n").expect("sent");
    open.server.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let mut lines = BufReader::new(&open.server).lines();
    lines.next().expect("a line").expect("text");
    // In one segment: the kernel takes no half lines.
    let asked = format!("PORT 10,0,1,5,{},{}\r\n", wanted >> 8, wanted & 255);
    open.client.write_all(asked.as_bytes()).expect("sent");
    let told = lines.next().expect("a line").expect("text");
    let numbers: Vec<u16> = told.trim_start_matches("PORT ").split(',').map(|number| number.parse().expect("a number")).collect();
    let [a, b, c, d, high, low] = numbers[..] else { panic!("{told}") };
    let place = format!("{a}.{b}.{c}.{d}:{}", high << 8 | low);
    let told = format!("{a}.{b}.{c}.{d}");
    // What has no way in gets less time.
    let arrived = if told == "10.0.1.5" { !closed("internet", &place) } else { connects("internet", &place) && data.accept().is_ok() };
    (told, arrived)
}

#[test]
fn data_comes_back_with_a_helper_only() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &routed(), vec![]);
        let (control, other) = (listen("internet", "203.0.113.1:21"), listen("internet", "203.0.113.1:2121"));
        assert!(pings("a", "198.51.100.1"));
        assert_eq!(tftp(69), None, "without a helper");
        assert_eq!(ftp(&control), ("10.0.1.5".to_owned(), false));
        let units = || [helper("tftp", UDP, 69), helper("ftp", TCP, 21)];
        let revision = host.tell(units().into_iter().chain([Unit::Router(helped())]), []);
        until("they are in force, or cannot be", || {
            let keys = units().map(|unit| unit.id().to_string());
            keys.iter().all(|key| host.is_realised(key)) || !host.faults().is_empty()
        });
        if let Some((key, fault)) = host.faults().iter().find(|(_, fault)| fault.contains("no conntrack helper")) {
            assert!(std::env::var_os("NEUTRINO_TEST_NATIVE").is_none(), "{fault}");
            println!("SKIPPED: {key}: {fault}");
            return;
        }
        host.wait(&format!("router/{}", router_id(1)), revision);
        assert_eq!(tftp(69).as_deref(), Some(&b"\0\x03\0\x01data"[..]), "{:?}", host.faults());
        assert_eq!(ftp(&control), ("203.0.113.10".to_owned(), true));
        assert_eq!((tftp(1069), ftp(&other)), (None, ("10.0.1.5".to_owned(), false)), "other ports have no helper");

        let table = || sh(&format!("ip netns exec {} nft -a list table inet neutrino", qrouter(1)));
        let before = table();
        host.kill();
        host.start(scene().into_iter().chain(with_ports(&helped())).chain(units()));
        units().iter().for_each(|unit| host.wait(&unit.id().to_string(), 0));
        assert_eq!(table(), before, "a new process finds all as it should be");

        // A port becomes another's, and one goes.
        let [moved, ftp_helper] =
            [ConntrackHelperIntent { port: 1069, ..intent_of(helper("tftp", UDP, 69)) }, intent_of(helper("ftp", TCP, 21))];
        host.change(Unit::ConntrackHelper(moved));
        host.tell([], [Unit::ConntrackHelper(ftp_helper).id()]);
        until("it goes", || !table().contains("\"ftp\""));
        assert_eq!(tftp(1069).as_deref(), Some(&b"\0\x03\0\x01data"[..]));
        assert_eq!((tftp(69), ftp(&control)), (None, ("10.0.1.5".to_owned(), false)));
        host.tell([Unit::Router(routed())], [helper("tftp", UDP, 69).id()]);
        until("none is left", || !table().contains("help"));
        assert_eq!(tftp(1069), None);
        assert!(host.faults().is_empty(), "{:?}", host.faults());
    });
}

fn intent_of(unit: Unit) -> ConntrackHelperIntent {
    let Unit::ConntrackHelper(helper) = unit else { unreachable!("built so") };
    helper
}

/// No kernel has one of Amanda for TCP.
#[test]
fn what_the_kernel_lacks_is_a_fault_of_that_helper_alone() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let lacking = helper("amanda", TCP, 10080);
        let key = lacking.id().to_string();
        start(host, &helped(), vec![lacking, floating_ip(101, 1, Some("10.0.1.5"))]);
        host.wait(&floating_ip(101, 1, None).id().to_string(), 0);
        until("it is said", || host.faults().contains_key(&key));
        assert!(host.faults()[&key].contains("this kernel has no conntrack helper 'amanda' for IP protocol 6"), "{:?}", host.faults());
        assert_eq!(host.faults().len(), 1, "{:?}", host.faults());
        assert!(!host.is_realised(&key));
        assert!(pings("internet", "203.0.113.101") && pings("a", "198.51.100.1"), "the rest is as it was");
        host.change(Unit::ConntrackHelper(ConntrackHelperIntent { protocol: UDP, ..intent_of(helper("amanda", TCP, 10080)) }));
        until("nothing is amiss", || host.faults().is_empty());
    });
}
