//! `metadata-client/…` units, and by which ports the metadata service is reached on a network.

use super::{dhcp, router};
use intent::MetadataClient;
use model::{Network, Port, Router, Subnet, device_owner};
use net::{HostName, NetworkId, PortId, RouterId};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;
use world::{Key, World};

/// Owners of the ports by which routers are on networks of instances.
const INTERFACES: [&str; 4] = [
    device_owner::ROUTER_INTERFACE,
    device_owner::ROUTER_INTERFACE_DISTRIBUTED,
    device_owner::HA_REPLICATED_INTERFACE,
    device_owner::ROUTER_SNAT,
];

pub(super) fn client(world: &World, host: &HostName, network: NetworkId, id: PortId) -> Option<MetadataClient> {
    let port = world.get::<Port>(&id).filter(|port| port.network_id == network && is_client(port))?;
    answers(world, host, network).then(|| MetadataClient {
        network_id: network,
        port_id: id,
        mac: port.mac_address,
        addresses: port.fixed_ips.iter().map(|fixed_ip| fixed_ip.ip_address).collect(),
        instance_id: port.device_id.clone(),
        project_id: port.project_id.0.clone(),
    })
}

/// True for ports of instances: what is no part of the network itself and is somebody's device.
pub(crate) fn is_client(port: &Port) -> bool {
    !port.device_id.is_empty() && !port.device_owner.starts_with(device_owner::NETWORK_PREFIX)
}

/// True when the host answers on the network: it serves DHCP there, or carries a router with an interface there.
pub(crate) fn answers(world: &World, host: &HostName, network: NetworkId) -> bool {
    dhcp::serves(world, host, network).is_some() || router_hosts(world, network).contains(host)
}

/// The hosts that carry routers with an interface on the network.
pub(crate) fn router_hosts(world: &World, network: NetworkId) -> BTreeSet<HostName> {
    let carried = |port: &Arc<Port>| {
        let host = router::router_host(world, l3::router::carried_by(port)?)?;
        (port.bound_host() == Some(host)).then(|| host.clone())
    };
    interfaces(world, network).filter_map(carried).collect()
}

/// The networks on which a router has interfaces.
pub(crate) fn networks_of(world: &World, router: RouterId) -> BTreeSet<NetworkId> {
    if world.get::<Router>(&router).is_none() {
        return BTreeSet::new();
    }
    l3::router::interfaces(world, router).map(|port| port.network_id).collect()
}

fn interfaces(world: &World, network: NetworkId) -> impl Iterator<Item = &Arc<Port>> {
    INTERFACES.iter().flat_map(move |owner| owned(world, network, owner))
}

fn owned<'w>(world: &'w World, network: NetworkId, owner: &'static str) -> impl Iterator<Item = &'w Arc<Port>> {
    world.table::<Port>().by(Port::BY_OWNER, Key::TextUuid(SmolStr::new_static(owner), network.0))
}

/// The one port of a network at which the link-local address answers: a router's before a DHCP server's, the first of several.
pub(crate) fn link_local_port(world: &World, network: NetworkId) -> Option<PortId> {
    world.get::<Network>(&network)?;
    let bound = |port: &&Arc<Port>| port.bound_host().is_some();
    let router = interfaces(world, network).filter(bound).map(|port| port.id).min();
    router.or_else(|| owned(world, network, device_owner::DHCP).filter(bound).map(|port| port.id).min())
}

/// True when no router has the address that clients of the subnet take for their router's.
pub(crate) fn is_isolated(world: &World, subnet: &Subnet) -> bool {
    let Some(gateway) = subnet.gateway_ip else { return true };
    let has = |port: &Arc<Port>| port.fixed_ips.iter().any(|ip| ip.subnet_id == subnet.id && ip.ip_address == gateway);
    !interfaces(world, subnet.network_id).any(has)
}
