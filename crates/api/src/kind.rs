//! The types of attributes: what a client may send, and its canonical form.

use crate::{Fault, python};
use net::{IpNet, Mac};
use serde_json::Value;
use std::borrow::Cow;
use std::net::IpAddr;
use uuid::Uuid;

/// Why a value was refused. The two differ in the reference's error: clients and tests tell them apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// A validator refused: 400 `HTTPBadRequest`, "Invalid input for <attribute>. Reason: <reason>."
    Reason(String),
    /// A conversion failed: 400 `InvalidInput`, "Invalid input for operation: <reason>."
    Conversion(String),
}

/// The type of an attribute.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text of at most this many characters.
    Text(usize),
    /// A text or null.
    TextOrNull(usize),
    /// `true`, `false` and what converts to them ("true", "1", 0, …).
    Bool,
    /// An integer, also as decimal text.
    Int,
    /// An integer in a range, both ends included.
    IntRange(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words or null.
    WordOrNull(&'static [&'static str]),
    /// A UUID.
    Uuid,
    /// A UUID or null.
    UuidOrNull,
    /// A list of UUIDs without repetitions; null is the empty list.
    UuidList,
    /// A MAC address that an interface can have.
    Mac,
    /// An IP address.
    Ip,
    /// An IP address or null.
    IpOrNull,
    /// A prefix in CIDR form; host bits are cleared.
    Cidr,
    /// A list of such prefixes, none written twice.
    CidrList,
    /// An object or null.
    ObjectOrNull,
    /// Anything else: its own check, and the name of its form for documents.
    Special {
        /// Name of the form, such as `allocation_pools`.
        name: &'static str,
        /// Turns what a client sent into the canonical form.
        check: fn(Value) -> Result<Value, Invalid>,
        /// What it looks like, as a schema; see [`crate::schema`].
        form: fn() -> Value,
    },
}

impl Invalid {
    /// As the answer to a request in which this attribute's value was refused.
    pub fn fault(self, attribute: &str) -> Fault {
        match self {
            Invalid::Reason(reason) => Fault::bad_request(format!("Invalid input for {attribute}. Reason: {reason}.")),
            Invalid::Conversion(reason) => Fault::invalid_input(reason),
        }
    }
}

impl Kind {
    /// The canonical form of what a client sent.
    pub fn check(&self, value: Value) -> Result<Value, Invalid> {
        match self {
            Kind::Text(max) => text(value, *max),
            Kind::TextOrNull(max) => or_null(value, |value| text(value, *max)),
            Kind::Bool => boolean(&value).map(Value::Bool),
            Kind::Int => integer(&value).map(Value::from),
            Kind::IntRange(low, high) => range(&value, *low, *high),
            Kind::Word(words) => word(value, words),
            Kind::WordOrNull(words) => or_null(value, |value| word(value, words)),
            Kind::Uuid => uuid(&value),
            Kind::UuidOrNull => or_null(value, |value| uuid(&value)),
            Kind::UuidList => uuids(&value),
            Kind::Mac => mac(&value),
            Kind::Ip => ip(&value),
            Kind::IpOrNull => or_null(value, |value| ip(&value)),
            Kind::Cidr => cidr(&value),
            Kind::CidrList => cidrs(value),
            Kind::ObjectOrNull => or_null(value, object),
            Kind::Special { check, .. } => check(value),
        }
    }

    /// The value that a filter looks for. Only conversions can fail: what a validator would refuse just matches nothing.
    pub(crate) fn wanted<'v>(&self, text: &'v str) -> Result<Cow<'v, str>, Invalid> {
        let value = || Value::from(text);
        match self {
            Kind::Bool => boolean(&value()).map(|_| ())?,
            Kind::Int | Kind::IntRange(..) => integer(&value()).map(|_| ())?,
            Kind::Special { check, .. } => match check(value()) {
                Ok(Value::String(canonical)) => return Ok(Cow::Owned(canonical)),
                Err(conversion @ Invalid::Conversion(_)) => return Err(conversion),
                _ => {}
            },
            _ => {}
        }
        Ok(Cow::Borrowed(text))
    }
}

fn refuse<T>(reason: String) -> Result<T, Invalid> {
    Err(Invalid::Reason(reason))
}

fn or_null(value: Value, check: impl FnOnce(Value) -> Result<Value, Invalid>) -> Result<Value, Invalid> {
    if value.is_null() { Ok(value) } else { check(value) }
}

fn text(value: Value, max: usize) -> Result<Value, Invalid> {
    let Value::String(text) = &value else {
        return refuse(format!("'{}' is not a valid string", python::text(&value)));
    };
    if text.len() > max && text.chars().count() > max {
        return refuse(format!("'{text}' exceeds maximum length of {max}"));
    }
    Ok(value)
}

