//! Types of subnet attributes: what a client may send, with the reference's reasons.

use api::{Invalid, Kind, schema};
use model::PREFIX_DELEGATION;
use net::IpNet;
use serde_json::{Value, json};
use std::net::IpAddr;

pub(crate) const IP_VERSION: Kind =
    Kind::Special { name: "ip_version", check: ip_version, form: || json!({"type": "integer", "enum": [4, 6]}) };
pub(super) const POOL: Kind = Kind::Special { name: "subnetpool_id_or_none", check: pool, form: || schema::nullable(schema::text(36)) };
pub(super) const CIDR: Kind = Kind::Special { name: "cidr_or_null", check: cidr, form: || schema::nullable(schema::cidr()) };
pub(super) const POOLS: Kind = Kind::Special { name: "allocation_pools", check: pools, form: pools_form };
/// A list of routes, each with `destination` and `nexthop`; null is the empty list.
pub const HOST_ROUTES: Kind = Kind::Special { name: "host_routes", check: host_routes, form: routes_form };
pub(super) const SERVICE_TYPES: Kind =
    Kind::Special { name: "list_of_subnet_service_types", check: service_types, form: || schema::list(schema::text(255)) };
pub(super) const NAMESERVERS: Kind = Kind::Special { name: "nameservers", check: nameservers, form: || schema::list(schema::ip()) };

fn pools_form() -> Value {
    schema::list(schema::requiring(&["start", "end"], [("start", schema::ip()), ("end", schema::ip())]))
}

fn routes_form() -> Value {
    schema::list(schema::requiring(&["destination", "nexthop"], [("destination", schema::cidr()), ("nexthop", schema::ip())]))
}

fn refuse<T>(reason: String) -> Result<T, Invalid> {
    Err(Invalid::Reason(reason))
}

fn reason(invalid: Invalid) -> String {
    match invalid {
        Invalid::Reason(reason) | Invalid::Conversion(reason) => reason,
    }
}

fn ip_version(value: Value) -> Result<Value, Invalid> {
    let version = Kind::Int.check(value)?;
    match version.as_i64() {
        Some(4 | 6) => Ok(version),
        _ => refuse(format!("{version} is not in valid_values")),
    }
}

/// The id of a subnet pool, or the word for a prefix that is delegated.
fn pool(value: Value) -> Result<Value, Invalid> {
    if value == PREFIX_DELEGATION { Ok(value) } else { Kind::UuidOrNull.check(value) }
}

/// A prefix, or null; an address alone is a prefix of its full length.
fn cidr(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(value);
    }
    let text = value.as_str().unwrap_or_default();
    let net = text.parse::<IpAddr>().map(IpNet::from).ok().or_else(|| text.parse::<IpNet>().ok());
    match net {
        Some(net) => Ok(net.trunc().to_string().into()),
        None => Err(Invalid::Conversion(format!("{} is not in a CIDR format", api::python::text(&value)))),
    }
}

/// A prefix without host bits, as a route's destination has to be.
fn destination(value: Value) -> Result<Value, Invalid> {
    let net = value.as_str().and_then(|text| text.parse::<IpNet>().ok()).filter(|net| *net == net.trunc());
    match net {
        Some(net) => Ok(net.to_string().into()),
        None => refuse(format!("'{}' is not a valid CIDR", api::python::text(&value))),
    }
}

/// What the texts are is judged by the operation, because that fault has a form of its own.
fn service_types(value: Value) -> Result<Value, Invalid> {
    let items = if value.is_null() { Vec::new() } else { list(value, "service types")? };
    match items.iter().find(|item| !item.is_string()) {
        Some(other) => Err(Invalid::Conversion(format!("Subnet service type {} is not a string", api::python::text(other)))),
        None => Ok(Value::Array(items)),
    }
}

fn list(value: Value, what: &str) -> Result<Vec<Value>, Invalid> {
    match value {
        Value::Array(items) => Ok(items),
        other => refuse(format!("Invalid data format for {what}: '{}'", api::python::text(&other))),
    }
}

/// The values of an object with exactly these keys.
fn exactly(value: Value, keys: [&str; 2]) -> Result<[Value; 2], Invalid> {
    let Value::Object(map) = value else {
        let shown = api::python::text(&value);
        return refuse(format!("Invalid input. '{shown}' must be a dictionary with keys: ['{}', '{}']", keys[0], keys[1]));
    };
    match (map.len(), map.get(keys[0]), map.get(keys[1])) {
        (2, Some(first), Some(second)) => Ok([first.clone(), second.clone()]),
        _ => {
            let mut provided: Vec<&str> = map.keys().map(String::as_str).collect();
            provided.sort_unstable();
            let (expected, provided) = (quoted(&keys), quoted(&provided));
            refuse(format!("Validation of dictionary's keys failed. Expected keys: {{{expected}}} Provided keys: {{{provided}}}"))
        }
    }
}

fn quoted(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ")
}

/// Nothing in any form asks for none.
fn pools(value: Value) -> Result<Value, Invalid> {
    let items = match value {
        Value::Null => return Ok(json!([])),
        Value::Object(map) if map.is_empty() => return Ok(json!([])),
        Value::Array(items) if items.iter().all(Value::is_object) => items,
        _ => return Err(Invalid::Conversion("Invalid data format for allocation pools".to_owned())),
    };
    let pool = |item| {
        let [end, start] = exactly(item, ["end", "start"])?;
        Ok(json!({"start": Kind::Ip.check(start)?, "end": Kind::Ip.check(end)?}))
    };
    items.into_iter().map(pool).collect()
}

fn host_routes(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(json!([]));
    }
    let mut routes: Vec<Value> = Vec::new();
    for item in list(value, "hostroute")? {
        let [to, nexthop] = exactly(item, ["destination", "nexthop"])?;
        let route = json!({"destination": destination(to)?, "nexthop": Kind::Ip.check(nexthop)?});
        if routes.contains(&route) {
            return refuse(format!("Duplicate hostroute '{}'", api::python::text(&route)));
        }
        routes.push(route);
    }
    Ok(Value::Array(routes))
}

fn nameservers(value: Value) -> Result<Value, Invalid> {
    if value.is_null() {
        return Ok(json!([]));
    }
    let mut servers: Vec<Value> = Vec::new();
    for item in list(value, "nameserver")? {
        let given = api::python::text(&item).to_string();
        let server = Kind::Ip.check(item).map_err(|e| Invalid::Reason(format!("'{given}' is not a valid nameserver. {}", reason(e))))?;
        if servers.contains(&server) {
            return refuse(format!("Duplicate nameserver '{given}'"));
        }
        servers.push(server);
    }
    Ok(Value::Array(servers))
}
