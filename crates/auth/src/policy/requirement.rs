//! What one operation demands: an action's rule and those of the attributes that it sets.

use super::{Policy, RuleId, Target};
use crate::Caller;
use std::fmt;

/// Rules joined by `and`, nested as the refusal shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// One rule.
    Rule(RuleId),
    /// All of these; shown in parentheses, even when there is only one.
    All(Vec<Requirement>),
}

impl From<RuleId> for Requirement {
    fn from(rule: RuleId) -> Self {
        Requirement::Rule(rule)
    }
}

impl Requirement {
    /// `(self and other)`.
    pub fn and(self, other: impl Into<Requirement>) -> Self {
        Requirement::All(vec![self, other.into()])
    }

    /// `(first and second and …)`: the rules of an attribute's parts.
    pub fn all(rules: impl IntoIterator<Item = RuleId>) -> Self {
        Requirement::All(rules.into_iter().map(Requirement::Rule).collect())
    }

    pub(super) fn admits(&self, policy: &Policy, caller: &Caller, target: &dyn Target) -> bool {
        match self {
            Requirement::Rule(rule) => policy.check(*rule, caller, target),
            Requirement::All(parts) => parts.iter().all(|part| part.admits(policy, caller, target)),
        }
    }

    /// The composed rule text, for example `(rule:create_network and rule:create_network:shared)`.
    pub fn text(&self, policy: &Policy) -> String {
        match self {
            Requirement::Rule(rule) => format!("rule:{}", policy.name(*rule)),
            Requirement::All(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| part.text(policy)).collect();
                format!("({})", parts.join(" and "))
            }
        }
    }
}

/// A refusal; shows as the message of `PolicyNotAuthorized` (status 403).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    rule_text: Box<str>,
}

impl Denied {
    /// A refusal by the rule with this text (`rule:create_network`).
    pub fn new(rule_text: impl Into<Box<str>>) -> Self {
        Self { rule_text: rule_text.into() }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is disallowed by policy", self.rule_text)
    }
}

impl std::error::Error for Denied {}
