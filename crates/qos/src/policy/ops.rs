//! Create, update and delete of policies.

use super::{OBJECT_TYPE, PolicyFault};
use api::{Fault, Fields, Op};
use model::{FloatingIp, Network, Port, QosPolicy, QosRule, RbacAction, Router, Standard};
use net::{ProjectId, QosPolicyId, QosRuleId};
use rbac::access;
use smol_str::{SmolStr, format_smolstr};
use std::fmt::Display;
use std::sync::Arc;
use world::World;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<QosPolicyId, Fault> {
    let project_id = ProjectId(fields.text("project_id").unwrap_or_default());
    let is_default = fields.bool("is_default").unwrap_or(false);
    if is_default {
        check_default(op.tx.world(), &project_id, None)?;
    }
    let id = QosPolicyId(op.tx.context.uuid());
    if fields.bool("shared") == Some(true) {
        access::grant_all(op, OBJECT_TYPE, id.0, RbacAction::Shared, &project_id);
    }
    op.tx.put(QosPolicy {
        id,
        project_id,
        name: fields.text("name").unwrap_or_default(),
        is_default,
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    });
    Ok(id)
}

/// The policy that networks of the project get which are created without one.
pub(crate) fn default_of(world: &World, project: &ProjectId) -> Option<QosPolicyId> {
    world.table::<QosPolicy>().ids(QosPolicy::DEFAULT_OF, project).next().copied()
}

/// A project has one default policy.
fn check_default(world: &World, project: &ProjectId, own: Option<QosPolicyId>) -> Result<(), PolicyFault> {
    match default_of(world, project) {
        Some(there) if Some(there) != own => Err(PolicyFault::DefaultExists(project.clone())),
        _ => Ok(()),
    }
}

pub(super) fn update(op: &mut Op<'_>, policy: &Arc<QosPolicy>, fields: &Fields) -> Result<(), Fault> {
    let mut new = QosPolicy::clone(policy);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    match fields.bool("shared") {
        Some(true) => access::grant_all(op, OBJECT_TYPE, policy.id.0, RbacAction::Shared, &policy.project_id),
        Some(false) => unshare(op, policy.id)?,
        None => {}
    }
    if let Some(is_default) = fields.bool("is_default") {
        if is_default {
            check_default(op.tx.world(), &policy.project_id, Some(policy.id))?;
        }
        new.is_default = is_default;
    }
    if new != **policy {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

/// Shares the policy with everybody no more. The reference lets nobody use it then, not even its owner, who is not told by a policy that he
/// may.
fn unshare(op: &mut Op<'_>, id: QosPolicyId) -> Result<(), PolicyFault> {
    if !access::grants_all(op.tx.world(), id.0, RbacAction::Shared) {
        return Ok(());
    }
    access::forget(op, id.0, |policy| policy.action == RbacAction::Shared && policy.is_for_all());
    let world = op.tx.world();
    let is_stranded = |project: &ProjectId| !access::grants(world, id.0, RbacAction::Shared, project);
    if any_user(world, id, &is_stranded) { Err(PolicyFault::SharedInUse(id)) } else { Ok(()) }
}

/// True when the last holds for one of the projects that use the policy.
pub(super) fn any_user(world: &World, policy: QosPolicyId, holds: &dyn Fn(&ProjectId) -> bool) -> bool {
    world.table::<Network>().by(Network::BY_QOS_POLICY, policy).any(|network| holds(&network.project_id))
        || world.table::<Port>().by(Port::BY_QOS_POLICY, policy).any(|port| holds(&port.project_id))
        || world.table::<FloatingIp>().by(FloatingIp::BY_QOS_POLICY, policy).any(|floating_ip| holds(&floating_ip.project_id))
        || world.table::<Router>().by(Router::BY_QOS_POLICY, policy).any(|router| holds(&router.project_id))
}

/// Something that uses the policy: what kind of thing, and its id.
fn user(world: &World, policy: QosPolicyId) -> Option<(&'static str, SmolStr)> {
    fn of<T: Display>(kind: &'static str, mut ids: impl Iterator<Item = T>) -> Option<(&'static str, SmolStr)> {
        ids.next().map(|id| (kind, format_smolstr!("{id}")))
    }
    of("port", world.table::<Port>().ids(Port::BY_QOS_POLICY, policy))
        .or_else(|| of("network", world.table::<Network>().ids(Network::BY_QOS_POLICY, policy)))
        .or_else(|| of("fip", world.table::<FloatingIp>().ids(FloatingIp::BY_QOS_POLICY, policy)))
        .or_else(|| of("router", world.table::<Router>().ids(Router::BY_QOS_POLICY, policy)))
}

/// Removes the policy with its rules, unless something uses it.
pub(super) fn delete(op: &mut Op<'_>, policy: &Arc<QosPolicy>) -> Result<(), Fault> {
    if let Some((kind, id)) = user(op.tx.world(), policy.id) {
        return Err(PolicyFault::InUse(policy.id, kind, id).into());
    }
    let rules: Vec<QosRuleId> = op.tx.table::<QosRule>().ids(QosRule::BY_POLICY, policy.id).copied().collect();
    for rule in rules {
        op.tx.remove::<QosRule>(&rule);
    }
    access::forget(op, policy.id.0, |_| true);
    op.tx.remove::<QosPolicy>(&policy.id);
    Ok(())
}
