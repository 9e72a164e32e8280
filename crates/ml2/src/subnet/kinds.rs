//! Types of subnet attributes: what a client may send, with the reference's reasons.

use api::{Invalid, Kind};
use serde_json::{Map, Value, json};

pub(super) const IP_VERSION: Kind = Kind::Special { name: "ip_version", check: ip_version };
pub(super) const CIDR: Kind = Kind::Special { name: "cidr_or_null", check: cidr };
pub(super) const POOLS: Kind = Kind::Special { name: "allocation_pools", check: pools };
/// A list of routes, each with `destination` and `nexthop`; null is the empty list.
pub const HOST_ROUTES: Kind = Kind::Special { name: "host_routes", check: host_routes };
pub(super) const NAMESERVERS: Kind = Kind::Special { name: "nameservers", check: nameservers };

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
        _ => refuse(format!("'{version}' is not in [4, 6]")),
    }
}

fn cidr(value: Value) -> Result<Value, Invalid> {
    if value.is_null() { Ok(value) } else { Kind::Cidr.check(value) }
}

fn list(value: Value, what: &str) -> Result<Vec<Value>, Invalid> {
    match value {
        Value::Array(items) => Ok(items),
        other => refuse(format!("Invalid data format for {what}: '{}'", api::python::text(&other))),
    }
}

/// An object with exactly these keys.
fn exactly(value: Value, keys: [&str; 2], what: &str) -> Result<[Value; 2], Invalid> {
    let wrong = |value: &Value| Invalid::Reason(format!("Invalid data format for {what}: '{}'", api::python::text(value)));
    let Value::Object(mut map) = value else { return Err(wrong(&value)) };
    if map.len() != 2 || keys.iter().any(|key| !map.contains_key(*key)) {
        return Err(wrong(&Value::Object(map)));
    }
    let take = |key: &str, map: &mut Map<String, Value>| map.remove(key).expect("just looked");
    Ok([take(keys[0], &mut map), take(keys[1], &mut map)])
}

fn pools(value: Value) -> Result<Value, Invalid> {
    let items = list(value, "IP pool")?;
    let pool = |item| {
        let [start, end] = exactly(item, ["start", "end"], "IP pool")?;
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
        let [destination, nexthop] = exactly(item, ["destination", "nexthop"], "hostroute")?;
        let route = json!({"destination": Kind::Cidr.check(destination)?, "nexthop": Kind::Ip.check(nexthop)?});
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
