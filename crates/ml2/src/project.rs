//! Projection: the units of the intent that a host must know, computed from the world alone.
//!
//! A unit has content, which is the same for all hosts (but for DHCP, whose port is the host's own), and concerns some
//! hosts. [`unit`] is the content when it concerns the host; [`units`] names all that do.

use crate::host_view as view;
use crate::network::effective_mtu;
use crate::{Config, dhcp, drivers};
use intent::{
    AllowedAddress, Carrier, DhcpHost, DhcpNetwork, DhcpOption, DhcpSubnet, GroupMember, Ipv6Dhcp, NetworkIntent, PortIntent, RemotePort,
    Route, Unit, UnitId,
};
use model::{Ipv6Mode, Network, NetworkType, Port, Subnet, device_owner};
use net::{Family, HostName, IpNet, NetworkId, PortId, SecurityGroupId, SubnetId, Vni};
use std::collections::BTreeSet;
use std::net::IpAddr;
use world::World;

/// A unit as the host must know it; none: it does not concern the host, or there is nothing to tell.
pub fn unit(world: &World, config: &Config, host: &HostName, id: UnitId) -> Option<Unit> {
    if concerns(world, host, id) { content(world, config, host, id) } else { None }
}

/// True when a unit, if it has content, concerns the host.
pub fn concerns(world: &World, host: &HostName, id: UnitId) -> bool {
    let bound_host = |port: PortId| world.get::<Port>(&port).and_then(|port| port.bound_host());
    match id {
        UnitId::Port(port) => bound_host(port) == Some(host),
        UnitId::Network(network) => view::has_network(world, host, network),
        UnitId::Remote(network, port) => bound_host(port).is_some_and(|other| other != host) && view::has_network(world, host, network),
        UnitId::SecurityGroup(group) => view::has_group(world, host, group),
        UnitId::Member(group, _) => view::needs_members(world, host, group),
        UnitId::Dhcp(network) | UnitId::DhcpHost(network, _) => view::dhcp_port(world, host, network).is_some(),
    }
}

/// The content of a unit; the host matters for DHCP only.
pub(crate) fn content(world: &World, config: &Config, host: &HostName, id: UnitId) -> Option<Unit> {
    match id {
        UnitId::Port(port) => world.get::<Port>(&port).map(|port| Unit::Port(port_intent(port))),
        UnitId::Network(network) => network_intent(world, config, network).map(Unit::Network),
        UnitId::Remote(network, port) => remote_port(world, network, port).map(Unit::Remote),
        UnitId::SecurityGroup(group) => security_groups::project::group(world, group).map(Unit::SecurityGroup),
        UnitId::Member(group, port) => group_member(world, group, port).map(Unit::Member),
        UnitId::Dhcp(network) => dhcp_network(world, config, host, network).map(Unit::Dhcp),
        UnitId::DhcpHost(network, port) => dhcp_host(world, network, port).map(Unit::DhcpHost),
    }
}

/// The names of all units of a host.
pub fn units(world: &World, host: &HostName) -> BTreeSet<UnitId> {
    let mut units = BTreeSet::new();
    units.extend(view::ports_on_host(world, host).map(|port| UnitId::Port(port.id)));
    for network in view::networks_on_host(world, host) {
        units.insert(UnitId::Network(network));
        let ports = view::ports_of_network(world, network).map(|port| UnitId::Remote(network, port));
        units.extend(ports.filter(|id| concerns(world, host, *id) && remote_is_told(world, *id)));
    }
    let groups = view::groups_on_host(world, host);
    let remotes: BTreeSet<SecurityGroupId> = groups.iter().flat_map(|group| view::remote_groups(world, *group)).collect();
    units.extend(groups.into_iter().map(UnitId::SecurityGroup));
    for group in remotes {
        units.extend(members_of(world, group));
    }
    if let Some(agent) = view::dhcp_agent_of_host(world, host) {
        for network in view::dhcp_networks_of_agent(world, agent.id) {
            if view::dhcp_port(world, host, network.id).is_some() {
                units.insert(UnitId::Dhcp(network.id));
                units.extend(clients_of(world, network.id));
            }
        }
    }
    units
}

fn remote_is_told(world: &World, id: UnitId) -> bool {
    matches!(id, UnitId::Remote(network, port) if remote_port(world, network, port).is_some())
}

fn members_of(world: &World, group: SecurityGroupId) -> impl Iterator<Item = UnitId> {
    let ports = world.table::<Port>().by(Port::BY_SECURITY_GROUP, group);
    ports.filter(|port| !view::member_addresses(port).is_empty()).map(move |port| UnitId::Member(group, port.id))
}

fn clients_of(world: &World, network: NetworkId) -> impl Iterator<Item = UnitId> {
    let clients = view::ports_of_network(world, network).filter(move |port| dhcp_host(world, network, *port).is_some());
    clients.map(move |port| UnitId::DhcpHost(network, port))
}

