//! `security_groups`: named sets of rules that ports use.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::GroupFault;
pub use ops::visible;

use crate::rule::RuleView;
use crate::template::CUSTOM_RULES;
use api::{Attribute, Cell, Kind, Prepare, Quota, Resource, View};
use model::{SecurityGroup, SecurityGroupRule};
use net::SecurityGroupId;
use world::World;

/// The resource.
pub fn resource() -> Resource<SecurityGroup> {
    let not_found = |id: &str| format!("Security group {id} does not exist");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        prepare: Some(Prepare { needed: ops::default_is_missing, run: ops::make_default_of_caller }),
        narrow,
        concerning: Some(|world, caller| {
            world.table::<SecurityGroup>().ids(SecurityGroup::BY_PROJECT, &caller.project_id).copied().collect()
        }),
        quota: Some(Quota { default: 10, by_project: SecurityGroup::BY_PROJECT }),
        brings: &[("security_group_rule", CUSTOM_RULES)],
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
        A::new("stateful", Kind::Bool, |v| Cell::Bool(v.record.stateful)).post_or(true).put().filter(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("shared", Kind::Bool, |_| Cell::Bool(false)).filter(),
        A::new("security_group_rules", Kind::ObjectOrNull, rules),
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

fn narrow(world: &World, attribute: &str, value: &str) -> Option<Vec<SecurityGroupId>> {
    match attribute {
        "project_id" => Some(world.table::<SecurityGroup>().ids(SecurityGroup::BY_PROJECT, value).copied().collect()),
        _ => None,
    }
}
