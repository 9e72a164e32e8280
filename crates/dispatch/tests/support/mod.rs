//! A small cloud to change: records with few ids, so that random changes meet each other.
#![allow(dead_code, reason = "each test uses a part")]

pub mod cloud;

use model::*;
use net::*;
use serde_json::json;
use smol_str::SmolStr;
use std::sync::Arc;
use uuid::Uuid;
use world::{Change, Commit, Context, Tx, World};

pub fn projection() -> ml2::Config {
    ml2::Config::default()
}

pub fn uuid(kind: u8, n: u8) -> Uuid {
    Uuid::from_u128(u128::from(kind) << 64 | u128::from(n))
}

pub fn network_id(n: u8) -> NetworkId {
    NetworkId(uuid(1, n))
}

pub fn subnet_id(n: u8) -> SubnetId {
    SubnetId(uuid(2, n))
}

pub fn port_id(n: u8) -> PortId {
    PortId(uuid(3, n))
}

pub fn group_id(n: u8) -> SecurityGroupId {
    SecurityGroupId(uuid(4, n))
}

pub fn rule_id(n: u8) -> SecurityGroupRuleId {
    SecurityGroupRuleId(uuid(5, n))
}

pub fn agent_id(n: u8) -> AgentId {
    AgentId(uuid(6, n))
}

pub fn host(n: u8) -> HostName {
    HostName::from(format!("host{n}").as_str())
}

pub fn network(n: u8, network_type: NetworkType) -> Network {
    let segment = Segment {
        name: None,
        standard: Standard::default(),
        id: SegmentId(uuid(7, n)),
        network_type,
        physical_network: matches!(network_type, NetworkType::Flat | NetworkType::Vlan).then(|| "physnet1".into()),
        segmentation_id: matches!(network_type, NetworkType::Vlan | NetworkType::Vxlan).then_some(100 + u32::from(n)),
    };
    Network { name: "net".into(), segments: vec![segment], ..Network::new(network_id(n), "p".into(), Standard::default()) }
}

pub fn subnet(n: u8, of: u8, v6: bool) -> Subnet {
    Subnet {
        service_types: vec![],
        dns_publish_fixed_ip: false,
        segment_id: None,
        id: subnet_id(n),
        project_id: "p".into(),
        network_id: network_id(of),
        name: "subnet".into(),
        cidr: if v6 { format!("fd00:{n}::/64") } else { format!("10.0.{n}.0/24") }.parse().expect("a prefix"),
        subnetpool_id: None,
        delegated: false,
        gateway_ip: None,
        allocation_pools: vec![],
        enable_dhcp: true,
        dns_nameservers: vec![],
        host_routes: vec![],
        ipv6_ra_mode: None,
        ipv6_address_mode: None,
        standard: Standard::default(),
    }
}

pub fn pool_id(n: u8) -> SubnetPoolId {
    SubnetPoolId(uuid(23, n))
}

/// A pool of one of two scopes, or of none.
pub fn pool(n: u8, scope: u8) -> SubnetPool {
    SubnetPool {
        id: pool_id(n),
        project_id: "p".into(),
        name: "pool".into(),
        prefixes: vec!["10.0.0.0/8".parse().expect("a prefix")],
        default_prefixlen: 24,
        min_prefixlen: 8,
        max_prefixlen: 32,
        default_quota: None,
        is_default: false,
        address_scope_id: (scope < 2).then(|| AddressScopeId(uuid(24, scope))),
        standard: Standard::default(),
    }
}

pub fn port(n: u8, of: u8) -> Port {
    Port {
        name: "port".into(),
        device_owner: "compute:nova".into(),
        ..Port::new(port_id(n), network_id(of), "p".into(), Mac([0xfa, 0x16, 0x3e, 0, 0, n]), Standard::default())
    }
}

pub fn bind(port: &mut Port, on: u8) {
    port.binding = Binding { host: host(on), vif_type: VifType::Tap, ..Binding::default() };
    port.provisioning.l2 = true;
}

pub fn address(subnet: u8, last: u8) -> FixedIp {
    FixedIp { subnet_id: subnet_id(subnet), ip_address: format!("10.0.{subnet}.{last}").parse().expect("an address") }
}

pub fn group(n: u8) -> SecurityGroup {
    SecurityGroup {
        id: group_id(n),
        project_id: "p".into(),
        name: "group".into(),
        stateful: true,
        is_default: false,
        standard: Standard::default(),
    }
}

pub fn address_group_id(n: u8) -> AddressGroupId {
    AddressGroupId(uuid(12, n))
}

pub fn address_group(n: u8) -> AddressGroup {
    AddressGroup {
        id: address_group_id(n),
        project_id: "p".into(),
        name: "addresses".into(),
        addresses: vec!["192.0.2.0/24".parse().expect("a prefix")],
        standard: Standard::default(),
    }
}

