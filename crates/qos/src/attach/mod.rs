//! What uses a policy: networks, ports, floating IPs and routers' gateways, each by an addition to its resource.

mod floating_ip;
mod gateway;
mod network;
mod port;
mod request;
#[cfg(test)]
mod tests;

pub use floating_ip::of_floating_ip;
pub use gateway::of_router;
pub use network::of_network;
pub use port::of_port;

use crate::policy::{self, PolicyFault};
use api::{Attribute, CellOf, Fields, Kind, Op};
use model::QosPolicy;
use net::QosPolicyId;
use serde_json::Value;

/// The attribute's name, everywhere.
const NAME: &str = "qos_policy_id";

fn attribute<R>(extension: &'static str, cell: CellOf<R>) -> Attribute<R> {
    Attribute::new(NAME, Kind::UuidOrNull, cell).post_or(Value::Null).put().policy().of(extension)
}

/// The policy that a request names (inside: none to have none); none when it does not say, or the caller may not use it.
fn requested(op: &Op<'_>, fields: &Fields) -> Result<Option<Option<QosPolicyId>>, PolicyFault> {
    match fields.typed::<Option<QosPolicyId>>(NAME) {
        None => Ok(None),
        Some(None) => Ok(Some(None)),
        Some(Some(id)) => policy::visible(op.tx.world(), op.caller, id).map(|policy| Some(Some(policy.id))),
    }
}

/// Networks and ports keep a policy that the caller may not use.
fn check_detach(op: &Op<'_>, before: Option<QosPolicyId>) -> Result<(), PolicyFault> {
    let policy = before.and_then(|id| op.tx.get::<QosPolicy>(&id));
    match policy.filter(|policy| !policy::may_use(op.tx.world(), op.caller, policy)) {
        Some(policy) => Err(PolicyFault::Detach(policy.id)),
        None => Ok(()),
    }
}

/// What a floating IP or gateway has afterwards. To take off a policy that the caller may not use is to name one that is not there.
fn replaced(op: &Op<'_>, before: Option<QosPolicyId>, after: Option<QosPolicyId>) -> Result<Option<QosPolicyId>, PolicyFault> {
    if before != after {
        for id in before.iter().chain(&after) {
            policy::visible(op.tx.world(), op.caller, *id)?;
        }
    }
    Ok(after)
}
