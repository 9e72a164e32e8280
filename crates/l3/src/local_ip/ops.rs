//! Create, update and delete of local IPs and of their associations.

use super::LocalIpFault;
use api::{Fault, Fields, Op};
use ml2::network;
use ml2::port::{Asked, ServicePort, create_service_port};
use model::{LocalIp, LocalIpAssociation, LocalIpMode, Network, Port, PortStatus, Standard, Subnet, device_owner};
use net::{Family, LocalIpId, NetworkId, PortId, ProjectId};
use smol_str::format_smolstr;
use std::net::IpAddr;
use std::sync::Arc;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<LocalIpId, Fault> {
    let id = LocalIpId(op.tx.context.uuid());
    let project_id = ProjectId(fields.text("project_id").unwrap_or_default());
    let asked: Option<IpAddr> = fields.typed::<Option<IpAddr>>("local_ip_address").flatten();
    let local_port_id = match (fields.typed::<PortId>("local_port_id"), fields.typed::<NetworkId>("network_id")) {
        (Some(port), _) => port,
        (None, Some(network)) => own_port(op, id, network, &project_id, asked)?,
        (None, None) => return Err(LocalIpFault::NeitherId.into()),
    };
    let port = find_port(op, local_port_id).ok_or(LocalIpFault::PortNotFound("local_ip", local_port_id))?;
    let local_ip = LocalIp {
        id,
        project_id,
        name: fields.text("name").unwrap_or_default(),
        local_port_id,
        network_id: port.network_id,
        local_ip_address: address(port, asked)?,
        ip_mode: fields.text("ip_mode").and_then(|word| LocalIpMode::from_word(&word)).unwrap_or(LocalIpMode::Translate),
        associations: Vec::new(),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    };
    op.tx.put(local_ip);
    Ok(id)
}

/// A port for the address alone.
fn own_port(op: &mut Op<'_>, id: LocalIpId, network_id: NetworkId, owner: &ProjectId, asked: Option<IpAddr>) -> Result<PortId, Fault> {
    network::visible(op.tx.world(), op.caller, network_id)?;
    let first = op.tx.table::<Subnet>().by(Subnet::BY_NETWORK, network_id).find(|subnet| subnet.family() == Family::V4);
    let subnet_id = first.map(|subnet| subnet.id).ok_or(LocalIpFault::NoIpv4Subnet(network_id))?;
    let wanted = match asked {
        Some(_) => Asked { subnet_id: None, ip_address: asked },
        None => Asked { subnet_id: Some(subnet_id), ip_address: None },
    };
    let port = ServicePort {
        network_id,
        project_id: owner.clone(),
        device_id: format_smolstr!("{id}"),
        device_owner: device_owner::LOCAL_IP,
        fixed_ips: Some(&[wanted]),
        status: PortStatus::NotApplicable,
    };
    create_service_port(op, &port)
}

/// A port of the caller's, one on its networks, or any for administrators.
fn find_port<'w>(op: &'w Op<'_>, id: PortId) -> Option<&'w Arc<Port>> {
    let own = |project: &ProjectId| op.caller.is_admin || op.caller.owns(project.as_str());
    let on_own = |port: &Port| op.tx.get::<Network>(&port.network_id).is_some_and(|network| own(&network.project_id));
    op.tx.get::<Port>(&id).filter(|port| own(&port.project_id) || on_own(port))
}

/// The address that was asked for, or the port's only one.
fn address(port: &Port, asked: Option<IpAddr>) -> Result<IpAddr, LocalIpFault> {
    let mut own = port.fixed_ips.iter().map(|ip| ip.ip_address);
    match (own.len(), asked) {
        (0, _) => Err(LocalIpFault::NoAddress(port.id)),
        (_, Some(asked)) => own.find(|address| *address == asked).ok_or(LocalIpFault::NotOnPort(port.id, asked)),
        (1, None) => own.next().ok_or(LocalIpFault::NoAddress(port.id)),
        (_, None) => Err(LocalIpFault::SeveralAddresses(port.id)),
    }
}

pub(super) fn update(op: &mut Op<'_>, local_ip: &Arc<LocalIp>, fields: &Fields) -> Result<(), Fault> {
    let mut new = LocalIp::clone(local_ip);
    new.name = fields.text("name").unwrap_or(new.name);
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if new != **local_ip {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

/// Its own port goes with it.
pub(super) fn delete(op: &mut Op<'_>, local_ip: &Arc<LocalIp>) -> Result<(), Fault> {
    if !local_ip.associations.is_empty() {
        return Err(LocalIpFault::InUse(local_ip.id).into());
    }
    op.tx.remove::<LocalIp>(&local_ip.id);
    if op.tx.get::<Port>(&local_ip.local_port_id).is_some_and(|port| port.device_owner == device_owner::LOCAL_IP) {
        op.tx.remove::<Port>(&local_ip.local_port_id);
    }
    Ok(())
}

/// Lets it lead to a port, too.
pub(super) fn associate(op: &mut Op<'_>, local_ip: &Arc<LocalIp>, fields: &Fields) -> Result<String, Fault> {
    let fixed_port_id: PortId = fields.typed("fixed_port_id").expect("a required member");
    let asked: Option<IpAddr> = fields.typed::<Option<IpAddr>>("fixed_ip").flatten();
    let missing = LocalIpFault::PortNotFound("local_ip_port_association", fixed_port_id);
    let port = find_port(op, fixed_port_id).ok_or(missing)?;
    let association = LocalIpAssociation { fixed_port_id, fixed_ip: address(port, asked)? };
    let mut new = LocalIp::clone(local_ip);
    if new.associations.iter().any(|there| there.fixed_port_id == fixed_port_id) {
        return Err(LocalIpFault::Associated(new.id, fixed_port_id).into());
    }
    new.associations.push(association);
    new.standard.touch(op.tx.context.now);
    op.tx.put(new);
    Ok(fixed_port_id.to_string())
}

/// It does not lead there any more.
pub(super) fn dissociate(op: &mut Op<'_>, local_ip: &Arc<LocalIp>, port: &str) -> Result<(), Fault> {
    let mut new = LocalIp::clone(local_ip);
    let at = port.parse::<PortId>().ok().and_then(|port| new.associations.iter().position(|there| there.fixed_port_id == port));
    new.associations.remove(at.ok_or_else(|| LocalIpFault::NotAssociated(new.id.to_string(), port.to_owned()))?);
    new.standard.touch(op.tx.context.now);
    op.tx.put(new);
    Ok(())
}

/// A port that holds a local IP's address stays.
pub(crate) fn check_port(op: &Op<'_>, port: PortId) -> Result<(), LocalIpFault> {
    if op.tx.table::<LocalIp>().has(LocalIp::BY_LOCAL_PORT, port) { Err(LocalIpFault::PortInUse(port)) } else { Ok(()) }
}

/// What leads to addresses that a port loses goes.
pub(crate) fn forget(op: &mut Op<'_>, port: PortId, gone: impl Fn(IpAddr) -> bool) {
    let now = op.tx.context.now;
    let ids: Vec<LocalIpId> = op.tx.table::<LocalIp>().ids(LocalIp::BY_FIXED_PORT, port).copied().collect();
    for id in ids {
        let Some(local_ip) = op.tx.get::<LocalIp>(&id) else { continue };
        let mut new = LocalIp::clone(local_ip);
        new.associations.retain(|there| there.fixed_port_id != port || !gone(there.fixed_ip));
        if new != **local_ip {
            new.standard.touch(now);
            op.tx.put(new);
        }
    }
}
