//! Types of router attributes.

use api::{Invalid, Kind, python, schema};
use ml2::port::{Asked, FIXED_IPS};
use net::NetworkId;
use serde::Deserialize;
use serde_json::Value;

/// A gateway as a client asks for it, or null for none.
pub const GATEWAY: Kind = Kind::Special { name: "external_gateway_info", check: gateway, form: || gateway_form([]) };

/// A gateway with more members than its own.
pub fn gateway_form<const N: usize>(more: [(&'static str, Value); N]) -> Value {
    let own = [("network_id", schema::uuid()), ("enable_snat", schema::boolean()), ("external_fixed_ips", FIXED_IPS.schema())];
    schema::nullable(schema::requiring(&["network_id"], own.into_iter().chain(more)))
}

/// `external_gateway_info` as a client asks for it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AskedGateway {
    pub(super) network_id: NetworkId,
    pub(super) enable_snat: Option<bool>,
    pub(super) external_fixed_ips: Option<Vec<Asked>>,
}

/// The empty object means the same as null: no gateway.
fn gateway(value: Value) -> Result<Value, Invalid> {
    let mut map = match value {
        Value::Null => return Ok(Value::Null),
        Value::Object(map) if map.is_empty() => return Ok(Value::Null),
        Value::Object(map) => map,
        other => return Err(Invalid::Reason(format!("'{}' is not a dictionary", python::text(&other)))),
    };
    if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "network_id" | "enable_snat" | "external_fixed_ips")) {
        return Err(Invalid::Reason(format!("Unexpected key '{key}' for a gateway")));
    }
    let Some(network) = map.remove("network_id") else {
        return Err(Invalid::Reason("A gateway needs the key 'network_id'".to_owned()));
    };
    map.insert("network_id".to_owned(), Kind::Uuid.check(network)?);
    for (key, kind) in [("enable_snat", Kind::Bool), ("external_fixed_ips", FIXED_IPS)] {
        if let Some(value) = map.remove(key).filter(|value| !value.is_null()) {
            map.insert(key.to_owned(), kind.check(value)?);
        }
    }
    Ok(Value::Object(map))
}