fn port_intent(port: &Port) -> PortIntent {
    let allowed = port.allowed_address_pairs.iter().map(|pair| AllowedAddress { address: pair.ip_address, mac: pair.mac_address });
    PortIntent {
        id: port.id,
        network_id: port.network_id,
        device: port.tap_name(),
        device_owner: port.device_owner.clone(),
        mac: port.mac_address,
        addresses: port.fixed_ips.iter().map(|ip| ip.ip_address).collect(),
        admin_state_up: port.admin_state_up,
        port_security_enabled: port.port_security_enabled,
        security_groups: port.security_groups.clone(),
        allowed_addresses: allowed.collect(),
    }
}

fn network_intent(world: &World, config: &Config, id: NetworkId) -> Option<NetworkIntent> {
    let network = world.get::<Network>(&id)?;
    let mtu = effective_mtu(config, network);
    Some(NetworkIntent { id, carrier: carrier(network)?, mtu, admin_state_up: network.admin_state_up })
}

fn carrier(network: &Network) -> Option<Carrier> {
    let segment = network.segments.first()?;
    match segment.network_type {
        NetworkType::Local => Some(Carrier::Local),
        NetworkType::Flat => Some(Carrier::Flat { physical_network: segment.physical_network.clone()? }),
        NetworkType::Vxlan => Some(Carrier::Vxlan { vni: Vni::try_from(segment.segmentation_id?).ok()? }),
        NetworkType::Vlan | NetworkType::Gre | NetworkType::Geneve => None,
    }
}

fn remote_port(world: &World, network_id: NetworkId, port_id: PortId) -> Option<RemotePort> {
    let network = world.get::<Network>(&network_id)?;
    let Carrier::Vxlan { .. } = carrier(network)? else { return None };
    let port = world.get::<Port>(&port_id).filter(|port| port.network_id == network_id)?;
    let vtep = drivers::tunnel_endpoint(world, port.bound_host()?)?;
    let addresses: Vec<IpAddr> = port.fixed_ips.iter().map(|ip| ip.ip_address).collect();
    Some(RemotePort { network_id, port_id, mac: port.mac_address, addresses, vtep })
}

fn group_member(world: &World, group_id: SecurityGroupId, port_id: PortId) -> Option<GroupMember> {
    let port = world.get::<Port>(&port_id).filter(|port| port.security_groups.contains(&group_id))?;
    let addresses = view::member_addresses(port);
    (!addresses.is_empty()).then_some(GroupMember { group_id, port_id, addresses })
}

fn dhcp_network(world: &World, config: &Config, host: &HostName, network_id: NetworkId) -> Option<DhcpNetwork> {
    let network = world.get::<Network>(&network_id)?;
    let port = view::dhcp_port(world, host, network_id)?;
    let with_length = |ip: &model::FixedIp| {
        let subnet = world.get::<Subnet>(&ip.subnet_id)?;
        IpNet::new(ip.ip_address, subnet.cidr.prefix_len()).ok()
    };
    let subnets = world.table::<Subnet>().by(Subnet::BY_NETWORK, network_id).filter(|subnet| dhcp::serves(subnet));
    Some(DhcpNetwork {
        network_id,
        mtu: effective_mtu(config, network),
        dns_domain: config.dns_domain.clone(),
        port_id: port.id,
        mac: port.mac_address,
        addresses: port.fixed_ips.iter().filter_map(with_length).collect(),
        subnets: subnets.map(|subnet| dhcp_subnet(subnet)).collect(),
    })
}

fn dhcp_subnet(subnet: &Subnet) -> DhcpSubnet {
    let ipv6 = match (subnet.family(), subnet.ipv6_address_mode, subnet.ipv6_ra_mode) {
        (Family::V6, Some(Ipv6Mode::Dhcpv6Stateful), _) | (Family::V6, None, None) => Ipv6Dhcp::Stateful,
        (Family::V6, Some(Ipv6Mode::Dhcpv6Stateless), _) => Ipv6Dhcp::Stateless,
        _ => Ipv6Dhcp::None,
    };
    DhcpSubnet {
        id: subnet.id,
        cidr: subnet.cidr,
        gateway_ip: subnet.gateway_ip,
        dns_nameservers: subnet.dns_nameservers.clone(),
        routes: subnet.host_routes.iter().map(|route| Route { destination: route.destination, nexthop: route.nexthop }).collect(),
        ipv6,
    }
}

fn dhcp_host(world: &World, network_id: NetworkId, port_id: PortId) -> Option<DhcpHost> {
    let port = world.get::<Port>(&port_id).filter(|port| port.network_id == network_id && port.device_owner != device_owner::DHCP)?;
    let served = |id: &SubnetId| world.get::<Subnet>(id).is_some_and(|subnet| dhcp::serves(subnet));
    let addresses: Vec<(SubnetId, IpAddr)> =
        port.fixed_ips.iter().filter(|ip| served(&ip.subnet_id)).map(|ip| (ip.subnet_id, ip.ip_address)).collect();
    let option = |option: &model::ExtraDhcpOption| DhcpOption {
        name: option.opt_name.clone(),
        value: option.opt_value.clone(),
        family: option.ip_version,
    };
    let options = port.extra_dhcp_opts.iter().map(option).collect();
    (!addresses.is_empty()).then_some(DhcpHost { network_id, port_id, mac: port.mac_address, addresses, hostname: None, options })
}
