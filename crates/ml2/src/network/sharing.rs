//! Who besides its owner may use a network: what RBAC policies say, as `shared` and `router:external` of the network show it.
//!
//! A network keeps whether it is shared with everybody and whether it is external at all; both follow from its policies, and are
//! brought in step in the operation that changes those.

use super::NetworkFault;
use super::ops::has_gateways;
use api::{Fault, Op};
use auth::Caller;
use model::{EVERYBODY, Network, Port, RbacAction, RbacPolicy, Router, device_owner};
use net::{NetworkId, ProjectId, RouterId};
use rbac::policy::PolicyFault;
use rbac::{Shareable, access};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;
use world::{Key, World};

/// Networks in policies.
pub const OBJECT_TYPE: &str = "network";

/// For the binary's list of what can be shared.
pub fn shareable() -> Shareable {
    let network = Shareable::new(OBJECT_TYPE, |world, id| Some(&world.get::<Network>(&NetworkId(id))?.project_id), any_user);
    Shareable { actions: RbacAction::ALL, changed: settle, ..network }
}

/// The network, when the caller may know of it: its own, shared, external, or any for administrators and services.
pub fn visible<'a>(world: &'a World, caller: &Caller, id: NetworkId) -> Result<&'a Arc<Network>, NetworkFault> {
    let network = world.get::<Network>(&id).ok_or(NetworkFault::NotFound(id))?;
    let may = caller.is_admin || caller.owns(network.project_id.as_str()) || caller.roles.contains("service");
    if may || is_shared(world, caller, network) || leads_out(world, caller, network) {
        Ok(network)
    } else {
        Err(NetworkFault::NotFound(id))
    }
}

/// True when the network is shared with the caller's project.
pub fn is_shared(world: &World, caller: &Caller, network: &Network) -> bool {
    network.shared || access::is_shared(world, caller, network.id.0)
}

/// True when the caller's project may use the network as an external one.
pub fn leads_out(world: &World, caller: &Caller, network: &Network) -> bool {
    network.external && access::grants(world, network.id.0, RbacAction::External, &caller.project_id)
}

/// What policy rules ask of the network of a record.
pub(crate) fn policy_field(world: &World, caller: &Caller, network: &Network, name: &str) -> Option<Cow<'static, str>> {
    let answer = match name {
        "shared" => is_shared(world, caller, network),
        "router:external" => leads_out(world, caller, network),
        _ => return None,
    };
    Some(Cow::Borrowed(if answer { "True" } else { "False" }))
}

/// The networks that a caller who is a tenant may see: its own, shared and external ones, some more.
pub(crate) fn concerning<'w>(world: &'w World, caller: &Caller) -> impl Iterator<Item = NetworkId> + use<'w> {
    let networks = world.table::<Network>();
    let own = networks.ids(Network::BY_PROJECT, Key::from(&caller.project_id)).copied();
    own.chain(access::reachable(world, OBJECT_TYPE, &caller.project_id).map(NetworkId))
}

/// Makes the policies of a network what a client set on the network itself.
pub(super) fn apply(op: &mut Op<'_>, network: &Network, shared: Option<bool>, external: Option<bool>) {
    let object = network.id.0;
    match shared {
        Some(true) => access::grant_all(op, OBJECT_TYPE, object, RbacAction::Shared, &network.project_id),
        Some(false) => access::forget(op, object, |policy| policy.action == RbacAction::Shared && policy.is_for_all()),
        None => {}
    }
    match external {
        Some(true) if !is_external(op.tx.world(), object) => {
            access::grant_all(op, OBJECT_TYPE, object, RbacAction::External, &network.project_id);
        }
        Some(false) => access::forget(op, object, |policy| policy.action == RbacAction::External),
        _ => {}
    }
}

/// Gives networks of a state that was written before there were policies those that they need to be what they are.
pub fn complete_policies(op: &mut Op<'_>) {
    for network in lacking(op.tx.world()) {
        apply(op, &network, network.shared.then_some(true), network.external.then_some(true));
    }
}

/// The networks that lack policies.
pub fn lacking(world: &World) -> Vec<Arc<Network>> {
    let lacks = |network: &&Arc<Network>| {
        let object = network.id.0;
        network.shared && !access::grants_all(world, object, RbacAction::Shared) || network.external && !is_external(world, object)
    };
    world.table::<Network>().ids(Network::COMMON, 0).filter_map(|id| world.get::<Network>(id)).filter(lacks).cloned().collect()
}

fn is_external(world: &World, object: Uuid) -> bool {
    world.table::<RbacPolicy>().by(RbacPolicy::BY_OBJECT, object).any(|policy| policy.action == RbacAction::External)
}

/// Projects with ports on a shared network, and those whose routers have gateways on an external one. The default external network is
/// everybody's.
fn any_user(world: &World, object: Uuid, action: RbacAction, holds: &dyn Fn(&ProjectId) -> bool) -> bool {
    let ports = world.table::<Port>();
    match action {
        RbacAction::Shared => {
            let mut on = ports.by(Port::BY_NETWORK, NetworkId(object));
            on.any(|port| !port.project_id.is_empty() && holds(&port.project_id))
        }
        RbacAction::External => {
            let mut gateways = ports.by(Port::BY_OWNER, Key::TextUuid(device_owner::ROUTER_GATEWAY.into(), object));
            let router = |port: &Port| world.get::<Router>(&port.device_id.parse::<RouterId>().ok()?);
            let is_default = world.get::<Network>(&NetworkId(object)).is_some_and(|network| network.is_default);
            let is_needed_by_all = is_default && holds(&ProjectId::from(EVERYBODY));
            is_needed_by_all || gateways.any(|port| router(port).is_some_and(|router| holds(&router.project_id)))
        }
    }
}

/// Brings a network in step with its policies. It stays external while routers have gateways on it.
fn settle(op: &mut Op<'_>, object: Uuid) -> Result<(), Fault> {
    let now = op.tx.context.now;
    let world = op.tx.world();
    let Some(network) = world.get::<Network>(&NetworkId(object)) else { return Ok(()) };
    let mut new = Network::clone(network);
    new.shared = access::grants_all(world, object, RbacAction::Shared);
    new.external = is_external(world, object);
    new.is_default &= new.external;
    if network.external && !new.external && has_gateways(world, network.id) {
        let details = "There are routers attached to this network that depend on this policy for access.";
        return Err(PolicyFault::InUse(object, details.to_owned()).into());
    }
    new.standard.touch(now);
    op.tx.put(new);
    Ok(())
}