pub fn rule(n: u8, of: u8) -> SecurityGroupRule {
    SecurityGroupRule {
        id: rule_id(n),
        project_id: "p".into(),
        security_group_id: group_id(of),
        direction: Direction::Ingress,
        ethertype: Family::V4,
        protocol: None,
        port_range_min: None,
        port_range_max: None,
        remote_ip_prefix: None,
        remote_group_id: None,
        remote_address_group_id: None,
        standard: Standard::default(),
    }
}

pub fn agent(n: u8, agent_type: AgentType, on: u8) -> Agent {
    let configurations = match agent_type {
        AgentType::LinuxBridge => json!({"tunneling_ip": format!("192.0.2.{on}"), "tunnel_types": ["vxlan"]}),
        _ => json!({}),
    };
    Agent {
        id: agent_id(n),
        agent_type,
        binary: "neutron-agent".into(),
        host: host(on),
        topic: "N/A".into(),
        availability_zone: None,
        admin_state_up: true,
        description: None,
        configurations: configurations.as_object().cloned().expect("an object"),
        enforces: vec![],
        alive: true,
        created_at: Timestamp(0),
        started_at: Timestamp(0),
    }
}

pub fn router_id(n: u8) -> RouterId {
    RouterId(uuid(8, n))
}

pub fn floating_ip_id(n: u8) -> FloatingIpId {
    FloatingIpId(uuid(9, n))
}

pub fn forwarding_id(n: u8) -> PortForwardingId {
    PortForwardingId(uuid(10, n))
}

pub fn ndp_proxy_id(n: u8) -> NdpProxyId {
    NdpProxyId(uuid(13, n))
}

pub fn ndp_proxy(n: u8, of: u8, last: u8) -> NdpProxy {
    NdpProxy {
        id: ndp_proxy_id(n),
        project_id: "p".into(),
        name: SmolStr::default(),
        router_id: router_id(of),
        port_id: port_id(0),
        ip_address: [0xfd00, 0, 0, 0, 0, 0, 0, last.into()].into(),
        standard: Standard::default(),
    }
}

pub fn conntrack_helper_id(n: u8) -> ConntrackHelperId {
    ConntrackHelperId(uuid(14, n))
}

pub fn conntrack_helper(n: u8, of: u8, port: u8) -> ConntrackHelper {
    ConntrackHelper {
        id: conntrack_helper_id(n),
        project_id: "p".into(),
        router_id: router_id(of),
        protocol: if port == 0 { "udp" } else { "tcp" }.into(),
        port: 21,
        helper: "sip".into(),
    }
}

pub fn router(n: u8) -> Router {
    Router {
        id: router_id(n),
        project_id: "p".into(),
        name: "router".into(),
        admin_state_up: true,
        gateway: None,
        more_gateways: Vec::new(),
        enable_default_route_ecmp: false,
        enable_default_route_bfd: false,
        routes: vec![],
        availability_zone_hints: vec![],
        agents: vec![],
        flavor_id: None,
        gateway_qos_policy_id: None,
        distributed: false,
        ha: false,
        ha_network_id: None,
        enable_ndp_proxy: false,
        standard: Standard::default(),
    }
}

pub fn floating_ip(n: u8) -> FloatingIp {
    FloatingIp {
        id: floating_ip_id(n),
        project_id: "p".into(),
        floating_network_id: network_id(2),
        floating_ip_address: std::net::Ipv4Addr::new(203, 0, 113, n),
        floating_port_id: port_id(200 + n),
        router_id: None,
        port_id: None,
        fixed_ip_address: None,
        status: FloatingIpStatus::Down,
        qos_policy_id: None,
        dns_name: SmolStr::default(),
        dns_domain: SmolStr::default(),
        standard: Standard::default(),
    }
}

pub fn forwarding(n: u8, of: u8) -> PortForwarding {
    PortForwarding {
        id: forwarding_id(n),
        project_id: "p".into(),
        floatingip_id: floating_ip_id(of),
        internal_port_id: port_id(0),
        internal_ip_address: std::net::Ipv4Addr::new(10, 0, 0, 2),
        protocol: ForwardedProtocol::Tcp,
        external_ports: (80, 80),
        internal_ports: (8080, 8080),
        description: SmolStr::default(),
    }
}

/// Makes a commit of what `with` does.
pub fn commit(before: &World, with: impl FnOnce(&mut Tx)) -> Commit {
    let mut tx = Tx::new(before.clone(), Context::new(Timestamp(0), "req".into(), 0));
    with(&mut tx);
    let (_, change) = tx.finish();
    let revision = before.revision().next();
    let after = before.with_change(revision, &change);
    Commit {
        revision,
        request_id: "req".into(),
        time: Timestamp(0),
        change: Arc::new(Change::clone(&change)),
        before: before.clone(),
        after,
    }
}
