//! dnsmasq's files as operators would read them.

use crate::Dhcp;
use agent::{Compile, Compiled, Facts, Intents};
use dataplane::{Netns, UnitKey};
use intent::*;
use net::{Family, IpNet, NetworkId, PortId, SubnetId};
use std::net::IpAddr;
use uuid::Uuid;

const DHCP: Dhcp = Dhcp { bridge: |network| smol_str::format_smolstr!("brq{}", network.short()), lease_s: 86400, dns_servers: Vec::new() };

fn uuid(kind: u8, number: u8) -> Uuid {
    let mut bytes = [0; 16];
    (bytes[0], bytes[3], bytes[15]) = (kind, number, number);
    Uuid::from_bytes(bytes)
}

fn network_id() -> NetworkId {
    NetworkId(uuid(0x10, 1))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

fn subnet(number: u8, cidr: &str, ipv6: Ipv6Dhcp) -> DhcpSubnet {
    DhcpSubnet {
        id: SubnetId(uuid(0x50, number)),
        cidr: net(cidr),
        gateway_ip: None,
        dns_nameservers: vec![],
        routes: vec![],
        ipv6,
        isolated: false,
    }
}

fn network(addresses: &[&str], subnets: Vec<DhcpSubnet>) -> DhcpNetwork {
    DhcpNetwork {
        network_id: network_id(),
        mtu: 1450,
        dns_domain: "openstacklocal".into(),
        network_domain: Default::default(),
        port_id: PortId(uuid(0xa0, 2)),
        mac: "fa:16:3e:00:00:02".parse().expect("a MAC"),
        addresses: addresses.iter().map(|text| net(text)).collect(),
        subnets,
        metadata_v6: false,
    }
}

fn host(number: u8, addresses: &[(u8, &str)]) -> DhcpHost {
    DhcpHost {
        network_id: network_id(),
        port_id: PortId(uuid(0xa0, number)),
        mac: format!("fa:16:3e:00:00:{number:02x}").parse().expect("a MAC"),
        addresses: addresses.iter().map(|(subnet, address)| (SubnetId(uuid(0x50, *subnet)), ip(address))).collect(),
        hostname: None,
        domain: None,
        options: vec![],
    }
}

fn option(name: &str, value: &str, family: Family) -> DhcpOption {
    DhcpOption { name: name.into(), value: value.into(), family }
}

fn compile(network: DhcpNetwork, hosts: Vec<DhcpHost>) -> Compiled {
    let mut intents = Intents::default();
    intents.put(Unit::Dhcp(network));
    for host in hosts {
        intents.put(Unit::DhcpHost(host));
    }
    let units = DHCP.units(&intents, &Facts::default());
    assert_eq!(units, [UnitKey::new("dhcp", network_id())].into());
    DHCP.compile(units.first().expect("one unit"), &intents, &Facts::default())
}

fn text(compiled: &Compiled) -> String {
    let mut out = String::new();
    for (netns, namespace) in &compiled.program.namespaces {
        out += &format!("namespace {netns}{}\n", if namespace.create { ", made" } else { "" });
        for (name, link) in &namespace.links {
            out += &format!("  link {name} {:?} mtu {:?} mac {:?} master {:?}\n", link.kind, link.mtu, link.mac, link.master);
        }
        for address in &namespace.addresses {
            out += &format!("  address {address}\n");
        }
        for (name, daemon) in &namespace.daemons {
            out += &format!("  daemon {name}\n    {}\n", daemon.argv.join("\n      "));
            for (name, file) in &daemon.files {
                out += &format!("--- {name} ({:?})\n{}", file.on_change, file.content);
            }
        }
    }
    for complaint in &compiled.complaints {
        out += &format!("complaint {}: {}\n", complaint.unit, complaint.reason);
    }
    out
}

fn check(case: &str, compiled: &Compiled) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("programs/{case}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("program", text(compiled)));
}

#[test]
fn one_ipv4_subnet() {
    let subnet = DhcpSubnet { gateway_ip: Some(ip("10.0.0.1")), ..subnet(1, "10.0.0.0/24", Ipv6Dhcp::None) };
    let mut named = host(6, &[(1, "10.0.0.6")]);
    named.hostname = Some("web-1".into());
    check("ipv4", &compile(network(&["10.0.0.2/24"], vec![subnet]), vec![host(5, &[(1, "10.0.0.5")]), named]));
}

#[test]
fn routes_servers_and_several_subnets() {
    let route = |destination, nexthop| Route { destination: net(destination), nexthop: ip(nexthop) };
    let first = DhcpSubnet {
        gateway_ip: Some(ip("10.0.0.1")),
        dns_nameservers: vec![ip("198.51.100.53"), ip("198.51.100.54")],
        routes: vec![route("203.0.113.0/24", "10.0.0.254")],
        ..subnet(1, "10.0.0.0/24", Ipv6Dhcp::None)
    };
    let second = DhcpSubnet { dns_nameservers: vec![ip("0.0.0.0")], ..subnet(2, "10.1.0.0/16", Ipv6Dhcp::None) };
    let hosts = vec![host(5, &[(1, "10.0.0.5"), (2, "10.1.0.5")])];
    check("routes", &compile(network(&["10.0.0.2/24", "10.1.0.2/16"], vec![first, second]), hosts));
}

#[test]
fn ipv6() {
    let stateful = DhcpSubnet { dns_nameservers: vec![ip("2001:db8::53")], ..subnet(1, "fd00:1::/64", Ipv6Dhcp::Stateful) };
    let subnets = vec![stateful, subnet(2, "fd00:2::/64", Ipv6Dhcp::Stateless), subnet(3, "fd00:3::/64", Ipv6Dhcp::None)];
    let mut with_option = host(5, &[(1, "fd00:1::5"), (2, "fd00:2::5"), (3, "fd00:3::5")]);
    with_option.options = vec![option("ntp-server", "[2001:db8::1]", Family::V6)];
    let addresses = ["fd00:1::2/64", "fd00:2::2/64", "fd00:3::2/64"];
    check("ipv6", &compile(network(&addresses, subnets.clone()), vec![with_option, host(6, &[(1, "fd00:1::6"), (2, "fd00:2::6")])]));
    let none = compile(network(&addresses[2..], subnets[2..].to_vec()), vec![]);
    assert!(none.program.namespaces.values().all(|namespace| namespace.daemons.is_empty()), "nobody to serve");
}

#[test]
fn options_of_clients_cannot_break_out() {
    let mut sly = host(5, &[(1, "10.0.0.5")]);
    sly.hostname = Some("a\nfa:16:3e:00:00:99,10.0.0.99".into());
    sly.options = vec![
        option("bootfile-name", "pxelinux.0", Family::V4),
        option("150", "10.0.0.7,10.0.0.8", Family::V4),
        option("router", "", Family::V4),
        option("mtu", "1400\ntag:subnet-x,option:router,10.0.0.66", Family::V4),
        option("3,10.0.0.66\ntag:x", "x", Family::V4),
    ];
    let mut network = network(&["10.0.0.2/24"], vec![subnet(1, "10.0.0.0/24", Ipv6Dhcp::None)]);
    network.dns_domain = "x\n--dhcp-script=/bin/sh".into();
    let mut stray = host(6, &[(1, "192.0.2.6")]);
    stray.hostname = Some("stray".into());
    let compiled = compile(network, vec![sly, stray]);
    assert_eq!(compiled.complaints.len(), 5);
    check("sly", &compiled);
}

#[test]
fn what_changes_without_a_restart() {
    let daemon = |compiled: &Compiled| {
        let netns: Netns = crate::netns(network_id());
        compiled.program.namespaces[&netns].daemons["dnsmasq"].digest()
    };
    let base = network(&["10.0.0.2/24"], vec![subnet(1, "10.0.0.0/24", Ipv6Dhcp::None)]);
    let one = daemon(&compile(base.clone(), vec![]));
    let client = daemon(&compile(base.clone(), vec![host(5, &[(1, "10.0.0.5")])]));
    assert!(one.start == client.start && one.reload != client.reload);
    let mtu = daemon(&compile(DhcpNetwork { mtu: 9000, ..base.clone() }, vec![]));
    assert!(one.start == mtu.start && one.reload != mtu.reload);
    let more = daemon(&compile(
        DhcpNetwork { subnets: [base.subnets.clone(), vec![subnet(2, "10.1.0.0/24", Ipv6Dhcp::None)]].concat(), ..base },
        vec![],
    ));
    assert!(one.start != more.start);
}

#[test]
fn an_address_left_is_released() {
    let mut intents = Intents::default();
    intents.put(Unit::Dhcp(network(&["10.0.0.2/24"], vec![subnet(1, "10.0.0.0/24", Ipv6Dhcp::None)])));
    intents.put(Unit::DhcpHost(host(5, &[(1, "10.0.0.5")])));
    let id = UnitId::DhcpHost(network_id(), PortId(uuid(0xa0, 5)));
    let before = intents.put(Unit::DhcpHost(host(5, &[(1, "10.0.0.5"), (1, "10.0.0.7")])));
    assert_eq!(DHCP.releases(&id, before.as_ref(), &intents), []);
    let before = intents.put(Unit::DhcpHost(host(5, &[(1, "10.0.0.7")])));
    let released = DHCP.releases(&id, before.as_ref(), &intents);
    assert_eq!(
        released.iter().map(|release| (release.address, release.server)).collect::<Vec<_>>(),
        [("10.0.0.5".parse().expect("an address"), "10.0.0.2".parse().expect("an address"))]
    );
    let before = intents.remove(&id);
    assert_eq!(DHCP.releases(&id, before.as_ref(), &intents).len(), 1);
}
