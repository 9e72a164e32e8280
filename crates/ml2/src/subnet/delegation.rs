//! Subnets whose prefix is delegated: it comes when a router of theirs got one from outside, may change, and goes.

use super::ops::{check_overlap, touch_network};
use super::{SubnetFault, routed};
use crate::dhcp;
use api::Op;
use model::{AllocationPool, Port, Subnet, provisional_prefix};
use net::{IpNet, PortId, SubnetId};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// The bits of an address that are not of a /64.
const WITHIN: u128 = u64::MAX as u128;

/// Gives a delegated subnet this prefix, the first /64 of it, or takes the prefix that it has. Its gateway, its pools and the addresses of
/// ports keep their places in it. Other subnets are left alone.
pub fn delegate(op: &mut Op<'_>, id: SubnetId, prefix: Option<IpNet>) -> Result<(), SubnetFault> {
    let Some(subnet) = op.tx.get::<Subnet>(&id).filter(|subnet| subnet.delegated).cloned() else { return Ok(()) };
    let cidr = prefix.map_or_else(provisional_prefix, |prefix| within(&prefix));
    if cidr == subnet.cidr {
        return Ok(());
    }
    if prefix.is_some() {
        check_overlap(op.tx.world(), subnet.network_id, &cidr, Some(id))?;
    }
    let now = op.tx.context.now;
    let moved = |address: IpAddr| place(&cidr, address);
    let holders = op.tx.table::<Port>().by(Port::BY_NETWORK, subnet.network_id);
    let holders: Vec<PortId> = holders.filter(|port| port.fixed_ips.iter().any(|ip| ip.subnet_id == id)).map(|port| port.id).collect();
    for port in holders {
        op.tx.update::<Port>(&port, |port| {
            port.fixed_ips.iter_mut().filter(|ip| ip.subnet_id == id).for_each(|ip| ip.ip_address = moved(ip.ip_address));
            port.standard.touch(now);
        });
    }
    let mut new = Subnet::clone(&subnet);
    new.cidr = cidr;
    new.gateway_ip = new.gateway_ip.map(moved);
    new.allocation_pools =
        new.allocation_pools.iter().map(|pool| AllocationPool { start: moved(pool.start), end: moved(pool.end) }).collect();
    new.standard.touch(now);
    op.tx.put(new);
    touch_network(op, subnet.network_id);
    routed::peer_routes(op, subnet.network_id, Some(&Arc::clone(&subnet)));
    dhcp::schedule(op, subnet.network_id);
    Ok(())
}

fn within(prefix: &IpNet) -> IpNet {
    IpNet::new(net::first_address(prefix), 64).expect("64 is a prefix length of IPv6")
}

/// The address of the same place in another /64.
fn place(cidr: &IpNet, address: IpAddr) -> IpAddr {
    match (net::first_address(cidr), address) {
        (IpAddr::V6(first), IpAddr::V6(address)) => Ipv6Addr::from(u128::from(first) | (u128::from(address) & WITHIN)).into(),
        _ => address,
    }
}
