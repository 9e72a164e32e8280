//! Create, update and delete of networks.

use super::provider::{asked_segments, check_carrier, check_maximum, check_minimum, renumbered, segment};
use super::{NetworkFault, sharing};
use crate::dependents::dependents;
use crate::port::is_auto_deleted;
use crate::{Config, availability_zone};
use api::{Fault, Fields, Op};
use model::{AgentType, Network, Port, RbacAction, Standard, Subnet, device_owner};
use net::{NetworkId, PortId, ProjectId, SubnetId};
use rbac::access;
use smol_str::SmolStr;
use std::sync::Arc;
use world::{Key, World};

/// How many ports the refusal of a delete names.
const NAMED_PORTS: usize = 100;

/// Creates one from fields in their canonical form.
pub fn create(op: &mut Op<'_>, fields: &Fields) -> Result<NetworkId, Fault> {
    let project_id = ProjectId(fields.text("project_id").unwrap_or_default());
    security_groups::ensure_default(op, &project_id);
    let hints: Vec<SmolStr> = fields.typed("availability_zone_hints").unwrap_or_default();
    availability_zone::check(op.tx.world(), AgentType::Dhcp, &hints)?;
    let owner = project_id.clone();
    let asked = asked_segments(fields)?;
    let first = segment(op, &project_id, &asked[0])?;
    let mtu = requested_mtu(fields).filter(|mtu| *mtu != 0);
    let id = NetworkId(op.tx.context.uuid());
    let mut standard = Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default());
    standard.revision_number = 1;
    let network = Network {
        name: fields.text("name").unwrap_or_default(),
        admin_state_up: fields.bool("admin_state_up").unwrap_or(true),
        shared: fields.bool("shared").unwrap_or(false),
        external: fields.bool("router:external").unwrap_or(false),
        mtu,
        port_security_enabled: fields.bool("port_security_enabled").unwrap_or(true),
        segments: vec![first],
        dns_domain: fields.text("dns_domain").unwrap_or_default(),
        availability_zone_hints: hints,
        ..Network::new(id, project_id, standard)
    };
    let network = Network { is_default: is_default(op.tx.world(), &network, fields)?, ..network };
    sharing::apply(op, &network, Some(network.shared), Some(network.external));
    op.tx.put(network);
    // Each sees what those before it took.
    for more in &asked[1..] {
        let more = segment(op, &owner, more)?;
        op.tx.update::<Network>(&id, |network| network.segments.push(more));
    }
    if let (Some(mtu), Some(network)) = (mtu, op.tx.get::<Network>(&id)) {
        check_maximum(op.settings.get::<Config>(), &network.segments, mtu)?;
    }
    Ok(id)
}

fn requested_mtu(fields: &Fields) -> Option<u32> {
    fields.int("mtu").map(|mtu| u32::try_from(mtu).unwrap_or(u32::MAX))
}

pub(super) fn update(op: &mut Op<'_>, network: &Arc<Network>, fields: &Fields) -> Result<(), Fault> {
    check_carrier(fields)?;
    let mut new = Network::clone(network);
    if let Some(segments) = renumbered(op, network, fields)? {
        new.segments = segments;
    }
    let world = op.tx.world();
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(up) = fields.bool("admin_state_up") {
        new.admin_state_up = up;
    }
    if let Some(shared) = fields.bool("shared") {
        if network.shared && !shared && is_used_by_others(world, network) {
            return Err(NetworkFault::UsedByOthers(network.name.clone()).into());
        }
        new.shared = shared;
    }
    if let Some(external) = fields.bool("router:external") {
        if network.external && !external && has_gateways(world, network.id) {
            return Err(NetworkFault::HasGateways(network.id).into());
        }
        new.external = external;
    }
    new.is_default = is_default(world, &new, fields)?;
    if let Some(mtu) = requested_mtu(fields) {
        let config = op.settings.get::<Config>();
        check_maximum(config, &network.segments, mtu)?;
        let families = world.table::<Subnet>().by(Subnet::BY_NETWORK, network.id).map(|subnet| subnet.family());
        check_minimum(network.id, mtu, families)?;
        new.mtu = Some(mtu).filter(|mtu| *mtu != 0);
    }
    if let Some(enabled) = fields.bool("port_security_enabled") {
        new.port_security_enabled = enabled;
    }
    if let Some(domain) = fields.text("dns_domain") {
        new.dns_domain = domain;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if new != **network {
        new.standard.touch(op.tx.context.now);
        sharing::apply(op, &new, fields.bool("shared"), fields.bool("router:external"));
        op.tx.put(new);
    }
    Ok(())
}

/// True when a project has a subnet or port on the network that it could not have without the network being everybody's; ports of the
/// network itself do not count.
fn is_used_by_others(world: &World, network: &Network) -> bool {
    let is_let_in = |project: &ProjectId| access::find(world, network.id.0, RbacAction::Shared, &project.0).is_some();
    let other = |project: &ProjectId| *project != network.project_id && !is_let_in(project);
    let mut subnets = world.table::<Subnet>().by(Subnet::BY_NETWORK, network.id);
    let mut ports = world.table::<Port>().by(Port::BY_NETWORK, network.id);
    subnets.any(|subnet| other(&subnet.project_id))
        || ports.any(|port| other(&port.project_id) && !port.device_owner.starts_with(device_owner::NETWORK_PREFIX))
}

pub(super) fn has_gateways(world: &World, network: NetworkId) -> bool {
    world.table::<Port>().has(Port::BY_OWNER, Key::TextUuid(device_owner::ROUTER_GATEWAY.into(), network.0))
}

/// Whether the network is the default external one, as it is or as a request wants it. Of others that is not noted.
fn is_default(world: &World, network: &Network, fields: &Fields) -> Result<bool, NetworkFault> {
    let wanted = network.external && fields.bool("is_default").unwrap_or(network.is_default);
    match default_external(world).filter(|there| wanted && there.id != network.id) {
        Some(there) => Err(NetworkFault::DefaultExists(there.id)),
        None => Ok(wanted),
    }
}

/// The default external network, if there is one.
pub fn default_external(world: &World) -> Option<&Arc<Network>> {
    let mut common = world.table::<Network>().by(Network::COMMON, 0);
    common.find(|network| network.is_default)
}

/// Removes the network with its subnets and the ports that belong to it, when nothing else is on it.
pub fn delete(op: &mut Op<'_>, network: &Arc<Network>) -> Result<(), Fault> {
    for dependent in dependents(op) {
        (dependent.network_delete)(op, network);
    }
    let ports = op.tx.table::<Port>();
    let using = ports.by(Port::BY_NETWORK, network.id).filter(|port| !is_auto_deleted(port)).map(|port| port.id);
    let using: Vec<PortId> = using.take(NAMED_PORTS).collect();
    if !using.is_empty() {
        return Err(NetworkFault::InUse(network.id, using).into());
    }
    let ports: Vec<PortId> = ports.ids(Port::BY_NETWORK, network.id).copied().collect();
    let subnets: Vec<SubnetId> = op.tx.table::<Subnet>().ids(Subnet::BY_NETWORK, network.id).copied().collect();
    for port in ports {
        op.tx.remove::<Port>(&port);
    }
    for subnet in subnets {
        op.tx.remove::<Subnet>(&subnet);
    }
    access::forget(op, network.id.0, |_| true);
    op.tx.remove::<Network>(&network.id);
    Ok(())
}
