//! The tree of a rule and its evaluation, in full and for a caller alone.

use super::{Policy, RuleId};
use crate::Caller;
use smol_str::SmolStr;
use std::borrow::Cow;

/// The object a rule looks at: a resource (or the body of a create request) as its slice presents it.
pub trait Target {
    /// The project that owns the object.
    fn project_id(&self) -> Option<&str>;

    /// The project that owns the parent (`network`, `security_group`, `ext_parent`, …): `%(network:project_id)s`.
    fn parent_project_id(&self, parent: &str) -> Option<Cow<'_, str>>;

    /// An attribute. `collection` is what the rule names (`field:networks:shared=True` asks for `networks`, `shared`), which
    /// may be another than the object's own: a port answers for its network. It is empty for `%(attribute)s`.
    fn field(&self, collection: &str, name: &str) -> Option<Value<'_>>;
}

/// The target of operations without an object.
impl Target for () {
    fn project_id(&self) -> Option<&str> {
        None
    }
    fn parent_project_id(&self, _parent: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn field(&self, _collection: &str, _name: &str) -> Option<Value<'_>> {
        None
    }
}

/// An attribute's value as rules compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A boolean; rules write `True` and `False`.
    Bool(bool),
    /// Anything else in its textual form.
    Text(Cow<'a, str>),
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Value::Text(Cow::Owned(value))
    }
}

impl Value<'_> {
    fn text(&self) -> &str {
        match self {
            Value::Bool(true) => "True",
            Value::Bool(false) => "False",
            Value::Text(text) => text,
        }
    }
}

/// What a rule says about a caller before any target is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Admitted whatever the target.
    Always,
    /// Refused whatever the target.
    Never,
    /// The target has to be looked at.
    Depends,
}

impl From<bool> for Decision {
    fn from(admitted: bool) -> Self {
        if admitted { Decision::Always } else { Decision::Never }
    }
}

/// A property of the caller that a rule compares (`user_id:…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    UserId,
    UserName,
    UserDomain,
    Project,
    ProjectName,
    ProjectDomain,
    Roles,
    ServiceRoles,
    IsAdmin,
    SystemScope,
}

/// The right-hand side of a comparison with a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Literal(SmolStr),
    ProjectId,
    ParentProjectId(SmolStr),
    Field(SmolStr),
}

/// How a field is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Equals(SmolStr),
    /// `=~^prefix`: matching starts at the beginning of the value.
    StartsWith(SmolStr),
    /// `=~^text$`: the whole value.
    Matches(SmolStr),
}

/// A parsed check string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    True,
    False,
    And(Box<[Check]>),
    Or(Box<[Check]>),
    Not(Box<Check>),
    Rule(RuleId),
    Role(SmolStr),
    /// The role named by an attribute of the target.
    RoleOf(Operand),
    Credential(Credential, Operand),
    /// A literal against the target: `True:%(enabled)s`.
    Literal(SmolStr, Operand),
    Field {
        collection: SmolStr,
        name: SmolStr,
        pattern: Pattern,
    },
}

impl Credential {
    fn equals(self, caller: &Caller, text: &str) -> bool {
        match self {
            Credential::Project => caller.owns(text),
            Credential::Roles => caller.roles.contains(text),
            Credential::ServiceRoles => caller.service_roles.contains(text),
            Credential::IsAdmin => text == Value::Bool(caller.is_admin).text(),
            Credential::SystemScope => caller.system_scope && text == "all",
            Credential::UserId => present_and_equal(&caller.user_id, text),
            Credential::UserName => present_and_equal(&caller.user_name, text),
            Credential::UserDomain => present_and_equal(&caller.user_domain_id, text),
            Credential::ProjectName => present_and_equal(&caller.project_name, text),
            Credential::ProjectDomain => present_and_equal(&caller.project_domain_id, text),
        }
    }
}

fn present_and_equal(own: &str, text: &str) -> bool {
    !own.is_empty() && own == text
}

