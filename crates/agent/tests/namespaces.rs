//! Real packets through the real kernel: what passes, what does not, and what a restart does to them.

mod support;

use intent::{Carrier, Direction, PortIntent, Remote, Transport, Unit, UnitId};
use std::net::UdpSocket;
use std::time::Duration;
use support::build::*;
use support::lab::*;
use support::traffic::*;

/// Two instances, a (port 5) and b (port 6), of one local network with group 1.
fn two(lab: &Lab, ingress: Vec<intent::GroupRule>) {
    lab.run(move |host| {
        let units = [network(1, Carrier::Local), group(1, ingress), Unit::Port(port(5, 1, &[1])), Unit::Port(port(6, 1, &[1]))];
        host.start(units);
        host.plug("a", 5, &["10.0.0.5/24"]);
        host.plug("b", 6, &["10.0.0.6/24"]);
        host.wait_port(5);
        host.wait_port(6);
    });
}

fn icmp() -> intent::GroupRule {
    rule(10, Direction::Ingress, 4, Transport::Icmp { icmp_type: None, code: None }, Remote::Any)
}

fn tcp(number: u16) -> intent::GroupRule {
    rule(11, Direction::Ingress, 4, Transport::Ports { protocol: 6, first: number, last: number }, Remote::Any)
}

fn udp() -> intent::GroupRule {
    rule(12, Direction::Ingress, 4, Transport::Protocol { protocol: 17 }, Remote::Any)
}

/// A datagram sent by `from` gets to a socket of `to`.
fn arrives(from: &str, source: &str, to: &str, destination: &str) -> bool {
    let receiver = inside(to, || UdpSocket::bind(destination).expect("a socket"));
    receiver.set_read_timeout(Some(SHORT)).expect("a timeout");
    inside(from, || {
        let sender = UdpSocket::bind(source).expect("a socket");
        // The kernel may say at once that it knows no neighbour.
        _ = sender.send_to(b"hello", destination);
    });
    receiver.recv(&mut [0; 16]).is_ok()
}

#[test]
fn rules_open_and_close_a_port() {
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp()]);
    lab.run(|host| {
        assert!(pings("a", "10.0.0.6"), "{:?}", host.faults());
        let listener = listen("b", "10.0.0.6:8080");
        assert!(closed("a", "10.0.0.6:8080"), "no rule");
        host.change(group(1, vec![icmp(), tcp(8080)]));
        assert_eq!(seen("a", "10.0.0.6:8080", &listener).as_deref(), Some("10.0.0.5"), "the rule");
        assert!(closed("a", "10.0.0.6:8081"));
        // An open connection ends with its rule, without a word to either side.
        let mut open = Open::new("a", "10.0.0.6:8080", &listener);
        assert!(open.works());
        host.change(group(1, vec![icmp()]));
        until("the connection is cut", || open.is_cut());
        assert!(closed("a", "10.0.0.6:8080"), "closed again");
        assert!(pings("a", "10.0.0.6"), "the other rule stays");
    });
}

/// Who is behind a port is known from state: what is sent to an instance that has not said anything yet reaches nobody else.
#[test]
fn nothing_is_flooded_for_an_instance_that_is_silent() {
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp()]);
    lab.run(|host| {
        host.tell([Unit::Port(port(7, 1, &[1]))], []);
        host.plug("c", 7, &["10.0.0.7/24"]);
        host.wait_port(7);
        let b = mac(6);
        sh_in(
            "c",
            &format!("nft 'table netdev t {{ chain c {{ type filter hook ingress device eth0 priority 0; ether daddr {b} counter; }}; }}'"),
        );
        assert!(pings("a", "10.0.0.6"), "a knows the address");
        sh(&format!("ip link set {} type bridge fdb_flush", linuxbridge::bridge(network_id(1))));
        // What b hears it does not answer, so that nothing is learned.
        sh_in("b", "sysctl -qw net.ipv4.icmp_echo_ignore_all=1");
        assert!(silent("a", "10.0.0.6"), "b is silent");
        let heard = sh_in("c", "nft list table netdev t");
        assert!(heard.contains("counter packets 0 bytes 0"), "{heard}");
        sh(&format!("bridge fdb del {b} dev {} master static", tap(6)));
        assert!(silent("a", "10.0.0.6"), "b is silent");
        let heard = sh_in("c", "nft list table netdev t");
        assert!(!heard.contains("counter packets 0 bytes 0"), "the count would tell: {heard}");
    });
}

