//! Refusals of rules of QoS policies.

use api::Fault;
use model::QosRuleType;
use net::{PortId, QosPolicyId, QosRuleId};
use smol_str::SmolStr;

/// Why an operation on a rule, or the use of a policy with it, was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleFault {
    /// 409 `QoSRulesConflict`: the policy has this rule of the same type and direction.
    Exists(QosRuleType, QosRuleId, QosPolicyId),
    /// 409 `QoSRuleParameterConflict`: the value does not go with what the policy's rule of this type says.
    Conflict {
        /// The value, or direction, that was asked for.
        value: SmolStr,
        /// The policy.
        policy: QosPolicyId,
        /// The type of the other rule.
        existing: QosRuleType,
        /// What it says.
        existing_value: SmolStr,
    },
    /// 409 `QosRuleNotSupported`: the port is of a kind that cannot have it.
    Unsupported(QosRuleType, PortId),
    /// 501 `NotImplementedError`: Placement has given an instance what the policy guarantees.
    InPlacement,
}

impl From<RuleFault> for Fault {
    fn from(fault: RuleFault) -> Fault {
        match fault {
            RuleFault::Exists(rule_type, rule, policy) => {
                let message = format!("Rule {rule_type} conflicts with rule {rule} which already exists in QoS Policy {policy}.");
                Fault::new(409, "QoSRulesConflict", message)
            }
            RuleFault::Conflict { value, policy, existing, existing_value } => {
                let message = format!(
                    "Unable to add the rule with value {value} to the policy {policy} as the existing rule of type {existing} has value \
                     {existing_value}."
                );
                Fault::new(409, "QoSRuleParameterConflict", message)
            }
            RuleFault::Unsupported(rule_type, port) => {
                Fault::new(409, "QosRuleNotSupported", format!("Rule {rule_type} is not supported by port {port}"))
            }
            RuleFault::InPlacement => {
                Fault::new(501, "NotImplementedError", "Cannot update QoS policies/rules backed by resources tracked in Placement")
            }
        }
    }
}
