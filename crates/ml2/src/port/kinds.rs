//! Types of port attributes: what a client may send, with the reference's reasons.

use api::{Invalid, Kind, python};
use model::AddressPair;
use net::Mac;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, ToSmolStr};

pub(super) const MAC: Kind = Kind::Special { name: "mac_address_or_null", check: mac };
/// A list of fixed IPs as a client asks for them: each with `subnet_id`, `ip_address` or both.
pub const FIXED_IPS: Kind = Kind::Special { name: "fixed_ips", check: fixed_ips };
pub(super) const ADDRESS_PAIRS: Kind = Kind::Special { name: "allowed_address_pairs", check: address_pairs };
pub(super) const DHCP_OPTIONS: Kind = Kind::Special { name: "extra_dhcp_opts", check: dhcp_options };

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

fn known_keys(map: &Map<String, Value>, known: &[&str], what: &str) -> Result<(), Invalid> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => refuse(format!("Unexpected key '{key}' for {what}")),
        None => Ok(()),
    }
}

fn fixed_ips(value: Value) -> Result<Value, Invalid> {
    let mut seen: Vec<Value> = Vec::new();
    for mut map in dictionaries(value, "fixed IP")? {
        known_keys(&map, &["subnet_id", "ip_address"], "fixed IP")?;
        for (key, kind) in [("subnet_id", Kind::Uuid), ("ip_address", Kind::Ip)] {
            if let Some(value) = map.remove(key).filter(|value| !value.is_null()) {
                map.insert(key.to_owned(), kind.check(value)?);
            }
        }
        if let Some(address) = map.get("ip_address").filter(|address| seen.iter().any(|ip| ip.get("ip_address") == Some(address))) {
            return refuse(format!("Duplicate IP address '{}'", python::text(address)));
        }
        seen.push(Value::Object(map));
    }
    Ok(Value::Array(seen))
}

/// What is missing or doubled in it is judged by the operation, because those faults have types of their own.
fn address_pairs(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(json!([]));
    }
    let mut pairs = Vec::new();
    for mut map in dictionaries(value, "allowed address pair")? {
        known_keys(&map, &["ip_address", "mac_address"], "allowed address pair")?;
        if let Some(mac) = map.remove("mac_address").filter(|mac| !mac.is_null()) {
            map.insert("mac_address".to_owned(), Kind::Mac.check(mac)?);
        }
        pairs.push(Value::Object(map));
    }
    Ok(Value::Array(pairs))
}

fn one_line(value: &Value, max: usize) -> Result<(), Invalid> {
    Kind::Text(max).check(value.clone())?;
    let text = value.as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return refuse(format!("'{text}' Blank strings are not permitted"));
    }
    if text.contains(['\n', '\r']) {
        return refuse(format!("Multi-line string is not allowed: '{}'", text.escape_debug()));
    }
    Ok(())
}

fn dhcp_options(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(json!([]));
    }
    let mut options = Vec::new();
    for mut map in dictionaries(value, "extra DHCP option")? {
        known_keys(&map, &["opt_name", "opt_value", "ip_version"], "extra DHCP option")?;
        for key in ["opt_name", "opt_value"] {
            if !map.contains_key(key) {
                return refuse(format!("Expected keys ['opt_name', 'opt_value'], '{key}' is missing"));
            }
        }
        one_line(&map["opt_name"], 64)?;
        let may_be_empty = matches!(map["opt_name"].as_str(), Some("router" | "classless-static-route"));
        if !map["opt_value"].is_null() {
            Kind::Text(255).check(map["opt_value"].clone())?;
            if !(may_be_empty && map["opt_value"] == "") {
                one_line(&map["opt_value"], 255)?;
            }
        }
        let version = Kind::Int.check(map.remove("ip_version").unwrap_or(json!(4)))?;
        if version != 4 && version != 6 {
            return refuse(format!("'{version}' is not in [4, 6]"));
        }
        map.insert("ip_version".to_owned(), version);
        options.push(Value::Object(map));
    }
    Ok(Value::Array(options))
}
