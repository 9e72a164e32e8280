//! Types of port attributes: what a client may send, with the reference's reasons.

use api::{Invalid, Kind, python, schema};
use model::AddressPair;
use net::Mac;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, ToSmolStr};

pub(super) const HOST: Kind = Kind::Special { name: "host", check: host, form: || schema::nullable(schema::text(255)) };
pub(super) const MAC: Kind = Kind::Special { name: "mac_address_or_null", check: mac, form: || schema::nullable(schema::mac()) };
/// A list of fixed IPs as a client asks for them: each with `subnet_id`, `ip_address` or both.
pub const FIXED_IPS: Kind = Kind::Special {
    name: "fixed_ips",
    check: fixed_ips,
    form: || schema::list(schema::object([("subnet_id", schema::uuid()), ("ip_address", schema::ip())])),
};
pub(super) const ADDRESS_PAIRS: Kind = Kind::Special { name: "allowed_address_pairs", check: address_pairs, form: pairs_form };
pub(super) const DHCP_OPTIONS: Kind = Kind::Special { name: "extra_dhcp_opts", check: dhcp_options, form: options_form };

fn pairs_form() -> Value {
    let address = schema::described(schema::text(64), "an address or a prefix");
    schema::list(schema::requiring(&["ip_address"], [("ip_address", address), ("mac_address", schema::mac())]))
}

fn options_form() -> Value {
    let version = json!({"type": "integer", "enum": [4, 6]});
    let value = schema::nullable(schema::text(255));
    let members = [("opt_name", schema::text(64)), ("opt_value", value), ("ip_version", version)];
    schema::list(schema::requiring(&["opt_name", "opt_value"], members))
}

pub(super) const HINTS: Kind = Kind::Special { name: "port_hints", check: hints, form: || schema::nullable(schema::dictionary()) };

/// An allowed address pair as answers show it.
#[derive(Serialize)]
pub(super) struct ShownPair {
    ip_address: SmolStr,
    mac_address: Mac,
}

/// A pair given as a single address is shown without a length.
pub(super) fn shown_pair(pair: &AddressPair) -> ShownPair {
    let ip_address = if pair.with_length { pair.ip_address.to_smolstr() } else { pair.ip_address.addr().to_smolstr() };
    ShownPair { ip_address, mac_address: pair.mac_address }
}

fn refuse<T>(reason: String) -> Result<T, Invalid> {
    Err(Invalid::Reason(reason))
}

/// The name of a host, or null; a number is a name.
fn host(value: Value) -> Result<Value, Invalid> {
    let value = if value.is_number() { Value::from(value.to_string()) } else { value };
    Kind::TextOrNull(255).check(value)
}

/// Null asks for a new one.
fn mac(value: Value) -> Result<Value, Invalid> {
    if value.is_null() { Ok(value) } else { Kind::Mac.check(value) }
}

fn dictionaries(value: Value, what: &str) -> Result<Vec<Map<String, Value>>, Invalid> {
    let Value::Array(items) = value else { return refuse(format!("Invalid data format for {what}: '{}'", python::text(&value))) };
    let dictionary = |item| match item {
        Value::Object(map) => Ok(map),
        other => refuse(format!("Invalid data format for {what}: '{}'", python::text(&other))),
    };
    items.into_iter().map(dictionary).collect()
}

fn fixed_ips(value: Value) -> Result<Value, Invalid> {
    let mut seen: Vec<Value> = Vec::new();
    for mut map in dictionaries(value, "fixed IP")? {
        // Other keys mean nothing and are dropped.
        map.retain(|key, _| matches!(key.as_str(), "subnet_id" | "ip_address"));
        for (key, kind) in [("subnet_id", Kind::Uuid), ("ip_address", Kind::Ip)] {
            if let Some(value) = map.get_mut(key) {
                *value = kind.check(value.take())?;
            }
        }
        if let Some(address) = map.get("ip_address").filter(|address| seen.iter().any(|ip| ip.get("ip_address") == Some(address))) {
            return refuse(format!("Duplicate IP address '{}'", python::text(address)));
        }
        seen.push(Value::Object(map));
    }
    Ok(Value::Array(seen))
}

/// What is in the pairs is judged by the operation, because those faults have forms of their own.
fn address_pairs(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(json!([]));
    }
    match value {
        Value::Array(items) => match items.iter().find(|item| !item.is_object()) {
            Some(other) => refuse(format!("'{}' is not a dictionary", python::text(other))),
            None => Ok(Value::Array(items)),
        },
        _ => Ok(value),
    }
}

/// A text in one line, not blank.
fn is_line(value: &Value, max: usize) -> bool {
    let Some(text) = value.as_str() else { return false };
    text.chars().count() <= max && !text.trim().is_empty() && !text.contains(['\n', '\r'])
}

/// An option: its name, and its value or null for none.
fn dhcp_option(map: &mut Map<String, Value>) -> bool {
    let (Some(name), Some(value)) = (map.get("opt_name"), map.get("opt_value")) else { return false };
    let may_be_empty = matches!(name.as_str(), Some("router" | "classless-static-route"));
    let fits = value.is_null() || is_line(value, 255) || (may_be_empty && value == "");
    let is_known = |key: &String| matches!(key.as_str(), "opt_name" | "opt_value" | "ip_version");
    if !is_line(name, 64) || !fits || !map.keys().all(is_known) {
        return false;
    }
    let version = Kind::Int.check(map.remove("ip_version").unwrap_or(json!(4))).unwrap_or_default();
    let is_version = version == 4 || version == 6;
    map.insert("ip_version".to_owned(), version);
    is_version
}

fn dhcp_options(value: Value) -> Result<Value, Invalid> {
    let items = match value {
        Value::Null => return Ok(json!([])),
        Value::Array(items) => items,
        other => return Err(Invalid::Conversion(format!("'{}' is not a list", python::text(&other)))),
    };
    let option = |item: Value| {
        let wrong = || Invalid::Conversion(format!("No valid key specs matched for: {}", python::text(&item)));
        let mut map = item.as_object().cloned().ok_or_else(wrong)?;
        if dhcp_option(&mut map) { Ok(Value::Object(map)) } else { Err(wrong()) }
    };
    items.into_iter().map(option).collect()
}

/// The only hint that there is: how Open vSwitch spreads what a port sends over its queues.
fn hints(value: Value) -> Result<Value, Invalid> {
    let Some(switch) = member(&value, "openvswitch")? else { return Ok(value) };
    let Some(config) = member(switch, "other_config")? else { return Ok(value) };
    let Some(steering) = member(config, "tx-steering")? else { return Ok(value) };
    Kind::Word(&["thread", "hash"]).check(steering.clone())?;
    Ok(value)
}

/// The only member that an object may have. The outermost may be null.
fn member<'v>(value: &'v Value, name: &str) -> Result<Option<&'v Value>, Invalid> {
    match value {
        Value::Null if name == "openvswitch" => Ok(None),
        Value::Object(map) => match map.keys().find(|key| *key != name) {
            Some(other) => refuse(format!("Unexpected keys supplied: '{other}'")),
            None => Ok(map.get(name)),
        },
        other => refuse(format!("'{}' is not a dictionary", python::text(other))),
    }
}
