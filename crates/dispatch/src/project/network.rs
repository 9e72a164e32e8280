//! `network/…` and `remote/…` units.

use super::hosts_under;
use intent::{Carrier, NetworkIntent, RemotePort};
use ml2::Config;
use ml2::network::effective_mtu;
use model::{Agent, AgentType, Network, NetworkType, Port, Segment};
use net::{HostName, NetworkId, PortId, Vni};
use std::net::IpAddr;
use world::{Key, World};

pub(super) fn network(config: &Config, world: &World, host: &HostName, id: NetworkId) -> Option<NetworkIntent> {
    if !has_ports(world, host, id) {
        return None;
    }
    let network = world.get::<Network>(&id)?;
    let carrier = carrier(network)?;
    Some(NetworkIntent { id, carrier, mtu: effective_mtu(config, network), admin_state_up: network.admin_state_up })
}

pub(super) fn remote(world: &World, host: &HostName, network: NetworkId, id: PortId) -> Option<RemotePort> {
    if !has_ports(world, host, network) {
        return None;
    }
    let port = world.get::<Port>(&id).filter(|port| port.network_id == network && port.admin_state_up)?;
    let there = port.bound_host().filter(|there| *there != host)?;
    if !is_tunnelled(world.get::<Network>(&network)?) {
        return None;
    }
    let addresses = port.fixed_ips.iter().map(|fixed_ip| fixed_ip.ip_address).collect();
    Some(RemotePort { network_id: network, port_id: id, mac: port.mac_address, addresses, vtep: tunnel_endpoint(world, there)? })
}

pub(crate) fn has_ports(world: &World, host: &HostName, network: NetworkId) -> bool {
    world.table::<Port>().has(Port::BY_NETWORK_HOST, Key::UuidText(network.0, host.0.clone()))
}

/// The first segment that agents can carry; none when there is no such.
fn carrier(network: &Network) -> Option<Carrier> {
    network.segments.iter().find_map(of_segment)
}

fn of_segment(segment: &Segment) -> Option<Carrier> {
    match segment.network_type {
        NetworkType::Local => Some(Carrier::Local),
        NetworkType::Flat => Some(Carrier::Flat { physical_network: segment.physical_network.clone()? }),
        NetworkType::Vxlan => Some(Carrier::Vxlan { vni: Vni::try_from(segment.segmentation_id?).ok()? }),
        NetworkType::Vlan | NetworkType::Gre | NetworkType::Geneve => None,
    }
}

/// True when hosts need to know where the network's other ports are.
pub(crate) fn is_tunnelled(network: &Network) -> bool {
    matches!(carrier(network), Some(Carrier::Vxlan { .. }))
}

/// The hosts that have bound ports of a network.
pub(crate) fn network_hosts(world: &World, network: NetworkId) -> Vec<HostName> {
    hosts_under(world.table::<Port>(), Port::BY_NETWORK_HOST, network.0)
}

/// The address at which a host ends tunnels, as its L2 agent reported it; none: no tunnel leads there.
pub(crate) fn tunnel_endpoint(world: &World, host: &HostName) -> Option<IpAddr> {
    let mut agents = world.table::<Agent>().by(Agent::BY_HOST, host);
    agents.find_map(|agent| match agent.agent_type {
        AgentType::LinuxBridge | AgentType::OpenVSwitch => agent.configuration("tunneling_ip")?.as_str()?.parse().ok(),
        AgentType::Dhcp | AgentType::L3 | AgentType::Metadata => None,
    })
}
