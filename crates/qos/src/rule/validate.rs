//! Which rules go together, and with what uses them.

use super::RuleFault;
use crate::drivers::supports;
use model::{Network, Port, QosDirection, QosRule, QosRuleType, device_owner};
use net::QosPolicyId;
use smol_str::format_smolstr;
use std::sync::Arc;
use world::World;

/// The rules of a policy.
fn rules(world: &World, policy: QosPolicyId) -> impl Iterator<Item = &Arc<QosRule>> {
    world.table::<QosRule>().by(QosRule::BY_POLICY, policy)
}

/// Those of a type that guarantees something.
pub(crate) fn guarantees(world: &World, policy: QosPolicyId, rule_type: QosRuleType) -> Vec<&Arc<QosRule>> {
    rules(world, policy).filter(|rule| rule.rule_type == rule_type).collect()
}

/// A rule as it is to be, against the others of its policy.
pub(super) fn check(world: &World, new: &QosRule) -> Result<(), RuleFault> {
    let others: Vec<&Arc<QosRule>> = rules(world, new.policy_id).filter(|other| other.id != new.id).collect();
    others.iter().filter(|other| other.direction == new.direction).try_for_each(|other| check_rates(new, other))?;
    for other in others.iter().filter(|other| other.rule_type == new.rule_type) {
        let is_both = |rule: &QosRule| rule.direction == Some(QosDirection::Any);
        if is_both(other) != is_both(new) {
            let word = |rule: &QosRule| rule.direction.map_or("", QosDirection::as_str).into();
            return Err(conflict(new, other, word(new), word(other)));
        }
        if other.direction == new.direction {
            return Err(RuleFault::Exists(new.rule_type, other.id, new.policy_id));
        }
    }
    Ok(())
}

/// No more can be guaranteed than is allowed.
fn check_rates(new: &QosRule, other: &QosRule) -> Result<(), RuleFault> {
    let exceeds = match (new.rule_type, other.rule_type) {
        (QosRuleType::BandwidthLimit, QosRuleType::MinimumBandwidth) => other.value > new.value,
        (QosRuleType::MinimumBandwidth, QosRuleType::BandwidthLimit) => new.value > other.value,
        _ => false,
    };
    let value = |rule: &QosRule| format_smolstr!("{}", rule.value);
    if exceeds { Err(conflict(new, other, value(new), value(other))) } else { Ok(()) }
}

fn conflict(new: &QosRule, other: &QosRule, value: smol_str::SmolStr, existing_value: smol_str::SmolStr) -> RuleFault {
    RuleFault::Conflict { value, policy: new.policy_id, existing: other.rule_type, existing_value }
}

/// A port can have all rules of a policy.
pub fn check_port(world: &World, policy: QosPolicyId, port: &Port) -> Result<(), RuleFault> {
    match rules(world, policy).find(|rule| !supports(port, rule.rule_type)) {
        Some(rule) => Err(RuleFault::Unsupported(rule.rule_type, port.id)),
        None => Ok(()),
    }
}

/// The ports that a policy is for: its own, and those of its networks that have none of their own.
fn users(world: &World, policy: QosPolicyId) -> impl Iterator<Item = &Arc<Port>> {
    let ports = world.table::<Port>();
    let networks = world.table::<Network>().ids(Network::BY_QOS_POLICY, policy);
    let inherited = networks.flat_map(|network| ports.by(Port::BY_NETWORK, *network)).filter(|port| port.qos_policy_id.is_none());
    ports.by(Port::BY_QOS_POLICY, policy).chain(inherited)
}

/// All ports of a policy can have its rules.
pub(super) fn check_users(world: &World, policy: QosPolicyId) -> Result<(), RuleFault> {
    users(world, policy).try_for_each(|port| check_port(world, policy, port))
}

/// What is guaranteed does not change under instances that were placed by it.
pub(super) fn check_placed(world: &World, policy: QosPolicyId, rule_type: QosRuleType) -> Result<(), RuleFault> {
    let is_guarantee = matches!(rule_type, QosRuleType::MinimumBandwidth | QosRuleType::MinimumPacketRate);
    let is_placed = |port: &Arc<Port>| port.device_owner.starts_with(device_owner::COMPUTE_PREFIX);
    if is_guarantee && users(world, policy).any(is_placed) { Err(RuleFault::InPlacement) } else { Ok(()) }
}
