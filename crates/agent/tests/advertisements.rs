//! Routers tell their networks of themselves: what instances make of it, who may not, and a radvd that ends or refuses its file.

mod support;

use intent::{Carrier, RaMode, RouterIntent, RouterPort, Unit};
use net::Mac;
use std::net::IpAddr;
use std::path::PathBuf;
use support::build::*;
use support::lab::*;
use support::routed::*;

/// fd00:<network>::1/64 of a router, whose subnet is advertised in this mode.
fn advertised(number: u8, network: u8, mode: RaMode) -> RouterPort {
    let mut port = router_port(number, network, &[&format!("fd00:{network}::1/64")]);
    port.subnets[0].ra_mode = Some(mode);
    port.subnets[0].dns_nameservers = vec![ip("fd00:53::1")];
    port
}

/// Networks 1 and 2 with a router between them.
fn routed() -> RouterIntent {
    router(1, None, vec![advertised(1, 1, RaMode::Slaac), advertised(2, 2, RaMode::Slaac)])
}

/// The address that an instance makes of its MAC in fd00:<network>::/64.
fn address(number: u8, network: u8) -> String {
    let Mac([a, b, c, d, e, f]) = mac(number);
    let prefix = [0xfd, 0, 0, network, 0, 0, 0, 0];
    let host = [a ^ 2, b, c, 0xff, 0xfe, d, e, f];
    let bytes: [u8; 16] = [prefix, host].concat().try_into().expect("16 bytes");
    IpAddr::from(bytes).to_string()
}

fn slaac(number: u8, network: u8) -> Unit {
    instance(number, network, &address(number, network))
}

fn start(host: &mut Inside, routers: &[&RouterIntent]) {
    let networks = [1, 2, 3].map(|number| network(number, Carrier::Local));
    let ports = [open_group(), slaac(5, 1), slaac(6, 1), slaac(7, 2), slaac(8, 1)];
    host.start(networks.into_iter().chain(ports).chain(routers.iter().flat_map(|router| with_ports(router))));
    routers.iter().for_each(|router| host.wait(&format!("router/{}", router.id), 0));
}

/// Plugs an instance and waits for the address it makes, and for its default router.
fn plug(host: &mut Inside, name: &str, number: u8, network: u8) {
    plug_asking(host, name, number);
    until(&format!("{name} has {}", address(number, network)), || has(name, &address(number, network)));
    assert!(sh_in(name, "ip -6 route show default").contains("proto ra"), "a default router");
}

/// Plugs an instance that asks for routers once packets pass, without the pauses that a crowded link needs.
fn plug_asking(host: &mut Inside, name: &str, number: u8) {
    host.plug(name, number, &[]);
    host.wait_port(number);
    let conf = "net.ipv6.conf.eth0";
    sh_in(
        name,
        &format!("sysctl -qw {conf}.disable_ipv6=1 {conf}.dad_transmits=0 {conf}.router_solicitation_delay=0 {conf}.disable_ipv6=0"),
    );
}

fn has(name: &str, address: &str) -> bool {
    sh_in(name, "ip -6 -o address show dev eth0 -tentative").contains(&format!(" {address}/"))
}

/// The process that advertises for a router. (It has a helper of the same name.)
fn radvd(host: &Inside, router: u8) -> Option<String> {
    let pid = std::fs::read_to_string(directory(host, router).join("pid")).ok()?.trim().to_owned();
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "radvd\n").then_some(pid)
}

/// Waits until it has begun and answers which process it is.
fn runs(host: &Inside, router: u8) -> String {
    until("radvd runs", || radvd(host, router).is_some());
    radvd(host, router).expect("it runs")
}

/// It reads its file again when it is told to; before, that would end it.
fn takes_sighup(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).and_then(|mask| u64::from_str_radix(mask, 16).ok());
    caught.is_some_and(|mask| mask & 1 == 1)
}

fn directory(host: &Inside, router: u8) -> PathBuf {
    host.state().join("daemons").join(qrouter(router)).join("radvd")
}

/// The words of one advertisement that an instance asks for, as tcpdump shows it.
fn advertisement(name: &str) -> String {
    let script = "said=$(mktemp); timeout 9 tcpdump -n -vv -c 1 -i eth0 'icmp6 and ip6[40] = 134' 2> $said & dump=$!; \
                  until grep -q listening $said; do sleep 0.01; done; rm $said; \
                  sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1; sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; wait $dump";
    sh_in(name, script)
}

