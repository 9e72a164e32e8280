//! Hosts with the real kernel: tunnels between two, restarts under traffic, what is left when all is taken down, and how long
//! plugging takes.

mod support;

use intent::{Carrier, Direction, Remote, Transport, Unit};
use std::time::{Duration, Instant};
use support::build::*;
use support::lab::*;

fn icmp() -> intent::GroupRule {
    rule(10, Direction::Ingress, 4, Transport::Icmp { icmp_type: None, code: None }, Remote::Any)
}

/// Joins two hosts by an underlay with the addresses 192.0.2.1 and 192.0.2.2.
fn join(one: &Lab, two: &Lab) {
    one.wire(two);
    one.run(|_| sh("ip addr add 192.0.2.1/24 dev phy0"));
    two.run(|_| sh("ip addr add 192.0.2.2/24 dev phy0"));
}

#[test]
fn a_tunnel_between_two_hosts() {
    let (Some(one), Some(two)) = (Lab::new(Some("192.0.2.1")), Lab::new(Some("192.0.2.2"))) else { return };
    join(&one, &two);
    let start = |lab: &Lab, own: u8, other: u8, vtep: &'static str| {
        lab.run(move |host| {
            host.start([vxlan(1), group(1, vec![icmp()]), Unit::Port(port(own, 1, &[1])), remote(1, other, vtep)]);
            host.plug("vm", own, &[&format!("10.0.0.{own}/24")]);
            host.wait_port(own);
            host.wait(&format!("remote/{}/{}", network_id(1), port_id(other)), 0);
        });
    };
    start(&one, 5, 6, "192.0.2.2");
    start(&two, 6, 5, "192.0.2.1");
    one.run(|host| {
        assert!(pings("vm", "10.0.0.6"), "{:?}", host.faults());
        assert!(pings("vm", "-M do -s 1422 10.0.0.6"), "a packet of the network's MTU");
        assert!(silent("vm", "-M do -s 1423 10.0.0.6"), "a larger one");
        let fdb = sh("bridge fdb show dev vxlan-101");
        assert!(fdb.contains("00:00:00:00:00:00 dst 192.0.2.2") && fdb.contains("fa:16:3e:00:00:06 dst 192.0.2.2"), "{fdb}");
    });
    // A virtual address that moves to b by an allowed address pair is found by flooding.
    two.run(|host| {
        let mut pair = port(6, 1, &[1]);
        pair.allowed_addresses = vec![intent::AllowedAddress { address: net("10.0.0.100/32"), mac: mac(6) }];
        host.change(Unit::Port(pair));
        sh_in("vm", "ip addr add 10.0.0.100/32 dev eth0");
    });
    one.run(|host| {
        assert!(pings("vm", "10.0.0.100"), "an address of no port");
        // The port moves away: nothing is sent to its former host.
        host.tell([], [intent::UnitId::Remote(network_id(1), port_id(6))]);
        until("the entries are gone", || !sh("bridge fdb show dev vxlan-101").contains("192.0.2.2"));
        assert!(silent("vm", "10.0.0.6"));
    });
}

/// All that the agent makes, with the kernel's own numbers, but without counters, timers and the carrier's state.
fn objects() -> String {
    let links = "ip -d -o link | sed 's/[a-z_]*timer *[0-9.]*//g; s/<[^>]*>//; s/state [A-Z]*//'";
    let rules = "nft -a list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'";
    sh(&format!("{links}; bridge fdb | grep permanent; ip netns; ip netns pids qdhcp-{}; {rules}", network_id(1)))
}

/// Where two texts first differ: whole listings say less.
fn difference(before: &str, after: &str) -> Option<String> {
    let lines = before.lines().map(Some).chain([None]).zip(after.lines().map(Some).chain([None]));
    let other = lines.into_iter().find(|(before, after)| before != after);
    other.map(|(before, after)| format!("before: {before:?}\nafter:  {after:?}"))
}

#[test]
fn a_restart_under_traffic() {
    let Some(lab) = Lab::new(Some("192.0.2.1")) else { return };
    let units = || {
        [
            vxlan(1),
            group(1, vec![icmp()]),
            member(1, 5),
            dhcp(1, 2),
            dhcp_port(1, 2),
            dhcp_host(1, 5),
            remote(1, 30, "192.0.2.3"),
            Unit::Port(port(5, 1, &[1])),
            Unit::Port(port(6, 1, &[1])),
        ]
    };
    lab.run(move |host| {
        host.start(units());
        host.plug("a", 5, &["10.0.0.5/24"]);
        host.plug("b", 6, &["10.0.0.6/24"]);
        host.wait_port(5);
        host.wait_port(6);
        host.wait_port(2);
        assert!(pings("a", "10.0.0.6"));
        let before = objects();
        // 1,000 packets a second while the agent dies and comes back.
        let traffic = std::thread::spawn(|| inside("a", || sh("ping -q -i 0.001 -w 2 10.0.0.6")));
        host.kill();
        assert_eq!(difference(&before, &objects()), None, "it leaves everything as it is");
        let started = Instant::now();
        host.start(units());
        host.wait_port(5);
        host.wait_port(6);
        println!("in sync after {:?}", started.elapsed());
        assert_eq!(difference(&before, &objects()), None, "nothing right is touched");
        let text = traffic.join().expect("the pings run");
        assert!(text.contains(" 0% packet loss"), "{text}");
        // What changed meanwhile is made up for.
        host.kill();
        host.start(units().into_iter().filter(|unit| unit.id() != intent::UnitId::Port(port_id(6))));
        until("b's port is released", || !sh("ip link show dev tapa0000006-00").contains("master"));
    });
}

