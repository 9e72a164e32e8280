//! In which subnets of its network a port may have addresses: those for its kind of owner, and on a routed network those of one segment, which its
//! host reaches.
//!
//! A port of a routed network whose host is not known yet gets its addresses when it is (`ip_allocation` `deferred`).

use super::{Asked, PortFault};
use crate::drivers::reached;
use model::{Network, Port, Subnet, device_owner};
use net::{HostName, SegmentId};
use std::collections::BTreeSet;
use std::sync::Arc;
use world::World;

/// True when such a port gets addresses in the subnet.
fn is_for(subnet: &Subnet, port: &Port) -> bool {
    let served = port.device_owner == device_owner::DHCP && subnet.enable_dhcp;
    subnet.service_types.is_empty() || served || subnet.service_types.contains(&port.device_owner)
}

fn subnets<'w>(world: &'w World, port: &Port) -> Vec<&'w Arc<Subnet>> {
    world.table::<Subnet>().by(Subnet::BY_NETWORK, port.network_id).collect()
}

/// True when the port has to wait for its host before it can get addresses.
pub(super) fn is_deferred(world: &World, port: &Port) -> bool {
    port.binding.host.is_empty() && subnets(world, port).iter().any(|subnet| subnet.segment_id.is_some() && is_for(subnet, port))
}

/// The subnets for a port, those for its kind of owner alone first; none also when its network has none.
pub(super) fn eligible<'w>(world: &'w World, port: &Port, asked: Option<&[Asked]>) -> Result<Vec<&'w Arc<Subnet>>, PortFault> {
    let all = subnets(world, port);
    if all.is_empty() {
        return Ok(all);
    }
    let is_routed = all.iter().any(|subnet| subnet.segment_id.is_some());
    let mut own: Vec<_> = all.into_iter().filter(|subnet| is_for(subnet, port)).collect();
    if own.is_empty() {
        return Err(PortFault::NoServiceSubnet(port.network_id, port.device_owner.clone()));
    }
    own.sort_by_key(|subnet| subnet.service_types.is_empty());
    if is_routed {
        let segment = segment_of(world, port, &own, asked)?;
        own.retain(|subnet| subnet.segment_id == segment);
    }
    Ok(own)
}

/// The segment on which a port of a routed network is: that of its host, else that of the addresses that are asked for.
fn segment_of(world: &World, port: &Port, own: &[&Arc<Subnet>], asked: Option<&[Asked]>) -> Result<Option<SegmentId>, PortFault> {
    if !port.binding.host.is_empty() {
        let network = world.get::<Network>(&port.network_id);
        let segment = network.and_then(|network| reached(world, &port.binding.host, network)).map(|segment| segment.id);
        let has_subnets = |segment: &SegmentId| own.iter().any(|subnet| subnet.segment_id == Some(*segment));
        let nowhere = || PortFault::HostOffNetwork(port.binding.host.clone(), port.network_id);
        return segment.filter(has_subnets).ok_or_else(nowhere).map(Some);
    }
    let named = asked.unwrap_or_default().iter().filter_map(|asked| {
        let is_it = |subnet: &&&Arc<Subnet>| match (asked.subnet_id, asked.ip_address) {
            (Some(id), _) => subnet.id == id,
            (None, Some(address)) => subnet.cidr.contains(&address),
            (None, None) => false,
        };
        own.iter().find(is_it).map(|subnet| subnet.segment_id)
    });
    let segments: BTreeSet<Option<SegmentId>> = named.collect();
    if segments.len() > 1 {
        return Err(PortFault::SeveralSegments);
    }
    Ok(segments.into_iter().next().unwrap_or_else(|| own.first().and_then(|subnet| subnet.segment_id)))
}

/// Refuses a host on which the port's addresses lead nowhere.
pub(super) fn check_host(world: &World, port: &Port, host: &HostName) -> Result<(), PortFault> {
    let segments: BTreeSet<SegmentId> = port.fixed_ips.iter().filter_map(|ip| world.get::<Subnet>(&ip.subnet_id)?.segment_id).collect();
    if segments.is_empty() || host.is_empty() {
        return Ok(());
    }
    let network = world.get::<Network>(&port.network_id);
    let segment = network.and_then(|network| reached(world, host, network)).map(|segment| segment.id);
    let fits = segments.iter().all(|there| Some(*there) == segment);
    if fits { Ok(()) } else { Err(PortFault::HostOffSegment(host.clone(), port.id)) }
}
