//! Create and delete of rules; a rule is never changed.

use super::RuleFault;
use super::validate::{Match, normalized, validate};
use crate::group;
use api::{Fault, Fields, Op};
use model::{Direction, Quota, SecurityGroup, SecurityGroupRule, Standard};
use net::{ProjectId, SecurityGroupId, SecurityGroupRuleId};
use std::sync::Arc;
use world::World;

/// The groups that a create names must be visible to the caller.
pub(super) fn references(op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
    let group: Option<SecurityGroupId> = fields.typed("security_group_id");
    let remote: Option<Option<SecurityGroupId>> = fields.typed("remote_group_id");
    for id in group.into_iter().chain(remote.flatten()) {
        group::visible(op.tx.world(), op.caller, id)?;
    }
    Ok(())
}

/// Refuses when the project may not have this many more rules.
pub(crate) fn check_quota(op: &Op<'_>, project: &ProjectId, more: usize) -> Result<(), RuleFault> {
    let set = op.tx.get::<Quota>(project).and_then(|quota| quota.limits.get("security_group_rule").copied());
    let Ok(limit) = usize::try_from(set.unwrap_or(super::DEFAULT_QUOTA)) else { return Ok(()) };
    let used = op.tx.table::<SecurityGroupRule>().ids(SecurityGroupRule::BY_PROJECT, project).take(limit + 1).count();
    if used + more > limit { Err(RuleFault::OverQuota) } else { Ok(()) }
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<SecurityGroupRuleId, Fault> {
    let matched = validate(fields)?;
    let group_id: SecurityGroupId = fields.typed("security_group_id").expect("a required attribute");
    let direction: Direction = fields.typed("direction").expect("a required attribute");
    let remote_group_id: Option<SecurityGroupId> = fields.typed::<Option<SecurityGroupId>>("remote_group_id").flatten();
    group::visible(op.tx.world(), op.caller, group_id)?;
    if let Some(remote) = remote_group_id {
        group::visible(op.tx.world(), op.caller, remote)?;
    }
    if let Some(there) = same_rule(op.tx.world(), group_id, direction, remote_group_id, &matched) {
        return Err(RuleFault::Exists(there).into());
    }
    let id = SecurityGroupRuleId(op.tx.context.uuid());
    let now = op.tx.context.now;
    op.tx.put(SecurityGroupRule {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        security_group_id: group_id,
        direction,
        ethertype: matched.ethertype,
        protocol: matched.protocol,
        port_range_min: matched.port_range_min,
        port_range_max: matched.port_range_max,
        remote_ip_prefix: matched.remote_ip_prefix,
        remote_group_id,
        standard: Standard::new(now, fields.text("description").unwrap_or_default()),
    });
    op.tx.update::<SecurityGroup>(&group_id, |group| group.standard.touch(now));
    Ok(id)
}

fn same_rule(
    world: &World,
    group: SecurityGroupId,
    direction: Direction,
    remote_group: Option<SecurityGroupId>,
    matched: &Match,
) -> Option<SecurityGroupRuleId> {
    let prefix = matched.remote_ip_prefix.as_deref().and_then(normalized);
    let mut rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group);
    let same = |rule: &SecurityGroupRule| {
        rule.direction == direction
            && rule.remote_group_id == remote_group
            && rule.ethertype == matched.ethertype
            && rule.protocol == matched.protocol
            && (rule.port_range_min, rule.port_range_max) == (matched.port_range_min, matched.port_range_max)
            && rule.remote_ip_prefix.as_deref().and_then(normalized) == prefix
    };
    rules.find(|rule| same(rule)).map(|rule| rule.id)
}

pub(super) fn delete(op: &mut Op<'_>, rule: &Arc<SecurityGroupRule>) -> Result<(), Fault> {
    op.tx.remove::<SecurityGroupRule>(&rule.id);
    let now = op.tx.context.now;
    op.tx.update::<SecurityGroup>(&rule.security_group_id, |group| group.standard.touch(now));
    Ok(())
}
