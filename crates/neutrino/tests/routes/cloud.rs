//! The whole API over a database in memory, and two projects that have one of everything.

use crate::registry;
use api::{Frame, Op, QuotaConfig, Route, Server, ServerOptions, Settings};
use auth::identity::{Identity, NoAuth};
use auth::{Caller, Policy};
use bytes::Bytes;
use http::Request;
use ml2::agent::AgentReport;
use model::AgentType;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::runtime::Runtime;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions};

/// In all that the first project calls its own, and in nothing else.
pub const SECRET: &str = "Geheimnis";
/// The project whose data nobody else may see.
pub const VICTIM: &str = "5ec7e700000040008000000000000001";
/// The project of whoever tries to.
pub const STRANGER: &str = "57a90e00000040008000000000000002";

/// Who asks: project and role.
pub type Who = (&'static str, &'static str);

/// Status and document of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub document: Option<Value>,
}

impl Answer {
    /// Type and message of a refusal.
    pub fn fault(&self) -> (&str, &str) {
        let fault = self.document.as_ref().and_then(|document| document.get("NeutronError"));
        let part = |name: &str| fault.and_then(|fault| fault[name].as_str()).unwrap_or_default();
        (part("type"), part("message"))
    }
}

/// Ids by collection, as its path is written in routes.
pub type Ids = BTreeMap<String, Vec<String>>;

pub struct Cloud {
    runtime: Runtime,
    pub server: Server,
    pub routes: Vec<Route>,
    pub ids: BTreeMap<&'static str, Ids>,
    /// Ids of what is the first project's alone.
    pub secrets: BTreeSet<String>,
    /// Creates that did not succeed, with the reason.
    pub unmade: Vec<String>,
}

/// A server with this identity; previews are on or off.
pub fn server(identity: Identity, previews: bool) -> Server {
    let options = StoreOptions { seed: Some(1), ..StoreOptions::default() };
    let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), options).expect("an empty state");
    let settings = Settings::new()
        .with(Arc::new(ml2::Config::default()))
        .with(Arc::new(ml2::Heartbeats::new()))
        .with(Arc::new(l3::Config::default()))
        .with(Arc::new(registry::dependents()))
        .with(Arc::new(registry::shareables()));
    let registry = registry::api(&QuotaConfig::default()).preview_extensions(previews);
    Server::new(store, registry, Policy::defaults(), identity, settings, ServerOptions::default())
}

impl Cloud {
    /// With one of everything for both projects.
    pub fn new(previews: bool) -> Cloud {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = runtime.block_on(async { server(Identity::None(NoAuth::default()), previews) });
        let routes = server.routes();
        let mut cloud = Cloud { runtime, server, routes, ids: BTreeMap::new(), secrets: BTreeSet::new(), unmade: Vec::new() };
        for (agent_type, host) in [(AgentType::Dhcp, "host-a"), (AgentType::L3, "host-a"), (AgentType::LinuxBridge, "host-b")] {
            cloud.report(agent_type, host);
        }
        for project in [VICTIM, STRANGER] {
            cloud.fill(project);
        }
        cloud
    }

