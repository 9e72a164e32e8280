//! `dhcp/…` and `dhcp-host/…` units.

use super::metadata;
use intent::{DhcpHost, DhcpNetwork, DhcpOption, DhcpSubnet, Ipv6Dhcp, Route};
use ml2::Config;
use ml2::network::effective_mtu;
use model::{Agent, AgentType, Ipv6Mode, Network, Port, Subnet, device_owner};
use net::{Family, HostName, IpNet, NetworkId, PortId};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;
use world::{Key, World};

pub(super) fn network(config: &Config, world: &World, host: &HostName, id: NetworkId) -> Option<DhcpNetwork> {
    let port = serves(world, host, id)?;
    let network = world.get::<Network>(&id)?;
    let address = |fixed_ip: &model::FixedIp| {
        let subnet = world.get::<Subnet>(&fixed_ip.subnet_id)?;
        IpNet::new(fixed_ip.ip_address, subnet.cidr.prefix_len()).ok()
    };
    Some(DhcpNetwork {
        network_id: id,
        mtu: effective_mtu(config, network),
        dns_domain: config.dns_domain.clone(),
        network_domain: network.dns_domain.clone(),
        port_id: port.id,
        mac: port.mac_address,
        addresses: port.fixed_ips.iter().filter_map(address).collect(),
        subnets: dhcp_subnets(world, id).filter(|subnet| is_here(subnet, port)).map(|subnet| subnet_intent(world, subnet)).collect(),
        metadata_v6: metadata::link_local_port(world, id) == Some(port.id),
    })
}

fn dhcp_subnets(world: &World, network: NetworkId) -> impl Iterator<Item = &Arc<Subnet>> {
    world.table::<Subnet>().by(Subnet::BY_NETWORK, network).filter(|subnet| ml2::dhcp::serves(subnet))
}

/// Subnets of a routed network are served where their segment is: there the server has an address in them.
fn is_here(subnet: &Subnet, port: &Port) -> bool {
    subnet.segment_id.is_none() || port.fixed_ips.iter().any(|ip| ip.subnet_id == subnet.id)
}

fn subnet_intent(world: &World, subnet: &Subnet) -> DhcpSubnet {
    let routes = subnet.host_routes.iter().map(|route| Route { destination: route.destination, nexthop: route.nexthop });
    DhcpSubnet {
        id: subnet.id,
        cidr: subnet.cidr,
        gateway_ip: subnet.gateway_ip,
        dns_nameservers: subnet.dns_nameservers.clone(),
        routes: routes.collect(),
        ipv6: ipv6(subnet),
        isolated: metadata::is_isolated(world, subnet),
    }
}

/// Without any mode an IPv6 subnet has addresses by DHCPv6, as clients of the reference expect.
fn ipv6(subnet: &Subnet) -> Ipv6Dhcp {
    match (subnet.family(), subnet.ipv6_address_mode, subnet.ipv6_ra_mode) {
        (Family::V4, ..) => Ipv6Dhcp::None,
        (_, Some(Ipv6Mode::Dhcpv6Stateful), _) | (_, None, None) => Ipv6Dhcp::Stateful,
        (_, Some(Ipv6Mode::Dhcpv6Stateless), _) => Ipv6Dhcp::Stateless,
        (_, Some(Ipv6Mode::Slaac), _) | (_, None, Some(_)) => Ipv6Dhcp::None,
    }
}

pub(super) fn client(config: &Config, world: &World, host: &HostName, network: NetworkId, id: PortId) -> Option<DhcpHost> {
    let port = world.get::<Port>(&id).filter(|port| port.network_id == network && has_dhcp_address(world, port))?;
    serves(world, host, network)?;
    let address = |fixed_ip: &model::FixedIp| {
        let served = world.get::<Subnet>(&fixed_ip.subnet_id).is_some_and(|subnet| ml2::dhcp::serves(subnet));
        served.then_some((fixed_ip.subnet_id, fixed_ip.ip_address))
    };
    let mut addresses: Vec<_> = port.fixed_ips.iter().filter_map(address).collect();
    addresses.sort_unstable();
    let option = |option: &model::ExtraDhcpOption| DhcpOption {
        name: option.opt_name.clone(),
        value: option.opt_value.clone(),
        family: option.ip_version,
    };
    let hostname = ml2::dns::host_name(config, port);
    let domain = Some(port.dns_domain.clone()).filter(|domain| !domain.is_empty());
    let options = port.extra_dhcp_opts.iter().map(option).collect();
    Some(DhcpHost { network_id: network, port_id: id, mac: port.mac_address, addresses, hostname, domain, options })
}

/// True for ports that DHCP agents of their network know as clients: those with an address in a subnet that DHCP serves.
pub(crate) fn has_dhcp_address(world: &World, port: &Port) -> bool {
    let in_dhcp = |fixed_ip: &model::FixedIp| world.get::<Subnet>(&fixed_ip.subnet_id).is_some_and(|subnet| ml2::dhcp::serves(subnet));
    port.device_owner != device_owner::DHCP && port.fixed_ips.iter().any(in_dhcp)
}

/// The DHCP port through which a host serves a network; none when it does not: its DHCP agent is not one of the network's, is
/// disabled or has no bound port there, or DHCP serves none of its subnets.
pub(crate) fn serves<'a>(world: &'a World, host: &HostName, network: NetworkId) -> Option<&'a Arc<Port>> {
    if !is_enabled(world, host, network) {
        return None;
    }
    dhcp_subnets(world, network).next()?;
    let owned = Key::TextUuid(SmolStr::new_static(device_owner::DHCP), network.0);
    world.table::<Port>().by(Port::BY_OWNER, owned).find(|port| port.bound_host() == Some(host))
}

/// True when an enabled agent of the host has the network.
fn is_enabled(world: &World, host: &HostName, network: NetworkId) -> bool {
    let agents = world.get::<Network>(&network).map(|network| network.dhcp_agents.as_slice()).unwrap_or_default();
    let serves = |agent: &Agent| agent.agent_type == AgentType::Dhcp && agent.admin_state_up && agent.host == *host;
    agents.iter().filter_map(|id| world.get::<Agent>(id)).any(|agent| serves(agent))
}

/// The hosts whose DHCP agents a network is scheduled to, whether or not they are enabled.
pub(crate) fn dhcp_agent_hosts(world: &World, network: NetworkId) -> BTreeSet<HostName> {
    let agents = world.get::<Network>(&network).map(|network| network.dhcp_agents.as_slice()).unwrap_or_default();
    let agents = agents.iter().filter_map(|id| world.get::<Agent>(id)).filter(|agent| agent.agent_type == AgentType::Dhcp);
    agents.map(|agent| agent.host.clone()).collect()
}

/// The networks that are scheduled to a host's DHCP agent.
pub(super) fn scheduled(world: &World, host: &HostName) -> BTreeSet<NetworkId> {
    let agents = world.table::<Agent>().by(Agent::BY_HOST, host).filter(|agent| agent.agent_type == AgentType::Dhcp);
    agents.flat_map(|agent| world.table::<Network>().ids(Network::BY_DHCP_AGENT, agent.id).copied()).collect()
}
