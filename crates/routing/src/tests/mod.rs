//! The role's programs as operators would read them, and the law of the frame.

mod cut;
mod law;
mod program;
mod text;

use crate::Routing;
use agent::{Compile, Facts, Intents, NextHop};
use intent::*;
use net::{ConntrackHelperId, FloatingIpId, IpNet, NdpProxyId, NetworkId, PortForwardingId, PortId, RouterId, SubnetId};
use std::net::{IpAddr, Ipv4Addr};
use uuid::Uuid;

const L3: Routing = Routing { bridge: |network| smol_str::format_smolstr!("brq{}", network.short()), bfd: None };

fn uuid(kind: u8, number: u8) -> Uuid {
    let mut bytes = [0; 16];
    (bytes[0], bytes[3], bytes[15]) = (kind, number, number);
    Uuid::from_bytes(bytes)
}

fn router_id(number: u8) -> RouterId {
    RouterId(uuid(0x40, number))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn ip4(text: &str) -> Ipv4Addr {
    text.parse().expect("an IPv4 address")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

fn subnet(number: u8, cidr: &str, gateway: Option<&str>) -> RouterSubnet {
    RouterSubnet {
        id: SubnetId(uuid(0x50, number)),
        cidr: net(cidr),
        gateway_ip: gateway.map(ip),
        ra_mode: None,
        dns_nameservers: vec![],
        delegated: false,
    }
}

fn port(number: u8, network: u8, addresses: &[&str], subnets: Vec<RouterSubnet>) -> RouterPort {
    RouterPort {
        port_id: PortId(uuid(0xa0, number)),
        network_id: NetworkId(uuid(0x10, network)),
        mac: format!("fa:16:3e:00:00:{number:02x}").parse().expect("a MAC"),
        mtu: 1450,
        addresses: addresses.iter().map(|text| net(text)).collect(),
        subnets,
        metadata_v6: false,
        scopes: Scopes::default(),
    }
}

/// 203.0.113.10 of 203.0.113.0/24, with the router to the outside at .1.
fn gateway(number: u8) -> RouterPort {
    port(number, 9, &["203.0.113.10/24"], vec![subnet(9, "203.0.113.0/24", Some("203.0.113.1"))])
}

/// 10.0.<number>.1/24.
fn interface(number: u8) -> RouterPort {
    let cidr = format!("10.0.{number}.0/24");
    port(number, number, &[&format!("10.0.{number}.1/24")], vec![subnet(number, &cidr, None)])
}

fn router(number: u8, gateway: Option<RouterPort>, interfaces: Vec<RouterPort>) -> RouterIntent {
    RouterIntent {
        id: router_id(number),
        admin_state_up: true,
        enable_snat: true,
        gateway,
        further_gateways: vec![],
        ecmp: false,
        bfd: false,
        interfaces,
        routes: vec![],
        ndp_proxy: false,
        conntrack_helpers: false,
    }
}

fn floating_ip(number: u8, router: u8, fixed: Option<&str>) -> FloatingIpIntent {
    FloatingIpIntent {
        id: FloatingIpId(uuid(0xf0, number)),
        router_id: router_id(router),
        network_id: None,
        floating_ip_address: Ipv4Addr::new(203, 0, 113, 100 + number),
        fixed_ip_address: fixed.map(ip4),
    }
}

fn forwarding(number: u8, router: u8, external: (u16, u16), internal: (u16, u16)) -> PortForwardingIntent {
    PortForwardingIntent {
        id: PortForwardingId(uuid(0xf8, number)),
        router_id: router_id(router),
        floating_ip_id: FloatingIpId(uuid(0xf0, 7)),
        floating_ip_address: ip4("203.0.113.107"),
        protocol: 6,
        external_ports: external,
        internal_ip_address: ip4("10.0.1.7"),
        internal_ports: internal,
    }
}

fn proxy(number: u8, router: u8, address: &str) -> NdpProxyIntent {
    NdpProxyIntent {
        id: NdpProxyId(uuid(0xfa, number)),
        router_id: router_id(router),
        ip_address: address.parse().expect("an IPv6 address"),
    }
}

/// The helper of a port, for UDP when it is 69 or 1719, else for TCP.
fn helper(number: u8, router: u8, name: &str, port: u16) -> ConntrackHelperIntent {
    let protocol = if [69, 1719].contains(&port) { 17 } else { 6 };
    ConntrackHelperIntent { id: ConntrackHelperId(uuid(0xfb, number)), router_id: router_id(router), helper: name.into(), protocol, port }
}

fn intents(units: impl IntoIterator<Item = Unit>) -> Intents {
    let mut intents = Intents::default();
    units.into_iter().for_each(|unit| _ = intents.put(unit));
    intents
}

#[test]
fn the_agent_reports_what_it_carries() {
    let units = [
        Unit::Router(router(1, Some(gateway(20)), vec![interface(1), interface(2)])),
        Unit::Router(router(2, None, vec![interface(3)])),
        Unit::FloatingIp(floating_ip(1, 1, None)),
    ];
    let role = L3.role(&intents(units), &Facts::default());
    assert_eq!((role.agent_type.as_str(), role.binary.as_str(), role.topic.as_str()), ("L3 agent", "neutron-l3-agent", "l3_agent"));
    let configurations: serde_json::Value = serde_json::from_str(&role.configurations).expect("JSON");
    for (key, value) in [("routers", 2), ("ex_gw_ports", 1), ("interfaces", 3), ("floating_ips", 1)] {
        assert_eq!(configurations[key], value, "{key}");
    }
    assert_eq!(configurations["agent_mode"], "legacy");
}
