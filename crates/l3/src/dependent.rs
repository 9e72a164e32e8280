//! What changes here when a port or an agent does.

use crate::floating_ip::{associated_with, disassociate, remove};
use crate::port_forwarding;
use crate::router::{RouterFault, carried_by};
use crate::{auto_allocate, local_ip, ndp_proxy, schedule};
use api::{Fault, Op};
use ml2::Dependent;
use ml2::port::is_router_port;
use model::{FloatingIp, Network, Port, PortForwarding, Router, device_owner};
use net::{FloatingIpId, PortForwardingId};
use std::net::IpAddr;

/// For the settings: `ml2::Dependents(vec![l3::dependent()])`.
pub fn dependent() -> Dependent {
    let (agent_able, agent_lost) = (schedule::agent_able, schedule::agent_lost);
    Dependent { port_create, port_update, port_delete, network_delete, agent_able, agent_lost }
}

fn port_create(op: &mut Op<'_>, port: &Port) -> Result<(), Fault> {
    check_device(op, port)
}

/// Nobody makes his port an interface of another project's router.
fn check_device(op: &Op<'_>, port: &Port) -> Result<(), Fault> {
    if op.caller.is_admin || op.caller.roles.contains("service") || !is_router_port(port) {
        return Ok(());
    }
    let router = carried_by(port).and_then(|id| op.tx.get::<Router>(&id));
    match router.filter(|router| !op.caller.owns(router.project_id.as_str())) {
        Some(_) => Err(RouterFault::ForeignDevice(port.device_id.clone()).into()),
        None => Ok(()),
    }
}

/// The device and the addresses of a router's port are the router's business; what leads to an address that goes leads nowhere.
fn port_update(op: &mut Op<'_>, before: &Port, after: &Port) -> Result<(), Fault> {
    if (&before.device_id, &before.device_owner) != (&after.device_id, &after.device_owner) {
        if owner_exists(op, before) {
            return Err(RouterFault::DeviceFixed(before.id, before.device_owner.clone()).into());
        }
        check_device(op, after)?;
    }
    if before.fixed_ips == after.fixed_ips {
        return Ok(());
    }
    if owner_exists(op, before) && before.device_owner != device_owner::ROUTER_GATEWAY {
        return Err(RouterFault::AddressFixed(before.id).into());
    }
    forget_addresses(op, before, |address| !after.fixed_ips.iter().any(|ip| ip.ip_address == address));
    Ok(())
}

fn port_delete(op: &mut Op<'_>, port: &Port) -> Result<(), Fault> {
    if owner_exists(op, port) {
        return Err(RouterFault::ServicePort(port.id, port.device_owner.clone()).into());
    }
    local_ip::check_port(op, port.id)?;
    forget_addresses(op, port, |_| true);
    Ok(())
}

/// Floating IPs that lead nowhere go with their external network, auto-allocated topologies with theirs.
fn network_delete(op: &mut Op<'_>, network: &Network) {
    auto_allocate::forget(op, network.id);
    let ports = op.tx.table::<Port>().by(Port::BY_NETWORK, network.id);
    let owners = ports.filter(|port| port.device_owner == device_owner::FLOATING_IP).filter_map(|port| port.device_id.parse().ok());
    let is_free = |id: &FloatingIpId| op.tx.get::<FloatingIp>(id).is_some_and(|floating_ip| floating_ip.router_id.is_none());
    for id in owners.filter(is_free).collect::<Vec<_>>() {
        remove(op, id);
    }
}

/// True for ports whose router or floating IP is there.
fn owner_exists(op: &Op<'_>, port: &Port) -> bool {
    if port.device_owner == device_owner::FLOATING_IP {
        return port.device_id.parse::<FloatingIpId>().is_ok_and(|id| op.tx.get::<FloatingIp>(&id).is_some());
    }
    carried_by(port).is_some_and(|id| op.tx.get::<Router>(&id).is_some())
}

/// Floating IPs and local IPs stay, without the port; port forwardings and NDP proxies go.
fn forget_addresses(op: &mut Op<'_>, port: &Port, gone: impl Fn(IpAddr) -> bool) {
    for floating_ip in associated_with(op.tx.world(), port.id) {
        if floating_ip.fixed_ip_address.is_some_and(|address| gone(IpAddr::V4(address))) {
            disassociate(op, floating_ip.id);
        }
    }
    ndp_proxy::forget(op, port.id, &gone);
    local_ip::forget(op, port.id, &gone);
    let forwardings = op.tx.table::<PortForwarding>().by(PortForwarding::BY_PORT, port.id);
    let forwardings: Vec<PortForwardingId> = forwardings.filter(|f| gone(f.internal_ip())).map(|f| f.id).collect();
    for id in forwardings {
        port_forwarding::remove(op, id);
    }
}
