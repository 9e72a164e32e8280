//! Records and requests as policy rules look at them.

use crate::{Attribute, Fields, Resource, View};
use auth::{Caller, Target, Value};
use std::borrow::Cow;
use world::{Record, World};

/// `tenant_id` in a rule means `project_id`.
fn canonical(name: &str) -> &str {
    if name == "tenant_id" { "project_id" } else { name }
}

fn of_json(value: &serde_json::Value) -> Option<Value<'_>> {
    match value {
        serde_json::Value::Bool(value) => Some((*value).into()),
        serde_json::Value::String(text) => Some(text.as_str().into()),
        serde_json::Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

fn of_text(text: Cow<'_, str>) -> Value<'_> {
    match &*text {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        _ => Value::Text(text),
    }
}

/// An existing record, with what an update sets on it.
pub(crate) struct Existing<'t, 'v, R: Record> {
    pub(crate) resource: &'t Resource<R>,
    pub(crate) view: &'t View<'v, R>,
    pub(crate) update: Option<&'t Fields>,
}

impl<R: Record> Existing<'_, '_, R> {
    fn attribute(&self, name: &str) -> Option<&Attribute<R>> {
        self.resource.attributes.iter().find(|attribute| attribute.name == name)
    }
}

impl<R: Record> Target for Existing<'_, '_, R> {
    fn project_id(&self) -> Option<&str> {
        self.view.record.project_id().map(|project| project.as_str())
    }

    fn parent_project_id(&self, parent: &str) -> Option<Cow<'_, str>> {
        (self.resource.parent_project)(self.view, parent).map(|project| Cow::Borrowed(project.as_str()))
    }

    fn field(&self, _collection: &str, name: &str) -> Option<Value<'_>> {
        let name = canonical(name);
        if let Some(value) = self.update.and_then(|fields| fields.get(name)) {
            return of_json(value);
        }
        (self.resource.policy_field)(self.view, name).map(of_text).or_else(|| (self.attribute(name)?.cell)(self.view).policy_value())
    }
}

/// What a create would make.
pub(crate) struct Proposed<'t, R: Record> {
    pub(crate) resource: &'t Resource<R>,
    pub(crate) world: &'t World,
    pub(crate) caller: &'t Caller,
    pub(crate) fields: &'t Fields,
}

impl<R: Record> Target for Proposed<'_, R> {
    fn project_id(&self) -> Option<&str> {
        self.fields.get("project_id")?.as_str()
    }

    fn parent_project_id(&self, parent: &str) -> Option<Cow<'_, str>> {
        (self.resource.parent_project_of)(self.world, self.fields, parent).map(|project| Cow::Borrowed(project.as_str()))
    }

    fn field(&self, _collection: &str, name: &str) -> Option<Value<'_>> {
        let name = canonical(name);
        (self.resource.policy_field_of)(self.world, self.caller, self.fields, name).map(of_text).or_else(|| of_json(self.fields.get(name)?))
    }
}

/// A record as it would be if it were not shared.
pub(crate) struct Unshared<'t>(pub(crate) &'t dyn Target);

impl Target for Unshared<'_> {
    fn project_id(&self) -> Option<&str> {
        self.0.project_id()
    }

    fn parent_project_id(&self, parent: &str) -> Option<Cow<'_, str>> {
        self.0.parent_project_id(parent)
    }

    fn field(&self, collection: &str, name: &str) -> Option<Value<'_>> {
        if name == "shared" { Some(Value::Bool(false)) } else { self.0.field(collection, name) }
    }
}

/// What belongs to a project and has no other attributes that rules ask for: its quota.
pub struct OfProject<'a>(pub &'a str);

impl Target for OfProject<'_> {
    fn project_id(&self) -> Option<&str> {
        Some(self.0)
    }
    fn parent_project_id(&self, _parent: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn field(&self, _collection: &str, name: &str) -> Option<Value<'_>> {
        matches!(name, "project_id" | "tenant_id").then(|| self.0.into())
    }
}

/// What belongs to something of a project, or of nobody: an association of its local IP.
pub struct OfParent<'a>(pub Option<&'a str>);

impl Target for OfParent<'_> {
    fn project_id(&self) -> Option<&str> {
        None
    }
    fn parent_project_id(&self, _parent: &str) -> Option<Cow<'_, str>> {
        self.0.map(Cow::Borrowed)
    }
    fn field(&self, _collection: &str, _name: &str) -> Option<Value<'_>> {
        None
    }
}
