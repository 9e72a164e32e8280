//! The API of this crate over a database in memory, for what is seen by clients only.

use super::{report, settings};
use crate::Config;
use crate::agent::report_agent;
use api::{Op, Registry, Resource};
use model::{AgentType, Network};
use net::AgentId;
use serde_json::{Value, json};
use world::World;

pub(crate) struct Api(apikit::Lab);

fn network() -> Resource<Network> {
    crate::network::resource().with(crate::pvlan::of_network())
}

pub(crate) fn registry() -> Registry {
    Registry::new()
        .core_resource(network())
        .core_resource(crate::subnet::resource())
        .core_resource(crate::port::resource().with(crate::pvlan::of_port()))
        .member("ports", crate::port::bindings::COLLECTION, crate::port::bindings::collection)
        .resource(crate::agent::resource())
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .collection(crate::segment::COLLECTION, crate::segment::collection)
        .resource(crate::segment_range::resource())
        .collection(crate::availability_zone::COLLECTION, crate::availability_zone::collection)
        .links(crate::dhcp::by_hand::networks_of_agent(), network())
        .links(crate::dhcp::by_hand::agents_of_network(), crate::agent::resource())
        .collection(crate::ip_availability::COLLECTION, crate::ip_availability::collection)
        .extensions(crate::extensions())
        .previews([crate::pvlan::preview()])
        .preview_extensions(true)
        .extensions(security_groups::extensions())
}

impl Api {
    pub fn new() -> Api {
        Api::with(Config::default())
    }

    pub fn with(config: Config) -> Api {
        Api(apikit::Lab::new(registry(), settings(config)))
    }

    /// With or without what is previewed.
    pub fn previewing(on: bool) -> Api {
        Api(apikit::Lab::new(registry().preview_extensions(on), settings(Config::default())))
    }

    /// Status and text of an answer to somebody of project `p1` with these roles.
    pub fn text(&self, roles: &str, method: &str, path: &str, body: &Value) -> (u16, String) {
        let (status, text) = self.0.text(("p1", roles), method, path, body);
        (status, String::from_utf8(text.to_vec()).expect("text"))
    }

    /// Status and document of an answer.
    pub fn ask(&self, roles: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.text(roles, method, path, body);
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// What an administrator is answered.
    #[track_caller]
    pub fn accepted(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("admin", method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Status and type of an administrator's refusal.
    #[track_caller]
    pub fn refused(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let (status, answer) = self.ask("admin", method, path, body);
        assert!(status >= 400, "{method} {path}: {status} {answer}");
        (status, answer["NeutronError"]["type"].as_str().unwrap_or_default().to_owned())
    }

    pub fn get(&self, path: &str) -> Value {
        self.accepted("GET", path, &Value::Null)
    }

    /// The only member of an answer's document.
    pub fn show(&self, path: &str) -> Value {
        self.get(path).as_object().and_then(|map| map.values().next()).expect("one").clone()
    }

    /// Makes a resource; its id.
    #[track_caller]
    pub fn make(&self, resource: &str, body: Value) -> String {
        let made = self.accepted("POST", &format!("{resource}s"), &json!({ resource: body }));
        made[resource]["id"].as_str().expect("an id").to_owned()
    }

    pub fn subnet(&self, network: &str, cidr: &str, mut more: Value) -> String {
        let map = more.as_object_mut().expect("an object");
        map.extend([("network_id".to_owned(), json!(network)), ("cidr".to_owned(), json!(cidr))]);
        map.insert("ip_version".to_owned(), json!(if cidr.contains(':') { 6 } else { 4 }));
        self.make("subnet", more)
    }

    /// Runs an operation of an agent's report.
    pub fn act<T: Send + 'static>(&self, operation: impl Fn(&mut Op<'_>) -> T + Send + 'static) -> T {
        self.0.act(operation)
    }

    /// An agent of a host reports; its id.
    pub fn agent(&self, host: &'static str, agent_type: AgentType, zone: Option<&'static str>) -> AgentId {
        let configurations = json!({"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1", "bridge_mappings": {"phys": "br0"}});
        self.report(host, agent_type, zone, configurations)
    }

    /// An agent that says this of itself.
    pub fn agent_with(&self, host: &'static str, agent_type: AgentType, configurations: Value) -> AgentId {
        self.report(host, agent_type, None, configurations)
    }

    fn report(&self, host: &'static str, agent_type: AgentType, zone: Option<&'static str>, configurations: Value) -> AgentId {
        let report = report(host, agent_type, zone, &configurations);
        self.act(move |op| report_agent(op, report.clone()))
    }

    pub fn world(&self) -> World {
        self.0.world()
    }
}
