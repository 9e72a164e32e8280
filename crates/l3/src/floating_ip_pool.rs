//! `floatingip-pools`: the subnets from which a project can have floating IPs.

use api::rows::Rows;
use api::{Collection, Fault, Listed, Request, schema};
use auth::{Caller, Policy};
use ml2::network;
use model::{Network, Subnet};
use net::Family;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use world::World;

/// Name in bodies; the path may have hyphens.
pub const COLLECTION: &str = "floatingip_pools";
const FIELDS: [&str; 5] = ["subnet_id", "subnet_name", "network_id", "cidr", "project_id"];
const ROWS: Rows = Rows { collection: COLLECTION, filters: &FIELDS, words: &[], sorts: &FIELDS, id: "subnet_id", form };

fn form() -> Vec<(&'static str, Value)> {
    FIELDS.into_iter().zip([schema::uuid(), schema::text(255), schema::uuid(), schema::cidr(), schema::text(255)]).collect()
}

/// The collection, with its rule resolved. Pools are shown as the caller's own.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let all = |request: &Request<'_>, world: &World| Ok::<_, Fault>(pools(world, &request.caller));
    Listed { rows: ROWS, rule: "get_floatingip_pool", is_own: true, all, one: None }.collection(policy)
}

fn pools(world: &World, caller: &Caller) -> Vec<Map<String, Value>> {
    let external = world.table::<Network>().by(Network::COMMON, 0).filter(|network| network.external);
    let usable = external.filter(|network| network::visible(world, caller, network.id).is_ok());
    let subnets = usable.flat_map(|network| world.table::<Subnet>().by(Subnet::BY_NETWORK, network.id));
    let subnets = subnets.filter(|subnet| subnet.family() == Family::V4);
    subnets.map(|subnet| document(subnet, caller)).collect()
}

fn document(subnet: &Subnet, caller: &Caller) -> Map<String, Value> {
    let values = [json!(subnet.id), json!(subnet.name), json!(subnet.network_id), json!(subnet.cidr), json!(caller.project_id)];
    FIELDS.into_iter().map(str::to_owned).zip(values).collect()
}
