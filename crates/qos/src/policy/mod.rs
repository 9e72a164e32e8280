//! `qos/policies`: named sets of rules that networks, ports, floating IPs and gateways use.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::PolicyFault;
pub(crate) use ops::default_of;

use crate::rule::RuleView;
use api::{Attribute, Cell, Concerning, Kind, Narrow, Resource, View, schema};
use auth::Caller;
use model::{QosPolicy, QosRule};
use net::QosPolicyId;
use rbac::{Shareable, access};
use std::sync::Arc;
use world::World;

/// QoS policies in RBAC policies.
const OBJECT_TYPE: &str = "qos_policy";

/// The resource.
pub fn resource() -> Resource<QosPolicy> {
    let not_found = |id: &str| format!("QoS policy {id} could not be found.");
    Resource {
        prefix: "qos",
        extension: Some("qos"),
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow: vec![("project_id", Narrow::Text(QosPolicy::BY_PROJECT))],
        concerning: Some(Concerning::By(|world, caller| access::concerning(world, caller, QosPolicy::BY_PROJECT, OBJECT_TYPE))),
        revision_number: Some(|policy| policy.standard.revision_number),
        ..Resource::new("policy", "policies", "QosPolicyNotFound", not_found)
    }
    .tagged()
}

/// QoS policies in RBAC policies: projects use one with whatever of theirs has it.
pub fn shareable() -> Shareable {
    let policy = Shareable::new(
        OBJECT_TYPE,
        |world, id| Some(&world.get::<QosPolicy>(&QosPolicyId(id))?.project_id),
        |world, id, _, holds| ops::any_user(world, QosPolicyId(id), holds),
    );
    Shareable { check: ops::check_shared, ..policy }
}

/// True when the caller may use the policy: its own, one shared with it, or any for administrators.
pub fn may_use(world: &World, caller: &Caller, policy: &QosPolicy) -> bool {
    access::may_use(world, caller, &policy.project_id, policy.id.0)
}

/// The policy, when the caller may use it.
pub fn visible<'a>(world: &'a World, caller: &Caller, id: QosPolicyId) -> Result<&'a Arc<QosPolicy>, PolicyFault> {
    world.get::<QosPolicy>(&id).filter(|policy| may_use(world, caller, policy)).ok_or_else(|| PolicyFault::not_found(id))
}

type A = Attribute<QosPolicy>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(access::is_shared(v.world, v.caller, v.record.id.0))).post_or(false).put().filter(),
        A::new("is_default", Kind::Bool, |v| Cell::Bool(v.record.is_default)).post_or(false).put().filter().of("qos-default"),
        A::new("rules", Kind::Special { name: "rules", check: Ok, form: || schema::list(schema::dictionary()) }, rules),
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