impl Operand {
    /// Applies `test` to the operand's text; false when the target lacks it.
    fn test(&self, target: &dyn Target, test: impl FnOnce(&str) -> bool) -> bool {
        match self {
            Operand::Literal(text) => test(text),
            Operand::ProjectId => target.project_id().is_some_and(test),
            Operand::ParentProjectId(parent) => target.parent_project_id(parent).is_some_and(|project| test(&project)),
            Operand::Field(name) => target.field("", name).is_some_and(|value| test(value.text())),
        }
    }

    fn decide(&self, test: impl FnOnce(&str) -> bool) -> Decision {
        match self {
            Operand::Literal(text) => test(text).into(),
            _ => Decision::Depends,
        }
    }
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        match self {
            Pattern::Equals(text) | Pattern::Matches(text) => value == text,
            Pattern::StartsWith(prefix) => value.starts_with(prefix.as_str()),
        }
    }
}

impl Check {
    pub(super) fn eval(&self, policy: &Policy, caller: &Caller, target: &dyn Target) -> bool {
        match self {
            Check::True => true,
            Check::False => false,
            Check::And(parts) => parts.iter().all(|part| part.eval(policy, caller, target)),
            Check::Or(parts) => parts.iter().any(|part| part.eval(policy, caller, target)),
            Check::Not(inner) => !inner.eval(policy, caller, target),
            Check::Rule(rule) => policy.check(*rule, caller, target),
            Check::Role(role) => caller.roles.contains(role),
            Check::RoleOf(operand) => operand.test(target, |role| caller.roles.contains(role)),
            Check::Credential(credential, operand) => operand.test(target, |text| credential.equals(caller, text)),
            Check::Literal(literal, operand) => operand.test(target, |text| literal == text),
            Check::Field { collection, name, pattern } => target.field(collection, name).is_some_and(|value| pattern.matches(value.text())),
        }
    }

    pub(super) fn decide(&self, policy: &Policy, caller: &Caller) -> Decision {
        match self {
            Check::True => Decision::Always,
            Check::False => Decision::Never,
            Check::And(parts) => fold(parts, Decision::Never, Decision::Always, policy, caller),
            Check::Or(parts) => fold(parts, Decision::Always, Decision::Never, policy, caller),
            Check::Not(inner) => match inner.decide(policy, caller) {
                Decision::Always => Decision::Never,
                Decision::Never => Decision::Always,
                Decision::Depends => Decision::Depends,
            },
            Check::Rule(rule) => policy.decide(*rule, caller),
            Check::Role(role) => caller.roles.contains(role).into(),
            Check::RoleOf(operand) => operand.decide(|role| caller.roles.contains(role)),
            Check::Credential(Credential::Project, _) if caller.project_id.is_empty() => Decision::Never,
            Check::Credential(credential, operand) => operand.decide(|text| credential.equals(caller, text)),
            Check::Literal(literal, operand) => operand.decide(|text| literal == text),
            Check::Field { .. } => Decision::Depends,
        }
    }

    /// Calls `visit` for every rule that this check refers to.
    pub(super) fn references(&self, visit: &mut dyn FnMut(RuleId)) {
        match self {
            Check::And(parts) | Check::Or(parts) => parts.iter().for_each(|part| part.references(visit)),
            Check::Not(inner) => inner.references(visit),
            Check::Rule(rule) => visit(*rule),
            _ => {}
        }
    }
}

/// `and` and `or` over three values: the absorbing one wins, otherwise any doubt remains a doubt.
fn fold(parts: &[Check], absorbing: Decision, neutral: Decision, policy: &Policy, caller: &Caller) -> Decision {
    let mut result = neutral;
    for part in parts {
        match part.decide(policy, caller) {
            decision if decision == absorbing => return absorbing,
            Decision::Depends => result = Decision::Depends,
            _ => {}
        }
    }
    result
}
