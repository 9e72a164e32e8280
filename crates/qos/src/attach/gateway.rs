//! The policy of a router's gateway: a part of `external_gateway_info`.

use super::{NAME, replaced};
use api::{Addition, Attribute, Cell, Fault, Fields, Invalid, Kind, Op, View};
use l3::router::{GATEWAY, GatewayInfo, gateway_form, gateway_info};
use model::Router;
use net::QosPolicyId;
use serde::Serialize;
use serde_json::Value;

/// For routers.
pub fn of_router() -> Addition<Router> {
    let kind = Kind::Special { name: "external_gateway_info", check, form: || gateway_form([(NAME, Kind::UuidOrNull.schema())]) };
    Addition::new(vec![Attribute::new("external_gateway_info", kind, cell).of("qos-gateway-ip")]).set(set)
}

/// What a gateway without policy can be, and a policy or null.
fn check(mut value: Value) -> Result<Value, Invalid> {
    let policy = value.as_object_mut().and_then(|map| map.shift_remove(NAME));
    let policy = policy.map(|policy| Kind::UuidOrNull.check(policy)).transpose()?;
    let mut value = GATEWAY.check(value)?;
    if let (Some(map), Some(policy)) = (value.as_object_mut(), policy) {
        map.insert(NAME.to_owned(), policy);
    }
    Ok(value)
}

/// Shown with its policy, where it has one.
#[derive(Serialize)]
struct WithPolicy<'a> {
    #[serde(flatten)]
    info: GatewayInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qos_policy_id: Option<QosPolicyId>,
}

fn cell<'a>(view: &View<'a, Router>) -> Cell<'a> {
    Cell::optional(gateway_info(view), |info| Cell::made(WithPolicy { info, qos_policy_id: view.record.gateway_qos_policy_id }))
}

/// Goes with the gateway; stays when a request does not speak of it.
fn set(op: &mut Op<'_>, _before: Option<&Router>, router: &mut Router, fields: &Fields) -> Result<(), Fault> {
    let asked = fields.get("external_gateway_info").and_then(|info| info.get(NAME));
    let asked = asked.map(|policy| policy.as_str().and_then(|id| id.parse::<QosPolicyId>().ok()));
    if router.gateway.is_none() {
        router.gateway_qos_policy_id = None;
    } else if let Some(asked) = asked {
        router.gateway_qos_policy_id = replaced(op, router.gateway_qos_policy_id, asked)?;
    }
    Ok(())
}
