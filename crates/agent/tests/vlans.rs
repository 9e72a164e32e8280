//! VLAN networks on the real kernel: two hosts with a trunk between them, and a kernel that has no VLAN links.

mod support;

use intent::{Carrier, Direction, PortIntent, Remote, Transport, Unit, UnitId};
use support::build::*;
use support::lab::*;

/// Two networks with the same prefix.
const RED: u8 = 1;
const BLUE: u8 = 2;
/// A flat network on the same physical network.
const FLAT: u8 = 3;

fn open() -> Unit {
    group(1, vec![rule(10, Direction::Ingress, 4, Transport::Any, Remote::Any)])
}

/// A port with an address that one of another network may have, too.
fn port_at(number: u8, network: u8, address: &str) -> PortIntent {
    PortIntent { addresses: vec![ip(address)], ..port(number, network, &[1]) }
}

fn flat() -> Unit {
    network(FLAT, Carrier::Flat { physical_network: "physnet1".into() })
}

/// Hosts joined by a trunk; none, said loudly, where the kernel cannot.
fn trunked() -> Option<[Lab; 2]> {
    if !has_vlans() {
        println!("SKIPPED: VLAN devices: CONFIG_VLAN_8021Q");
        return None;
    }
    let (one, two) = (Lab::new(None)?, Lab::new(None)?);
    one.wire(&two);
    Some([one, two])
}

/// Starts an agent with these ports, and plugs an instance for each: by name, port, network, address.
fn start(lab: &Lab, ports: &'static [(&'static str, u8, u8, &'static str)]) {
    lab.run(move |host| {
        let told = ports.iter().map(|(_, number, network, address)| Unit::Port(port_at(*number, *network, address)));
        host.start([vlan(RED), vlan(BLUE), flat(), open()].into_iter().chain(told));
        for (name, number, _, address) in ports {
            host.plug(name, *number, &[&format!("{address}/24")]);
            host.wait_port(*number);
        }
        for number in [RED, BLUE, FLAT] {
            host.wait(&format!("network/{}", network_id(number)), 0);
        }
    });
}

/// Who answers for an address, as an instance sees it.
fn neighbour(name: &str, address: &str) -> String {
    sh_in(name, &format!("ip neigh show {address}"))
}

#[test]
fn a_trunk_between_two_hosts() {
    let Some([one, two]) = trunked() else { return };
    start(&one, &[("red", 5, RED, "10.0.0.5"), ("blue", 15, BLUE, "10.0.0.5"), ("flat", 25, FLAT, "10.0.0.5")]);
    start(
        &two,
        &[("red", 6, RED, "10.0.0.6"), ("blue", 16, BLUE, "10.0.0.6"), ("flat", 26, FLAT, "10.0.0.6"), ("only", 17, BLUE, "10.0.0.17")],
    );
    one.run(|host| {
        for (name, other) in [("red", 6), ("blue", 16), ("flat", 26)] {
            assert!(pings(name, "10.0.0.6"), "{name}: {:?}", host.faults());
            assert!(neighbour(name, "10.0.0.6").contains(&mac(other).to_string()), "{name} reached another network's");
            assert!(pings(name, "-M do -s 1422 10.0.0.6"), "{name}: a packet of the network's MTU");
        }
        assert!(pings("blue", "10.0.0.17"));
        assert!(silent("red", "10.0.0.17") && silent("flat", "10.0.0.17"), "an address of the other network");
        let link = sh("ip -d link show phy0.101");
        assert!(link.contains("vlan protocol 802.1Q id 101") && link.contains("master brq"), "{link}");
    });
}