    fn report(&self, agent_type: AgentType, host: &'static str) {
        let run = move |_: &Frame, op: &mut Op<'_>| {
            let configurations = json!({"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1"});
            let report = AgentReport {
                host: host.into(),
                agent_type,
                binary: "agent".into(),
                topic: "topic".into(),
                availability_zone: Some("nova".into()),
                configurations: configurations.as_object().cloned().unwrap_or_default(),
                enforces: vec![],
                started_at: op.tx.context.now,
            };
            Ok(ml2::agent::report_agent(op, report))
        };
        self.runtime.block_on(self.server.frame().commit(&Caller::internal(), run)).expect("reports are taken");
    }

    /// Sends anything.
    pub fn send(&self, who: Who, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let request = request.header("X-Project-Id", who.0).header("X-User-Id", who.1).header("X-Roles", who.1);
        let request = request.body(body.into()).expect("a request");
        let response = self.runtime.block_on(self.server.respond(request));
        let status = response.status().as_u16();
        let text = String::from_utf8(response.body().to_vec()).expect("answers are text");
        Answer { status, document: serde_json::from_str(&text).ok(), text }
    }

    pub fn ask(&self, who: Who, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(who, Request::builder().method(method).uri(path), body)
    }

    /// What changes with every change.
    pub fn revision(&self) -> u64 {
        self.server.frame().store.world().revision().0
    }

    /// The routes that make something, and do not just tie it to something or tag it.
    fn creates(&self) -> impl Iterator<Item = &Route> {
        let makes = |path: &str| !path.ends_with("/tags") && !path.contains("{member_id}");
        self.routes.iter().filter(move |route| route.method == "POST" && makes(&route.path))
    }

    /// Makes one of everything that a project can have, in whatever order that goes.
    fn fill(&mut self, project: &'static str) {
        let who = (project, "admin,service");
        self.ask(who, "PUT", &format!("/v2.0/quotas/{project}"), &json!({"quota": unlimited(&self.routes)}));
        self.ids.insert(project, Ids::new());
        self.external(who);
        let agents = self.ask(who, "GET", "/v2.0/agents?sort_key=agent_type&sort_dir=asc", &Value::Null).document.unwrap_or_default();
        let agents = agents["agents"].as_array().into_iter().flatten().filter_map(|agent| agent["id"].as_str());
        let agents: Vec<String> = agents.map(str::to_owned).collect();
        self.ids.entry(project).or_default().insert("/v2.0/agents".to_owned(), agents);
        loop {
            let before = self.ids[project].len();
            self.make_missing(who);
            if self.ids[project].len() == before {
                break;
            }
            self.connect(who);
        }
        self.find(who);
        let tagged: Vec<String> =
            self.routes.iter().filter(|route| route.method == "PUT" && route.path.ends_with("/tags")).map(|r| r.path.clone()).collect();
        for path in tagged {
            if let Some(path) = self.fill_path(project, &path) {
                let tag = if project == VICTIM { SECRET } else { "tag" };
                self.ask(who, "PUT", &path, &json!({"tags": [tag]}));
            }
        }
    }

    fn make_missing(&mut self, who: Who) {
        self.unmade.clear();
        for route in self.creates().cloned().collect::<Vec<_>>() {
            // A port has addresses when there are some.
            let is_early = route.path == "/v2.0/ports" && self.id(who.0, "/v2.0/subnets").is_none();
            if !is_early && !self.ids[who.0].contains_key(&route.path) {
                self.make(who, &route);
            }
        }
    }

    /// Forgets what is gone, and makes anew what the project has none of any more.
    pub fn mend(&mut self, project: &'static str) {
        let who = (project, "admin,service");
        let known: Vec<(String, String)> =
            self.ids[project].iter().flat_map(|(path, ids)| ids.iter().map(|id| (path.clone(), id.clone()))).collect();
        for (path, id) in known.into_iter().filter(|(path, _)| !path.contains('{')) {
            if self.ask(who, "GET", &format!("{path}/{id}"), &Value::Null).status == 404 {
                self.ids.entry(project).or_default().entry(path).or_default().retain(|there| *there != id);
            }
        }
        let ids = self.ids.entry(project).or_default();
        ids.retain(|path, ids| !ids.is_empty() && !path.contains('{'));
        self.make_missing(who);
        self.connect(who);
        self.make_missing(who);
        self.find(who);
    }

    /// What is there without having been made: the first of each list that is the project's.
    fn find(&mut self, who: Who) {
        let shown: Vec<String> = self.routes.iter().filter_map(|route| Some(route.path.strip_suffix("/{id}")?.to_owned())).collect();
        for path in shown.into_iter().filter(|path| !path.contains('{')) {
            let document = self.ask(who, "GET", &path, &Value::Null).document.unwrap_or_default();
            let items = document.as_object().and_then(|whole| whole.values().next()?.as_array()).cloned().unwrap_or_default();
            let first = items.iter().find(|item| item["project_id"] == who.0).or_else(|| items.first());
            let id = first.and_then(|item| item.get("id").or_else(|| item.as_object()?.values().next()));
            if let Some(id) = id.and_then(Value::as_str) {
                self.ids.entry(who.0).or_default().entry(path).or_insert_with(|| vec![id.to_owned()]);
            }
        }
    }

    fn make(&mut self, who: Who, route: &Route) {
        let Some(path) = self.fill_path(who.0, &route.path) else { return };
        let body = self.body(who.0, route);
        let answer = self.ask(who, "POST", &path, &body);
        if answer.status != 201 && UNMADE.contains(&route.path.as_str()) {
            return;
        }
        if answer.status != 201 {
            self.unmade.push(format!("POST {path} {body}: {} {}", answer.status, answer.text));
            return;
        }
        let made = answer.document.as_ref().and_then(Value::as_object).and_then(|whole| whole.values().next());
        let id = made.and_then(|made| made["id"].as_str()).map(str::to_owned);
        // What is below something of the project is the project's, too.
        let is_own = made.is_some_and(|made| made["project_id"] == VICTIM) || self.secrets.iter().any(|secret| path.contains(secret));
        self.secrets.extend(id.iter().filter(|_| is_own).cloned());
        self.ids.entry(who.0).or_default().insert(route.path.clone(), id.into_iter().collect());
    }

    /// A network that leads out, for everybody.
    fn external(&self, who: Who) {
        let network = json!({"network": {"name": "outside", "router:external": true, "project_id": "outside"}});
        let made = self.ask(who, "POST", "/v2.0/networks", &network).document.unwrap_or_default();
        let third = if who.0 == VICTIM { 1 } else { 2 };
        let subnet =
            json!({"network_id": made["network"]["id"], "cidr": format!("198.18.{third}.0/24"), "ip_version": 4, "project_id": "outside"});
        self.ask(who, "POST", "/v2.0/subnets", &json!({ "subnet": subnet }));
    }

    /// The id of such a network.
    pub fn outside(&self) -> String {
        let list = self.ask(("outside", "admin"), "GET", "/v2.0/networks?name=outside", &Value::Null).document.unwrap_or_default();
        list["networks"][0]["id"].as_str().unwrap_or_default().to_owned()
    }

    /// The project's router joins its subnet and the outside.
    fn connect(&self, who: Who) {
        let Some(router) = self.id(who.0, "/v2.0/routers") else { return };
        let Some(subnet) = self.id(who.0, "/v2.0/subnets") else { return };
        let gateway = json!({"router": {"external_gateway_info": {"network_id": self.outside()}}});
        self.ask(who, "PUT", &format!("/v2.0/routers/{router}"), &gateway);
        self.ask(who, "PUT", &format!("/v2.0/routers/{router}/add_router_interface"), &json!({ "subnet_id": subnet }));
    }

    pub fn id(&self, project: &str, collection: &str) -> Option<&str> {
        self.ids.get(project)?.get(collection)?.first().map(String::as_str)
    }

    /// A route's path with the project's own ids; none when there is no such thing.
    pub fn fill_path(&self, project: &str, template: &str) -> Option<String> {
        let (mut path, mut above) = (String::new(), String::new());
        for part in template.split('/').skip(1) {
            let filled = match part.strip_prefix('{').map(|name| name.trim_end_matches('}')) {
                None => part,
                Some("project_id") => project,
                Some("tag") => {
                    if project == VICTIM {
                        SECRET
                    } else {
                        "tag"
                    }
                }
                Some("alias") => "router",
                Some("host") => "host-b",
                Some("fixed_port_id") => self.id(project, "/v2.0/ports")?,
                Some("member_id") if template.ends_with("/l3-routers") || template.contains("/l3-routers/") => {
                    self.ids.get(project)?.get(&above)?.get(1)?
                }
                Some(_) => self
                    .id(project, &above)
                    .or_else(|| self.elsewhere(project, &above))
                    .or_else(|| UNMADE.contains(&above.as_str()).then_some(NOBODY))?,
            };
            path = format!("{path}/{filled}");
            above = format!("{above}/{part}");
        }
        Some(path)
    }

    /// One of a collection that is shown at another path: routers in `/v2.0/agents/{member_id}/l3-routers`.
    pub fn elsewhere(&self, project: &str, path: &str) -> Option<&str> {
        let name = path.rsplit(['/', '-']).next()?;
        let own = self.ids.get(project)?.keys().find(|other| other.rsplit('/').next() == Some(name))?;
        self.id(project, own)
    }

    /// A body with all that a route requires, and names where there are some.
    pub fn body(&self, project: &'static str, route: &Route) -> Value {
        route.body.as_ref().map_or(Value::Null, |schema| self.value(project, "", schema))
    }

    fn value(&self, project: &'static str, name: &str, schema: &Value) -> Value {
        if let Some(value) = hint(self, project, name, schema) {
            return value;
        }
        if let Some(choice) = schema["anyOf"].as_array().and_then(|choices| choices.first()).filter(|_| schema.get("type").is_none()) {
            return self.value(project, name, choice);
        }
        if let Some(first) = schema["enum"].as_array().and_then(|words| words.first()) {
            return first.clone();
        }
        match schema["type"].as_str().unwrap_or_default() {
            "object" => {
                let required = schema["required"].as_array().cloned().unwrap_or_default();
                let is_given = |name: &str| {
                    required.iter().any(|required| required == name) || matches!(name, "name" | "project_id") || ALWAYS.contains(&name)
                };
                let outer = name;
                let members = schema["properties"].as_object().into_iter().flatten().filter(|(name, _)| is_given(name));
                // What is of no project is for everybody to see.
                let is_common = schema["properties"].get("project_id").is_none();
                let members = members.map(|(name, schema)| if is_common && name == "name" { (name, &Value::Null) } else { (name, schema) });
                members
                    .map(|(name, schema)| (name.clone(), self.value(project, &of_what(name, outer), schema)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "array" => json!([self.value(project, name, &schema["items"])]),
            "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "boolean" => json!(true),
            "string" if schema["format"] == "cidr" => json!("192.0.2.0/24"),
            "string" if schema["format"] == "uuid" => json!(self.named(project, name).unwrap_or("00000000-0000-4000-8000-000000000000")),
            _ => json!("x"),
        }
    }

    /// The project's own of what an attribute names: a network for `network_id` and `floating_network_id`.
    pub fn named(&self, project: &str, attribute: &str) -> Option<&str> {
        let stem = attribute.strip_suffix("_id").unwrap_or(attribute);
        let fits = |path: &&String| stem.ends_with(&singular(path));
        let best = self.ids.get(project)?.keys().filter(fits).max_by_key(|path| singular(path).len())?;
        self.id(project, best)
    }
}

/// What cannot be made out of one of everything: an NDP proxy needs prefixes of one address scope on both sides of a router that allows it.
/// Its routes are asked about one that is not there.
const UNMADE: [&str; 1] = ["/v2.0/ndp-proxies"];
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// What no schema requires, but some create needs.
const ALWAYS: [&str; 8] =
    ["cidr", "metainfo", "remote_ip_prefix", "external_port", "internal_port", "segmentation_id", "device_owner", "local_port_id"];

/// What an id in a body is of.
fn of_what(name: &str, outer: &str) -> String {
    if name == "id" { format!("{outer}_id") } else { name.to_owned() }
}

/// `security_group` of `/v2.0/security-groups`.
fn singular(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default().replace('-', "_");
    last.strip_suffix("ies").map(|stem| format!("{stem}y")).unwrap_or_else(|| last.trim_end_matches('s').to_owned())
}

/// No limit of anything.
fn unlimited(routes: &[Route]) -> Value {
    let quota = routes.iter().find(|route| route.method == "PUT" && route.path.starts_with("/v2.0/quotas/"));
    let body = quota.and_then(|route| route.body.as_ref()).cloned().unwrap_or_default();
    let limits = body["properties"]["quota"]["properties"].as_object().cloned().unwrap_or_default();
    limits
        .keys()
        .filter(|name| !matches!(name.as_str(), "force" | "check_limit"))
        .map(|name| (name.clone(), json!(-1)))
        .collect::<Map<_, _>>()
        .into()
}

/// Values that a schema cannot tell.
fn hint(cloud: &Cloud, project: &'static str, name: &str, schema: &Value) -> Option<Value> {
    let number = if project == VICTIM { 1 } else { 2 };
    Some(match name {
        "name" if schema.is_null() => json!("common"),
        "name" if project == VICTIM => json!(SECRET),
        "project_id" => json!(project),
        "cidr" => json!(format!("10.{number}.0.0/24")),
        "prefixes" => json!([format!("10.{}.0.0/16", 100 + number)]),
        "addresses" => json!(["192.0.2.0/24"]),
        "object_type" => json!("security_group"),
        "object_id" => json!(cloud.id(project, "/v2.0/security-groups")?),
        "action" => json!("access_as_shared"),
        "target_tenant" => json!("7a26e700-0000-4000-8000-000000000003"),
        "service_type" => json!("L3_ROUTER_NAT"),
        "resource_type" => json!("security_group"),
        "floating_network_id" => json!(cloud.outside()),
        "network_type" => json!("vxlan"),
        "remote_ip_prefix" => json!(format!("198.51.{}.0/24", number + 2 * cloud.ids[project].len())),
        "minimum" | "maximum" => json!(if schema["maximum"].as_i64()? > 100_000 { 100_000 * number } else { 10 * number }),
        "segmentation_id" => json!(5_000 + number),
        "internal_ip_address" => {
            let port = cloud.ask((project, "admin"), "GET", &format!("/v2.0/ports/{}", cloud.id(project, "/v2.0/ports")?), &Value::Null);
            port.document?["port"]["fixed_ips"][0]["ip_address"].clone()
        }
        "external_port" | "internal_port" => json!(80),
        "host" => json!("host-b"),
        "helper" => json!("tftp"),
        "protocol" if schema.get("enum").is_none() && schema["type"] == "string" => json!("udp"),
        "local_port_id" => json!(cloud.id(project, "/v2.0/ports")?),
        "device_owner" => json!("compute:nova"),
        _ => return None,
    })
}