pub(crate) fn boolean(value: &Value) -> Result<bool, Invalid> {
    let converted = match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "1" || text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text == "0" || text.eq_ignore_ascii_case("false") => Some(false),
        Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
        Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
        _ => None,
    };
    converted.ok_or_else(|| Invalid::Conversion(format!("'{}' cannot be converted to boolean", python::text(value))))
}

pub(crate) fn integer(value: &Value) -> Result<i64, Invalid> {
    let converted = match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        _ => None,
    };
    converted.ok_or_else(|| Invalid::Conversion(format!("'{}' is not an integer", python::text(value))))
}

/// The integer part, where an `i64` holds it exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (number.abs() <= EXACT).then(|| number.trunc() as i64)
}

fn range(value: &Value, low: i64, high: i64) -> Result<Value, Invalid> {
    let number = integer(value)?;
    if number < low {
        return refuse(format!("'{number}' is too small - must be at least '{low}'"));
    }
    if number > high {
        return refuse(format!("'{number}' is too large - must be no larger than '{high}'"));
    }
    Ok(number.into())
}

fn word(value: Value, words: &[&str]) -> Result<Value, Invalid> {
    if value.as_str().is_some_and(|text| words.contains(&text)) {
        return Ok(value);
    }
    refuse(format!("{} is not in valid_values", python::text(&value)))
}

fn uuid(value: &Value) -> Result<Value, Invalid> {
    match value.as_str().and_then(parse_uuid) {
        Some(id) => Ok(id.to_string().into()),
        None => refuse(format!("'{}' is not a valid UUID", python::text(value))),
    }
}

/// A UUID with or without hyphens; other forms (braces, URNs) are refused as the reference does not show them.
fn parse_uuid(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok())?
}

fn uuids(value: &Value) -> Result<Value, Invalid> {
    let items = match value {
        Value::Null => return Ok(Value::Array(Vec::new())),
        Value::Array(items) => items,
        other => return refuse(format!("'{}' is not a list", python::text(other))),
    };
    let checked: Vec<Value> = items.iter().map(uuid).collect::<Result<_, _>>()?;
    let mut sorted: Vec<&str> = checked.iter().filter_map(Value::as_str).collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return refuse(format!("Duplicate items in the list: '{}'", twice[0]));
    }
    Ok(Value::Array(checked))
}

fn mac(value: &Value) -> Result<Value, Invalid> {
    match value.as_str().and_then(|text| text.parse::<Mac>().ok()).filter(|mac| !mac.is_group() && !mac.is_zero()) {
        Some(mac) => Ok(mac.to_string().into()),
        None => refuse(format!("'{}' is not a valid MAC address", python::text(value))),
    }
}

fn ip(value: &Value) -> Result<Value, Invalid> {
    match value.as_str().and_then(|text| text.parse::<IpAddr>().ok()) {
        Some(address) => Ok(address.to_string().into()),
        None => match value.as_str().and_then(without_leading_zeros) {
            Some(address) => refuse(format!("'{}' is not an accepted IP address, '{address}' is recommended", python::text(value))),
            None => refuse(format!("'{}' is not a valid IP address", python::text(value))),
        },
    }
}

/// What an IPv4 address whose numbers begin with zeros probably means.
fn without_leading_zeros(text: &str) -> Option<std::net::Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        *octet = parts.next()?.parse().ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

fn cidr(value: &Value) -> Result<Value, Invalid> {
    let invalid = || refuse(format!("'{}' is not a valid IP subnet", python::text(value)));
    let Some(text) = value.as_str() else { return invalid() };
    match text.parse::<IpNet>() {
        Ok(net) => Ok(net.trunc().to_string().into()),
        Err(_) => invalid(),
    }
}

fn cidrs(value: Value) -> Result<Value, Invalid> {
    let Value::Array(items) = value else {
        return refuse(format!("'{}' is not a list", python::text(&value)));
    };
    let mut given: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    given.sort_unstable();
    if let Some(twice) = given.windows(2).find(|pair| pair[0] == pair[1]) {
        return refuse(format!("Duplicate items in the list: '{}'", twice[0]));
    }
    items.iter().map(cidr).collect::<Result<Vec<Value>, Invalid>>().map(Value::Array)
}

