//! Types of port forwarding attributes.

use api::{Invalid, Kind, python, schema};
use serde_json::Value;

pub(super) const PORT: Kind = Kind::Special { name: "port_or_null", check: port, form: || schema::nullable(schema::range(1, 65_535)) };
pub(super) const RANGE: Kind = Kind::Special {
    name: "port_range_or_null",
    check: range,
    form: || schema::nullable(schema::described(schema::text(11), "first:last")),
};

fn port(value: Value) -> Result<Value, Invalid> {
    if value.is_null() { Ok(value) } else { Kind::IntRange(1, 65_535).check(value) }
}

/// `first:last`; a single port is both ends.
fn range(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(value);
    }
    let text = python::text(&value).to_string();
    match parsed(&text) {
        Some((first, last)) => Ok(format!("{first}:{last}").into()),
        None => Err(Invalid::Reason(format!("'{text}' is not a range of ports from 1 to 65535"))),
    }
}

/// The ends of a range.
pub(super) fn parsed(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let range = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (1 <= range.0 && range.0 <= range.1).then_some(range)
}