#[test]
fn instances_make_their_addresses_and_are_routed() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &[&routed()]);
        plug(host, "a", 5, 1);
        plug(host, "c", 7, 2);
        assert!(sh_in("a", "cat /proc/sys/net/ipv6/conf/eth0/mtu").trim() == "1450");
        assert!(pings("a", &address(7, 2)), "{:?}", host.faults());
        assert!(pings("c", &address(5, 1)) && pings("c", "fd00:1::1"));
        let text = advertisement("a");
        for part in ["Flags [none]", "fd00:1::/64, Flags [onlink, auto]", "mtu option (5), length 8 (1):  1450", "addr: fd00:53::1"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    });
}

#[test]
fn the_modes_of_dhcpv6() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let interfaces = vec![advertised(1, 1, RaMode::Dhcpv6Stateless), advertised(2, 2, RaMode::Dhcpv6Stateful)];
        start(host, &[&router(1, None, interfaces)]);
        plug(host, "a", 5, 1);
        let text = advertisement("a");
        assert!(text.contains("Flags [other stateful]") && text.contains("Flags [onlink, auto]") && !text.contains("rdnss"), "{text}");
        plug_asking(host, "c", 7);
        until("a default router", || sh_in("c", "ip -6 route show default").contains("proto ra"));
        let text = advertisement("c");
        assert!(text.contains("Flags [managed]") && text.contains("fd00:2::/64, Flags [onlink]"), "{text}");
        assert!(!has("c", &address(7, 2)), "an address that DHCPv6 was to give");
    });
}

#[test]
fn instances_may_not_advertise() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &[&routed()]);
        plug(host, "a", 5, 1);
        host.plug("b", 6, &["fd00:bad::1/64"]);
        host.wait_port(6);
        let config = host.state().join("rogue.conf");
        std::fs::write(&config, "interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix fd00:bad::/64 {}; };")
            .expect("a file");
        sh_in("b", "sysctl -qw net.ipv6.conf.all.forwarding=1");
        let dropped = || sh("nft list ruleset").lines().any(|line| line.contains("router advertisement") && !line.contains("packets 0 "));
        assert!(!dropped());
        let rogue = format!("timeout 30 radvd -n -C {0} -p {0}.pid -m stderr >/dev/null 2>&1 &", config.display());
        sh_in("b", &rogue);
        until("its advertisements are dropped", dropped);
        // The own router's pass meanwhile.
        plug(host, "d", 8, 1);
        assert!(!sh_in("a", "ip -6 address show dev eth0; ip -6 route").contains("fd00:bad:"));
        sh(&format!("kill $(cat {}.pid)", config.display()));
    });
}

#[test]
fn radvd_is_adopted_told_and_started_again() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        start(host, &[&routed()]);
        plug(host, "a", 5, 1);
        let first = runs(host, 1);
        host.kill();
        start(host, &[&routed()]);
        assert_eq!(radvd(host, 1).as_ref(), Some(&first), "adopted");
        let mut more = routed();
        let gained = advertised(3, 3, RaMode::Slaac);
        let mut changed = more.interfaces[0].clone();
        changed.subnets[0].dns_nameservers = vec![ip("fd00:53::2")];
        more.interfaces = vec![changed, gained];
        let revision = host.tell(with_ports(&more), []);
        host.wait(&format!("router/{}", router_id(1)), revision);
        assert_eq!(radvd(host, 1).as_ref(), Some(&first), "told, not started anew");
        until("another server is told", || advertisement("a").contains("addr: fd00:53::2"));
        sh(&format!("kill -9 {first}"));
        until("it is started again", || radvd(host, 1).is_some_and(|now| now != first));
        until("what happened is said", || host.faults().get(&format!("router/{}", router_id(1))).is_some_and(|m| m.contains("radvd")));
        until("it is over", || host.faults().is_empty());
        assert!(host.is_realised(&format!("router/{}", router_id(1))));
        let down = RouterIntent { admin_state_up: false, ..more };
        host.change(Unit::Router(down));
        assert_eq!(radvd(host, 1), None, "who does not forward does not advertise");
        until("its last word", || !sh_in("a", "ip -6 route show default").contains("proto ra"));
    });
}

#[test]
fn a_file_that_radvd_refuses_is_one_routers_fault() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let other = router(2, None, vec![advertised(4, 3, RaMode::Slaac)]);
        start(host, &[&routed(), &other]);
        let (first, neighbour) = (runs(host, 1), runs(host, 2));
        let file = directory(host, 1).join("radvd.conf");
        until("it takes signals", || takes_sighup(&first));
        std::fs::write(&file, "interface {").expect("a file");
        sh(&format!("kill -HUP {first}"));
        let unit = format!("router/{}", router_id(1));
        until("it is said why", || host.faults().get(&unit).is_some_and(|message| message.contains("syntax error")));
        assert_eq!(radvd(host, 2), Some(neighbour), "its neighbour runs on");
        assert_eq!(host.faults().len(), 1, "{:?}", host.faults());
        until("it is mended, without help", || host.faults().is_empty());
        plug(host, "a", 5, 1);
    });
}
