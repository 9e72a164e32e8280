//! `service-providers`: who carries services (extension `service-type`). A new one is a line in [`PROVIDERS`].

use api::{Answer, Answering, Collection, Fault, Query, Request};
use auth::{Policy, RuleId};
use serde_json::{Value, json};
use std::sync::Arc;

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

/// The collection, with its rule resolved.
pub(crate) fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    Arc::new(Providers { get: policy.intern("get_service_provider") })
}

struct Providers {
    get: RuleId,
}

impl Collection for Providers {
    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        let answer = match (request.method.as_str(), request.path.as_slice()) {
            ("GET", []) => self.list(request),
            (_, []) => Err(Fault::method_not_allowed()),
            _ => Err(Fault::no_such_path()),
        };
        Box::pin(std::future::ready(answer))
    }
}

const MEMBERS: [&str; 3] = ["service_type", "name", "default"];

impl Providers {
    fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let query = &request.query;
        let unknown: Vec<&str> = query.iter().map(|(name, _)| name).filter(|name| *name != "fields" && !MEMBERS.contains(name)).collect();
        if !unknown.is_empty() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for filtering", api::python::list(unknown))));
        }
        let is_admitted = request.frame.policy.check(self.get, &request.caller, &());
        let providers = PROVIDERS.iter().filter(|provider| is_admitted && matches(provider, query)).map(|provider| shown(provider, query));
        Ok(Answer::value(200, &json!({ "service_providers": providers.collect::<Vec<Value>>() })))
    }
}

fn matches(provider: &Provider, query: &Query<'_>) -> bool {
    let is_one = |name: &str, value: &str| query.last(name).is_none() || query.all(name).any(|wanted| wanted.eq_ignore_ascii_case(value));
    is_one("service_type", provider.service_type) && is_one("name", provider.name) && is_one("default", "false")
}

fn shown(provider: &Provider, query: &Query<'_>) -> Value {
    let fields: Vec<&str> = query.all("fields").collect();
    let mut shown = json!({"service_type": provider.service_type, "name": provider.name, "default": false});
    if let Some(map) = shown.as_object_mut().filter(|_| !fields.is_empty()) {
        map.retain(|name, _| fields.contains(&name.as_str()));
    }
    shown
}
