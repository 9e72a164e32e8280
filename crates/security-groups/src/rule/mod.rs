//! `security_group_rules`: what a group lets pass.

mod fault;
mod ops;
pub mod protocol;
#[cfg(test)]
mod tests;
mod validate;

pub use fault::RuleFault;
pub(crate) use validate::{Match, validate};

use api::{Attribute, Cell, Concerning, Fields, Invalid, Kind, Narrow, Quota, Resource, View, schema};
use model::{SecurityGroup, SecurityGroupRule};
use net::{Family, ProjectId, SecurityGroupId, SecurityGroupRuleId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use world::World;

/// The resource. It has no update: a rule is immutable.
pub fn resource() -> Resource<SecurityGroupRule> {
    let not_found = |id: &str| format!("Security group rule {id} does not exist");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        delete: Some(ops::delete),
        parent_project: |view, _| group_owner(view.world, view.record.security_group_id),
        parent_project_of,
        references: Some(ops::references),
        narrow: vec![
            ("project_id", Narrow::Text(SecurityGroupRule::BY_PROJECT)),
            ("security_group_id", Narrow::Id(SecurityGroupRule::BY_GROUP)),
            ("remote_group_id", Narrow::Id(SecurityGroupRule::BY_REMOTE_GROUP)),
            ("remote_address_group_id", Narrow::Id(SecurityGroupRule::BY_ADDRESS_GROUP)),
        ],
        concerning: Some(Concerning::By(concerning)),
        is_scoped: false,
        quota: Some(Quota { default: 100, by_project: SecurityGroupRule::BY_PROJECT }),
        revision_number: Some(|rule| rule.standard.revision_number),
        ..Resource::new("security_group_rule", "security_group_rules", "SecurityGroupRuleNotFound", not_found)
    }
}

/// Anything: the operation judges it, because its faults have types of their own.
pub(crate) const JUDGED: Kind =
    Kind::Special { name: "any", check: |value: Value| -> Result<Value, Invalid> { Ok(value) }, form: schema::any };

/// The id of a group; what is not an id is not found.
const GROUP: Kind = Kind::Special { name: "group", check: |value| Kind::Text(usize::MAX).check(value), form: schema::uuid };

/// The same, or null.
const REMOTE_GROUP: Kind = Kind::Special {
    name: "group_or_null",
    check: |value| Kind::TextOrNull(usize::MAX).check(value),
    form: || schema::nullable(schema::uuid()),
};

/// In any case; the operation judges what is neither.
pub(crate) const ETHERTYPE: Kind = Kind::Special { name: "ethertype", check: ethertype, form: || schema::word(&["IPv4", "IPv6"]) };

fn ethertype(value: Value) -> Result<Value, Invalid> {
    let known = [Family::V4, Family::V6].map(Family::ethertype);
    let found = known.iter().find(|name| value.as_str().is_some_and(|given| given.eq_ignore_ascii_case(name)));
    Ok(found.map_or(value, |name| Value::from(*name)))
}