/// A frame that is tagged by whoever sends it belongs to no flat network.
#[test]
fn tags_do_not_lead_from_a_flat_network_into_a_vlan() {
    let Some([one, two]) = trunked() else { return };
    start(&one, &[("flat", 25, FLAT, "10.0.0.5")]);
    start(&two, &[("blue", 16, BLUE, "10.0.0.6")]);
    one.run(|host| {
        let open = PortIntent { port_security_enabled: false, ..port_at(25, FLAT, "10.0.0.5") };
        host.change(Unit::Port(open));
        sh_in(
            "flat",
            "ip link add link eth0 name eth0.102 type vlan id 102 && ip link set eth0.102 up && ip addr add 10.0.0.99/24 dev eth0.102",
        );
        assert!(silent("flat", "-I eth0.102 10.0.0.6"), "into a VLAN");
        let dropped = sh("nft list chain bridge neutrino tagged");
        assert!(!dropped.contains("packets 0 "), "{dropped}");
        // A VLAN of the wire that has no network here.
        sh_in(
            "flat",
            "ip link add link eth0 name eth0.103 type vlan id 103 && ip link set eth0.103 up && ip addr add 10.3.0.5/24 dev eth0.103",
        );
    });
    two.run(|host| {
        sh("ip link add link phy0 name phy0.103 type vlan id 103 && ip link set phy0.103 up && ip addr add 10.3.0.6/24 dev phy0.103");
        assert!(!try_sh("ping -c 2 -i 0.2 -W 1 10.3.0.5").0, "out of a VLAN");
        host.kill();
    });
    // A mere priority is no VLAN.
    start(&two, &[("flat", 26, FLAT, "10.0.0.6")]);
    for (lab, number, address) in [(&one, 25, "10.0.0.5"), (&two, 26, "10.0.0.6")] {
        lab.run(move |host| {
            host.change(Unit::Port(PortIntent { port_security_enabled: false, ..port_at(number, FLAT, address) }));
            sh_in("flat", "ip link del eth0.102 2> /dev/null; ip link add link eth0 name prio type vlan id 0 && ip link set prio up");
            sh_in("flat", &format!("ip addr flush dev eth0 && ip addr add {address}/24 dev prio"));
        });
    }
    one.run(|_| assert!(pings("flat", "10.0.0.6"), "tag 0"));
}

#[test]
fn links_come_stay_and_go_with_their_networks() {
    let Some([one, two]) = trunked() else { return };
    start(&two, &[("red", 6, RED, "10.0.0.6")]);
    one.run(|_| sh("ip link add link phy0 name phy0.200 type vlan id 200"));
    start(&one, &[("red", 5, RED, "10.0.0.5"), ("blue", 15, BLUE, "10.0.0.5")]);
    one.run(|host| {
        assert!(pings("red", "10.0.0.6"));
        let index = || sh("cat /sys/class/net/phy0.101/ifindex");
        let before = index();
        host.kill();
        let ports = [port_at(5, RED, "10.0.0.5"), port_at(15, BLUE, "10.0.0.5")].map(Unit::Port);
        host.start([vlan(RED), vlan(BLUE), flat(), open()].into_iter().chain(ports));
        host.wait_port(5);
        assert_eq!(before, index(), "a restart finds it right");
        // Another number for the network: the link of the former one goes.
        let moved = Carrier::Vlan { physical_network: "physnet1".into(), vlan: 111_u32.try_into().expect("a VLAN") };
        host.change(network(RED, moved));
        let links = || sh("ip -br link show type vlan");
        assert!(links().contains("phy0.111@phy0") && !links().contains("phy0.101"), "{}", links());
        assert!(silent("red", "10.0.0.6"), "it is another network now");
        host.change(vlan(RED));
        until("it is back", || pings("red", "10.0.0.6"));
        sh("ip link del phy0.101");
        until("what somebody deleted is back", || pings("red", "10.0.0.6"));
        host.tell([], [UnitId::Port(port_id(5)), UnitId::Network(network_id(RED))]);
        until("the link goes with its network", || !links().contains("phy0.101"));
        assert!(links().contains("phy0.102@phy0") && links().contains("phy0.200@phy0"), "{}", links());
        assert_eq!(host.end(), Ok(vec![]));
        assert!(!links().contains("phy0.102") && links().contains("phy0.200@phy0"), "only what is ours: {}", links());
        sh("ip link show phy0");
    });
}

/// What cannot be realised is said to be so, with what to do; the rest is as ever.
#[test]
fn a_kernel_without_vlan_links() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        sh("ip link add phy0 type veth peer name far0 && ip link set phy0 up");
        host.without_vlans = true;
        let ports = [port(5, RED, &[1]), port(6, FLAT, &[1]), port(7, FLAT, &[1])].map(Unit::Port);
        host.start([vlan(RED), flat(), open()].into_iter().chain(ports));
        for (name, number) in [("red", 5), ("a", 6), ("b", 7)] {
            host.plug(name, number, &[&format!("10.0.0.{number}/24")]);
        }
        host.wait_port(6);
        host.wait_port(7);
        assert!(pings("a", "10.0.0.7"), "neighbours are unharmed: {:?}", host.faults());
        let (network, port) = (format!("network/{}", network_id(RED)), format!("port/{}", port_id(5)));
        until("both are reported", || [&network, &port].iter().all(|unit| host.faults().contains_key(*unit)));
        let faults = host.faults();
        assert!(faults[&network].contains("load the module 8021q"), "{faults:?}");
        assert!(faults[&port].contains("its network cannot be carried here"), "{faults:?}");
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(!host.is_realised(&network) && !host.is_realised(&port));
        assert!(!try_sh("ip link show phy0.101").0 && !sh("ip link show tapa0000005-00").contains("master"));
    });
}
