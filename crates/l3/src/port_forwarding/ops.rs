//! Create, update and delete of port forwardings.

use super::{PortForwardingFault, kinds};
use crate::floating_ip::{check_owner, router_for};
use api::{Fault, Fields, Op};
use model::{FloatingIp, FloatingIpStatus, ForwardedProtocol, Port, PortForwarding};
use net::{FloatingIpId, PortForwardingId, RouterId};
use std::net::IpAddr;
use std::sync::Arc;
use world::World;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<PortForwardingId, Fault> {
    let id: FloatingIpId = fields.typed("floatingip_id").expect("a required attribute");
    let gone = || Fault::new(404, "FloatingIPNotFound", format!("Floating IP {id} could not be found"));
    let floating_ip = op.tx.get::<FloatingIp>(&id).cloned().ok_or_else(gone)?;
    let internal_port_id = fields.typed("internal_port_id").expect("a required attribute");
    let internal: IpAddr = fields.typed("internal_ip_address").expect("a required attribute");
    let IpAddr::V4(internal_ip_address) = internal else {
        return Err(PortForwardingFault::NotOnPort(internal_port_id, internal).into());
    };
    let forwarding = PortForwarding {
        id: PortForwardingId(op.tx.context.uuid()),
        project_id: floating_ip.project_id.clone(),
        floatingip_id: id,
        internal_port_id,
        internal_ip_address,
        protocol: protocol(fields).expect("a required attribute"),
        external_ports: ports(fields, "external")?.ok_or(PortForwardingFault::Ports("external"))?,
        internal_ports: ports(fields, "internal")?.ok_or(PortForwardingFault::Ports("internal"))?,
        description: fields.text("description").unwrap_or_default(),
    };
    let router = validate(op, &floating_ip, &forwarding)?;
    let id = forwarding.id;
    op.tx.put(forwarding);
    changed(op, &floating_ip, router);
    Ok(id)
}

fn protocol(fields: &Fields) -> Option<ForwardedProtocol> {
    fields.text("protocol").and_then(|word| ForwardedProtocol::from_word(&word))
}

/// The ports of one side; none when the request says nothing of them.
fn ports(fields: &Fields, side: &'static str) -> Result<Option<(u16, u16)>, PortForwardingFault> {
    let port = fields.int(&format!("{side}_port")).and_then(|port| u16::try_from(port).ok()).map(|port| (port, port));
    let range = fields.text(&format!("{side}_port_range")).and_then(|text| kinds::parsed(&text));
    match (port, range) {
        (Some(port), Some(range)) if port != range => Err(PortForwardingFault::Ports(side)),
        (port, range) => Ok(range.or(port)),
    }
}

/// The router through which it goes, when it can be.
fn validate(op: &Op<'_>, floating_ip: &FloatingIp, new: &PortForwarding) -> Result<RouterId, PortForwardingFault> {
    let world = op.tx.world();
    if floating_ip.port_id.is_some() {
        return Err(PortForwardingFault::Associated(floating_ip.id));
    }
    let size = |(first, last): (u16, u16)| last - first;
    if size(new.external_ports) != size(new.internal_ports) {
        return Err(PortForwardingFault::Sizes);
    }
    let port = world.get::<Port>(&new.internal_port_id).filter(|port| check_owner(op, port, &floating_ip.project_id).is_ok());
    let port = port.ok_or(PortForwardingFault::PortNotFound(new.internal_port_id))?;
    let fixed = port.fixed_ips.iter().find(|ip| ip.ip_address == new.internal_ip());
    let subnet = fixed.ok_or(PortForwardingFault::NotOnPort(port.id, new.internal_ip()))?.subnet_id;
    let network = floating_ip.floating_network_id;
    let router = router_for(world, network, subnet).ok_or(PortForwardingFault::Unreachable(network, subnet, port.id))?;
    let mut others = world.table::<PortForwarding>().by(PortForwarding::BY_FLOATING_IP, floating_ip.id).filter(|f| f.id != new.id);
    if floating_ip.router_id.is_some_and(|there| there != router) && others.next().is_some() {
        return Err(PortForwardingFault::OtherRouter(floating_ip.id));
    }
    let mut leading = world.table::<FloatingIp>().by(FloatingIp::BY_PORT, port.id);
    if leading.any(|floating_ip| floating_ip.fixed_ip_address == Some(new.internal_ip_address)) {
        return Err(PortForwardingFault::HasFloatingIp(port.id, new.internal_ip()));
    }
    check_collisions(world, new)?;
    Ok(router)
}

