//! Create, update and delete of rules.

use super::POLICY;
use super::forms::Form;
use super::validate::{check, check_placed, check_users};
use crate::policy::PolicyFault;
use api::{Fault, Fields, Op};
use model::{QosDirection, QosPolicy, QosRule, QosRuleType};
use net::{QosPolicyId, QosRuleId};
use std::sync::Arc;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<QosRuleId, Fault> {
    let policy_id: QosPolicyId = fields.typed(POLICY).expect("a required attribute");
    op.tx.get::<QosPolicy>(&policy_id).ok_or_else(|| PolicyFault::not_found(policy_id))?;
    // The form of the request has the value under the name that its type has.
    let rule_type = QosRuleType::ALL.iter().copied().find(|rule_type| fields.has(Form::of(*rule_type).value));
    let rule_type = rule_type.expect("a required attribute");
    let mut rule = QosRule { id: QosRuleId(op.tx.context.uuid()), policy_id, rule_type, direction: None, value: 0, burst: 0 };
    set(&mut rule, fields);
    let id = rule.id;
    take(op, rule)?;
    Ok(id)
}

fn set(rule: &mut QosRule, fields: &Fields) {
    let form = Form::of(rule.rule_type);
    let number = |name: &str| fields.int(name).and_then(|number| u32::try_from(number).ok());
    rule.value = number(form.value).unwrap_or(rule.value);
    rule.burst = form.burst.and_then(number).unwrap_or(rule.burst);
    let direction = fields.text("direction").and_then(|word| QosDirection::from_word(&word));
    rule.direction = direction.or(rule.direction);
}

/// Puts a rule that goes with the others of its policy, and that all who use the policy can have.
fn take(op: &mut Op<'_>, rule: QosRule) -> Result<(), Fault> {
    check(op.tx.world(), &rule)?;
    let (policy, rule_type) = (rule.policy_id, rule.rule_type);
    op.tx.put(rule);
    check_users(op.tx.world(), policy)?;
    changed(op, policy, rule_type)
}

/// The policy is another by its rules.
fn changed(op: &mut Op<'_>, policy: QosPolicyId, rule_type: QosRuleType) -> Result<(), Fault> {
    check_placed(op.tx.world(), policy, rule_type)?;
    let now = op.tx.context.now;
    op.tx.update::<QosPolicy>(&policy, |policy| policy.standard.touch(now));
    Ok(())
}

pub(super) fn update(op: &mut Op<'_>, rule: &Arc<QosRule>, fields: &Fields) -> Result<(), Fault> {
    let mut new = QosRule::clone(rule);
    set(&mut new, fields);
    if new == **rule { Ok(()) } else { take(op, new) }
}

pub(super) fn delete(op: &mut Op<'_>, rule: &Arc<QosRule>) -> Result<(), Fault> {
    op.tx.remove::<QosRule>(&rule.id);
    changed(op, rule.policy_id, rule.rule_type)
}
