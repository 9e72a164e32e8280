//! Subnets of routed networks: each is on one segment, and instances of one learn the ways to the others.

use super::SubnetFault;
use api::Op;
use model::{HostRoute, Network, Subnet};
use net::{NetworkId, SegmentId, SubnetId};
use std::sync::Arc;
use world::World;

fn subnets(world: &World, network: NetworkId) -> impl Iterator<Item = &Arc<Subnet>> {
    world.table::<Subnet>().by(Subnet::BY_NETWORK, network)
}

fn check_segment(world: &World, network: NetworkId, segment: SegmentId) -> Result<(), SubnetFault> {
    let owner = world.table::<Network>().by(Network::BY_SEGMENT_ID, segment).next().ok_or(SubnetFault::NoSegment(segment))?;
    if owner.id == network { Ok(()) } else { Err(SubnetFault::ForeignSegment(network, segment)) }
}

/// A new subnet is on a segment of its network when the others are on segments, and on none when they are on none.
pub(super) fn check_new(world: &World, network: &Network, segment: Option<SegmentId>) -> Result<(), SubnetFault> {
    if let Some(segment) = segment {
        check_segment(world, network.id, segment)?;
    }
    let differs = |subnet: &Arc<Subnet>| subnet.segment_id.is_some() != segment.is_some();
    if subnets(world, network.id).any(differs) { Err(SubnetFault::SegmentsOfSome(network.id)) } else { Ok(()) }
}

/// The only subnet of a network with one segment can be put on that segment, which makes the network a routed one.
pub(super) fn check_moved(world: &World, subnet: &Subnet, segment: Option<SegmentId>) -> Result<(), SubnetFault> {
    if segment == subnet.segment_id {
        return Ok(());
    }
    if subnets(world, subnet.network_id).count() > 1 {
        return Err(SubnetFault::SegmentsOfSome(subnet.network_id));
    }
    let segment = segment.filter(|_| subnet.segment_id.is_none()).ok_or(SubnetFault::SegmentFixed)?;
    if world.get::<Network>(&subnet.network_id).is_some_and(|network| network.segments.len() > 1) {
        return Err(SubnetFault::SeveralSegments(subnet.network_id));
    }
    check_segment(world, subnet.network_id, segment)
}

/// Brings the routes of all subnets of a routed network up to date, by their gateways to the subnets of other segments. `before`: the subnet as
/// it was that is gone or changed; what led to it, or by its old gateway, goes.
pub(super) fn peer_routes(op: &mut Op<'_>, network: NetworkId, before: Option<&Subnet>) {
    let all: Vec<Arc<Subnet>> = subnets(op.tx.world(), network).cloned().collect();
    let is_routed = all.iter().map(|subnet| &**subnet).chain(before).any(|subnet| subnet.segment_id.is_some());
    if !is_routed {
        return;
    }
    for subnet in all.iter().filter(|subnet| subnet.segment_id.is_some()) {
        let routes = with_peers(subnet, &all, before);
        if routes != subnet.host_routes {
            let now = op.tx.context.now;
            op.tx.update::<Subnet>(&subnet.id, |subnet| {
                subnet.host_routes = routes;
                subnet.standard.touch(now);
            });
        }
    }
}

fn with_peers(subnet: &Subnet, all: &[Arc<Subnet>], before: Option<&Subnet>) -> Vec<HostRoute> {
    let mut routes = subnet.host_routes.clone();
    let is_peer = |other: &Subnet| other.id != subnet.id && other.segment_id != subnet.segment_id && other.family() == subnet.family();
    if let Some(before) = before {
        let is_gone = |id: SubnetId| !all.iter().any(|subnet| subnet.id == id);
        if is_gone(before.id) {
            routes.retain(|route| route.destination != before.cidr || Some(route.nexthop) != subnet.gateway_ip);
        }
        if before.id == subnet.id && before.gateway_ip != subnet.gateway_ip {
            let led = |route: &HostRoute| all.iter().any(|other| is_peer(other) && other.cidr == route.destination);
            routes.retain(|route| Some(route.nexthop) != before.gateway_ip || !led(route));
        }
    }
    let Some(gateway) = subnet.gateway_ip else { return routes };
    for other in all.iter().filter(|other| is_peer(other)) {
        if !routes.iter().any(|route| route.destination.contains(&other.cidr)) {
            routes.push(HostRoute { destination: other.cidr, nexthop: gateway });
        }
    }
    routes
}
