//! What values look like, in JSON Schema (2020-12): for the OpenAPI document, and for whoever makes requests to try the server.
//!
//! A schema says what a value is when it is right. Many kinds take more ("true" for a boolean), and many values that look right are
//! refused because of what else there is; the description says so where it helps.

use crate::Kind;
use serde_json::{Map, Value, json};

/// A text of at most this many characters.
pub fn text(max: usize) -> Value {
    if max == usize::MAX { json!({"type": "string"}) } else { json!({"type": "string", "maxLength": max}) }
}

/// One of these words.
pub fn word(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// A boolean.
pub fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// Any integer.
pub fn integer() -> Value {
    json!({"type": "integer"})
}

/// An integer between these, both included.
pub fn range(low: i64, high: i64) -> Value {
    json!({"type": "integer", "minimum": low, "maximum": high})
}

/// A UUID.
pub fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// An IPv4 or IPv6 address.
pub fn ip() -> Value {
    json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
}

/// An IPv4 or IPv6 prefix.
pub fn cidr() -> Value {
    json!({"type": "string", "format": "cidr", "description": "address/length", "examples": ["192.0.2.0/24", "2001:db8::/64"]})
}

/// A MAC address.
pub fn mac() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"})
}

/// This or null.
pub fn nullable(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// A list of these.
pub fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object of which nothing more is said.
pub fn dictionary() -> Value {
    json!({"type": "object"})
}

/// Anything.
pub fn any() -> Value {
    json!({})
}

/// An object with some of these members and no others.
pub fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Value)>) -> Value {
    let members: Map<String, Value> = members.into_iter().map(|(name, schema)| (name.into(), schema)).collect();
    json!({"type": "object", "properties": members, "additionalProperties": false})
}

/// The same; these of its members must be there.
pub fn requiring<N: Into<String>>(required: &[&str], members: impl IntoIterator<Item = (N, Value)>) -> Value {
    let mut schema = object(members);
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// An object around one member, as bodies have it: `{"network": …}`.
pub fn wrapped(name: &str, schema: Value) -> Value {
    requiring(&[name], [(name, schema)])
}

/// Either of two.
pub fn either(one: Value, other: Value) -> Value {
    json!({"anyOf": [one, other]})
}

/// With a name, under which documents show it once.
#[must_use]
pub fn titled(title: impl Into<String>, mut schema: Value) -> Value {
    schema["title"] = Value::String(title.into());
    schema
}

/// With a sentence.
#[must_use]
pub fn described(mut schema: Value, sentence: &str) -> Value {
    schema["description"] = sentence.into();
    schema
}

impl Kind {
    /// What a client sends, and what answers show of it.
    pub fn schema(&self) -> Value {
        match self {
            Kind::Text(max) => text(*max),
            Kind::TextOrNull(max) => nullable(text(*max)),
            Kind::Bool => boolean(),
            Kind::Int => integer(),
            Kind::IntRange(low, high) => range(*low, *high),
            Kind::Word(words) => word(words),
            Kind::WordOrNull(words) => nullable(word(words)),
            Kind::Uuid => uuid(),
            Kind::UuidOrNull => nullable(uuid()),
            Kind::UuidList => json!({"type": "array", "items": uuid(), "uniqueItems": true}),
            Kind::Mac => mac(),
            Kind::Ip => ip(),
            Kind::IpOrNull => nullable(ip()),
            Kind::Cidr => cidr(),
            Kind::CidrList => json!({"type": "array", "items": cidr(), "uniqueItems": true}),
            Kind::ObjectOrNull => nullable(dictionary()),
            Kind::Special { form, .. } => form(),
        }
    }

    /// What a filter looks for.
    pub(crate) fn wanted_schema(&self) -> Value {
        match self {
            Kind::Bool => boolean(),
            Kind::Int | Kind::IntRange(..) => integer(),
            _ => json!({"type": "string"}),
        }
    }
}
