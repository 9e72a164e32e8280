//! Create and delete of rules; a rule is never changed.

use super::RuleFault;
use super::validate::{Match, validate};
use crate::address_group::{self, AddressGroupFault};
use crate::group::{self, GroupFault};
use api::{Fault, Fields, Op};
use model::{Direction, SecurityGroup, SecurityGroupRule, Standard};
use net::{AddressGroupId, ProjectId, SecurityGroupId, SecurityGroupRuleId};
use std::sync::Arc;
use world::World;

/// The group of a create must be there, and its remote group visible to the caller; whose the group may be is the rules' to say.
pub(super) fn references(op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
    if let Some(id) = group_named(fields, "security_group_id")? {
        op.tx.get::<SecurityGroup>(&id).ok_or(GroupFault::NotFound(id))?;
    }
    if let Some(id) = group_named(fields, "remote_group_id")? {
        group::visible(op.tx.world(), op.caller, id)?;
    }
    if let Some(id) = address_group_named(fields)? {
        address_group::visible(op.tx.world(), op.caller, id)?;
    }
    Ok(())
}

fn address_group_named(fields: &Fields) -> Result<Option<AddressGroupId>, AddressGroupFault> {
    let Some(text) = fields.text("remote_address_group_id") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| AddressGroupFault::NoId(text.to_string()))
}

fn group_named(fields: &Fields, name: &str) -> Result<Option<SecurityGroupId>, GroupFault> {
    let Some(text) = fields.text(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| GroupFault::NoId(text.to_string()))
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<SecurityGroupRuleId, Fault> {
    let matched = validate(fields)?;
    let group_id = group_named(fields, "security_group_id")?.expect("a required attribute");
    let direction: Direction = fields.typed("direction").expect("a required attribute");
    let remote_group_id = group_named(fields, "remote_group_id")?;
    op.tx.get::<SecurityGroup>(&group_id).ok_or(GroupFault::NotFound(group_id))?;
    if let Some(remote) = remote_group_id {
        group::visible(op.tx.world(), op.caller, remote)?;
    }
    let remote_address_group_id = address_group_named(fields)?;
    if let Some(remote) = remote_address_group_id {
        address_group::visible(op.tx.world(), op.caller, remote)?;
    }
    if let Some(there) = same_rule(op.tx.world(), group_id, direction, (remote_group_id, remote_address_group_id), &matched) {
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
        remote_address_group_id,
        standard: Standard::new(now, fields.text("description").unwrap_or_default()),
    });
    op.tx.update::<SecurityGroup>(&group_id, |group| group.standard.touch(now));
    Ok(id)
}

fn same_rule(
    world: &World,
    group: SecurityGroupId,
    direction: Direction,
    remote: (Option<SecurityGroupId>, Option<AddressGroupId>),
    matched: &Match,
) -> Option<SecurityGroupRuleId> {
    let mut rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group);
    let same = |rule: &SecurityGroupRule| {
        rule.direction == direction && (rule.remote_group_id, rule.remote_address_group_id) == remote && of(rule).same(matched)
    };
    rules.find(|rule| same(rule)).map(|rule| rule.id)
}

fn of(rule: &SecurityGroupRule) -> Match {
    Match {
        ethertype: rule.ethertype,
        protocol: rule.protocol.clone(),
        port_range_min: rule.port_range_min,
        port_range_max: rule.port_range_max,
        remote_ip_prefix: rule.remote_ip_prefix.clone(),
    }
}

pub(super) fn delete(op: &mut Op<'_>, rule: &Arc<SecurityGroupRule>) -> Result<(), Fault> {
    op.tx.remove::<SecurityGroupRule>(&rule.id);
    let now = op.tx.context.now;
    op.tx.update::<SecurityGroup>(&rule.security_group_id, |group| group.standard.touch(now));
    Ok(())
}
