//! Attributes out of a request's object, with type checks.

use super::super::fault::Fault;
use serde_json::{Map, Value};

/// Longest name, in characters.
const MAX_NAME: usize = 255;

/// The attributes of a request that are still to be understood.
pub(super) struct Attributes(pub Map<String, Value>);

impl Attributes {
    /// A text; `null` counts as absent.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.0.shift_remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::bad_request(format!("Invalid input for '{name}': a string is expected."))),
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.0.shift_remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(Fault::bad_request(format!("Invalid input for '{name}': a boolean is expected."))),
        }
    }

    /// The name: 1 to 255 characters, not only blanks, none of them a control character.
    pub(super) fn name(&mut self) -> Result<Option<String>, Fault> {
        let name = self.text("name")?;
        match &name {
            Some(name) if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) => {
                Err(Fault::bad_request("Invalid input for 'name': 1 to 255 printable characters are expected."))
            }
            _ => Ok(name),
        }
    }

    pub(super) fn required_name(&mut self) -> Result<String, Fault> {
        self.name()?.ok_or_else(|| Fault::bad_request("'name' is a required property."))
    }

    /// What is left, stored for clients; attributes that the service computes are dropped.
    pub(super) fn rest(mut self, computed: &[&str]) -> Result<Map<String, Value>, Fault> {
        self.0.retain(|name, _| !computed.contains(&name.as_str()));
        match self.0.iter().find(|(_, value)| value.is_array() || value.is_object()) {
            Some((name, _)) => Err(Fault::bad_request(format!("Invalid input for '{name}': only simple values can be stored."))),
            None => Ok(self.0),
        }
    }
}

/// Lays changed attributes over stored ones; `null` removes.
pub(super) fn overlay(stored: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            stored.shift_remove(&name);
        } else {
            stored.insert(name, value);
        }
    }
}
