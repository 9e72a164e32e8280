//! Create, update and delete of NDP proxies.

use super::NdpProxyFault;
use crate::router::ports;
use api::{Fault, Fields, Op};
use ml2::address_scope;
use model::{FixedIp, NdpProxy, Network, Port, Router, Standard};
use net::{Family, NdpProxyId, PortId, ProjectId, RouterId, SubnetId};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<NdpProxyId, Fault> {
    let router_id: RouterId = fields.typed("router_id").expect("a required attribute");
    let port_id: PortId = fields.typed("port_id").expect("a required attribute");
    let asked: Option<IpAddr> = fields.typed::<Option<IpAddr>>("ip_address").flatten();
    let ip_address = resolve(op, router_id, port_id, asked)?;
    if op.tx.table::<NdpProxy>().by(NdpProxy::BY_ROUTER, router_id).any(|proxy| proxy.ip_address == ip_address) {
        return Err(NdpProxyFault::Duplicate(router_id, ip_address).into());
    }
    let id = NdpProxyId(op.tx.context.uuid());
    op.tx.put(NdpProxy {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        router_id,
        port_id,
        ip_address,
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    });
    Ok(id)
}

/// The address of the port that the router is to answer for, when it can.
fn resolve(op: &Op<'_>, router_id: RouterId, port_id: PortId, asked: Option<IpAddr>) -> Result<Ipv6Addr, NdpProxyFault> {
    let world = op.tx.world();
    let own = |project: &ProjectId| op.caller.is_admin || op.caller.owns(project.as_str());
    let on_own = |port: &Port| world.get::<Network>(&port.network_id).is_some_and(|network| own(&network.project_id));
    let port = world.get::<Port>(&port_id).filter(|port| own(&port.project_id) || on_own(port));
    let port = port.ok_or(NdpProxyFault::PortNotFound(port_id))?;
    let router = world.get::<Router>(&router_id).filter(|router| own(&router.project_id));
    let router = router.ok_or(NdpProxyFault::RouterNotFound(router_id))?;
    let joined: BTreeSet<SubnetId> = ports(world, router_id)
        .filter(|there| there.network_id == port.network_id)
        .flat_map(|there| there.fixed_ips.iter().filter(|ip| ip.ip_address.is_ipv6()).map(|ip| ip.subnet_id))
        .collect();
    if !ports(world, router_id).any(|there| there.network_id == port.network_id) {
        return Err(NdpProxyFault::Unreachable(port_id, router_id));
    }
    let gateway = router.gateway.filter(|_| router.enable_ndp_proxy).ok_or(NdpProxyFault::NotEnabled(router_id))?;
    let address = address(router_id, port, &joined, asked)?;
    let scope = |network| address_scope::of_network(world, network, Family::V6);
    let (outside, inside) = (scope(gateway.network_id), scope(port.network_id));
    if outside == inside { Ok(address) } else { Err(NdpProxyFault::Scopes(outside, inside)) }
}

/// The one asked for, or the port's first that the router has a way to.
fn address(router: RouterId, port: &Port, joined: &BTreeSet<SubnetId>, asked: Option<IpAddr>) -> Result<Ipv6Addr, NdpProxyFault> {
    let ipv6 = |ip: &FixedIp| match ip.ip_address {
        IpAddr::V6(address) => Some((address, ip.subnet_id)),
        IpAddr::V4(_) => None,
    };
    let own: Vec<(Ipv6Addr, SubnetId)> = port.fixed_ips.iter().filter_map(ipv6).collect();
    if own.is_empty() {
        return Err(NdpProxyFault::NoIpv6(port.id));
    }
    let Some(asked) = asked else {
        let reached = own.iter().find(|(_, subnet)| joined.contains(subnet));
        return reached.map(|(address, _)| *address).ok_or(NdpProxyFault::Unreachable(port.id, router));
    };
    match own.iter().find(|(address, _)| IpAddr::V6(*address) == asked) {
        Some((address, subnet)) if joined.contains(subnet) => Ok(*address),
        Some(_) => Err(NdpProxyFault::InvalidAddress(asked, format!("This address cannot reach the router {router}"))),
        None => Err(NdpProxyFault::InvalidAddress(asked, format!("This address not belong to the port {}", port.id))),
    }
}

pub(super) fn update(op: &mut Op<'_>, proxy: &Arc<NdpProxy>, fields: &Fields) -> Result<(), Fault> {
    let mut new = NdpProxy::clone(proxy);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if new != **proxy {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

pub(super) fn delete(op: &mut Op<'_>, proxy: &Arc<NdpProxy>) -> Result<(), Fault> {
    op.tx.remove::<NdpProxy>(&proxy.id);
    Ok(())
}

/// Those for addresses that a port loses go.
pub(crate) fn forget(op: &mut Op<'_>, port: PortId, gone: impl Fn(IpAddr) -> bool) {
    let proxies = op.tx.table::<NdpProxy>().by(NdpProxy::BY_PORT, port).filter(|proxy| gone(IpAddr::V6(proxy.ip_address)));
    for id in proxies.map(|proxy| proxy.id).collect::<Vec<NdpProxyId>>() {
        op.tx.remove::<NdpProxy>(&id);
    }
}
