//! `service-providers`: who carries services (extension `service-type`). A new one is a line in `PROVIDERS`.

use api::rows::Rows;
use api::{Collection, Fault, Fields, Listed, Request, Settings, schema};
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
    /// What it carries is so: the attributes of routers, and their values.
    pub carries: [(&'static str, bool); 2],
}

const fn of_routers(name: &'static str, driver: &'static str, distributed: bool, ha: bool) -> Provider {
    Provider { service_type: "L3_ROUTER_NAT", name, driver, carries: [("distributed", distributed), ("ha", ha)] }
}

/// All there are.
static PROVIDERS: [Provider; 4] = [
    of_routers("single_node", "neutron.services.l3_router.service_providers.single_node.SingleNodeDriver", false, false),
    of_routers("dvr", "neutron.services.l3_router.service_providers.dvr.DvrDriver", true, false),
    of_routers("ha", "neutron.services.l3_router.service_providers.ha.HaDriver", false, true),
    of_routers("dvrha", "neutron.services.l3_router.service_providers.dvrha.DvrHaDriver", true, true),
];

impl Provider {
    /// The first attribute that a request gives a value which the provider does not carry.
    pub(crate) fn unsupported(&self, fields: &Fields) -> Option<(&'static str, bool)> {
        let differs = |(name, carried): &(&'static str, bool)| Some((*name, fields.bool(name).filter(|asked| asked != carried)?));
        self.carries.iter().find_map(differs)
    }
}

/// Those that are served: of routers that are distributed or highly available only where routers can be.
fn served(settings: &Settings) -> impl Iterator<Item = &'static Provider> {
    let has_modes = settings.get::<l3::Config>().has_modes;
    PROVIDERS.iter().filter(move |provider| has_modes || provider.carries.iter().all(|(_, carried)| !carried))
}

/// The provider with this driver.
pub(crate) fn by_driver(settings: &Settings, driver: &str) -> Option<&'static Provider> {
    served(settings).find(|provider| provider.driver == driver)
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

fn all(request: &Request<'_>, _world: &World) -> Result<Vec<Map<String, Value>>, Fault> {
    let shown = |provider: &Provider| {
        let values = [provider.service_type.into(), provider.name.into(), Value::Bool(false)];
        MEMBERS.into_iter().map(str::to_owned).zip(values).collect()
    };
    Ok(served(&request.frame.settings).map(shown).collect())
}
