//! Which router carries a floating IP to which address of a port.

use super::FloatingIpFault;
use crate::router::carried_by;
use api::Op;
use model::{FixedIp, FloatingIp, Port, PortForwarding, Router, Subnet, device_owner};
use net::{NetworkId, PortId, ProjectId, RouterId, SubnetId};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use world::{Key, World};

/// Where a floating IP is to lead.
pub(super) struct Association {
    pub(super) port: PortId,
    pub(super) fixed: Ipv4Addr,
    pub(super) router: RouterId,
}

/// Finds the way from a floating IP (as it is or would be) to a port.
pub(super) fn resolve(
    op: &Op<'_>,
    floating_ip: &FloatingIp,
    port_id: PortId,
    asked: Option<IpAddr>,
    router: Option<RouterId>,
) -> Result<Association, FloatingIpFault> {
    let world = op.tx.world();
    let port = world.get::<Port>(&port_id).ok_or(FloatingIpFault::PortNotFound(port_id))?;
    if port.device_owner == device_owner::DHCP {
        return Err(FloatingIpFault::DhcpPort(port_id));
    }
    check_owner(op, port, &floating_ip.project_id).map_err(|is_visible| {
        if is_visible { FloatingIpFault::ForeignPort(port_id, floating_ip.id) } else { FloatingIpFault::PortNotFound(port_id) }
    })?;
    let (fixed, subnet) = internal(port, asked)?;
    let network = floating_ip.floating_network_id;
    let router = match router {
        Some(chosen) => check_router(op, chosen, network)?,
        None => router_for(world, network, subnet).ok_or(FloatingIpFault::Unreachable { network, subnet, port: port_id })?,
    };
    check_free(world, floating_ip, port_id, fixed)?;
    Ok(Association { port: port_id, fixed, router })
}

/// A router that is named need not join the port's subnet, which may be behind further routers. It must lead outside there.
fn check_router(op: &Op<'_>, id: RouterId, network: NetworkId) -> Result<RouterId, FloatingIpFault> {
    let router = op.tx.get::<Router>(&id).filter(|router| op.caller.is_admin || op.caller.owns(router.project_id.as_str()));
    let router = router.ok_or(FloatingIpFault::RouterNotFound(id))?;
    if router.leads_to(network) { Ok(id) } else { Err(FloatingIpFault::NoGateway(id, network)) }
}

/// A port must be of the floating IP's project. The refusal says whether the caller may know of the port at all.
pub(crate) fn check_owner(op: &Op<'_>, port: &Port, owner: &ProjectId) -> Result<(), bool> {
    let caller = op.caller;
    if caller.is_admin || port.project_id == *owner {
        return Ok(());
    }
    let network = op.tx.get::<model::Network>(&port.network_id);
    Err(caller.owns(port.project_id.as_str()) || network.is_some_and(|network| caller.owns(network.project_id.as_str())))
}

fn internal(port: &Port, asked: Option<IpAddr>) -> Result<(Ipv4Addr, SubnetId), FloatingIpFault> {
    let ipv4 = |ip: &FixedIp| match ip.ip_address {
        IpAddr::V4(address) => Some((address, ip.subnet_id)),
        IpAddr::V6(_) => None,
    };
    let mut addresses = port.fixed_ips.iter().filter_map(ipv4);
    match asked {
        Some(IpAddr::V4(asked)) => {
            addresses.find(|(address, _)| *address == asked).ok_or(FloatingIpFault::NotOnPort(port.id, IpAddr::V4(asked)))
        }
        Some(other) => Err(FloatingIpFault::FixedNotIpv4(other)),
        None => match (addresses.next(), addresses.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(FloatingIpFault::NoIpv4(port.id)),
            (Some(_), Some(_)) => Err(FloatingIpFault::SeveralIpv4(port.id)),
        },
    }
}

/// The router between an external network and a subnet: first the subnet's own default router, then any.
pub(crate) fn router_for(world: &World, external: NetworkId, subnet: SubnetId) -> Option<RouterId> {
    let subnet = world.get::<Subnet>(&subnet)?;
    let owners = [device_owner::ROUTER_INTERFACE, device_owner::ROUTER_INTERFACE_DISTRIBUTED, device_owner::HA_REPLICATED_INTERFACE];
    let leads = |port: &&Arc<Port>| {
        let router = carried_by(port).and_then(|id| world.get::<Router>(&id));
        router.is_some_and(|router| router.leads_to(external))
    };
    let on_subnet = |port: &&Arc<Port>| port.fixed_ips.iter().any(|ip| ip.subnet_id == subnet.id);
    let ports =
        owners.iter().flat_map(|owner| world.table::<Port>().by(Port::BY_OWNER, Key::TextUuid((*owner).into(), subnet.network_id.0)));
    let ports: Vec<&Arc<Port>> = ports.filter(on_subnet).filter(leads).collect();
    let is_default = |port: &&&Arc<Port>| port.fixed_ips.iter().any(|ip| Some(ip.ip_address) == subnet.gateway_ip);
    carried_by(ports.iter().find(is_default).or(ports.first())?)
}

/// An address has one floating IP on each external network, and either that or port forwardings.
fn check_free(world: &World, floating_ip: &FloatingIp, port: PortId, fixed: Ipv4Addr) -> Result<(), FloatingIpFault> {
    let mut others = world.table::<FloatingIp>().by(FloatingIp::BY_PORT, port).filter(|other| other.id != floating_ip.id);
    let network = floating_ip.floating_network_id;
    if others.any(|other| other.fixed_ip_address == Some(fixed) && other.floating_network_id == network) {
        let (address, id) = (floating_ip.floating_ip_address, floating_ip.id);
        return Err(FloatingIpFault::Associated { address, id, port, fixed, network });
    }
    if world.table::<PortForwarding>().has(PortForwarding::BY_FLOATING_IP, floating_ip.id) {
        return Err(FloatingIpFault::Forwarding(floating_ip.id));
    }
    let mut forwardings = world.table::<PortForwarding>().by(PortForwarding::BY_PORT, port);
    if forwardings.any(|forwarding| forwarding.internal_ip_address == fixed) {
        return Err(FloatingIpFault::PortForwards(port, fixed));
    }
    Ok(())
}
