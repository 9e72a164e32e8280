//! `security_groups`: named sets of rules that ports use.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::GroupFault;
pub use ops::{usable, visible};

use crate::rule::RuleView;
use crate::template::number_of_rules;
use api::{Attribute, Cell, Concerning, Kind, Narrow, Prepare, Quota, Resource, View, schema};
use model::{Port, SecurityGroup, SecurityGroupRule};
use net::SecurityGroupId;
use rbac::{Shareable, access};

/// Security groups in policies.
const OBJECT_TYPE: &str = "security_group";

/// The resource.
pub fn resource() -> Resource<SecurityGroup> {
    let not_found = |id: &str| format!("Security group {id} does not exist");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        prepare: Some(Prepare { needed: ops::default_is_missing, run: ops::make_default }),
        narrow: vec![("project_id", Narrow::Text(SecurityGroup::BY_PROJECT))],
        concerning: Some(Concerning::By(|world, caller| access::concerning(world, caller, SecurityGroup::BY_PROJECT, OBJECT_TYPE))),
        quota: Some(Quota { default: 10, by_project: SecurityGroup::BY_PROJECT }),
        brings: |world| vec![("security_group_rule", number_of_rules(world))],
        revision_number: Some(|group| group.standard.revision_number),
        ..Resource::new("security_group", "security_groups", "SecurityGroupNotFound", not_found)
    }
    .tagged()
}

type A = Attribute<SecurityGroup>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("stateful", Kind::Bool, |v| Cell::Bool(v.record.stateful)).post().put().filter(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(access::is_shared(v.world, v.caller, v.record.id.0))).filter(),
        A::new("security_group_rules", Kind::ObjectOrNull, rules).shown_as(|| schema::list(schema::dictionary())),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

fn rules<'a>(view: &View<'a, SecurityGroup>) -> Cell<'a> {
    let rules = view.world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, view.record.id);
    let is_default = view.record.is_default;
    Cell::made(rules.map(|rule| RuleView { rule, belongs_to_default_sg: is_default }).collect::<Vec<_>>())
}

/// Security groups in RBAC policies: projects whose ports have one use it.
pub fn shareable() -> Shareable {
    Shareable::new(
        OBJECT_TYPE,
        |world, id| Some(&world.get::<SecurityGroup>(&SecurityGroupId(id))?.project_id),
        |world, id, _, holds| world.table::<Port>().by(Port::BY_SECURITY_GROUP, SecurityGroupId(id)).any(|port| holds(&port.project_id)),
    )
}
