//! Prefixes that come from outside by a router's gateway, for subnets behind it.

use super::interface::overlaps;
use super::{carried_by, interfaces, ports, subnets_of};
use crate::schedule::carrier_of;
use api::Op;
use ml2::subnet::delegate;
use model::{Port, Router, Subnet, device_owner};
use net::{HostName, IpNet, RouterId, SubnetId};
use smol_str::SmolStr;
use world::{Key, World};

/// Owners of a router's ports inside.
const OWNERS: [&str; 3] =
    [device_owner::ROUTER_INTERFACE, device_owner::ROUTER_INTERFACE_DISTRIBUTED, device_owner::HA_REPLICATED_INTERFACE];

/// The host that carries a router says which prefix a subnet has, or that it has none; why it cannot be used, where that is so. Whoever
/// does not carry the router is late.
pub fn prefix_delegated(
    op: &mut Op<'_>,
    router: RouterId,
    subnet: SubnetId,
    prefix: Option<IpNet>,
    host: &HostName,
) -> Result<(), &'static str> {
    let world = op.tx.world().clone();
    let Some(there) = world.get::<Router>(&router).filter(|there| carrier_of(&world, there) == Some(host)) else { return Ok(()) };
    let asks = world.get::<Subnet>(&subnet).is_some_and(|subnet| delegating(&world, subnet) == Some(router));
    if there.gateway.is_none() || !asks {
        return Ok(());
    }
    prefix.iter().try_for_each(|prefix| check(&world, router, subnet, prefix))?;
    delegate(op, subnet, prefix).map_err(|_| "it overlaps another subnet of the network")
}

/// A prefix of ordinary addresses that no other subnet of the router has.
fn check(world: &World, router: RouterId, own: SubnetId, prefix: &IpNet) -> Result<(), &'static str> {
    let IpNet::V6(net) = prefix else { return Err("it is not of IPv6") };
    let first = net.network();
    if first.is_multicast() || first.is_unspecified() || first.is_loopback() || first.is_unicast_link_local() {
        return Err("instances may not have such addresses");
    }
    if !(8..=64).contains(&net.prefix_len()) {
        return Err("it is not a /64 or shorter");
    }
    let is_other = |subnet: &Subnet| subnet.id != own && !subnet.is_provisional() && overlaps(&subnet.cidr, prefix);
    let mut others = ports(world, router).flat_map(|port| subnets_of(world, port));
    if others.any(|subnet| is_other(subnet)) { Err("it overlaps another subnet of the router") } else { Ok(()) }
}

/// The router that asks for a delegated subnet's prefix: the first of those with an interface in it.
pub fn delegating(world: &World, subnet: &Subnet) -> Option<RouterId> {
    if !subnet.delegated {
        return None;
    }
    let owned = |owner| Key::TextUuid(SmolStr::new_static(owner), subnet.network_id.0);
    let there = OWNERS.iter().flat_map(|owner| world.table::<Port>().by(Port::BY_OWNER, owned(owner)));
    there.filter(|port| port.fixed_ips.iter().any(|ip| ip.subnet_id == subnet.id)).filter_map(|port| carried_by(port)).min()
}

/// What was delegated for these subnets is given back.
pub(super) fn give_back(op: &mut Op<'_>, subnets: impl IntoIterator<Item = SubnetId>) {
    for subnet in subnets {
        delegate(op, subnet, None).expect("a prefix that stands for one is not refused");
    }
}

/// The subnets whose prefixes a router asks for.
pub(super) fn delegated(world: &World, router: RouterId) -> Vec<SubnetId> {
    let behind = interfaces(world, router).flat_map(|port| subnets_of(world, port));
    behind.filter(|subnet| delegating(world, subnet) == Some(router)).map(|subnet| subnet.id).collect()
}
