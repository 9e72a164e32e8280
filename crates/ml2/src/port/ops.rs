//! Create, update and delete of ports.

use super::eligible::{check_host, is_deferred};
use super::{Asked, allocate, binding, blank, mac, provisioning, security};
use crate::network::{self, NetworkFault};
use crate::port::{PortFault, object};
use crate::{Config, dependents, dhcp, dns, external_dns};
use api::{Fault, Fields, Op};
use model::{IpAllocation, Network, Port, Standard, VnicType};
use net::{Mac, NetworkId, PortId, ProjectId};
use std::sync::Arc;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<PortId, Fault> {
    let network_id: NetworkId = fields.typed("network_id").expect("a required attribute");
    network::visible(op.tx.world(), op.caller, network_id)?;
    dhcp::schedule_new(op, network_id);
    let network = op.tx.get::<Network>(&network_id).cloned().ok_or(NetworkFault::NotFound(network_id))?;
    let project = ProjectId(fields.text("project_id").unwrap_or_default());
    let mac_address = match requested_mac(fields) {
        Some(asked) => asked,
        None => new_mac(op, network_id)?,
    };
    mac::check(op.tx.table(), network_id, mac_address)?;
    let mut standard = Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default());
    standard.revision_number = 1;
    standard.tags = fields.typed("tags").unwrap_or_default();
    let mut port = blank(PortId(op.tx.context.uuid()), &network, project, mac_address, standard);
    own(&mut port, fields);
    names(op, &mut port, fields)?;
    security::of_new(op, &mut port, fields)?;
    security::merge_dhcp_options(&mut port, fields);
    let is_bound = binding::request(&mut port, fields)?;
    binding::require_offload(&mut port)?;
    follow_device(op, None, &mut port)?;
    let asked: Option<Vec<Asked>> = fields.typed("fixed_ips");
    let world = op.tx.world().clone();
    if asked.is_none() && is_deferred(&world, &port) {
        port.ip_allocation = IpAllocation::Deferred;
    } else {
        port.fixed_ips = allocate(&world, &mut op.tx.context.rng, &port, asked.as_deref())?;
    }
    if asked.as_ref().is_some_and(Vec::is_empty) {
        port.ip_allocation = IpAllocation::None;
    }
    if is_bound {
        binding::rebind(&world, op.settings.get(), &mut port, &network);
    }
    drop(world);
    for dependent in dependents(op) {
        (dependent.port_create)(op, &port)?;
    }
    let id = port.id;
    op.tx.put(port);
    Ok(id)
}

/// A MAC that the request names; none: any.
fn requested_mac(fields: &Fields) -> Option<Mac> {
    fields.typed::<Option<Mac>>("mac_address").flatten()
}

fn new_mac(op: &mut Op<'_>, network: NetworkId) -> Result<Mac, PortFault> {
    let world = op.tx.world().clone();
    mac::generate(world.table(), op.settings.get::<Config>(), &mut op.tx.context.rng, network)
}

/// Its name and domain in the DNS.
fn names(op: &Op<'_>, port: &mut Port, fields: &Fields) -> Result<(), Fault> {
    if let Some(name) = fields.text("dns_name") {
        dns::check_name(op.settings.get(), &name).map_err(|invalid| invalid.fault("dns_name"))?;
        port.dns_name = name;
    }
    if let Some(domain) = fields.text("dns_domain") {
        port.dns_domain = domain;
    }
    if fields.has("dns_name") || fields.has("dns_domain") {
        port.dns_keywords = external_dns::keywords(op, port);
    }
    Ok(())
}

/// The attributes that have no rules.
fn own(port: &mut Port, fields: &Fields) {
    if let Some(name) = fields.text("name") {
        port.name = name;
    }
    if let Some(up) = fields.bool("admin_state_up") {
        port.admin_state_up = up;
    }
    if let Some(device) = fields.text("device_id") {
        port.device_id = device;
    }
    if let Some(owner) = fields.text("device_owner") {
        port.device_owner = owner;
    }
    if let Some(description) = fields.text("description") {
        port.standard.description = description;
    }
    if let Some(trusted) = fields.bool("trusted") {
        port.trusted = Some(trusted);
    }
    if let Some(follows) = fields.bool("propagate_uplink_status") {
        port.ignores_uplink_status = !follows;
    }
    if let Some(hints) = object(fields, "hints") {
        port.hints = hints;
    }
    let words = [
        ("data_plane_status", &mut port.data_plane_status),
        ("device_profile", &mut port.device_profile),
        ("numa_affinity_policy", &mut port.numa_affinity_policy),
        ("hardware_offload_type", &mut port.hardware_offload_type),
    ];
    for (name, word) in words {
        if fields.has(name) {
            *word = fields.text(name);
        }
    }
}

