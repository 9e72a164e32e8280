//! The oslo.policy rule language: default rules of the Networking API, the operator's overrides, evaluation.
//!
//! Rules are parsed once at start into small trees; evaluation allocates nothing. [`Policy::decide`] evaluates a rule for
//! a caller without looking at an object, so that a list decides its columns once and not per row. Deliberately absent:
//! role implications (tokens carry implied roles) and remote checks (`http:`), which are refused when the file is read.

mod check;
mod load;
mod parse;
mod requirement;
#[cfg(test)]
mod tests;

use crate::Caller;
use check::Check;
pub use check::{Decision, Target, Value};
pub use load::{LoadError, Source};
pub use parse::ParseError;
pub use requirement::{Denied, Requirement};
use smol_str::SmolStr;
use std::collections::HashMap;

/// Handle of a rule name in one [`Policy`]; resources resolve their names once at start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RuleId(u32);

impl RuleId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
struct Rule {
    name: SmolStr,
    check: Check,
    source: Source,
}

/// All rules, ready for evaluation.
#[derive(Debug)]
pub struct Policy {
    rules: Vec<Rule>,
    names: HashMap<SmolStr, RuleId>,
    default: RuleId,
    context_is_admin: RuleId,
    warnings: Vec<String>,
}

impl Policy {
    /// The rule of this name, if there is one. In response filtering a missing `get_<resource>:<attribute>` means visible.
    pub fn rule(&self, name: &str) -> Option<RuleId> {
        self.names.get(name).copied().filter(|id| self.rules[id.index()].source != Source::Missing)
    }

    /// The rule of this name for enforcement: a missing name gets a handle that behaves as the rule `default` and
    /// still shows its own name in messages.
    pub fn intern(&mut self, name: &str) -> RuleId {
        let default = self.default;
        self.insert(name, Source::Missing, || Check::Rule(default))
    }

    fn insert(&mut self, name: &str, source: Source, check: impl FnOnce() -> Check) -> RuleId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = RuleId(u32::try_from(self.rules.len()).expect("rules come from files far smaller than 4 GiB"));
        let name = SmolStr::new(name);
        self.rules.push(Rule { name: name.clone(), check: check(), source });
        self.names.insert(name, id);
        id
    }

    /// The rule that stands in for missing names (`default`).
    pub fn default_rule(&self) -> RuleId {
        self.default
    }

    /// The name of a rule.
    pub fn name(&self, rule: RuleId) -> &str {
        &self.rules[rule.index()].name
    }

    /// Where the rule in force comes from.
    pub fn source(&self, rule: RuleId) -> Source {
        self.rules[rule.index()].source
    }

    /// Names of all rules defined by the defaults or the operator, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.source != Source::Missing).map(|rule| rule.name.as_str())
    }

    /// What looked wrong in the operator's file but does not prevent the start: one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// True when the rule admits the caller to the target.
    pub fn check(&self, rule: RuleId, caller: &Caller, target: &dyn Target) -> bool {
        self.rules[rule.index()].check.eval(self, caller, target)
    }

    /// The rule for this caller whatever the target: `Always` and `Never` hold for every target.
    pub fn decide(&self, rule: RuleId, caller: &Caller) -> Decision {
        self.rules[rule.index()].check.decide(self, caller)
    }

    /// Finishes [`Self::decide`] for one target: looks at the target only if the decision depends on it.
    pub fn resolve(&self, decision: Decision, rule: RuleId, caller: &Caller, target: &dyn Target) -> bool {
        match decision {
            Decision::Always => true,
            Decision::Never => false,
            Decision::Depends => self.check(rule, caller, target),
        }
    }

    /// Sets [`Caller::is_admin`] by the rule `context_is_admin`.
    pub fn admit(&self, mut caller: Caller) -> Caller {
        caller.is_admin = self.decide(self.context_is_admin, &caller) == Decision::Always;
        caller
    }

    /// Checks everything that an operation demands; the refusal carries the composed rule text.
    pub fn enforce(&self, requirement: &Requirement, caller: &Caller, target: &dyn Target) -> Result<(), Denied> {
        if requirement.admits(self, caller, target) { Ok(()) } else { Err(Denied::new(requirement.text(self))) }
    }
}
