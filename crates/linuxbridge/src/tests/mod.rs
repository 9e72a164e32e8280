//! Programs as operators would read them, and the law of incremental compilation.

mod cut;
mod law;
mod program;
mod text;

use crate::LinuxBridge;
use agent::{Allocations, Compile, Facts, Intents};
use intent::*;
use net::{AddressGroupId, IpNet, NetworkId, PortId, SecurityGroupId, SecurityGroupRuleId};
use std::net::IpAddr;
use uuid::Uuid;

/// Ids with a readable beginning: `0000000a-00…`.
fn uuid(kind: u8, number: u8) -> Uuid {
    let mut bytes = [0; 16];
    (bytes[0], bytes[3], bytes[15]) = (kind, number, number);
    Uuid::from_bytes(bytes)
}

fn network_id(number: u8) -> NetworkId {
    NetworkId(uuid(0x10, number))
}

fn port_id(number: u8) -> PortId {
    PortId(uuid(0xa0, number))
}

fn group_id(number: u8) -> SecurityGroupId {
    SecurityGroupId(uuid(0x5e, number))
}

fn address_group_id(number: u8) -> AddressGroupId {
    AddressGroupId(uuid(0xad, number))
}

fn address_group(number: u8, addresses: &[&str]) -> AddressGroupIntent {
    AddressGroupIntent { id: address_group_id(number), addresses: addresses.iter().map(|text| net(text)).collect() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

fn network(number: u8, carrier: Carrier) -> NetworkIntent {
    NetworkIntent { id: network_id(number), carrier, mtu: 1450, admin_state_up: true }
}

fn vxlan(number: u8) -> NetworkIntent {
    network(number, Carrier::Vxlan { vni: (u32::from(number) + 100).try_into().expect("a VNI") })
}

/// A port with the addresses 10.0.0.<number> and fd00::<number>.
fn port(number: u8, network: u8, groups: &[u8]) -> PortIntent {
    PortIntent {
        id: port_id(number),
        network_id: network_id(network),
        device: smol_str::format_smolstr!("tap{}", port_id(number).short()),
        device_owner: "compute:nova".into(),
        mac: format!("fa:16:3e:00:00:{number:02x}").parse().expect("a MAC"),
        addresses: vec![ip(&format!("10.0.0.{number}")), ip(&format!("fd00::{number:x}"))],
        admin_state_up: true,
        port_security_enabled: true,
        security_groups: groups.iter().map(|number| group_id(*number)).collect(),
        allowed_addresses: Vec::new(),
        standby: false,
    }
}

fn remote(network: u8, number: u8, vtep: &str) -> RemotePort {
    RemotePort {
        network_id: network_id(network),
        port_id: port_id(number),
        mac: format!("fa:16:3e:00:01:{number:02x}").parse().expect("a MAC"),
        addresses: vec![ip(&format!("10.0.0.{number}"))],
        vtep: ip(vtep),
    }
}

fn rule(number: u8, direction: Direction, family: u8, transport: Transport, remote: Remote) -> GroupRule {
    let family = net::Family::try_from(family).expect("a family");
    GroupRule { id: SecurityGroupRuleId(uuid(0x70, number)), direction, family, transport, remote }
}

fn group(number: u8, stateful: bool, rules: Vec<GroupRule>) -> SecurityGroupIntent {
    SecurityGroupIntent { id: group_id(number), stateful, rules }
}

fn member(group: u8, port: u8, addresses: &[&str]) -> GroupMember {
    GroupMember { group_id: group_id(group), port_id: port_id(port), addresses: addresses.iter().map(|text| net(text)).collect() }
}

/// All egress; what the group's own members send.
fn default_group(number: u8) -> SecurityGroupIntent {
    use Direction::{Egress, Ingress};
    let own = Remote::Group { group: group_id(number) };
    let rules = vec![
        rule(1, Egress, 4, Transport::Any, Remote::Any),
        rule(2, Egress, 6, Transport::Any, Remote::Any),
        rule(3, Ingress, 4, Transport::Any, own),
        rule(4, Ingress, 6, Transport::Any, own),
    ];
    group(number, true, rules)
}

fn tell(units: impl IntoIterator<Item = Unit>, facts: &mut Facts) -> Intents {
    let mut intents = Intents::default();
    let mut allocations = std::mem::take(&mut facts.allocations);
    for unit in units {
        let id = unit.id();
        intents.put(unit);
        LinuxBridge.allocate(&id, &intents, &mut allocations);
    }
    facts.allocations = allocations;
    intents
}

fn facts(bridge_conntrack: bool) -> Facts {
    Facts {
        local_ip: Some(ip("192.0.2.1")),
        physical_networks: [("physnet1".into(), "eth1".into())].into(),
        devices: [].into(),
        bridge_conntrack,
        br_netfilter: true,
        vlan_links: true,
        allocations: Allocations::default(),
        ..Facts::default()
    }
}