pub(super) fn update(op: &mut Op<'_>, port: &Arc<Port>, fields: &Fields) -> Result<(), Fault> {
    let network = op.tx.get::<Network>(&port.network_id).cloned().ok_or(NetworkFault::NotFound(port.network_id))?;
    let mut new = Port::clone(port);
    own(&mut new, fields);
    names(op, &mut new, fields)?;
    if fields.has("mac_address") {
        change_mac(op, port, &mut new, fields)?;
    }
    security::of_changed(op, &mut new, fields)?;
    security::merge_dhcp_options(&mut new, fields);
    let is_rebound = binding::request(&mut new, fields)?;
    follow_device(op, Some(port), &mut new)?;
    readdress(op, port, &mut new, fields)?;
    let world = op.tx.world().clone();
    if is_rebound {
        binding::rebind(&world, op.settings.get(), &mut new, &network);
    } else if (new.mac_address, &new.fixed_ips) != (port.mac_address, &port.fixed_ips) {
        provisioning::readdressed(&world, &mut new, &network);
    }
    drop(world);
    if new != **port {
        for dependent in dependents(op) {
            (dependent.port_update)(op, port, &new)?;
        }
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

/// A bound port keeps its MAC; null asks for a new one.
fn change_mac(op: &mut Op<'_>, port: &Port, new: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let asked = match requested_mac(fields) {
        Some(same) if same == port.mac_address => return Ok(()),
        Some(asked) => asked,
        None => new_mac(op, port.network_id)?,
    };
    if port.binding.is_bound() {
        let fault = PortFault::Bound { port: port.id, vif_type: port.binding.vif_type, old: port.mac_address, new: asked };
        return Err(fault.into());
    }
    mac::check(op.tx.table(), port.network_id, asked)?;
    new.mac_address = asked;
    Ok(())
}

/// The MAC of a physical function is its device's, as whoever plugs it says in the profile (extension `port-mac-override`). Once the port
/// is not on the device any more it has one of its own again: the device may be another port's next.
fn follow_device(op: &mut Op<'_>, before: Option<&Port>, new: &mut Port) -> Result<(), Fault> {
    if new.binding.vnic_type != VnicType::DirectPhysical {
        return Ok(());
    }
    let device = mac::of_device(new)?;
    let left = before.is_some_and(|before| {
        let was_used = !before.device_id.is_empty() && new.device_id.is_empty() && new.device_owner.is_empty();
        was_used || (device.is_none() && mac::of_device(before).is_ok_and(|mac| mac.is_some()))
    });
    let mac_address = match device.filter(|_| !left) {
        Some(mac) => mac,
        None if left => new_mac(op, new.network_id)?,
        None => return Ok(()),
    };
    if mac_address != new.mac_address {
        mac::check(op.tx.table(), new.network_id, mac_address)?;
        new.mac_address = mac_address;
    }
    Ok(())
}

/// New addresses when they were asked for, and automatic ones that follow a new MAC.
fn readdress(op: &mut Op<'_>, port: &Port, new: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let asked: Option<Vec<Asked>> = fields.typed("fixed_ips");
    let world = op.tx.world().clone();
    if asked.is_none() && new.ip_allocation == IpAllocation::Deferred && !is_deferred(&world, new) {
        new.fixed_ips = allocate(&world, &mut op.tx.context.rng, new, None)?;
        new.ip_allocation = IpAllocation::Immediate;
        return Ok(());
    }
    if asked.is_none() && new.binding.host != port.binding.host {
        check_host(&world, new, &new.binding.host)?;
    }
    if asked.is_none() && new.mac_address == port.mac_address {
        return Ok(());
    }
    let automatic = |id| world.get::<model::Subnet>(&id).is_some_and(|subnet| subnet.is_auto_address());
    let kept = || port.fixed_ips.iter().filter(|ip| !automatic(ip.subnet_id));
    let asked =
        asked.unwrap_or_else(|| kept().map(|ip| Asked { subnet_id: Some(ip.subnet_id), ip_address: Some(ip.ip_address) }).collect());
    let mut addresses = allocate(&world, &mut op.tx.context.rng, new, Some(&asked))?;
    let place = |ip: &model::FixedIp| port.fixed_ips.iter().position(|there| there == ip).unwrap_or(usize::MAX);
    addresses.sort_by_key(place);
    new.fixed_ips = addresses;
    Ok(())
}

/// A DHCP server's port comes back at once while its network is served.
pub(super) fn delete(op: &mut Op<'_>, port: &Arc<Port>) -> Result<(), Fault> {
    for dependent in dependents(op) {
        (dependent.port_delete)(op, port)?;
    }
    op.tx.remove::<Port>(&port.id);
    if port.device_owner == model::device_owner::DHCP {
        dhcp::schedule(op, port.network_id);
    }
    Ok(())
}