#[test]
fn both_ends_are_asked_on_one_host() {
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp()]);
    lab.run(|host| {
        assert!(pings("a", "10.0.0.6"));
        // Nothing goes out of ports of group 2.
        let closed = intent::SecurityGroupIntent { id: group_id(2), stateful: true, rules: vec![icmp()] };
        host.tell([Unit::SecurityGroup(closed)], []);
        host.change(Unit::Port(port(5, 1, &[2])));
        assert!(silent("a", "10.0.0.6"), "the sender's rules");
        assert!(pings("b", "10.0.0.5"), "replies pass");
        host.change(Unit::Port(port(6, 1, &[])));
        assert!(silent("b", "10.0.0.5"), "no group, nothing passes");
    });
}

#[test]
fn members_of_a_group() {
    let Some(lab) = Lab::new(None) else { return };
    let own = rule(13, Direction::Ingress, 4, Transport::Any, Remote::Group { group: group_id(1) });
    two(&lab, vec![own]);
    lab.run(|host| {
        assert!(silent("a", "10.0.0.6"), "nobody is a member");
        host.change(member(1, 5));
        assert!(pings("a", "10.0.0.6"), "a is");
        assert!(silent("b", "10.0.0.5"), "b is not");
        host.tell([member(1, 6)], [UnitId::Member(group_id(1), port_id(5))]);
        host.wait(&format!("member/{}/{}", group_id(1), port_id(6)), 3);
        assert!(pings("b", "10.0.0.5") && silent("a", "10.0.0.6"), "the other way round");
    });
}

#[test]
fn addresses_of_an_address_group() {
    let Some(lab) = Lab::new(None) else { return };
    let listed = rule(13, Direction::Ingress, 4, Transport::Any, Remote::AddressGroup { address_group: address_group_id(1) });
    two(&lab, vec![listed]);
    lab.run(|host| {
        assert!(silent("a", "10.0.0.6"), "the address group was not told");
        host.change(address_group(1, &["10.0.0.5/32", "192.0.2.0/24"]));
        assert!(pings("a", "10.0.0.6"), "a is in it");
        assert!(silent("b", "10.0.0.5"), "b is not");
        host.change(address_group(1, &["10.0.0.6/31", "192.0.2.0/24"]));
        assert!(pings("b", "10.0.0.5") && silent("a", "10.0.0.6"), "the other way round");
        host.change(address_group(1, &["10.0.0.0/24", "10.0.0.6/31"]));
        assert!(pings("b", "10.0.0.5") && pings("a", "10.0.0.6"), "prefixes may overlap");
        host.change(address_group(1, &[]));
        assert!(silent("b", "10.0.0.5") && silent("a", "10.0.0.6"), "nobody");
    });
}

#[test]
fn a_stateless_group_gives_nothing_to_replies() {
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp()]);
    lab.run(|host| {
        let echo = rule(10, Direction::Ingress, 4, Transport::Icmp { icmp_type: Some(8), code: None }, Remote::Any);
        let all = rule(1, Direction::Egress, 4, Transport::Any, Remote::Any);
        let stateless = |ingress| intent::SecurityGroupIntent { id: group_id(1), stateful: false, rules: vec![all.clone(), ingress] };
        host.change(Unit::SecurityGroup(stateless(echo)));
        assert!(silent("a", "10.0.0.6"), "no rule lets the reply in");
        host.change(Unit::SecurityGroup(stateless(icmp())));
        assert!(pings("a", "10.0.0.6"));
    });
}