type A = Attribute<SecurityGroupRule>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("security_group_id", GROUP, |v| Cell::Uuid(v.record.security_group_id.0)).required().filter().sort(),
        A::new("ethertype", ETHERTYPE, |v| Cell::Str(v.record.ethertype.ethertype())).post_or("IPv4").filter().sort(),
        A::new("direction", Kind::Word(&["ingress", "egress"]), |v| Cell::Str(v.record.direction.as_str())).required().filter().sort(),
        A::new("protocol", JUDGED, |v| text(v.record.protocol.as_deref())).post_or(Value::Null).filter().sort(),
        A::new("port_range_min", JUDGED, |v| number(v.record.port_range_min)).post_or(Value::Null).filter().sort(),
        A::new("port_range_max", JUDGED, |v| number(v.record.port_range_max)).post_or(Value::Null).filter().sort(),
        A::new("remote_ip_prefix", JUDGED, |v| text(v.record.remote_ip_prefix.as_deref())).post_or(Value::Null).filter().sort(),
        A::new("normalized_cidr", Kind::TextOrNull(64), normalized_cidr).filter().sort(),
        A::new("remote_group_id", REMOTE_GROUP, |v| Cell::optional(v.record.remote_group_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .filter()
            .sort(),
        A::new("remote_address_group_id", REMOTE_GROUP, |v| Cell::optional(v.record.remote_address_group_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .filter()
            .sort(),
        A::new("belongs_to_default_sg", Kind::Bool, |v| Cell::Bool(is_of_default(v))).filter(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

pub(crate) fn text(text: Option<&str>) -> Cell<'_> {
    Cell::optional(text, Cell::Str)
}

pub(crate) fn number<'a>(number: Option<u16>) -> Cell<'a> {
    Cell::optional(number, |n| Cell::Int(n.into()))
}

fn normalized_cidr<'a>(view: &View<'a, SecurityGroupRule>) -> Cell<'a> {
    Cell::optional(view.record.remote_ip_prefix.as_deref().and_then(validate::normalized), Cell::Net)
}

fn is_of_default(view: &View<'_, SecurityGroupRule>) -> bool {
    view.world.get::<SecurityGroup>(&view.record.security_group_id).is_some_and(|group| group.is_default)
}

fn group_owner(world: &World, group: SecurityGroupId) -> Option<&ProjectId> {
    world.get::<SecurityGroup>(&group).map(|group| &group.project_id)
}

fn parent_project_of<'a>(world: &'a World, fields: &Fields, _parent: &str) -> Option<&'a ProjectId> {
    group_owner(world, fields.text("security_group_id")?.parse().ok()?)
}

/// The rules of the caller's groups, and its own in groups of others.
fn concerning(world: &World, caller: &auth::Caller) -> Vec<SecurityGroupRuleId> {
    let rules = world.table::<SecurityGroupRule>();
    let groups = world.table::<SecurityGroup>().ids(SecurityGroup::BY_PROJECT, &caller.project_id);
    let of_groups = groups.flat_map(|group| rules.ids(SecurityGroupRule::BY_GROUP, *group));
    of_groups.chain(rules.ids(SecurityGroupRule::BY_PROJECT, &caller.project_id)).copied().collect()
}

/// A rule as it is embedded in its group.
pub(crate) struct RuleView<'a> {
    /// The rule.
    pub rule: &'a SecurityGroupRule,
    /// True when its group is a default group.
    pub belongs_to_default_sg: bool,
}

impl Serialize for RuleView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rule = self.rule;
        let mut map = serializer.serialize_map(Some(18))?;
        map.serialize_entry("id", &rule.id)?;
        map.serialize_entry("project_id", &rule.project_id)?;
        map.serialize_entry("tenant_id", &rule.project_id)?;
        map.serialize_entry("security_group_id", &rule.security_group_id)?;
        map.serialize_entry("ethertype", rule.ethertype.ethertype())?;
        map.serialize_entry("direction", &rule.direction)?;
        map.serialize_entry("protocol", &rule.protocol)?;
        map.serialize_entry("port_range_min", &rule.port_range_min)?;
        map.serialize_entry("port_range_max", &rule.port_range_max)?;
        map.serialize_entry("remote_ip_prefix", &rule.remote_ip_prefix)?;
        map.serialize_entry("normalized_cidr", &rule.remote_ip_prefix.as_deref().and_then(validate::normalized))?;
        map.serialize_entry("remote_group_id", &rule.remote_group_id)?;
        map.serialize_entry("remote_address_group_id", &rule.remote_address_group_id)?;
        map.serialize_entry("belongs_to_default_sg", &self.belongs_to_default_sg)?;
        map.serialize_entry("description", &rule.standard.description)?;
        map.serialize_entry("created_at", &rule.standard.created_at.to_string())?;
        map.serialize_entry("updated_at", &rule.standard.updated_at.to_string())?;
        map.serialize_entry("revision_number", &rule.standard.revision_number)?;
        map.end()
    }
}
