//! The world as hosts see it: which ports, networks, groups and peers are whose business. Each query walks an index and costs what it
//! returns.

use crate::{dhcp, drivers};
use model::{Agent, AgentType, Network, Port, SecurityGroupRule};
use net::{AgentId, HostName, IpNet, NetworkId, PortId, SecurityGroupId};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use world::{Index, Key, Table, World};

/// The ports bound on a host, in id order.
pub fn ports_on_host<'a>(world: &'a World, host: &HostName) -> impl Iterator<Item = &'a Arc<Port>> {
    world.table::<Port>().by(Port::BY_HOST, host).filter(|port| port.binding.is_bound())
}

/// The networks of the ports bound on a host.
pub fn networks_on_host(world: &World, host: &HostName) -> BTreeSet<NetworkId> {
    ports_on_host(world, host).map(|port| port.network_id).collect()
}

/// The security groups of the ports bound on a host.
pub fn groups_on_host(world: &World, host: &HostName) -> BTreeSet<SecurityGroupId> {
    ports_on_host(world, host).flat_map(|port| port.security_groups.iter().copied()).collect()
}

/// True when a port of the network is bound on the host.
pub fn has_network(world: &World, host: &HostName, network: NetworkId) -> bool {
    world.table::<Port>().has(Port::BY_NETWORK_HOST, Key::UuidText(network.0, host.0.clone()))
}

/// True when a port with the group is bound on the host.
pub fn has_group(world: &World, host: &HostName, group: SecurityGroupId) -> bool {
    world.table::<Port>().has(Port::BY_GROUP_HOST, Key::UuidText(group.0, host.0.clone()))
}

/// The hosts on which ports of a network are bound; costs hosts, not ports.
pub fn hosts_of_network(world: &World, network: NetworkId) -> Vec<HostName> {
    hosts(world.table(), Port::BY_NETWORK_HOST, network.0)
}

/// The hosts on which ports with a group are bound; costs hosts, not ports.
pub fn hosts_of_group(world: &World, group: SecurityGroupId) -> Vec<HostName> {
    hosts(world.table(), Port::BY_GROUP_HOST, group.0)
}

fn hosts(ports: &Table<Port>, index: Index<Port>, of: uuid::Uuid) -> Vec<HostName> {
    let mut hosts = Vec::new();
    let mut from = Key::UuidText(of, Default::default());
    while let Some((Key::UuidText(id, host), _)) = ports.walk(index, from).next()
        && *id == of
    {
        hosts.push(HostName(host.clone()));
        from = Key::UuidText(of, smol_str::format_smolstr!("{host}\0"));
    }
    hosts
}

/// A tunnel endpoint of a network and the ports behind it.
#[derive(Clone, PartialEq, Debug)]
pub struct Vtep {
    /// The host.
    pub host: HostName,
    /// Where it ends tunnels; none: its agent did not say.
    pub tunneling_ip: Option<IpAddr>,
    /// The network's ports bound there, in id order.
    pub ports: Vec<Arc<Port>>,
}

/// The tunnel endpoints of a network, by host, with all ports that are bound: what forwarding tables and ARP answers are made of.
pub fn vteps_of_network(world: &World, network: NetworkId) -> Vec<Vtep> {
    let ports = |host: &HostName| world.table::<Port>().by(Port::BY_NETWORK_HOST, Key::UuidText(network.0, host.0.clone()));
    let vtep = |host: HostName| Vtep { tunneling_ip: drivers::tunnel_endpoint(world, &host), ports: ports(&host).cloned().collect(), host };
    hosts_of_network(world, network).into_iter().map(vtep).collect()
}

/// The addresses by which a member of a remote group is known: fixed IPs and allowed address pairs, sorted.
pub fn member_addresses(port: &Port) -> Vec<IpNet> {
    let fixed = port.fixed_ips.iter().map(|ip| IpNet::from(ip.ip_address));
    let mut addresses: Vec<IpNet> = fixed.chain(port.allowed_address_pairs.iter().map(|pair| pair.ip_address)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The addresses of a group's members, of both families.
pub fn remote_group_members(world: &World, group: SecurityGroupId) -> BTreeSet<IpNet> {
    world.table::<Port>().by(Port::BY_SECURITY_GROUP, group).flat_map(|port| member_addresses(port)).collect()
}

/// The groups that a group's rules name as remote.
pub fn remote_groups(world: &World, group: SecurityGroupId) -> BTreeSet<SecurityGroupId> {
    world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group).filter_map(|rule| rule.remote_group_id).collect()
}

/// The groups whose rules name a group as remote.
pub fn groups_naming(world: &World, remote: SecurityGroupId) -> BTreeSet<SecurityGroupId> {
    world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_REMOTE_GROUP, remote).map(|rule| rule.security_group_id).collect()
}

/// True when the host must know the group's members: a group on it names it as remote.
pub fn needs_members(world: &World, host: &HostName, remote: SecurityGroupId) -> bool {
    let mut naming = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_REMOTE_GROUP, remote);
    naming.any(|rule| has_group(world, host, rule.security_group_id))
}

/// The networks that a DHCP agent serves.
pub fn dhcp_networks_of_agent(world: &World, agent: AgentId) -> impl Iterator<Item = &Arc<Network>> {
    world.table::<Network>().by(Network::BY_DHCP_AGENT, agent)
}

/// The DHCP agent of a host.
pub fn dhcp_agent_of_host<'a>(world: &'a World, host: &HostName) -> Option<&'a Arc<Agent>> {
    world.table::<Agent>().by(Agent::BY_HOST, host).find(|agent| agent.agent_type == AgentType::Dhcp)
}

/// The hosts whose DHCP agents serve a network.
pub fn dhcp_hosts_of_network(world: &World, network: NetworkId) -> Vec<HostName> {
    let Some(network) = world.get::<Network>(&network) else { return Vec::new() };
    network.dhcp_agents.iter().filter_map(|agent| Some(world.get::<Agent>(agent)?.host.clone())).collect()
}

/// The port through which the host serves the network, when its DHCP agent does and the port is bound there.
pub fn dhcp_port<'a>(world: &'a World, host: &HostName, network: NetworkId) -> Option<&'a Arc<Port>> {
    let record = world.get::<Network>(&network)?;
    let agent = dhcp_agent_of_host(world, host)?;
    let port = record.dhcp_agents.contains(&agent.id).then(|| dhcp::port_of(world, host, network))??;
    (port.bound_host() == Some(host)).then_some(port)
}

/// The ports of a network in id order.
pub fn ports_of_network(world: &World, network: NetworkId) -> impl Iterator<Item = PortId> {
    world.table::<Port>().ids(Port::BY_NETWORK, network).copied()
}
