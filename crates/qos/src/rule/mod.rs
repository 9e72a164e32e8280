//! `qos/policies/{id}/bandwidth_limit_rules` and so on: what a policy says, one resource for each type of rule; and the same rules by
//! their own ids, `qos/alias_bandwidth_limit_rules/{id}`.

mod fault;
mod forms;
mod ops;
#[cfg(test)]
mod tests;
mod validate;

pub use fault::RuleFault;
pub(crate) use forms::Form;
pub use validate::check_port;
pub(crate) use validate::guarantees;

use crate::drivers::DSCP_MARKS;
use crate::policy::{self, PolicyFault};
use api::{Attribute, Cell, Fault, Fields, Invalid, Kind, Narrow, Parent, Registry, Resource, View, python};
use auth::Caller;
use model::{QosPolicy, QosRule, QosRuleType};
use net::{ProjectId, QosPolicyId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use world::World;

/// The resources of all types.
pub fn register(registry: Registry) -> Registry {
    QosRuleType::ALL.iter().fold(registry, |registry, rule_type| {
        let registry = registry.child(parent(), resource(*rule_type));
        match alias(*rule_type) {
            Some(alias) => registry.resource(alias),
            None => registry,
        }
    })
}

/// The rules of one type, registered below [`parent`].
fn resource(rule_type: QosRuleType) -> Resource<QosRule> {
    let form = Form::of(rule_type);
    Resource {
        rules: form.policy_rules,
        extension: Some(form.extension),
        create: Some(ops::create),
        attributes: attributes(form, true),
        not_found_below: Some(|policy, id| format!("QoS rule {id} for policy {policy} could not be found.")),
        ..common(form, form.name, form.collection)
    }
}

/// The same by their own ids; none of packet rate limits.
fn alias(rule_type: QosRuleType) -> Option<Resource<QosRule>> {
    let form = Form::of(rule_type);
    let alias = form.alias?;
    Some(Resource {
        prefix: "qos",
        extension: Some(alias.extension),
        attributes: attributes(form, false),
        ..common(form, alias.name, alias.collection)
    })
}

/// What both have.
fn common(form: &Form, name: &'static str, collection: &'static str) -> Resource<QosRule> {
    Resource {
        includes: form.includes,
        restarts_at_unknown_marker: true,
        update: Some(ops::update),
        delete: Some(ops::delete),
        parent_project: |view, _| owner(view.world, view.record.policy_id),
        parent_project_of,
        is_scoped: false,
        narrow: vec![(POLICY, Narrow::Id(QosRule::BY_POLICY))],
        ..Resource::new(name, collection, "QosRuleNotFound", |id| format!("QoS rule {id} for policy  could not be found."))
    }
}

/// The attribute that holds a rule's policy.
const POLICY: &str = "qos_policy_id";

/// Where the resources are registered: below policies.
fn parent() -> Parent<QosRule> {
    Parent { collection: "qos/policies", attribute: POLICY, of: |rule| rule.policy_id.0, check, check_create }
}

fn check(world: &World, caller: &Caller, id: &str) -> Result<(), Fault> {
    let id = id.parse::<QosPolicyId>().map_err(|_| PolicyFault::not_found(id))?;
    policy::visible(world, caller, id).map(|_| ()).map_err(Fault::from)
}

/// Who may add rules to a policy is the rules' to say.
fn check_create(world: &World, _caller: &Caller, id: &str) -> Result<(), Fault> {
    let policy = id.parse::<QosPolicyId>().ok().and_then(|id| world.get::<QosPolicy>(&id));
    policy.map(|_| ()).ok_or_else(|| PolicyFault::not_found(id).into())
}

fn owner(world: &World, policy: QosPolicyId) -> Option<&ProjectId> {
    world.get::<QosPolicy>(&policy).map(|policy| &policy.project_id)
}

fn parent_project_of<'a>(world: &'a World, fields: &Fields, _parent: &str) -> Option<&'a ProjectId> {
    owner(world, fields.typed(POLICY)?)
}

type A = Attribute<QosRule>;

/// A 32-bit column in the reference.
const RATE: Kind = Kind::IntRange(0, 2_147_483_647);

const DSCP_MARK: Kind = Kind::Special { name: "dscp_mark", check: dscp_mark, form: || json!({"type": "integer", "enum": DSCP_MARKS}) };

fn dscp_mark(value: Value) -> Result<Value, Invalid> {
    let number = Kind::Int.check(value)?;
    let is_mark = number.as_u64().is_some_and(|number| DSCP_MARKS.iter().any(|mark| u64::from(*mark) == number));
    if is_mark { Ok(number) } else { Err(Invalid::Reason(format!("{} is not in valid_values", python::text(&number)))) }
}

/// Those of a resource whose rules can be created, or of an alias.
fn attributes(form: &Form, is_created: bool) -> Vec<A> {
    let required = |attribute: A| if is_created { attribute.required() } else { attribute };
    let or = |attribute: A, default: Value| if is_created { attribute.post_or(default) } else { attribute };
    let policy = A::new(POLICY, Kind::Uuid, |v| Cell::Uuid(v.record.policy_id.0)).filter().hidden();
    let kind = if form.rule_type == QosRuleType::DscpMarking { DSCP_MARK } else { RATE };
    let value = A::new(form.value, kind, |v| Cell::Int(v.record.value.into())).put().filter().sort();
    let burst = form.burst.map(|burst| A::new(burst, RATE, |v| Cell::Int(v.record.burst.into())).put().filter().sort());
    let direction = form.directions.map(|words| A::new("direction", Kind::Word(words), direction).put().filter().sort());
    let id = A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort();
    let own = [id, required(policy), required(value)].into_iter();
    own.chain(burst.map(|burst| or(burst, 0.into()))).chain(direction.map(|direction| or(direction, "egress".into()))).collect()
}

fn direction<'a>(view: &View<'a, QosRule>) -> Cell<'a> {
    Cell::optional(view.record.direction, |direction| Cell::Str(direction.as_str()))
}

/// A rule as its policy shows it.
pub(crate) struct RuleView<'a>(pub(crate) &'a QosRule);

impl Serialize for RuleView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (rule, form) = (self.0, Form::of(self.0.rule_type));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(form.value, &rule.value)?;
        if let Some(burst) = form.burst {
            map.serialize_entry(burst, &rule.burst)?;
        }
        if let Some(direction) = rule.direction {
            map.serialize_entry("direction", &direction)?;
        }
        map.serialize_entry("id", &rule.id)?;
        map.serialize_entry(POLICY, &rule.policy_id)?;
        map.serialize_entry("type", &rule.rule_type)?;
        map.end()
    }
}