#[test]
fn down_takes_all_of_ours_and_nothing_else() {
    let Some(lab) = Lab::new(Some("192.0.2.1")) else { return };
    lab.run(|host| {
        // Asking the kernel loads modules, and some bring links along.
        is_native();
        sh("ip link add mine0 type bridge && ip link set mine0 up && ip netns add mine && nft add table inet mine && nft add chain inet mine c");
        sh("ip link add tapmine type veth peer name tapother && ip link set tapmine master mine0");
        let before = sh("ip -br link | grep -v tapa | cut -d' ' -f1; nft list ruleset; ip netns");
        host.start([
            vxlan(1),
            group(1, vec![icmp()]),
            dhcp(1, 2),
            dhcp_port(1, 2),
            remote(1, 30, "192.0.2.3"),
            Unit::Port(port(5, 1, &[1])),
        ]);
        host.plug("a", 5, &["10.0.0.5/24"]);
        host.wait_port(5);
        host.wait_port(2);
        let server = sh(&format!("ip netns pids qdhcp-{}", network_id(1)));
        let server = std::path::Path::new("/proc").join(server.trim());
        assert!(server.exists());
        // The namespaces of an agent with another state directory are not ours, whatever their marks.
        let stranger = tempfile::tempdir().expect("a directory");
        let seen = host::Host::new(stranger.path()).and_then(|mut host| host.read(&host::Interest::default())).expect("read");
        assert!(seen.namespaces.keys().all(dataplane::Netns::is_root));
        assert_eq!(host.end(), Ok(vec![]));
        sh("ip netns del a");
        let mut other = None;
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            other = difference(&before, &sh("ip -br link | grep -v tapa | cut -d' ' -f1; nft list ruleset; ip netns"));
            if other.is_none() {
                break;
            }
        }
        assert_eq!(other, None, "only what was there is there");
        assert!(!server.exists(), "no daemon is left");
    });
}

#[test]
fn what_is_deleted_by_others_comes_back() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        host.start([network(1, Carrier::Local), group(1, vec![icmp()]), Unit::Port(port(5, 1, &[1])), Unit::Port(port(6, 1, &[1]))]);
        host.plug("a", 5, &["10.0.0.5/24"]);
        host.plug("b", 6, &["10.0.0.6/24"]);
        host.wait_port(5);
        host.wait_port(6);
        assert!(pings("a", "10.0.0.6"), "b answers");
        sh(&format!("ip link del {}", linuxbridge::bridge(network_id(1))));
        assert!(pings("a", "10.0.0.6"), "the bridge is back with its ports");
        sh("ip link set tapa0000005-00 nomaster");
        assert!(pings("a", "10.0.0.6"), "the port is back in its bridge");
        // An instance reboots: its device goes and comes.
        sh("ip link del tapa0000005-00");
        until("its going is told", || !host.is_realised(&format!("port/{}", port_id(5))));
        sh("ip netns del a");
        host.plug("a", 5, &["10.0.0.5/24"]);
        host.wait_port(5);
        assert!(pings("a", "10.0.0.6"), "b answers the new device");
    });
}

#[test]
fn plugging_takes_milliseconds() {
    const MANY: u8 = 200;
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let units = || {
            let ports = (1..=MANY + 1).map(|number| Unit::Port(port(number, 1, &[1])));
            [network(1, Carrier::Local), group(1, vec![icmp()])].into_iter().chain(ports)
        };
        host.start(units());
        host.wait(&format!("network/{}", network_id(1)), 0);
        let add = |number: u8| sh(&format!("ip link add {} type veth peer name peer{number}", tap(number)));
        add(MANY + 1);
        let started = Instant::now();
        host.wait_port(MANY + 1);
        println!("one plugged: reported after {:?}", started.elapsed());
        let batch: String = (1..=MANY).map(|number| format!("link add {} type veth peer name peer{number}\n", tap(number))).collect();
        let file = std::env::temp_dir().join(format!("plug-{}", std::process::id()));
        std::fs::write(&file, batch).expect("written");
        let started = Instant::now();
        sh(&format!("ip -batch {}", file.display()));
        let made = started.elapsed();
        (1..=MANY).for_each(|number| host.wait_port(number));
        let all = started.elapsed();
        std::fs::remove_file(&file).expect("removed");
        println!("{MANY} plugged: links made in {made:?}, all reported after {all:?}");
        // Generous: the machine may be busy with other tests.
        assert!(all < made + Duration::from_secs(2), "{all:?}");
        assert_eq!(host.faults().len(), 0);
        host.kill();
        let started = Instant::now();
        host.start(units());
        (1..=MANY).for_each(|number| host.wait_port(number));
        println!("{MANY} ports in sync after {:?}", started.elapsed());
        // A rule change is one chain, whatever the number of ports.
        let started = Instant::now();
        host.change(group(1, vec![]));
        println!("a rule change on {MANY} ports: reported after {:?}", started.elapsed());
    });
}