fn object(value: Value) -> Result<Value, Invalid> {
    if value.is_object() { Ok(value) } else { refuse(format!("'{}' is not a dictionary", python::text(&value))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn accepted(kind: Kind, value: Value, canonical: Value) {
        assert_eq!(kind.check(value.clone()), Ok(canonical.clone()), "{value}");
        assert_eq!(kind.check(canonical.clone()), Ok(canonical), "the canonical form is its own");
    }

    fn refused(kind: Kind, value: Value, message: &str) {
        let fault = kind.check(value).expect_err("refused").fault("a");
        assert_eq!((fault.status, fault.message.as_str()), (400, message));
        let expected = if message.starts_with("Invalid input for operation: ") { "InvalidInput" } else { "HTTPBadRequest" };
        assert_eq!(fault.kind, expected);
    }

    const ID: &str = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";

    #[test]
    fn texts_and_words() {
        accepted(Kind::Text(3), json!("äöü"), json!("äöü"));
        refused(Kind::Text(3), json!("äöüß"), "Invalid input for a. Reason: 'äöüß' exceeds maximum length of 3.");
        refused(Kind::Text(3), json!(null), "Invalid input for a. Reason: 'None' is not a valid string.");
        refused(Kind::Text(3), json!(["x"]), "Invalid input for a. Reason: '['x']' is not a valid string.");
        accepted(Kind::TextOrNull(3), json!(null), json!(null));
        refused(Kind::TextOrNull(3), json!(5), "Invalid input for a. Reason: '5' is not a valid string.");
        accepted(Kind::Word(&["x"]), json!("x"), json!("x"));
        refused(Kind::Word(&["x"]), json!("y"), "Invalid input for a. Reason: y is not in valid_values.");
        accepted(Kind::WordOrNull(&["x"]), json!(null), json!(null));
    }

    #[test]
    fn booleans_convert_as_in_the_reference() {
        for yes in [json!(true), json!("True"), json!("1"), json!(1), json!("tRUE")] {
            accepted(Kind::Bool, yes, json!(true));
        }
        for no in [json!(false), json!("FALSE"), json!("0"), json!(0)] {
            accepted(Kind::Bool, no, json!(false));
        }
        refused(Kind::Bool, json!("banana"), "Invalid input for operation: 'banana' cannot be converted to boolean.");
        refused(Kind::Bool, json!(2), "Invalid input for operation: '2' cannot be converted to boolean.");
        refused(Kind::Bool, json!(null), "Invalid input for operation: 'None' cannot be converted to boolean.");
        refused(Kind::Bool, json!({"a": true}), "Invalid input for operation: '{'a': True}' cannot be converted to boolean.");
    }

    #[test]
    fn numbers() {
        accepted(Kind::Int, json!(" 12 "), json!(12));
        accepted(Kind::Int, json!(3.9), json!(3));
        refused(Kind::Int, json!("1.5"), "Invalid input for operation: '1.5' is not an integer.");
        refused(Kind::Int, json!(1e300), "Invalid input for operation: '1e+300' is not an integer.");
        refused(Kind::IntRange(0, 5), json!("-1"), "Invalid input for a. Reason: '-1' is too small - must be at least '0'.");
        refused(Kind::IntRange(0, 5), json!(6), "Invalid input for a. Reason: '6' is too large - must be no larger than '5'.");
    }

    #[test]
    fn ids() {
        accepted(Kind::Uuid, json!(ID.to_uppercase()), json!(ID));
        accepted(Kind::Uuid, json!(ID.replace('-', "")), json!(ID));
        refused(Kind::Uuid, json!("zz"), "Invalid input for a. Reason: 'zz' is not a valid UUID.");
        refused(Kind::Uuid, json!(format!("{{{ID}}}")), &format!("Invalid input for a. Reason: '{{{ID}}}' is not a valid UUID."));
        accepted(Kind::UuidOrNull, json!(null), json!(null));
        accepted(Kind::UuidList, json!(null), json!([]));
        refused(Kind::UuidList, json!("x"), "Invalid input for a. Reason: 'x' is not a list.");
        refused(Kind::UuidList, json!([ID, ID]), &format!("Invalid input for a. Reason: Duplicate items in the list: '{ID}'."));
    }

    #[test]
    fn addresses() {
        accepted(Kind::Mac, json!("FA-16-3E-00-00-01"), json!("fa:16:3e:00:00:01"));
        for wrong in ["01:00:5e:00:00:01", "00:00:00:00:00:00", "x"] {
            refused(Kind::Mac, json!(wrong), &format!("Invalid input for a. Reason: '{wrong}' is not a valid MAC address."));
        }
        accepted(Kind::Ip, json!("FD00:0::1"), json!("fd00::1"));
        let recommended = "Invalid input for a. Reason: '010.0.0.1' is not an accepted IP address, '10.0.0.1' is recommended.";
        refused(Kind::Ip, json!("010.0.0.1"), recommended);
        refused(Kind::Ip, json!("10.0.0"), "Invalid input for a. Reason: '10.0.0' is not a valid IP address.");
        accepted(Kind::Cidr, json!("10.20.0.5/24"), json!("10.20.0.0/24"));
        refused(Kind::Cidr, json!("10.0.0.1"), "Invalid input for a. Reason: '10.0.0.1' is not a valid IP subnet.");
        refused(Kind::Cidr, json!("10.0.0.0/33"), "Invalid input for a. Reason: '10.0.0.0/33' is not a valid IP subnet.");
        accepted(Kind::ObjectOrNull, json!({"a": 1}), json!({"a": 1}));
        refused(Kind::ObjectOrNull, json!([]), "Invalid input for a. Reason: '[]' is not a dictionary.");
    }
}
