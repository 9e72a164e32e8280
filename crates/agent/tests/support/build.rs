//! Units with readable ids and addresses.

use agent::{Agent, Compile, Config, Event, Host, Order};
use intent::*;
use net::{IpNet, NetworkId, PortId, SecurityGroupId, SecurityGroupRuleId, SubnetId};
use std::net::IpAddr;
use std::path::Path;
use uuid::Uuid;

pub fn uuid(kind: u8, number: u8) -> Uuid {
    let mut bytes = [0; 16];
    (bytes[0], bytes[3], bytes[15]) = (kind, number, number);
    Uuid::from_bytes(bytes)
}

pub fn network_id(number: u8) -> NetworkId {
    NetworkId(uuid(0x10, number))
}

pub fn port_id(number: u8) -> PortId {
    PortId(uuid(0xa0, number))
}

pub fn group_id(number: u8) -> SecurityGroupId {
    SecurityGroupId(uuid(0x5e, number))
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

pub fn tap(port: u8) -> String {
    format!("tap{}", port_id(port).short())
}

pub fn mac(port: u8) -> net::Mac {
    format!("fa:16:3e:00:00:{port:02x}").parse().expect("a MAC")
}

pub fn network(number: u8, carrier: Carrier) -> Unit {
    Unit::Network(NetworkIntent { id: network_id(number), carrier, mtu: 1450, admin_state_up: true })
}

/// On the VLAN with this number more than 100 of `physnet1`.
pub fn vlan(number: u8) -> Unit {
    let id = (u32::from(number) + 100).try_into().expect("a VLAN");
    network(number, Carrier::Vlan { physical_network: "physnet1".into(), vlan: id })
}

pub fn vxlan(number: u8) -> Unit {
    network(number, Carrier::Vxlan { vni: (u32::from(number) + 100).try_into().expect("a VNI") })
}

/// A port with the address 10.0.0.<number>.
pub fn port(number: u8, network: u8, groups: &[u8]) -> PortIntent {
    PortIntent {
        id: port_id(number),
        network_id: network_id(network),
        device: tap(number).into(),
        device_owner: "compute:nova".into(),
        mac: mac(number),
        addresses: vec![ip(&format!("10.0.0.{number}"))],
        admin_state_up: true,
        port_security_enabled: true,
        security_groups: groups.iter().map(|number| group_id(*number)).collect(),
        allowed_addresses: Vec::new(),
        standby: false,
    }
}

pub fn remote(network: u8, number: u8, vtep: &str) -> Unit {
    Unit::Remote(RemotePort {
        network_id: network_id(network),
        port_id: port_id(number),
        mac: mac(number),
        addresses: vec![ip(&format!("10.0.0.{number}"))],
        vtep: ip(vtep),
    })
}

pub fn rule(number: u8, direction: Direction, family: u8, transport: Transport, remote: Remote) -> GroupRule {
    let family = net::Family::try_from(family).expect("a family");
    GroupRule { id: SecurityGroupRuleId(uuid(0x70, number)), direction, family, transport, remote }
}

/// A stateful group that lets everything out, and these in.
pub fn group(number: u8, ingress: Vec<GroupRule>) -> Unit {
    let out = |number, family| rule(number, Direction::Egress, family, Transport::Any, Remote::Any);
    let rules = [vec![out(1, 4), out(2, 6)], ingress].concat();
    Unit::SecurityGroup(SecurityGroupIntent { id: group_id(number), stateful: true, rules })
}

pub fn member(group: u8, port: u8) -> Unit {
    let addresses = vec![net(&format!("10.0.0.{port}/32"))];
    Unit::Member(GroupMember { group_id: group_id(group), port_id: port_id(port), addresses })
}

pub fn address_group_id(number: u8) -> net::AddressGroupId {
    net::AddressGroupId(uuid(0xad, number))
}

pub fn address_group(number: u8, addresses: &[&str]) -> Unit {
    let addresses: Vec<IpNet> = addresses.iter().map(|text| net(text)).collect();
    Unit::AddressGroup(AddressGroupIntent { id: address_group_id(number), addresses })
}

/// A network served by DHCP in 10.0.0.0/24 from the port with this number.
pub fn dhcp(network: u8, port: u8) -> Unit {
    let subnet = DhcpSubnet {
        id: SubnetId(uuid(0x50, network)),
        cidr: net("10.0.0.0/24"),
        gateway_ip: Some(ip("10.0.0.1")),
        dns_nameservers: vec![],
        routes: vec![],
        ipv6: Ipv6Dhcp::None,
        isolated: false,
    };
    Unit::Dhcp(DhcpNetwork {
        network_id: network_id(network),
        mtu: 1450,
        dns_domain: "openstacklocal".into(),
        network_domain: Default::default(),
        port_id: port_id(port),
        mac: mac(port),
        addresses: vec![net(&format!("10.0.0.{port}/24"))],
        subnets: vec![subnet],
        metadata_v6: false,
    })
}

pub fn dhcp_port(network: u8, number: u8) -> Unit {
    Unit::Port(PortIntent { device_owner: "network:dhcp".into(), port_security_enabled: false, ..port(number, network, &[]) })
}

pub fn dhcp_host(network: u8, port: u8) -> Unit {
    Unit::DhcpHost(DhcpHost {
        network_id: network_id(network),
        port_id: port_id(port),
        mac: mac(port),
        addresses: vec![(SubnetId(uuid(0x50, network)), ip(&format!("10.0.0.{port}")))],
        hostname: None,
        domain: None,
        options: vec![],
    })
}

pub fn compilers() -> Vec<Box<dyn Compile>> {
    vec![Box::new(linuxbridge::LinuxBridge), Box::new(dhcp_role()), Box::new(routing::Routing { bridge: linuxbridge::bridge, bfd: None })]
}

pub fn dhcp_role() -> dhcp::Dhcp {
    dhcp::Dhcp { bridge: linuxbridge::bridge, lease_s: 86400, dns_servers: vec![] }
}

pub fn agent<H: Host>(state: &Path, host: H, local_ip: Option<&str>) -> Agent<H> {
    agent_with(state, host, local_ip, |_| {})
}

pub fn agent_with<H: Host>(state: &Path, host: H, local_ip: Option<&str>, further: impl FnOnce(&mut Config)) -> Agent<H> {
    let mut config = Config::new("host-1".into(), state);
    config.local_ip = local_ip.map(ip);
    config.br_netfilter = true;
    further(&mut config);
    Agent::new(config, compilers(), host).expect("the state directory can be made")
}

pub fn delta(revision: u64, put: impl IntoIterator<Item = Unit>, remove: impl IntoIterator<Item = UnitId>) -> Event {
    let put = put.into_iter().map(|unit| (revision, unit)).collect();
    Event::Order(Order::Delta { revision, put, remove: remove.into_iter().collect() })
}

pub fn synced(revision: u64) -> Event {
    Event::Order(Order::Synced { revision, epoch: 7 })
}

/// A snapshot of these units, complete.
pub fn snapshot(revision: u64, units: impl IntoIterator<Item = Unit>) -> Vec<Event> {
    vec![Event::Order(Order::Snapshot), delta(revision, units, []), synced(revision)]
}
