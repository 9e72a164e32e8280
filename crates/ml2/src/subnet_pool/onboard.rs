//! Taking the subnets of a network into a pool (extension `subnet_onboard`).

use super::ops::replace;
use super::prefixes::{compact, overlap};
use super::{PoolFault, in_use};
use crate::network;
use api::{Fault, Op, Outcome};
use model::{Network, Subnet, SubnetPool};
use net::{IpNet, NetworkId};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// All subnets of the network that are of the pool's family become subnets of the pool, which gets their prefixes.
pub(super) fn onboard(op: &mut Op<'_>, pool: &Arc<SubnetPool>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let named = body.get("network_id").filter(|value| !value.is_null()).ok_or(PoolFault::NoNetwork)?;
    let text = named.as_str().ok_or(PoolFault::NoNetwork)?;
    let id: NetworkId = text.parse().map_err(|_| PoolFault::NoSuchNetwork(text.to_owned()))?;
    let world = op.tx.world().clone();
    let network: &Network = network::visible(&world, op.caller, id)?;
    if !op.caller.is_admin && !op.caller.owns(network.project_id.as_str()) {
        return Err(PoolFault::ForeignNetwork.into());
    }
    let subnets: Vec<&Arc<Subnet>> =
        world.table::<Subnet>().by(Subnet::BY_NETWORK, id).filter(|subnet| subnet.family() == pool.family()).collect();
    let used: Vec<IpNet> = in_use(&world, pool.id).map(|subnet| subnet.cidr).collect();
    if let Some(subnet) = subnets.iter().find(|subnet| overlap(&used, &[subnet.cidr])) {
        return Err(PoolFault::Conflict(subnet.id, subnet.cidr, pool.id).into());
    }
    let prefixes: Vec<IpNet> = pool.prefixes.iter().copied().chain(subnets.iter().map(|subnet| subnet.cidr)).collect();
    replace(op, pool, SubnetPool { prefixes: compact(&prefixes), ..SubnetPool::clone(pool) })?;
    let now = op.tx.context.now;
    for subnet in &subnets {
        op.tx.update::<Subnet>(&subnet.id, |subnet| {
            subnet.subnetpool_id = Some(pool.id);
            subnet.standard.touch(now);
        });
    }
    Ok(Outcome::Document(Value::Array(subnets.iter().map(|subnet| json!({"id": subnet.id, "cidr": subnet.cidr})).collect())))
}