/// Of the forwardings of one protocol of a floating IP, no two have a port in common, outside or at one address inside.
fn check_collisions(world: &World, new: &PortForwarding) -> Result<(), PortForwardingFault> {
    let meet = |a: (u16, u16), b: (u16, u16)| a.0 <= b.1 && b.0 <= a.1;
    let all = world.table::<PortForwarding>().by(PortForwarding::BY_FLOATING_IP, new.floatingip_id);
    for other in all.filter(|other| other.id != new.id && other.protocol == new.protocol) {
        if meet(other.external_ports, new.external_ports) {
            return Err(PortForwardingFault::Collision("external_port_range", other.external_ports, new.external_ports));
        }
        let same = |forwarding: &PortForwarding| (forwarding.internal_port_id, forwarding.internal_ip_address);
        if same(other) == same(new) && meet(other.internal_ports, new.internal_ports) {
            return Err(PortForwardingFault::Collision("internal_port_range", other.internal_ports, new.internal_ports));
        }
    }
    Ok(())
}

/// The floating IP goes through the router of its port forwardings, and is another by them.
fn changed(op: &mut Op<'_>, floating_ip: &FloatingIp, router: RouterId) {
    let now = op.tx.context.now;
    op.tx.update::<FloatingIp>(&floating_ip.id, |floating_ip| {
        if floating_ip.router_id != Some(router) {
            floating_ip.router_id = Some(router);
            floating_ip.status = FloatingIpStatus::Down;
        }
        floating_ip.standard.touch(now);
    });
}

pub(super) fn update(op: &mut Op<'_>, forwarding: &Arc<PortForwarding>, fields: &Fields) -> Result<(), Fault> {
    let mut new = PortForwarding::clone(forwarding);
    if let Some(port) = fields.typed("internal_port_id") {
        new.internal_port_id = port;
    }
    match fields.typed::<IpAddr>("internal_ip_address") {
        Some(IpAddr::V4(address)) => new.internal_ip_address = address,
        Some(other) => return Err(PortForwardingFault::NotOnPort(new.internal_port_id, other).into()),
        None => {}
    }
    new.protocol = protocol(fields).unwrap_or(new.protocol);
    new.external_ports = ports(fields, "external")?.unwrap_or(new.external_ports);
    new.internal_ports = ports(fields, "internal")?.unwrap_or(new.internal_ports);
    new.description = fields.text("description").unwrap_or(new.description);
    if new == **forwarding {
        return Ok(());
    }
    let Some(floating_ip) = op.tx.get::<FloatingIp>(&new.floatingip_id).cloned() else { return Ok(()) };
    let router = validate(op, &floating_ip, &new)?;
    op.tx.put(new);
    changed(op, &floating_ip, router);
    Ok(())
}

pub(super) fn delete(op: &mut Op<'_>, forwarding: &Arc<PortForwarding>) -> Result<(), Fault> {
    remove(op, forwarding.id);
    Ok(())
}

/// Removes it; a floating IP without any is free again.
pub(crate) fn remove(op: &mut Op<'_>, id: PortForwardingId) {
    let Some(forwarding) = op.tx.remove::<PortForwarding>(&id) else { return };
    let is_last = !op.tx.table::<PortForwarding>().has(PortForwarding::BY_FLOATING_IP, forwarding.floatingip_id);
    let now = op.tx.context.now;
    op.tx.update::<FloatingIp>(&forwarding.floatingip_id, |floating_ip| {
        if is_last && floating_ip.port_id.is_none() {
            floating_ip.router_id = None;
            floating_ip.status = FloatingIpStatus::Down;
        }
        floating_ip.standard.touch(now);
    });
}
