//! `floatingip-pools`: the subnets from which a project can have floating IPs.

use api::rows::Rows;
use api::{Answer, Answering, Collection, Fault, OfProject, Request, Route, schema};
use auth::{Caller, Policy, RuleId};
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

/// The collection, with its rule resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    Arc::new(Pools { get: policy.intern("get_floatingip_pool") })
}

struct Pools {
    get: RuleId,
}

impl Collection for Pools {
    fn routes(&self) -> Vec<Route> {
        vec![ROWS.route("").by("get_floatingip_pool")]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match (request.method.as_str(), request.path.as_slice()) {
                ("GET", []) => self.list(request).await,
                (_, []) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl Pools {
    /// Pools are shown as the caller's own.
    async fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let caller = &request.caller;
        let is_admitted = request.frame.policy.check(self.get, caller, &OfProject(caller.project_id.as_str()));
        let pools = if is_admitted { pools(&world, caller) } else { Vec::new() };
        ROWS.list(&request.query, pools)
    }
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
