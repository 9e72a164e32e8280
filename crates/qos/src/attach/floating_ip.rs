//! The policy of a floating IP.

use super::{NAME, attribute, replaced};
use api::{Addition, Cell, Fault, Fields, Op, View};
use model::FloatingIp;
use net::QosPolicyId;

/// For floating IPs.
pub fn of_floating_ip() -> Addition<FloatingIp> {
    let cell = |v: &View<'_, FloatingIp>| Cell::optional(v.record.qos_policy_id, |id| Cell::Uuid(id.0));
    Addition::new(vec![attribute("qos-fip", cell)]).set(set)
}

fn set(op: &mut Op<'_>, _before: Option<&FloatingIp>, floating_ip: &mut FloatingIp, fields: &Fields) -> Result<(), Fault> {
    if let Some(asked) = fields.typed::<Option<QosPolicyId>>(NAME) {
        floating_ip.qos_policy_id = replaced(op, floating_ip.qos_policy_id, asked)?;
    }
    Ok(())
}
