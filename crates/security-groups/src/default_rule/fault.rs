//! Refusals of default rules; what makes a rule no rule is refused as of security group rules.

use api::Fault;
use net::DefaultSecurityGroupRuleId;

/// Why a default rule was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DefaultRuleFault {
    /// 409 `DefaultSecurityGroupRuleExists`; the rule that some new groups would get twice.
    Exists(DefaultSecurityGroupRuleId),
}

impl From<DefaultRuleFault> for Fault {
    fn from(fault: DefaultRuleFault) -> Fault {
        let DefaultRuleFault::Exists(id) = fault;
        Fault::new(409, "DefaultSecurityGroupRuleExists", format!("Default Security group rule already exists. Rule id is {id}."))
    }
}
