//! Create and delete of default rules. Groups that are there keep what they have.

use super::{DefaultRuleFault, PARENT};
use crate::address_group;
use crate::group::{self, GroupFault};
use crate::rule::{Match, validate};
use crate::template::seed;
use api::{Fault, Fields, Op, python};
use model::{DefaultSecurityGroupRule, Standard};
use net::{AddressGroupId, DefaultSecurityGroupRuleId, SecurityGroupId};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<DefaultSecurityGroupRuleId, Fault> {
    seed(op);
    let matched = validate(fields)?;
    let (remote_is_parent, remote_group_id) = remote_group(op, fields)?;
    let remote_address_group_id = fields.typed::<Option<AddressGroupId>>("remote_address_group_id").flatten();
    if let Some(id) = remote_address_group_id {
        address_group::visible(op.tx.world(), op.caller, id)?;
    }
    let rule = DefaultSecurityGroupRule {
        id: DefaultSecurityGroupRuleId(op.tx.context.uuid()),
        direction: fields.typed("direction").expect("a required attribute"),
        ethertype: matched.ethertype,
        protocol: matched.protocol,
        port_range_min: matched.port_range_min,
        port_range_max: matched.port_range_max,
        remote_ip_prefix: matched.remote_ip_prefix,
        remote_is_parent,
        remote_group_id,
        remote_address_group_id,
        used_in_default_sg: fields.bool("used_in_default_sg").unwrap_or(false),
        used_in_non_default_sg: fields.bool("used_in_non_default_sg").unwrap_or(false),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    };
    if let Some(there) = op.tx.table::<DefaultSecurityGroupRule>().iter().find(|there| repeats(&rule, there)) {
        return Err(DefaultRuleFault::Exists(there.id).into());
    }
    let id = rule.id;
    op.tx.put(rule);
    Ok(id)
}

/// Whether the other side is the new group, or which group it is.
fn remote_group(op: &Op<'_>, fields: &Fields) -> Result<(bool, Option<SecurityGroupId>), Fault> {
    match fields.get("remote_group_id").filter(|value| !value.is_null()) {
        None => Ok((false, None)),
        Some(Value::String(text)) if text == PARENT => Ok((true, None)),
        Some(value) => {
            let text = python::text(value);
            let id = text.parse::<SecurityGroupId>().map_err(|_| GroupFault::NoId(text))?;
            group::visible(op.tx.world(), op.caller, id)?;
            Ok((false, Some(id)))
        }
    }
}

/// True when some new groups would get the same rule twice.
fn repeats(rule: &DefaultSecurityGroupRule, there: &DefaultSecurityGroupRule) -> bool {
    let meets = rule.used_in_default_sg && there.used_in_default_sg || rule.used_in_non_default_sg && there.used_in_non_default_sg;
    let remote = |rule: &DefaultSecurityGroupRule| (rule.remote_is_parent, rule.remote_group_id, rule.remote_address_group_id);
    meets && rule.direction == there.direction && remote(rule) == remote(there) && matched(rule).same(&matched(there))
}

fn matched(rule: &DefaultSecurityGroupRule) -> Match {
    Match {
        ethertype: rule.ethertype,
        protocol: rule.protocol.clone(),
        port_range_min: rule.port_range_min,
        port_range_max: rule.port_range_max,
        remote_ip_prefix: rule.remote_ip_prefix.clone(),
    }
}

pub(super) fn delete(op: &mut Op<'_>, rule: &Arc<DefaultSecurityGroupRule>) -> Result<(), Fault> {
    op.tx.remove::<DefaultSecurityGroupRule>(&rule.id);
    Ok(())
}
