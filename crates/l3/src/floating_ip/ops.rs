//! Create, update and delete of floating IPs.

use super::FloatingIpFault;
use super::associate::resolve;
use api::{Fault, Fields, Op};
use ml2::network;
use ml2::port::{Asked, ServicePort, create_service_port};
use model::{FloatingIp, FloatingIpStatus, Port, PortForwarding, PortStatus, Standard, Subnet, device_owner};
use net::{Family, FloatingIpId, NetworkId, PortId, ProjectId, RouterId, SubnetId};
use smol_str::format_smolstr;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<FloatingIpId, Fault> {
    let network_id: NetworkId = fields.typed("floating_network_id").expect("a required attribute");
    if !network::visible(op.tx.world(), op.caller, network_id)?.external {
        return Err(FloatingIpFault::NotExternal(network_id).into());
    }
    let id = FloatingIpId(op.tx.context.uuid());
    let (floating_port_id, floating_ip_address) = address(op, id, network_id, fields)?;
    let mut floating_ip = FloatingIp {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        floating_network_id: network_id,
        floating_ip_address,
        floating_port_id,
        router_id: None,
        port_id: None,
        fixed_ip_address: None,
        status: FloatingIpStatus::Down,
        qos_policy_id: None,
        dns_name: Default::default(),
        dns_domain: Default::default(),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    };
    names(op, &mut floating_ip, fields)?;
    associate(op, &mut floating_ip, requested(fields))?;
    op.tx.put(floating_ip);
    Ok(id)
}

/// Its name in an external DNS service; without one there is nobody to whom it would say anything, and it is not kept.
fn names(op: &Op<'_>, floating_ip: &mut FloatingIp, fields: &Fields) -> Result<(), FloatingIpFault> {
    if !op.settings.get::<ml2::Config>().external_dns {
        return Ok(());
    }
    let (name, domain) = (fields.text("dns_name").unwrap_or_default(), fields.text("dns_domain").unwrap_or_default());
    if name.is_empty() != domain.is_empty() {
        return Err(FloatingIpFault::HalfName { has_name: domain.is_empty() });
    }
    (floating_ip.dns_name, floating_ip.dns_domain) = (name, domain);
    Ok(())
}

/// The port outside and its address: the one asked for, one of the subnet asked for, or any.
fn address(op: &mut Op<'_>, id: FloatingIpId, network: NetworkId, fields: &Fields) -> Result<(PortId, Ipv4Addr), Fault> {
    let subnet_id: Option<SubnetId> = fields.typed::<Option<SubnetId>>("subnet_id").flatten();
    let ip_address: Option<IpAddr> = fields.typed::<Option<IpAddr>>("floating_ip_address").flatten();
    if let Some(other @ IpAddr::V6(_)) = ip_address {
        return Err(FloatingIpFault::FloatingNotIpv4(other).into());
    }
    if ip_address.is_some() || subnet_id.is_some() {
        return port(op, id, network, Asked { subnet_id, ip_address });
    }
    let subnets = op.tx.table::<Subnet>().by(Subnet::BY_NETWORK, network).filter(|subnet| subnet.family() == Family::V4);
    let subnets: Vec<SubnetId> = subnets.map(|subnet| subnet.id).collect();
    let mut refusal: Fault = FloatingIpFault::NoIpv4Subnet(network).into();
    for subnet in subnets {
        match port(op, id, network, Asked { subnet_id: Some(subnet), ip_address: None }) {
            Err(fault) => refusal = fault,
            found => return found,
        }
    }
    Err(refusal)
}

fn port(op: &mut Op<'_>, id: FloatingIpId, network_id: NetworkId, asked: Asked) -> Result<(PortId, Ipv4Addr), Fault> {
    let wanted = ServicePort {
        network_id,
        project_id: ProjectId::default(),
        device_id: format_smolstr!("{id}"),
        device_owner: device_owner::FLOATING_IP,
        fixed_ips: Some(&[asked]),
        status: PortStatus::NotApplicable,
    };
    let port_id = create_service_port(op, &wanted)?;
    let ipv4 = |ip: &model::FixedIp| match ip.ip_address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let address = op.tx.get::<Port>(&port_id).and_then(|port| port.fixed_ips.iter().find_map(ipv4));
    Ok((port_id, address.ok_or(FloatingIpFault::NoIpv4Subnet(network_id))?))
}