#[test]
fn nobody_sends_as_somebody_else() {
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp(), udp()]);
    lab.run(|host| {
        let heard = |source: &str| arrives("a", source, "b", "10.0.0.6:7000");
        assert!(heard("10.0.0.5:0"), "its own address: {:?}", host.faults());
        sh_in("a", "ip addr add 10.0.0.99/24 dev eth0");
        assert!(!heard("10.0.0.99:0"), "another address");
        // ARP: b must not learn that 10.0.0.99 is at a.
        assert!(silent("b", "10.0.0.99"));
        assert!(!sh_in("b", "ip neigh show 10.0.0.99").contains("lladdr"), "an ARP reply for another address");
        assert!(sh_in("b", "ip neigh show 10.0.0.5").contains("lladdr"), "for its own");
        // An allowed address pair opens it.
        let mut with_pair = port(5, 1, &[1]);
        with_pair.allowed_addresses = vec![intent::AllowedAddress { address: net("10.0.0.96/28"), mac: mac(5) }];
        host.change(Unit::Port(with_pair));
        assert!(heard("10.0.0.99:0"), "an allowed address");
        assert!(pings("b", "10.0.0.99"), "it answers, when b asks for it anew");
        host.change(Unit::Port(port(5, 1, &[1])));
        assert!(!heard("10.0.0.99:0"), "no longer");
        // Another MAC, with all neighbours known.
        sh_in("a", "ip neigh replace 10.0.0.6 lladdr fa:16:3e:00:00:06 dev eth0 nud permanent");
        assert!(heard("10.0.0.5:0"));
        sh_in(
            "a",
            "ip link set eth0 address fa:16:3e:00:00:77 && ip neigh replace 10.0.0.6 lladdr fa:16:3e:00:00:06 dev eth0 nud permanent",
        );
        assert!(!heard("10.0.0.5:0"), "another MAC");
        let mut open = port(5, 1, &[]);
        open.port_security_enabled = false;
        host.change(Unit::Port(open));
        assert!(heard("10.0.0.5:0") && heard("10.0.0.99:0"), "without port security");
    });
}

#[test]
fn instances_serve_no_dhcp_and_advertise_no_routes() {
    let Some(lab) = Lab::new(None) else { return };
    let v6 = rule(14, Direction::Ingress, 6, Transport::Any, Remote::Any);
    two(&lab, vec![udp(), v6]);
    lab.run(|_| {
        assert!(arrives("a", "10.0.0.5:1067", "b", "10.0.0.6:1068"), "other ports");
        assert!(!arrives("a", "10.0.0.5:67", "b", "10.0.0.6:68"), "a DHCP server's");
        // A router advertisement with a lifetime makes a default route.
        let advertise = "python3 -c \"import socket,struct
s=socket.socket(socket.AF_INET6,socket.SOCK_RAW,socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_MULTICAST_HOPS,255)
s.sendto(struct.pack('!BBHBBHII',TYPE,0,0,64,0,1800,0,0),('ff02::1',0,0,socket.if_nametoindex('eth0')))\"";
        let received = |kind: &str| {
            let counter = |name: &str| {
                sh_in("b", "cat /proc/net/snmp6")
                    .lines()
                    .find(|line| line.starts_with(name))
                    .and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                    .unwrap_or(0)
            };
            let name = format!("Icmp6InType{kind}");
            let before = counter(&name);
            sh_in("a", &advertise.replace("TYPE", kind));
            let end = std::time::Instant::now() + SHORT;
            while counter(&name) == before && std::time::Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            counter(&name) > before
        };
        until("a's link-local address can be used", || !sh_in("a", "ip -6 addr show dev eth0").contains("tentative"));
        assert!(received("128"), "an echo request");
        assert!(!received("134"), "router advertisements");
        assert!(!received("137"), "redirects");
    });
}

/// Somebody puts ports, c and d, into the bridge of network 1 whom nobody told of.
fn strangers() {
    let bridge = linuxbridge::bridge(network_id(1));
    for (name, number) in [("c", 7), ("d", 8)] {
        sh(&format!("ip netns add {name} && ip link add strange{number} type veth peer name eth0 netns {name}"));
        sh(&format!("ip link set strange{number} master {bridge} up"));
        sh_in(name, &format!("ip link set eth0 up && ip addr add 10.0.0.{number}/24 dev eth0"));
    }
}

#[test]
fn a_strange_port_carries_nothing() {
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp(), udp()]);
    lab.run(|_| {
        assert!(pings("a", "10.0.0.6"));
        strangers();
        assert!(silent("c", "10.0.0.6") && silent("a", "10.0.0.7"), "with ours");
        assert!(silent("c", "10.0.0.8"), "among themselves");
        // Other bridges of the host are none of our business.
        sh("ip link add other0 type bridge && ip link set other0 up && ip link set strange7 master other0 && ip link set strange8 master other0");
        assert!(pings("c", "10.0.0.8"), "another bridge carries them");
    });
}

