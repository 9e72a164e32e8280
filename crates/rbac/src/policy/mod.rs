//! `rbac_policies`: who may use which object.

mod fault;
mod ops;

pub use fault::PolicyFault;

use api::{Attribute, Cell, Concerning, Invalid, Kind, Matcher, Narrow, Quota, Resource, python, schema};
use model::{EVERYBODY, RbacPolicy};
use serde_json::Value;
use smol_str::SmolStr;
use uuid::Uuid;

/// The resource.
pub fn resource() -> Resource<RbacPolicy> {
    let not_found = |id: &str| format!("RBAC policy of type unknown with ID {id} not found");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        references: Some(ops::references),
        narrow: vec![("project_id", Narrow::Text(RbacPolicy::BY_PROJECT)), ("object_id", Narrow::Id(RbacPolicy::BY_OBJECT))],
        concerning: Some(Concerning::Own(RbacPolicy::BY_PROJECT)),
        quota: Some(Quota { default: 10, by_project: RbacPolicy::BY_PROJECT }),
        ..Resource::new("rbac_policy", "rbac_policies", "RbacPolicyNotFound", not_found)
    }
}

type A = Attribute<RbacPolicy>;

const OBJECT_TYPE: Kind = Kind::Special { name: "object_type", check: object_type, form: || schema::text(255) };
const TARGET: Kind =
    Kind::Special { name: "target_project", check: target, form: || schema::described(schema::text(36), "the id of a project, or *") };

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("object_type", OBJECT_TYPE, |v| Cell::Str(&v.record.object_type)).required().filter().policy(),
        A::new("object_id", Kind::Uuid, |v| Cell::Uuid(v.record.object_id)).required().filter().sort().policy(),
        A::new("target_tenant", TARGET, |v| Cell::Str(&v.record.target_project)).required().put().filter_by(is_target).policy(),
        A::new("action", Kind::Text(255), |v| Cell::Str(v.record.action.as_str())).required().filter().sort().policy(),
    ]
}

/// In any case and with blanks around it; which types there are is the operation's to say.
fn object_type(value: Value) -> Result<Value, Invalid> {
    let text = Kind::Text(255).check(value)?;
    Ok(text.as_str().unwrap_or_default().trim().to_ascii_lowercase().into())
}

/// A project's id, with or without hyphens, as it was written; or everybody.
fn target(value: Value) -> Result<Value, Invalid> {
    let is_id = |text: &str| matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok();
    if value.as_str().is_some_and(|text| text == EVERYBODY || is_id(text)) {
        return Ok(value);
    }
    Err(Invalid::Conversion(format!("'{}' is not a valid target project ID; expected a UUID or '*'", python::text(&value))))
}

/// What is no target is none.
fn is_target(values: &[&str]) -> Result<Matcher<RbacPolicy>, Invalid> {
    let wanted: Vec<SmolStr> = values.iter().map(SmolStr::new).collect();
    Ok(Box::new(move |view| wanted.contains(&view.record.target_project)))
}
