//! Create, update and delete of policies. A project that uses an object does not lose its access to it.

use super::PolicyFault;
use crate::{Shareable, Shareables, access};
use api::{Fault, Fields, Op};
use model::{EVERYBODY, RbacAction, RbacPolicy};
use net::{ProjectId, RbacPolicyId};
use std::sync::Arc;
use uuid::Uuid;
use world::World;

/// A type of objects that is not there is told before anything else of a create is judged.
pub(super) fn references(op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
    shareable(op, &fields.text("object_type").unwrap_or_default()).map(|_| ()).map_err(Fault::from)
}

fn shareable(op: &Op<'_>, object_type: &str) -> Result<Shareable, PolicyFault> {
    let found = op.settings.find::<Shareables>().and_then(|all| all.of_type(object_type));
    found.ok_or_else(|| PolicyFault::UnknownType(object_type.to_owned()))
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<RbacPolicyId, Fault> {
    let object_type = fields.text("object_type").unwrap_or_default();
    let shareable = shareable(op, &object_type)?;
    let word = fields.text("action").unwrap_or_default();
    let action = RbacAction::from_word(&word).filter(|action| shareable.actions.contains(action));
    let invalid = || PolicyFault::InvalidAction(word.to_string(), shareable.object_type, shareable.actions);
    let policy = RbacPolicy {
        id: RbacPolicyId(op.tx.context.uuid()),
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        object_type,
        object_id: fields.typed("object_id").expect("a required attribute"),
        action: action.ok_or_else(invalid)?,
        target_project: fields.text("target_tenant").unwrap_or_default(),
    };
    check_owner(op, &shareable, policy.object_id)?;
    check_new(op.tx.world(), &shareable, &policy)?;
    let (id, object) = (policy.id, policy.object_id);
    op.tx.put(policy);
    (shareable.changed)(op, object)?;
    Ok(id)
}

/// Only its owner and administrators share an object. What the caller may not know of is not there.
fn check_owner(op: &Op<'_>, shareable: &Shareable, object: Uuid) -> Result<(), PolicyFault> {
    let world = op.tx.world();
    let knows = || RbacAction::ALL.iter().any(|action| access::grants(world, object, *action, &op.caller.project_id));
    match (shareable.owner)(world, object) {
        Some(owner) if op.caller.is_admin || op.caller.owns(owner.as_str()) => Ok(()),
        Some(_) if knows() => Err(PolicyFault::NotOwner(shareable.object_type)),
        _ => Err(PolicyFault::NoObject(shareable.object_type, object)),
    }
}

fn check_new(world: &World, shareable: &Shareable, policy: &RbacPolicy) -> Result<(), Fault> {
    if access::find(world, policy.object_id, policy.action, &policy.target_project).is_some() {
        return Err(PolicyFault::Duplicate.into());
    }
    (shareable.check)(world, policy)
}

pub(super) fn update(op: &mut Op<'_>, policy: &Arc<RbacPolicy>, fields: &Fields) -> Result<(), Fault> {
    let target = fields.text("target_tenant").filter(|target| *target != policy.target_project);
    let Some(target_project) = target else { return Ok(()) };
    let shareable = shareable(op, &policy.object_type)?;
    if let Err(refused) = check_owner(op, &shareable, policy.object_id) {
        return Err(PolicyFault::InUse(policy.object_id, Fault::from(refused).message).into());
    }
    let new = RbacPolicy { target_project, ..RbacPolicy::clone(policy) };
    check_new(op.tx.world(), &shareable, &new)?;
    // As upstream has it: who uses a shared object must not even depend on the new entry, unless that is for everybody.
    let counts_new = policy.action == RbacAction::External;
    let is_for_all = new.target_project == EVERYBODY;
    if !counts_new && !is_for_all {
        op.tx.remove::<RbacPolicy>(&policy.id);
        check_users(op.tx.world(), &shareable, policy)?;
    }
    op.tx.put(new);
    if counts_new {
        check_users(op.tx.world(), &shareable, policy)?;
    }
    (shareable.changed)(op, policy.object_id)
}

pub(super) fn delete(op: &mut Op<'_>, policy: &Arc<RbacPolicy>) -> Result<(), Fault> {
    let shareable = shareable(op, &policy.object_type)?;
    op.tx.remove::<RbacPolicy>(&policy.id);
    check_users(op.tx.world(), &shareable, policy)?;
    (shareable.changed)(op, policy.object_id)
}

/// Given the world without a policy: refuses when a project that it let use the object still does, and nothing else lets it.
fn check_users(world: &World, shareable: &Shareable, gone: &RbacPolicy) -> Result<(), PolicyFault> {
    let object = gone.object_id;
    let owner = (shareable.owner)(world, object);
    let let_in = |project: &ProjectId| gone.target_project == EVERYBODY || gone.target_project == project.as_str();
    let is_stranded =
        |project: &ProjectId| let_in(project) && owner != Some(project) && !access::grants(world, object, gone.action, project);
    if (shareable.any_user)(world, object, gone.action, &is_stranded) {
        return Err(PolicyFault::InUse(object, details(shareable, gone)));
    }
    Ok(())
}

fn details(shareable: &Shareable, gone: &RbacPolicy) -> String {
    let RbacPolicy { object_id, target_project, .. } = gone;
    match (gone.action, shareable.object_type) {
        (RbacAction::External, _) => "There are routers attached to this network that depend on this policy for access.".to_owned(),
        (RbacAction::Shared, "network") => {
            format!("Unable to reconfigure sharing settings for network {object_id}. Multiple projects are using it.")
        }
        (RbacAction::Shared, _) => format!("project_id={target_project}"),
    }
}
