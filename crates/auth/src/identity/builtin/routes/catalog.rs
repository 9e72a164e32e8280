//! Version discovery, the catalog, and the collections that hold only what this server is: one domain, one region,
//! the services identity and network.

use super::super::directory::{DOMAIN_ID, DOMAIN_NAME};
use super::super::fault::{Fault, json_response};
use super::{Answer, Context, ok};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const INTERFACES: [&str; 3] = ["public", "internal", "admin"];

struct Service {
    kind: &'static str,
    name: &'static str,
    id: &'static str,
    /// Where it lies relative to the identity service.
    below_identity: bool,
}

const SERVICES: [Service; 2] = [
    Service { kind: "identity", name: "keystone", id: "6964656e7469747900000000000000a0", below_identity: true },
    Service { kind: "network", name: "neutron", id: "6e6574776f726b0000000000000000b0", below_identity: false },
];

fn get_only(method: &Method) -> Result<(), Fault> {
    if method == Method::GET { Ok(()) } else { Err(Fault::method_not_allowed()) }
}

fn version_body(context: &Context<'_>) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/v3/", context.url)}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

pub(super) fn versions(context: &Context<'_>, method: &Method) -> Answer {
    get_only(method)?;
    Ok(json_response(StatusCode::MULTIPLE_CHOICES, &json!({"versions": {"values": [version_body(context)]}})))
}

pub(super) fn version(context: &Context<'_>, method: &Method) -> Answer {
    get_only(method)?;
    ok("version", version_body(context))
}

fn url_of(context: &Context<'_>, service: &Service) -> String {
    if service.below_identity { context.url.clone() } else { context.url.trim_end_matches("/identity").to_owned() }
}

fn endpoint_id(service: &Service, interface: usize) -> String {
    format!("{}{interface:x}", &service.id[..31])
}

/// The catalog as tokens carry it.
pub(super) fn catalog(context: &Context<'_>) -> Value {
    let region = &context.identity.config.region;
    let entry = |service: &Service| {
        let endpoints: Vec<Value> = INTERFACES
            .iter()
            .enumerate()
            .map(|(index, interface)| {
                json!({
                    "id": endpoint_id(service, index), "interface": interface, "region": region, "region_id": region,
                    "url": url_of(context, service),
                })
            })
            .collect();
        json!({"type": service.kind, "name": service.name, "id": service.id, "endpoints": endpoints})
    };
    SERVICES.iter().map(entry).collect()
}

fn domains(context: &Context<'_>) -> Vec<Value> {
    vec![json!({
        "id": DOMAIN_ID, "name": DOMAIN_NAME, "enabled": true, "description": "", "tags": [], "options": {},
        "links": context.link("domains", DOMAIN_ID),
    })]
}

fn regions(context: &Context<'_>) -> Vec<Value> {
    let region = &context.identity.config.region;
    vec![json!({"id": region, "description": "", "parent_region_id": null, "links": context.link("regions", region)})]
}

fn services(context: &Context<'_>) -> Vec<Value> {
    let view = |service: &Service| {
        json!({
            "id": service.id, "type": service.kind, "name": service.name, "enabled": true, "description": "",
            "links": context.link("services", service.id),
        })
    };
    SERVICES.iter().map(view).collect()
}

fn endpoints(context: &Context<'_>) -> Vec<Value> {
    let region = &context.identity.config.region;
    let mut items = Vec::new();
    for service in &SERVICES {
        for (index, interface) in INTERFACES.iter().enumerate() {
            let id = endpoint_id(service, index);
            items.push(json!({
                "id": id, "interface": interface, "region": region, "region_id": region, "service_id": service.id,
                "enabled": true, "url": url_of(context, service), "links": context.link("endpoints", &id),
            }));
        }
    }
    items
}

/// `domains`, `groups`, `regions`, `services`, `endpoints`: to be read only.
pub(super) fn route(context: &Context<'_>, method: &Method, path: &[&str]) -> Answer {
    let (collection, kind) = match path[0] {
        "domains" => ("domains", "domain"),
        "groups" => ("groups", "group"),
        "regions" => ("regions", "region"),
        "services" => ("services", "service"),
        _ => ("endpoints", "endpoint"),
    };
    match collection {
        "domains" | "regions" => context.asker()?,
        _ => context.admin(&format!("identity:list_{collection}"))?,
    };
    get_only(method)?;
    let items = match collection {
        "domains" => domains(context),
        "groups" => Vec::new(),
        "regions" => regions(context),
        "services" => services(context),
        _ => endpoints(context),
    };
    match path {
        [_] => {
            let wanted = |item: &Value| {
                ["name", "type", "interface", "service_id", "region_id"]
                    .into_iter()
                    .all(|name| context.query.get(name).is_none_or(|value| item[name] == value))
            };
            context.list(collection, items.into_iter().filter(wanted).collect())
        }
        [_, id] => match items.into_iter().find(|item| item["id"] == *id) {
            Some(item) => ok(kind, item),
            None => Err(Fault::not_found(kind, id)),
        },
        _ => Err(super::no_such_resource()),
    }
}
