//! Making a topology and taking it down again, each in one operation: a failure leaves nothing behind.

use super::AllocationFault;
use crate::router;
use api::{Fault, Fields, Op};
use auth::Caller;
use ml2::{network, subnet, subnet_pool};
use model::{AutoAllocatedTopology, Network, Router, Subnet, SubnetPool};
use net::{Family, NetworkId, ProjectId, SubnetId};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use world::World;

/// Refuses where no topology could be made.
pub(super) fn check(world: &World, caller: &Caller) -> Result<(), AllocationFault> {
    outside(world)?;
    if pools(world, caller).is_empty() { Err(AllocationFault::NoPools) } else { Ok(()) }
}

fn outside(world: &World) -> Result<NetworkId, AllocationFault> {
    network::default_external(world).map(|network| network.id).ok_or(AllocationFault::NoExternalNetwork)
}

fn pools(world: &World, caller: &Caller) -> Vec<Arc<SubnetPool>> {
    [Family::V4, Family::V6].into_iter().filter_map(|family| subnet_pool::default_of(world, caller, family).cloned()).collect()
}

/// The network of the project's topology, which is made if it is not there.
pub(super) fn allocate(op: &mut Op<'_>, project: &ProjectId) -> Result<NetworkId, Fault> {
    if let Some(there) = op.tx.get::<AutoAllocatedTopology>(project) {
        return Ok(there.network_id);
    }
    let outside = outside(op.tx.world())?;
    let network_id = network::create(op, &fields(json!({"name": "auto_allocated_network", "project_id": project})))?;
    let subnets = subnets(op, project, network_id).map_err(|fault| match (fault.status, fault.kind) {
        (400 | 404, _) | (_, "SubnetAllocationError") => AllocationFault::NoPrivateNetwork.into(),
        _ => fault,
    })?;
    let router_id = uplink(op, project, outside, &subnets).map_err(|fault| match fault.status {
        400 => AllocationFault::NoConnectivity.into(),
        _ => fault,
    })?;
    op.tx.put(AutoAllocatedTopology { project_id: project.clone(), network_id, router_id });
    Ok(network_id)
}

fn subnets(op: &mut Op<'_>, project: &ProjectId, network_id: NetworkId) -> Result<Vec<SubnetId>, Fault> {
    let pools = pools(op.tx.world(), op.caller);
    if pools.is_empty() {
        return Err(AllocationFault::NoPrivateNetwork.into());
    }
    let subnets = pools.iter().map(|pool| {
        let version = pool.family().version();
        let asked = json!({
            "name": format!("auto_allocated_subnet_v{version}"),
            "project_id": project,
            "network_id": network_id,
            "ip_version": version,
            "subnetpool_id": pool.id,
        });
        subnet::create(op, &fields(asked))
    });
    subnets.collect()
}

fn uplink(op: &mut Op<'_>, project: &ProjectId, outside: NetworkId, subnets: &[SubnetId]) -> Result<net::RouterId, Fault> {
    let asked = json!({
        "name": "auto_allocated_router",
        "project_id": project,
        "external_gateway_info": {"network_id": outside},
    });
    let id = router::create(op, &fields(asked))?;
    for subnet in subnets {
        if let Some(router) = op.tx.get::<Router>(&id).cloned() {
            router::add_interface(op, &router, &interface(*subnet))?;
        }
    }
    Ok(id)
}

/// Takes the project's topology down, if it has one. What was added to it keeps it from going, as it does otherwise.
pub(super) fn release(op: &mut Op<'_>, project: &ProjectId) -> Result<(), Fault> {
    let Some(topology) = op.tx.get::<AutoAllocatedTopology>(project).cloned() else { return Ok(()) };
    if let Some(router) = op.tx.get::<Router>(&topology.router_id).cloned() {
        let subnets: Vec<SubnetId> = op.tx.table::<Subnet>().ids(Subnet::BY_NETWORK, topology.network_id).copied().collect();
        let joined = |op: &Op<'_>, id: SubnetId| {
            router::interfaces(op.tx.world(), router.id).any(|port| port.fixed_ips.iter().any(|ip| ip.subnet_id == id))
        };
        for subnet in subnets {
            if joined(op, subnet) {
                router::remove_interface(op, &router, &interface(subnet))?;
            }
        }
        router::delete(op, &router)?;
    }
    if let Some(there) = op.tx.get::<Network>(&topology.network_id).cloned() {
        network::delete(op, &there)?;
    }
    op.tx.remove::<AutoAllocatedTopology>(project);
    Ok(())
}

/// The topology of a network that goes is forgotten.
pub(crate) fn forget(op: &mut Op<'_>, network: NetworkId) {
    let projects: Vec<ProjectId> =
        op.tx.table::<AutoAllocatedTopology>().ids(AutoAllocatedTopology::BY_NETWORK, network).cloned().collect();
    for project in projects {
        op.tx.remove::<AutoAllocatedTopology>(&project);
    }
}

fn interface(subnet: SubnetId) -> Map<String, Value> {
    Map::from_iter([("subnet_id".to_owned(), json!(subnet))])
}

fn fields(asked: Value) -> Fields {
    let Value::Object(values) = asked else { return Fields::default() };
    Fields::new(values)
}
