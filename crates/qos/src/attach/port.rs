//! The policy of a port, the one of its network beside it, and what follows from them for Placement.

use super::{attribute, check_detach, request, requested};
use crate::rule::{RuleFault, check_port, guarantees};
use api::{Addition, Attribute, Cell, Fault, Fields, Kind, Op, View};
use model::{Network, Port, QosRuleType, device_owner};
use net::QosPolicyId;
use world::World;

/// For ports.
pub fn of_port() -> Addition<Port> {
    let own = |v: &View<'_, Port>| Cell::optional(v.record.qos_policy_id, |id| Cell::Uuid(id.0));
    let network = |v: &View<'_, Port>| Cell::optional(of_its_network(v.world, v.record), |id| Cell::Uuid(id.0));
    let request = |v: &View<'_, Port>| Cell::optional(request::of(v.world, v.record), Cell::made);
    Addition::new(vec![
        attribute("qos", own),
        Attribute::new("qos_network_policy_id", Kind::UuidOrNull, network).of("qos-port-network-policy"),
        Attribute::new("resource_request", Kind::ObjectOrNull, request).of("port-resource-request"),
    ])
    .set(set)
}

fn of_its_network(world: &World, port: &Port) -> Option<QosPolicyId> {
    world.get::<Network>(&port.network_id)?.qos_policy_id
}

/// The policy that holds for the port: its own, or that of its network.
pub(super) fn effective(world: &World, port: &Port) -> Option<QosPolicyId> {
    port.qos_policy_id.or_else(|| of_its_network(world, port))
}

fn set(op: &mut Op<'_>, before: Option<&Port>, port: &mut Port, fields: &Fields) -> Result<(), Fault> {
    let Some(asked) = requested(op, fields)? else { return Ok(()) };
    check_detach(op, before.and_then(|before| before.qos_policy_id))?;
    port.qos_policy_id = asked;
    let world = op.tx.world();
    let holds = effective(world, port);
    let held = before.and_then(|before| effective(world, before));
    if holds == held {
        return Ok(());
    }
    if let Some(before) = before {
        check_placed(world, before, [held, holds])?;
    }
    holds.map_or(Ok(()), |policy| check_port(world, policy, port)).map_err(Fault::from)
}

/// An instance keeps what Placement has given it for its port.
fn check_placed(world: &World, port: &Port, policies: [Option<QosPolicyId>; 2]) -> Result<(), RuleFault> {
    let is_placed = port.device_owner.starts_with(device_owner::COMPUTE_PREFIX) && port.binding.profile.contains_key("allocation");
    let guarantees_any = |policy: &QosPolicyId| {
        [QosRuleType::MinimumBandwidth, QosRuleType::MinimumPacketRate]
            .iter()
            .any(|rule_type| !guarantees(world, *policy, *rule_type).is_empty())
    };
    if is_placed && policies.iter().flatten().any(guarantees_any) { Err(RuleFault::InPlacement) } else { Ok(()) }
}
