//! `network/…` and `remote/…` units.

use super::hosts_under;
use intent::{Carrier, NetworkIntent, RemotePort};
use ml2::Config;
use ml2::network::effective_mtu;
use model::{Agent, AgentType, Binding, Network, NetworkType, Port, Segment};
use net::{HostName, NetworkId, PortId, VlanId, Vni};
use std::net::IpAddr;
use world::{Key, World};

pub(super) fn network(config: &Config, world: &World, host: &HostName, id: NetworkId) -> Option<NetworkIntent> {
    if !has_ports(world, host, id) {
        return None;
    }
    let network = world.get::<Network>(&id)?;
    let carrier = carrier(world, host, network)?;
    Some(NetworkIntent { id, carrier, mtu: effective_mtu(config, network), admin_state_up: network.admin_state_up })
}

pub(super) fn remote(world: &World, host: &HostName, network: NetworkId, id: PortId) -> Option<RemotePort> {
    if !has_ports(world, host, network) {
        return None;
    }
    let port = world.get::<Port>(&id).filter(|port| port.network_id == network && port.admin_state_up)?;
    let there = port.bound_host().filter(|there| *there != host)?;
    let network_record = world.get::<Network>(&network)?;
    let here = carrier(world, host, network_record)?;
    if !matches!(here, Carrier::Vxlan { .. }) || carrier(world, there, network_record)? != here {
        return None;
    }
    let addresses = port.fixed_ips.iter().map(|fixed_ip| fixed_ip.ip_address).collect();
    Some(RemotePort { network_id: network, port_id: id, mac: port.mac_address, addresses, vtep: tunnel_endpoint(world, there)? })
}

pub(crate) fn has_ports(world: &World, host: &HostName, network: NetworkId) -> bool {
    world.table::<Port>().has(Port::BY_NETWORK_HOST, Key::UuidText(network.0, host.0.clone()))
}

/// How a network reaches a host: by the segment that its first port there was bound on, else by the first that agents can carry; none when
/// there is no such.
pub(crate) fn carrier(world: &World, host: &HostName, network: &Network) -> Option<Carrier> {
    if let [only] = network.segments.as_slice() {
        return of_segment(only);
    }
    let mut ports = world.table::<Port>().by(Port::BY_NETWORK_HOST, Key::UuidText(network.id.0, host.0.clone()));
    let chosen = ports.next().and_then(|port| network.segment(binding_on(port, host)?.segment?));
    chosen.and_then(of_segment).or_else(|| network.segments.iter().find_map(of_segment))
}

fn binding_on<'p>(port: &'p Port, host: &HostName) -> Option<&'p Binding> {
    if port.bound_host() == Some(host) { Some(&port.binding) } else { port.standby_on(host).map(|standby| &standby.binding) }
}

fn of_segment(segment: &Segment) -> Option<Carrier> {
    match segment.network_type {
        NetworkType::Local => Some(Carrier::Local),
        NetworkType::Flat => Some(Carrier::Flat { physical_network: segment.physical_network.clone()? }),
        NetworkType::Vlan => {
            let vlan = VlanId::try_from(segment.segmentation_id?).ok()?;
            Some(Carrier::Vlan { physical_network: segment.physical_network.clone()?, vlan })
        }
        NetworkType::Vxlan => Some(Carrier::Vxlan { vni: Vni::try_from(segment.segmentation_id?).ok()? }),
        NetworkType::Gre | NetworkType::Geneve => None,
    }
}

/// True when hosts may need to know where the network's other ports are.
pub(crate) fn is_tunnelled(network: &Network) -> bool {
    network.segments.iter().any(|segment| segment.network_type == NetworkType::Vxlan)
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
