//! The API over a database in memory: what unit tests of this crate share.

use crate::Config;
use api::{Op, Registry, Server, ServerOptions, Settings};
use auth::identity::{Identity, NoAuth};
use auth::{Caller, Policy};
use bytes::Bytes;
use ml2::agent::{AgentReport, report_agent};
use ml2::{Dependents, Heartbeats};
use model::AgentType;
use net::{AgentId, HostName, ProjectId, Timestamp};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::runtime::Runtime;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Record, Store, StoreOptions};

pub(crate) struct Lab {
    runtime: Runtime,
    server: Server,
    store: Store,
    settings: Arc<Settings>,
    /// Who asks.
    pub project: &'static str,
    pub roles: &'static str,
    /// An external network and its subnet.
    pub outside: (String, String),
    /// A network of `p1` and its subnet.
    pub inside: (String, String),
}

pub(crate) fn registry() -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource())
        .resource(ml2::agent::resource())
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .resource(crate::router::resource())
        .links(crate::schedule::by_hand::routers_of_agent(), crate::router::resource())
        .links(crate::schedule::by_hand::agents_of_router(), ml2::agent::resource())
        .resource(crate::floating_ip::resource())
        .child(crate::port_forwarding::parent(), crate::port_forwarding::resource())
        .extensions(crate::extensions())
}

impl Lab {
    pub fn new() -> Lab {
        Lab::with(Config::default())
    }

    pub fn with(config: Config) -> Lab {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), StoreOptions::default());
        let store = store.expect("the store opens");
        let settings = Settings::new()
            .with(Arc::new(ml2::Config::default()))
            .with(Arc::new(Heartbeats::new()))
            .with(Arc::new(config))
            .with(Arc::new(Dependents(vec![crate::dependent()])));
        let identity = Identity::None(NoAuth::new(ProjectId::from("adm")));
        let options = ServerOptions::default();
        let server = Server::new(store.clone(), registry(), Policy::defaults(), identity, settings.clone(), options);
        let none = || (String::new(), String::new());
        let settings = Arc::new(settings);
        let mut lab = Lab { runtime, server, store, settings, project: "adm", roles: "admin", outside: none(), inside: none() };
        lab.outside = lab.network(json!({"router:external": true}), "172.24.4.0/24");
        lab.member();
        lab.inside = lab.network(json!({}), "10.0.0.0/24");
        lab
    }

    pub fn admin(&mut self) {
        (self.project, self.roles) = ("adm", "admin");
    }

    pub fn member(&mut self) {
        (self.project, self.roles) = ("p1", "member");
    }

    /// Status and body of an answer.
    pub fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = http::Request::builder().method(method).uri(format!("/v2.0/{path}"));
        let request = request.header("x-project-id", self.project).header("x-roles", self.roles);
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = self.runtime.block_on(self.server.respond(request.body(body).expect("a request")));
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    /// What an accepted request answers.
    pub fn accepted(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Status and type of a refusal.
    #[track_caller]
    pub fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.ask(method, path, body);
        assert!(status >= 400, "{method} {path}: {status} {answer}");
        (status, answer["NeutronError"]["type"].as_str().unwrap_or_default().to_owned())
    }

    /// The message of a refusal.
    pub fn message(&self, method: &str, path: &str, body: Value) -> String {
        self.ask(method, path, body).1["NeutronError"]["message"].as_str().expect("a refusal").to_owned()
    }

    /// Creates a resource; its id.
    pub fn create(&self, name: &str, body: Value) -> String {
        let answer = self.accepted("POST", &format!("{name}s"), json!({ name: body }));
        answer[name]["id"].as_str().expect("an id").to_owned()
    }

    pub fn show(&self, path: &str) -> Value {
        let answer = self.accepted("GET", path, Value::Null);
        answer.as_object().and_then(|map| map.values().next()).expect("one").clone()
    }

    pub fn network(&self, body: Value, cidr: &str) -> (String, String) {
        let network = self.create("network", body);
        let subnet = self.subnet(&network, cidr);
        (network, subnet)
    }

    pub fn subnet(&self, network: &str, cidr: &str) -> String {
        let version = if cidr.contains(':') { 6 } else { 4 };
        self.create("subnet", json!({"network_id": network, "cidr": cidr, "ip_version": version}))
    }

    pub fn port(&self, body: Value) -> String {
        let mut body = body;
        body.as_object_mut().expect("an object").entry("network_id").or_insert_with(|| self.inside.0.clone().into());
        self.create("port", body)
    }

    /// A router with a gateway outside and an interface inside.
    pub fn router(&self) -> String {
        let router = self.create("router", json!({"external_gateway_info": {"network_id": self.outside.0}}));
        self.add(&router, json!({"subnet_id": self.inside.1}));
        router
    }

    pub fn add(&self, router: &str, body: Value) -> Value {
        self.accepted("PUT", &format!("routers/{router}/add_router_interface"), body)
    }

    pub fn floating_ip(&self, mut body: Value) -> String {
        body.as_object_mut().expect("an object").insert("floating_network_id".to_owned(), self.outside.0.clone().into());
        self.create("floatingip", body)
    }

    pub fn get<R: Record>(&self, id: &str) -> Option<Arc<R>> {
        self.store.world().get::<R>(&id.parse().ok()?).cloned()
    }

    /// Runs an operation of an agent's report.
    pub fn act<T: Send + 'static>(&self, operation: impl Fn(&mut Op<'_>) -> T + Send + 'static) -> T {
        let settings = self.settings.clone();
        let commit = self.store.commit("req-test".into(), move |tx| {
            let mut op = Op { tx, caller: &Caller::internal(), settings: &settings };
            Ok::<T, Infallible>(operation(&mut op))
        });
        let Ok(committed) = self.runtime.block_on(commit).expect("committed");
        committed.answer
    }

    pub fn agent(&self, host: &'static str, agent_type: AgentType) -> AgentId {
        self.agent_in(host, agent_type, None)
    }

    /// One that says in which zone it is.
    pub fn agent_in(&self, host: &'static str, agent_type: AgentType, zone: Option<&'static str>) -> AgentId {
        let configurations = json!({"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1"});
        let report = AgentReport {
            host: HostName::from(host),
            agent_type,
            binary: "b".into(),
            topic: "t".into(),
            availability_zone: zone.map(Into::into),
            configurations: configurations.as_object().expect("an object").clone(),
            started_at: Timestamp(5),
        };
        self.act(move |op| report_agent(op, report.clone()))
    }
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}
