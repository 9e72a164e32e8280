//! Bodies of creates and updates: from bytes to validated [`Fields`], in the reference's order of checks.

use crate::{Attribute, Default, Fault, Fields};
use auth::Caller;
use serde_json::{Map, Value};

/// What a body is checked against.
pub(crate) struct Form<'r, R> {
    pub(crate) resource: &'static str,
    pub(crate) collection: &'static str,
    pub(crate) attributes: &'r [Attribute<R>],
    pub(crate) caller: &'r Caller,
}

/// The body of a create.
pub(crate) enum Creates {
    /// `{"network": {…}}`
    One(Fields),
    /// `{"networks": [{…}, …]}`, not empty
    Many(Vec<Fields>),
}

/// A body as a JSON object; no body is an empty one.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Fault::bad_request("Body contains invalid data")),
    }
}

/// The object under a resource's key.
pub fn unwrap(body: &mut Map<String, Value>, resource: &str) -> Result<Map<String, Value>, Fault> {
    match body.remove(resource) {
        None | Some(Value::Null) => Err(Fault::bad_request(format!("Unable to find '{resource}' in request body"))),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Fault::bad_request(format!("Object '{resource}' contains invalid data"))),
    }
}

/// Refuses names that the resource does not have.
pub fn refuse_unknown<'m>(unknown: impl Iterator<Item = &'m String>) -> Result<(), Fault> {
    let unknown: Vec<&str> = unknown.map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Fault::bad_request(format!("Unrecognized attribute(s) '{}'", unknown.join(", "))))
}

impl<R> Form<'_, R> {
    /// Reads the body of a POST.
    pub(crate) fn creates(&self, body: &[u8]) -> Result<Creates, Fault> {
        let mut body = object(body)?;
        // The collection of a resource may have its name.
        let is_one = self.collection == self.resource && !body.get(self.collection).is_some_and(Value::is_array);
        let Some(items) = (if is_one { None } else { body.remove(self.collection) }) else {
            return Ok(Creates::One(self.create(unwrap(&mut body, self.resource)?)?));
        };
        let items = match items {
            Value::Array(items) if !items.is_empty() => items,
            Value::Null | Value::Array(_) => return Err(Fault::bad_request("Resources required")),
            Value::Object(map) if map.is_empty() => return Err(Fault::bad_request("Resources required")),
            _ => return Err(Fault::bad_request(format!("Object '{}' contains invalid data", self.collection))),
        };
        let fields = items.into_iter().map(|item| match item {
            Value::Object(mut map) if map.contains_key(self.resource) => self.create(unwrap(&mut map, self.resource)?),
            Value::Object(map) => self.create(map),
            Value::Null => Err(Fault::bad_request("Body contains invalid data")),
            _ => Err(Fault::bad_request(format!("Object '{}' contains invalid data", self.resource))),
        });
        Ok(Creates::Many(fields.collect::<Result<_, _>>()?))
    }

    /// Reads the body of a PUT.
    pub(crate) fn update(&self, body: &[u8]) -> Result<Fields, Fault> {
        let mut body = object(body)?;
        if self.collection != self.resource && body.contains_key(self.collection) {
            return Err(Fault::bad_request("Bulk operation not supported"));
        }
        let mut given = unwrap(&mut body, self.resource)?;
        let project_as = if given.contains_key("tenant_id") { "tenant_id" } else { "project_id" };
        self.join_project(&mut given)?;
        self.refuse_unknown(&given)?;
        for name in given.keys() {
            if !self.attribute(name).is_some_and(|attribute| attribute.put) {
                let name = if name == "project_id" { project_as } else { name };
                return Err(Fault::bad_request(format!("Cannot update read-only attribute {name}")));
            }
        }
        self.checked(given)
    }

    fn create(&self, mut given: Map<String, Value>) -> Result<Fields, Fault> {
        self.join_project(&mut given)?;
        if self.has_project() && !given.contains_key("project_id") {
            if self.caller.project_id.is_empty() {
                return Err(Fault::bad_request("Running without keystone AuthN requires that tenant_id is specified"));
            }
            given.insert("project_id".to_owned(), self.caller.project_id.as_str().into());
        }
        self.refuse_project(&given)?;
        self.refuse_unknown(&given)?;
        for attribute in self.attributes {
            if attribute.post || attribute.name == "project_id" {
                if given.contains_key(attribute.name) {
                    continue;
                }
                match &attribute.default {
                    Default::Required => {
                        let message = format!("Failed to parse request. Required attribute '{}' not specified", attribute.name);
                        return Err(Fault::bad_request(message));
                    }
                    Default::Absent => {}
                    Default::Value(value) => {
                        given.insert(attribute.name.to_owned(), value.clone());
                    }
                }
            } else if given.contains_key(attribute.name) {
                return Err(Fault::bad_request(format!("Attribute '{}' not allowed in POST", attribute.name)));
            }
        }
        self.checked(given)
    }

    fn attribute(&self, name: &str) -> Option<&Attribute<R>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    fn has_project(&self) -> bool {
        self.attribute("project_id").is_some()
    }

    fn refuse_unknown(&self, given: &Map<String, Value>) -> Result<(), Fault> {
        refuse_unknown(given.keys().filter(|name| self.attribute(name).is_none()))
    }

    /// A resource without an owner is told of neither name of one.
    fn refuse_project(&self, given: &Map<String, Value>) -> Result<(), Fault> {
        let names = ["project_id", "tenant_id"];
        if self.has_project() || !names.iter().any(|name| given.contains_key(*name)) {
            return Ok(());
        }
        let others = given.keys().filter(|name| !names.contains(&name.as_str()) && self.attribute(name).is_none()).cloned();
        let unknown: Vec<String> = others.chain(names.map(str::to_owned)).collect();
        refuse_unknown(unknown.iter())
    }

    /// Makes `tenant_id` and `project_id` one, and lets only administrators and services name another project.
    fn join_project(&self, given: &mut Map<String, Value>) -> Result<(), Fault> {
        if !self.has_project() {
            return Ok(());
        }
        if let Some(tenant) = given.shift_remove("tenant_id") {
            match given.get("project_id") {
                Some(project) if *project != tenant => return Err(Fault::bad_request("'project_id' and 'tenant_id' do not match")),
                _ => given.insert("project_id".to_owned(), tenant),
            };
        }
        let foreign = given.get("project_id").is_some_and(|project| project.as_str() != Some(self.caller.project_id.as_str()));
        if foreign && !self.caller.is_admin && !self.caller.roles.contains("service") {
            let message = "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.";
            return Err(Fault::bad_request(message));
        }
        Ok(())
    }

    /// Converts and validates in the order of the attribute table.
    fn checked(&self, mut given: Map<String, Value>) -> Result<Fields, Fault> {
        for attribute in self.attributes {
            let Some(value) = given.get_mut(attribute.name) else { continue };
            *value = attribute.kind.check(value.take()).map_err(|invalid| invalid.fault(attribute.name))?;
        }
        Ok(Fields::new(given))
    }
}
