//! Types of network attributes.

use super::provider::{PHYSICAL, SEGMENTATION, TYPE};
use api::{Invalid, Kind, python, schema};
use model::Segment;
use serde::Serialize;
use serde_json::Value;

/// `segments`: a list of objects with the attributes `provider:…`.
pub(super) const SEGMENTS: Kind = Kind::Special { name: "network_segments", check: segments, form };

/// A segment of a network with several of them, as answers show it.
#[derive(Serialize)]
pub(super) struct ShownSegment<'a> {
    #[serde(rename = "provider:network_type")]
    network_type: &'static str,
    #[serde(rename = "provider:physical_network")]
    physical_network: Option<&'a str>,
    #[serde(rename = "provider:segmentation_id")]
    segmentation_id: Option<u32>,
}

impl ShownSegment<'_> {
    pub(super) fn of(segment: &Segment) -> ShownSegment<'_> {
        ShownSegment {
            network_type: segment.network_type.as_str(),
            physical_network: segment.physical_network.as_deref(),
            segmentation_id: segment.segmentation_id,
        }
    }
}

fn form() -> Value {
    let segmentation = schema::nullable(schema::integer());
    let members = [(TYPE, schema::text(32)), (PHYSICAL, schema::nullable(schema::text(64))), (SEGMENTATION, segmentation)];
    schema::list(schema::object(members))
}

fn segments(value: Value) -> Result<Value, Invalid> {
    let wrong = |value: &Value| Invalid::Reason(format!("'{}' is not a list of segments", python::text(value)));
    let Value::Array(items) = value else { return Err(wrong(&value)) };
    let checked = items.into_iter().map(|item| {
        let Value::Object(mut map) = item else { return Err(wrong(&item)) };
        if let Some(name) = map.keys().find(|name| ![TYPE, PHYSICAL, SEGMENTATION].contains(&name.as_str())) {
            return Err(Invalid::Reason(format!("Unexpected key '{name}' for a segment")));
        }
        for (name, kind) in [(TYPE, Kind::TextOrNull(32)), (PHYSICAL, Kind::TextOrNull(64)), (SEGMENTATION, super::INT_OR_NULL)] {
            if let Some(value) = map.get_mut(name) {
                *value = kind.check(value.take())?;
            }
        }
        Ok(Value::Object(map))
    });
    Ok(Value::Array(checked.collect::<Result<_, _>>()?))
}
