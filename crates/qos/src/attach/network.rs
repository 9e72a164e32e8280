//! The policy of a network: of all its ports that have none of their own.

use super::{attribute, check_detach, requested};
use crate::policy::default_of;
use crate::rule::check_port;
use api::{Addition, Cell, Fault, Fields, Op};
use model::{Network, Port};
use std::sync::Arc;

/// For networks.
pub fn of_network() -> Addition<Network> {
    let cell = |v: &api::View<'_, Network>| Cell::optional(v.record.qos_policy_id, |id| Cell::Uuid(id.0));
    Addition::new(vec![attribute("qos", cell)]).set(set)
}

fn set(op: &mut Op<'_>, before: Option<&Network>, network: &mut Network, fields: &Fields) -> Result<(), Fault> {
    let Some(asked) = requested(op, fields)? else { return Ok(()) };
    let Some(before) = before else {
        network.qos_policy_id = asked.or_else(|| default_of(op.tx.world(), &network.project_id));
        return Ok(());
    };
    check_detach(op, before.qos_policy_id)?;
    network.qos_policy_id = asked;
    if let Some(policy) = asked.filter(|_| asked != before.qos_policy_id) {
        let world = op.tx.world();
        let inherits = |port: &&Arc<Port>| port.qos_policy_id.is_none();
        let mut ports = world.table::<Port>().by(Port::BY_NETWORK, network.id).filter(inherits);
        ports.try_for_each(|port| check_port(world, policy, port))?;
    }
    Ok(())
}
