//! `qos/policies`: named sets of rules that networks, ports, floating IPs and gateways use.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::PolicyFault;
pub(crate) use ops::default_of;

use crate::rule::RuleView;
use api::{Attribute, Cell, Kind, Resource, View};
use auth::Caller;
use model::{QosPolicy, QosRule};
use net::QosPolicyId;
use std::sync::Arc;
use world::World;

/// The resource.
pub fn resource() -> Resource<QosPolicy> {
    let not_found = |id: &str| format!("QoS policy {id} could not be found.");
    Resource {
        prefix: "qos",
        extension: Some("qos"),
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow,
        concerning: Some(concerning),
        revision_number: Some(|policy| policy.standard.revision_number),
        ..Resource::new("policy", "policies", "QosPolicyNotFound", not_found)
    }
    .tagged()
}

/// True when the caller may use the policy: its own, a shared one, or any for administrators and services.
pub fn may_use(caller: &Caller, policy: &QosPolicy) -> bool {
    policy.shared || caller.is_admin || caller.owns(policy.project_id.as_str()) || caller.roles.contains("service")
}

/// The policy, when the caller may use it.
pub fn visible<'a>(world: &'a World, caller: &Caller, id: QosPolicyId) -> Result<&'a Arc<QosPolicy>, PolicyFault> {
    world.get::<QosPolicy>(&id).filter(|policy| may_use(caller, policy)).ok_or_else(|| PolicyFault::not_found(id))
}

type A = Attribute<QosPolicy>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(v.record.shared)).post_or(false).put().filter(),
        A::new("is_default", Kind::Bool, |v| Cell::Bool(v.record.is_default)).post_or(false).put().filter().of("qos-default"),
        A::new("rules", Kind::Special { name: "rules", check: Ok }, rules),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

fn rules<'a>(view: &View<'a, QosPolicy>) -> Cell<'a> {
    let rules = view.world.table::<QosRule>().by(QosRule::BY_POLICY, view.record.id);
    let mut rules: Vec<&QosRule> = rules.map(Arc::as_ref).collect();
    rules.sort_by_key(|rule| rule.rule_type);
    Cell::made(rules.into_iter().map(RuleView).collect::<Vec<_>>())
}

/// A project's own policies, and those for everybody.
fn concerning(world: &World, caller: &Caller) -> Vec<QosPolicyId> {
    let policies = world.table::<QosPolicy>();
    policies.ids(QosPolicy::BY_PROJECT, &caller.project_id).chain(policies.ids(QosPolicy::SHARED, 0)).copied().collect()
}

fn narrow(world: &World, attribute: &str, value: &str) -> Option<Vec<QosPolicyId>> {
    let policies = world.table::<QosPolicy>();
    match attribute {
        "project_id" => Some(policies.ids(QosPolicy::BY_PROJECT, value).copied().collect()),
        "shared" if value.eq_ignore_ascii_case("true") || value == "1" => Some(policies.ids(QosPolicy::SHARED, 0).copied().collect()),
        _ => None,
    }
}