/// What a request says about the port inside.
struct Requested {
    port: Option<PortId>,
    fixed: Option<IpAddr>,
    /// The router that is to carry it; none: whichever joins the two.
    router: Option<RouterId>,
}

fn requested(fields: &Fields) -> Requested {
    Requested {
        port: fields.typed::<Option<PortId>>("port_id").flatten(),
        fixed: fields.typed::<Option<IpAddr>>("fixed_ip_address").flatten(),
        router: fields.typed::<Option<RouterId>>("router_id").flatten(),
    }
}

/// Lets it lead there; its status starts anew when that is elsewhere.
fn associate(op: &Op<'_>, floating_ip: &mut FloatingIp, requested: Requested) -> Result<(), FloatingIpFault> {
    let Some(port) = requested.port else {
        if requested.fixed.is_some() {
            return Err(FloatingIpFault::AddressWithoutPort);
        }
        lead_nowhere(op, floating_ip);
        return Ok(());
    };
    let found = resolve(op, floating_ip, port, requested.fixed, requested.router)?;
    let before = (floating_ip.port_id, floating_ip.fixed_ip_address, floating_ip.router_id);
    let after = (Some(found.port), Some(found.fixed), Some(found.router));
    if before != after {
        (floating_ip.port_id, floating_ip.fixed_ip_address, floating_ip.router_id) = after;
        floating_ip.status = FloatingIpStatus::Down;
    }
    Ok(())
}

/// With port forwardings it keeps its router.
fn lead_nowhere(op: &Op<'_>, floating_ip: &mut FloatingIp) {
    if op.tx.table::<PortForwarding>().has(PortForwarding::BY_FLOATING_IP, floating_ip.id) {
        return;
    }
    (floating_ip.port_id, floating_ip.fixed_ip_address, floating_ip.router_id) = (None, None, None);
    floating_ip.status = FloatingIpStatus::Down;
}

/// A body without anything disassociates, as one with a null port does; one with other attributes only leaves the port as it is.
pub(super) fn update(op: &mut Op<'_>, floating_ip: &Arc<FloatingIp>, fields: &Fields) -> Result<(), Fault> {
    let mut new = FloatingIp::clone(floating_ip);
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if fields.is_empty() || fields.has("port_id") {
        associate(op, &mut new, requested(fields))?;
    } else if fields.has("fixed_ip_address") || fields.has("router_id") {
        let asked = requested(fields);
        associate(op, &mut new, Requested { port: floating_ip.port_id, ..asked })?;
    }
    if new != **floating_ip {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

/// Takes a floating IP off its port, which goes or loses the address.
pub(crate) fn disassociate(op: &mut Op<'_>, id: FloatingIpId) {
    let Some(floating_ip) = op.tx.get::<FloatingIp>(&id) else { return };
    let mut new = FloatingIp::clone(floating_ip);
    lead_nowhere(op, &mut new);
    new.standard.touch(op.tx.context.now);
    op.tx.put(new);
}

pub(super) fn delete(op: &mut Op<'_>, floating_ip: &Arc<FloatingIp>) -> Result<(), Fault> {
    if op.tx.table::<PortForwarding>().has(PortForwarding::BY_FLOATING_IP, floating_ip.id) {
        return Err(FloatingIpFault::Forwarding(floating_ip.id).into());
    }
    remove(op, floating_ip.id);
    Ok(())
}

/// Removes it and its port.
pub(crate) fn remove(op: &mut Op<'_>, id: FloatingIpId) {
    if let Some(floating_ip) = op.tx.remove::<FloatingIp>(&id) {
        op.tx.remove::<Port>(&floating_ip.floating_port_id);
    }
}
