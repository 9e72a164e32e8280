//! Create, update and delete of security groups.

use super::GroupFault;
use crate::template::{DEFAULT_NAME, add_rules, default_statefulness, ensure_default};
use api::{Fault, Fields, Op};
use auth::Caller;
use model::{Port, RbacAction, SecurityGroup, SecurityGroupRule, Standard};
use net::{ProjectId, SecurityGroupId};
use rbac::access;
use std::sync::Arc;
use world::World;

/// The group, when the caller may know of it.
pub fn visible<'a>(world: &'a World, caller: &Caller, id: SecurityGroupId) -> Result<&'a Arc<SecurityGroup>, GroupFault> {
    let group = world.get::<SecurityGroup>(&id).ok_or(GroupFault::NotFound(id))?;
    if access::may_use(world, caller, &group.project_id, id.0) { Ok(group) } else { Err(GroupFault::NotFound(id)) }
}

/// The group, when ports of a project may have it: the project's own, one shared with it, or any for administrators.
pub fn usable<'a>(
    world: &'a World,
    caller: &Caller,
    project: &ProjectId,
    id: SecurityGroupId,
) -> Result<&'a Arc<SecurityGroup>, GroupFault> {
    let group = world.get::<SecurityGroup>(&id).ok_or(GroupFault::NotFound(id))?;
    let may = caller.is_admin || group.project_id == *project || access::grants(world, id.0, RbacAction::Shared, project);
    if may { Ok(group) } else { Err(GroupFault::NotFound(id)) }
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<SecurityGroupId, Fault> {
    let name = fields.text("name").unwrap_or_default();
    let project = ProjectId(fields.text("project_id").unwrap_or_default());
    ensure_default(op, &project);
    if is_reserved(&name) {
        return Err(GroupFault::DefaultExists.into());
    }
    let id = SecurityGroupId(op.tx.context.uuid());
    let standard = Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default());
    let stateful = fields.bool("stateful").unwrap_or_else(|| default_statefulness(op.tx.world(), &project));
    let group = SecurityGroup { id, project_id: project, name, stateful, is_default: false, standard };
    add_rules(op, &group);
    op.tx.put(group);
    Ok(id)
}

pub(super) fn update(op: &mut Op<'_>, group: &Arc<SecurityGroup>, fields: &Fields) -> Result<(), Fault> {
    let mut new = SecurityGroup::clone(group);
    if let Some(name) = fields.text("name") {
        if is_reserved(&name) {
            return Err(GroupFault::DefaultExists.into());
        }
        if group.is_default {
            return Err(GroupFault::CannotRenameDefault.into());
        }
        new.name = name;
    }
    if let Some(stateful) = fields.bool("stateful") {
        if stateful != group.stateful && is_used(op.tx.world(), group.id) {
            return Err(GroupFault::InUse(group.id).into());
        }
        new.stateful = stateful;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if new != **group {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

/// Removes the group, its rules, and the rules of other groups that name it as remote.
pub(super) fn delete(op: &mut Op<'_>, group: &Arc<SecurityGroup>) -> Result<(), Fault> {
    if is_used(op.tx.world(), group.id) {
        return Err(GroupFault::InUse(group.id).into());
    }
    if group.is_default && !op.caller.is_admin {
        return Err(GroupFault::CannotRemoveDefault.into());
    }
    let rules = op.tx.table::<SecurityGroupRule>();
    let own = rules.by(SecurityGroupRule::BY_GROUP, group.id);
    let naming = rules.by(SecurityGroupRule::BY_REMOTE_GROUP, group.id).filter(|rule| rule.security_group_id != group.id);
    let doomed: Vec<Arc<SecurityGroupRule>> = own.chain(naming).cloned().collect();
    for rule in doomed {
        op.tx.remove::<SecurityGroupRule>(&rule.id);
        if rule.security_group_id != group.id {
            let now = op.tx.context.now;
            op.tx.update::<SecurityGroup>(&rule.security_group_id, |other| other.standard.touch(now));
        }
    }
    access::forget(op, group.id.0, |_| true);
    op.tx.remove::<SecurityGroup>(&group.id);
    Ok(())
}

/// Groups of this name make themselves.
fn is_reserved(name: &str) -> bool {
    name.eq_ignore_ascii_case(DEFAULT_NAME)
}

fn is_used(world: &World, group: SecurityGroupId) -> bool {
    world.table::<Port>().has(Port::BY_SECURITY_GROUP, group)
}

/// True when a list of groups would lack the project's default group.
pub(super) fn default_is_missing(world: &World, project: &ProjectId) -> bool {
    !project.is_empty() && !world.table::<SecurityGroup>().has(SecurityGroup::DEFAULT_OF, project)
}

pub(super) fn make_default(op: &mut Op<'_>, project: &ProjectId) -> Result<(), Fault> {
    ensure_default(op, project);
    Ok(())
}