#[test]
fn the_short_way_is_for_ports_that_nobody_judges() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let open = |number| PortIntent { port_security_enabled: false, ..port(number, 1, &[1]) };
        let on_the_way = || sh(&format!("ip -brief link show group {}", dataplane::UNFILTERED_GROUP));
        host.start([network(1, Carrier::Local), group(1, vec![]), Unit::Port(open(5)), Unit::Port(open(6))]);
        host.plug("a", 5, &["10.0.0.5/24"]);
        host.plug("b", 6, &["10.0.0.6/24"]);
        host.wait_port(5);
        host.wait_port(6);
        assert!(pings("a", "10.0.0.6"), "{:?}", host.faults());
        let both = on_the_way();
        assert!(both.contains(&tap(5)) && both.contains(&tap(6)), "{both}");
        strangers();
        assert!(silent("c", "10.0.0.6") && silent("a", "10.0.0.7") && silent("c", "10.0.0.8"), "of no use to strangers");

        host.tell([Unit::Port(PortIntent { admin_state_up: false, ..open(6) })], []);
        until("it is down", || !on_the_way().contains(&tap(6)));
        assert!(silent("a", "10.0.0.6"));
        host.change(Unit::Port(port(6, 1, &[1])));
        assert!(silent("a", "10.0.0.6"), "its group lets nothing in");
        assert!(pings("b", "10.0.0.5"), "the other one is not judged");
        assert!(!on_the_way().contains(&tap(6)), "{}", on_the_way());
        assert!(silent("a", "10.0.0.7") && silent("c", "10.0.0.5"), "nor to strangers where somebody is judged");
        host.change(Unit::Port(open(6)));
        assert!(pings("a", "10.0.0.6"), "again");

        // What somebody takes off the way goes the long one, until the host is looked at.
        sh(&format!("ip link set {} group 0", tap(6)));
        assert!(pings("a", "10.0.0.6") && pings("b", "10.0.0.5"), "the long way");
        host.send(agent::Event::Resync);
        until("it is back", || on_the_way().contains(&tap(6)));
        assert_eq!(host.end(), Ok(vec![]));
        assert_eq!(on_the_way(), "");
    });
}

#[test]
fn all_is_closed_without_br_netfilter() {
    if is_native() {
        println!("SKIPPED: this kernel needs no br_netfilter");
        return;
    }
    let Some(lab) = Lab::new(None) else { return };
    two(&lab, vec![icmp()]);
    lab.run(|host| {
        sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0");
        assert!(pings("a", "10.0.0.6"), "the host's other bridges are not asked for");
        sh(&format!("ip link set {} type bridge nf_call_iptables 0", linuxbridge::bridge(network_id(1))));
        assert!(silent("a", "10.0.0.6"), "nobody judges");
        host.send(agent::Event::Resync);
        assert!(pings("a", "10.0.0.6"), "the bridge is repaired");
    });
}

#[test]
fn projects_with_one_prefix() {
    let Some(lab) = Lab::new(None) else { return };
    lab.run(|host| {
        let mut units = vec![network(1, Carrier::Local), network(2, Carrier::Local), group(1, vec![icmp(), tcp(80)])];
        let mut twin = |number: u8, network: u8, address: &str| {
            let mut port = port(number, network, &[1]);
            port.addresses = vec![ip(address)];
            units.push(Unit::Port(port));
        };
        twin(5, 1, "10.0.0.5");
        twin(6, 1, "10.0.0.6");
        twin(15, 2, "10.0.0.5");
        twin(17, 2, "10.0.0.7");
        host.start(units);
        for (name, number, address) in [("a1", 5, "5"), ("b1", 6, "6"), ("a2", 15, "5"), ("c2", 17, "7")] {
            host.plug(name, number, &[&format!("10.0.0.{address}/24")]);
            host.wait_port(number);
        }
        assert!(pings("a1", "10.0.0.6") && pings("a2", "10.0.0.7"), "within each");
        assert!(silent("a1", "10.0.0.7") && silent("a2", "10.0.0.6"), "silence across");
    });
}

