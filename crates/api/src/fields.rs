//! The attributes of a request after validation.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use smol_str::SmolStr;

/// What a create or update sets, each value in its type's canonical form. On create, defaults are filled in; what is not
/// there was not specified.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
}

impl Fields {
    /// Fields with these values, which must be in canonical form.
    pub fn new(values: Map<String, Value>) -> Fields {
        Fields { values }
    }

    /// The value; none when it was not specified. Null is a value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// True when it was specified, even as null.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Sets a value: for an operation that calls another.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// A text; none when not specified or null.
    pub fn text(&self, name: &str) -> Option<SmolStr> {
        self.get(name)?.as_str().map(SmolStr::new)
    }

    /// A boolean; none when not specified or null.
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// A number; none when not specified or null.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    /// The value in its typed form: `None` when it was not specified; use `Option<T>` for `T` where null has a meaning.
    ///
    /// # Panics
    /// When the canonical form of the attribute's kind is not `T`'s serde form: a mistake in the attribute table.
    pub fn typed<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let value = self.get(name)?.clone();
        Some(serde_json::from_value(value).unwrap_or_else(|e| panic!("the kind of {name} does not yield its type: {e}")))
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// True when nothing was specified.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
