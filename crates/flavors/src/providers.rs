//! `service-providers`: who carries services (extension `service-type`). A new one is a line in [`PROVIDERS`].

use api::rows::Rows;
use api::{Collection, Fault, Listed, Request, schema};
use auth::Policy;
use serde_json::{Map, Value};
use std::sync::Arc;
use world::World;

/// One that carries a service.
#[derive(Debug)]
pub struct Provider {
    /// Which service.
    pub service_type: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What a service profile calls it: upstream's names, which clients and documents know.
    pub driver: &'static str,
    /// Attributes that what it carries cannot have.
    pub without: &'static [&'static str],
}

/// All there are.
pub static PROVIDERS: [Provider; 1] = [Provider {
    service_type: "L3_ROUTER_NAT",
    name: "single_node",
    driver: "neutron.services.l3_router.service_providers.single_node.SingleNodeDriver",
    without: &["distributed", "ha"],
}];

/// The provider with this driver.
pub(crate) fn by_driver(driver: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.driver == driver)
}

const MEMBERS: [&str; 3] = ["service_type", "name", "default"];

/// The collection, with its rule resolved.
pub(crate) fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let rows = Rows { collection: "service_providers", filters: &MEMBERS, words: &[], sorts: &MEMBERS, id: "name", form };
    Listed { rows, rule: "get_service_provider", is_own: false, all, one: None }.collection(policy)
}

fn form() -> Vec<(&'static str, Value)> {
    MEMBERS.into_iter().zip([schema::text(255), schema::text(255), schema::boolean()]).collect()
}

fn all(_request: &Request<'_>, _world: &World) -> Result<Vec<Map<String, Value>>, Fault> {
    let shown = |provider: &Provider| {
        let values = [provider.service_type.into(), provider.name.into(), Value::Bool(false)];
        MEMBERS.into_iter().map(str::to_owned).zip(values).collect()
    };
    Ok(PROVIDERS.iter().map(shown).collect())
}