#[test]
fn leases_by_a_real_client() {
    let Some(lab) = Lab::new(None) else { return };
    if !try_sh("busybox udhcpc --help 2>&1 | grep -q udhcpc").0 || !try_sh("command -v dnsmasq").0 {
        println!("SKIPPED: busybox with udhcpc, or dnsmasq, is not installed");
        return;
    }
    lab.run(|host| {
        let units = [
            network(1, Carrier::Local),
            group(1, vec![icmp()]),
            dhcp(1, 2),
            dhcp_port(1, 2),
            dhcp_host(1, 5),
            Unit::Port(port(5, 1, &[1])),
            Unit::Port(port(6, 1, &[1])),
        ];
        host.start(units);
        host.wait_port(2);
        host.plug("a", 5, &[]);
        host.plug("b", 6, &[]);
        host.wait_port(5);
        host.wait_port(6);
        let lease = |name: &str| {
            let script = "#!/bin/sh\n[ \"$1\" = bound ] && ip addr add $ip/$mask dev $interface && echo got $ip mtu $mtu router $router domain $domain\nexit 0";
            let path = std::env::temp_dir().join(format!("udhcpc-{}-{name}", std::process::id()));
            std::fs::write(&path, script).expect("written");
            sh(&format!("chmod +x {}", path.display()));
            let command = format!("busybox udhcpc -i eth0 -n -q -f -t 5 -T 1 -O mtu -O domain -s {}", path.display());
            let (got, text) = inside(name, || try_sh(&command));
            std::fs::remove_file(&path).expect("removed");
            (got, text)
        };
        let (got, text) = lease("a");
        assert!(got && text.contains("got 10.0.0.5 mtu 1450 router 10.0.0.1 domain openstacklocal"), "{text}");
        assert!(!lease("b").0, "nobody told of b");
        // It is told of while the server runs.
        let pid = || sh(&format!("ip netns pids qdhcp-{}", network_id(1)));
        let before = pid();
        host.change(dhcp_host(1, 6));
        let (got, text) = lease("b");
        assert!(got && text.contains("got 10.0.0.6"), "{text}");
        assert_eq!(pid(), before, "no restart");
        assert!(pings("a", "10.0.0.6") && pings("a", "10.0.0.2"));
        // An address passes on at once: a's lease ends with its port.
        sh_in("a", "ip addr flush dev eth0");
        sh_in("b", "ip addr flush dev eth0");
        host.tell([], [UnitId::DhcpHost(network_id(1), port_id(5)), UnitId::Port(port_id(5))]);
        let mut heir = port(6, 1, &[1]);
        heir.addresses = vec![ip("10.0.0.5")];
        let Unit::DhcpHost(mut client) = dhcp_host(1, 6) else { unreachable!("built so") };
        client.addresses[0].1 = ip("10.0.0.5");
        host.change(Unit::Port(heir));
        host.change(Unit::DhcpHost(client));
        let (got, text) = lease("b");
        assert!(got && text.contains("got 10.0.0.5"), "{text}");
    });
}

#[test]
fn a_dhcp_server_that_cannot_run_is_one_networks_fault() {
    let Some(lab) = Lab::new(None) else { return };
    if !try_sh("command -v dnsmasq").0 {
        println!("SKIPPED: dnsmasq is not installed");
        return;
    }
    lab.run(|host| {
        let networks = [1, 2].map(|number| network(number, Carrier::Local));
        host.start(networks.into_iter().chain([dhcp(1, 2), dhcp_port(1, 2), dhcp(2, 3), dhcp_port(2, 3)]));
        let server = |network: u8| {
            let (there, pids) = try_sh(&format!("ip netns pids qdhcp-{}", network_id(network)));
            if there { pids.trim().to_owned() } else { String::new() }
        };
        until("both run", || !server(1).is_empty() && !server(2).is_empty());
        let (first, neighbour) = (server(1), server(2));
        // It would not come up again with this file.
        let file = host.state().join("daemons").join(format!("qdhcp-{}", network_id(1))).join("dnsmasq/tags");
        std::fs::write(&file, "no-such-word\n").expect("a file");
        sh(&format!("kill -9 {first}"));
        let unit = format!("dhcp/{}", network_id(1));
        until("it is said", || host.faults().get(&unit).is_some_and(|said| said.contains("dnsmasq")));
        assert_eq!(host.faults().len(), 1, "{:?}", host.faults());
        assert_eq!(server(2), neighbour, "its neighbour runs on");
        until("it runs again, without help", || host.faults().is_empty());
        assert!(!server(1).is_empty() && server(1) != first);
        assert!(!std::fs::read_to_string(&file).expect("a file").contains("no-such-word"), "it has its own file again");
        assert_eq!(server(2), neighbour);
    });
}
