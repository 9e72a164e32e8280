//! A server with identity, two hosts and a network, the steps, and who asks.

use crate::registry;
use api::{QuotaConfig, Server, ServerOptions, Settings};
use auth::identity::Identity;
use auth::identity::builtin::{Builtin, Config, Hashing};
use auth::{Caller, Policy};
use bytes::Bytes;
use http::Request;
use ml2::agent::{AgentReport, report_agent};
use ml2::port::provisioning::{port_unwired, port_wired};
use model::AgentType;
use net::{HostName, PortId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::mpsc::UnboundedReceiver;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Commit, Store, StoreOptions};

const BASE: &str = "http://localhost";
const HOUR_US: i64 = 3600 * 1_000_000;
const SERVER: &str = "5e12e100-0000-4000-8000-000000000001";

pub struct Cloud {
    server: Server,
    identity: Identity,
    now_us: Arc<AtomicI64>,
    _state: testkit::Scratch,
    commits: UnboundedReceiver<Arc<Commit>>,
    passwords: BTreeMap<String, String>,
    tokens: BTreeMap<&'static str, String>,
    /// What stands for the names in braces.
    names: BTreeMap<&'static str, String>,
    recorded: Value,
}

impl Cloud {
    pub async fn new() -> Cloud {
        let state = testkit::Scratch::new().expect("a directory");
        let now_us = Arc::new(AtomicI64::new(1_800_000_000 * 1_000_000));
        let clock = now_us.clone();
        let mut config = Config::new(state.path(), BASE);
        config.hashing = Hashing { memory_kib: 8, passes: 1 };
        config.clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let identity = Identity::Builtin(Arc::new(Builtin::open(config).expect("starts")));
        let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), StoreOptions::default());
        let store = store.expect("an empty state");
        let (_, commits) = store.subscribe();
        let settings = Settings::new()
            .with(Arc::new(ml2::Config::default()))
            .with(Arc::new(ml2::Heartbeats::new()))
            .with(Arc::new(l3::Config::default()))
            .with(Arc::new(registry::dependents()))
            .with(Arc::new(registry::shareables()));
        let registry = registry::api(&QuotaConfig::default());
        let server = Server::new(store, registry, Policy::defaults(), identity.clone(), settings, ServerOptions::default());
        let clouds = std::fs::read_to_string(state.path().join("clouds.yaml")).expect("written at the first start");
        let value = |line: &str, name: &str| line.trim().strip_prefix(name).map(|value| value.trim().to_owned());
        let users: Vec<String> = clouds.lines().filter_map(|line| value(line, "username:")).collect();
        let passwords = users.into_iter().zip(clouds.lines().filter_map(|line| value(line, "password:"))).collect();
        let recorded = serde_json::from_str(include_str!("steps.json")).expect("JSON");
        let (tokens, names) = (BTreeMap::new(), BTreeMap::from([("server", SERVER.to_owned()), ("other", SERVER.replace('1', "2"))]));
        let mut cloud = Cloud { server, identity, now_us, _state: state, commits, passwords, tokens, names, recorded };
        cloud.prepare().await;
        cloud
    }

    async fn prepare(&mut self) {
        for user in ["admin", "demo", "nova"] {
            self.log_in(user).await;
        }
        for host in ["fake1", "fake2"] {
            let report = AgentReport {
                host: host.into(),
                agent_type: AgentType::LinuxBridge,
                binary: "neutron-linuxbridge-agent".into(),
                topic: "N/A".into(),
                availability_zone: None,
                configurations: json!({"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1"}).as_object().expect("an object").clone(),
                enforces: vec![],
                started_at: net::Timestamp(0),
            };
            let reported = self.server.frame().commit(&Caller::internal(), move |_, op| Ok(report_agent(op, report.clone()))).await;
            reported.expect("reports are taken");
        }
        let network = self.made("network", json!({"name": "net"})).await;
        let subnet = self.made("subnet", json!({"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24"})).await;
        let group = self.made("security-group", json!({"name": "nova-sg"})).await;
        let second = self.made("network", json!({})).await;
        let default = self.ask("demo", "GET", "security-groups?name=default", &Value::Null).await.1["security_groups"][0].clone();
        let resources = [("network", &network), ("subnet", &subnet), ("group", &group), ("second", &second), ("default", &default)];
        for (name, resource) in resources {
            self.names.insert(name, text(&resource["id"]));
        }
        self.names.insert("project", text(&network["project_id"]));
    }

    async fn log_in(&mut self, user: &'static str) {
        let domain = json!({"id": "default"});
        let proof = json!({"name": user, "domain": domain, "password": self.passwords[user]});
        let project = if user == "nova" { "service" } else { user };
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": proof}}, "scope": {"project": {"name": project, "domain": domain}},
        }});
        let request = Request::post(format!("{BASE}/identity/v3/auth/tokens")).body(Bytes::from(body.to_string())).expect("a request");
        let response = self.identity.serve(request, BASE).await.expect("it is built in");
        let token = response.headers().get("x-subject-token").unwrap_or_else(|| panic!("{user}: {response:?}"));
        self.tokens.insert(user, token.to_str().expect("text").to_owned());
    }

    /// From now on the tokens of users count beside Nova's only, which has a new one.
    pub async fn let_the_users_token_expire(&mut self) {
        self.now_us.fetch_add(24 * HOUR_US, Ordering::SeqCst);
        assert_eq!(self.ask("demo", "GET", "ports", &Value::Null).await.0, 401, "it has expired");
        self.log_in("nova").await;
    }

    /// Status and document of an answer; `demo+s` asks with Nova's token beside the user's.
    async fn ask(&self, who: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let user = who.trim_end_matches("+s");
        let mut request = Request::builder().method(method).uri(format!("{BASE}/v2.0/{path}"));
        request = request.header("X-Auth-Token", &self.tokens[user]).header("Accept", "application/json");
        request = request.header("X-OpenStack-Request-ID", "req-00000000-0000-4000-8000-000000000000");
        if who.ends_with("+s") {
            request = request.header("X-Service-Token", &self.tokens["nova"]);
        }
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let response = self.server.respond(request.body(body).expect("a request")).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    async fn made(&self, kind: &str, body: Value) -> Value {
        let key = kind.replace('-', "_");
        let (status, answer) = self.ask("demo", "POST", &format!("{kind}s"), &json!({ (key.as_str()): body })).await;
        assert_eq!(status, 201, "{kind}: {answer}");
        answer[key].clone()
    }

    /// A port of the user, which is the one that the next steps are about.
    pub async fn port(&mut self) -> Value {
        let body = json!({"port": {"network_id": self.names["network"], "tenant_id": self.names["project"]}});
        let (status, answer) = self.ask("demo+s", "POST", "ports", &body).await;
        assert_eq!(status, 201, "{answer}");
        self.use_port(&answer["port"]);
        answer["port"].clone()
    }

    /// The next steps are about this port.
    pub fn use_port(&mut self, port: &Value) {
        self.names.insert("port", text(&port["id"]));
        self.names.insert("address", text(&port["fixed_ips"][0]["ip_address"]));
    }

    /// The port as Nova sees it.
    pub async fn shown(&self) -> Value {
        self.ask("nova", "GET", &format!("ports/{}", self.names["port"]), &Value::Null).await.1["port"].clone()
    }

    /// How many ports the user has.
    pub async fn ports(&self) -> usize {
        self.ask("demo+s", "GET", "ports", &Value::Null).await.1["ports"].as_array().expect("a list").len()
    }

    fn filled(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// Takes the steps of a scenario; fails unless all is answered as Nova needs it, and Nova was told what it was told then.
    pub async fn replay(&mut self, scenario: &str) {
        let steps = self.recorded["steps"][scenario].as_array().unwrap_or_else(|| panic!("no scenario {scenario}")).clone();
        while self.commits.try_recv().is_ok() {}
        let mut wanted = BTreeSet::new();
        for (number, step) in (1..).zip(&steps) {
            if let Some(event) = step["event"].as_str() {
                wanted.insert(event.to_owned());
            } else if let Some(word) = step["agent"].as_str() {
                self.reported(word, &text(&step["host"])).await;
            } else {
                self.take(&format!("{scenario} {number}"), step).await;
            }
        }
        let mut told = BTreeSet::new();
        while let Ok(commit) = self.commits.try_recv() {
            for event in nova::events(&commit.change, &commit.after) {
                assert_eq!((event.server_uuid.as_str(), event.tag.to_string()), (SERVER, self.names["port"].clone()));
                told.insert(text(&json!(event.name)));
            }
        }
        assert_eq!(told, wanted, "{scenario}: what Nova is told");
    }

    /// The L2 agent of a host says something of the port.
    async fn reported(&self, word: &str, host: &str) {
        let (id, host): (PortId, HostName) = (self.names["port"].parse().expect("an id"), host.into());
        let is_wired = word == "wired";
        let report =
            move |_: &api::Frame, op: &mut api::Op<'_>| Ok(if is_wired { port_wired(op, id, &host) } else { port_unwired(op, id, &host) });
        self.server.frame().commit(&Caller::internal(), report).await.expect("reports are taken");
    }

    async fn take(&mut self, about: &str, step: &Value) {
        let (call, who) = (self.filled(&text(&step["call"])), text(&step["token"]));
        let (method, path) = call.split_once(' ').expect("method and path");
        let body = if step["body"].is_null() { Value::Null } else { self.filled(&step["body"].to_string()).parse().expect("JSON") };
        let (status, answer) = self.ask(&who, method, path, &body).await;
        let about = format!("{about}: {who} {call}: {answer}");
        assert_eq!(Some(u64::from(status)), step["status"].as_u64(), "{about}");
        if status == 204 {
            return;
        }
        if status == 404 {
            assert_eq!(answer["NeutronError"]["type"], "PortBindingNotFound", "{about}");
            return;
        }
        if method == "POST" && path == "ports" {
            self.use_port(&answer["port"]);
        }
        let (key, value) = match answer.as_object().and_then(|document| document.iter().next()) {
            Some((key, value)) if path.ends_with("/activate") => ("binding".to_owned(), json!({ (key.as_str()): value })),
            Some((key, value)) => (key.clone(), value.clone()),
            None => panic!("{about}"),
        };
        let fields = self.fields(&key, &who, path);
        let is_of_nova = who == "nova" && !path.contains("fields=");
        let records: Vec<&Value> = match &value {
            _ if path.ends_with("/activate") => vec![&answer],
            Value::Array(records) => records.iter().collect(),
            record => vec![record],
        };
        for record in &records {
            let missing: Vec<&String> = fields.iter().filter(|field| record.get(field.as_str()).is_none()).collect();
            assert!(missing.is_empty(), "Nova reads {missing:?}; {about}");
            // Nova takes a network with segments for one of several, and fails when none has a physical network.
            assert!(record.get("segments").is_none(), "{about}");
            if key.starts_with("port") && is_of_nova && record["binding:host_id"] != "" {
                assert_eq!(record["binding:vif_type"], "tap", "{about}");
            }
        }
        self.finds(path, &records, &about);
    }

    /// What Nova reads of an answer.
    fn fields(&self, key: &str, who: &str, path: &str) -> Vec<String> {
        let asked = path.split(['?', '&']).filter_map(|part| part.strip_prefix("fields="));
        // Not those of features that are not on, those that are there only when there is something to tell, and those that users do not see.
        let is_shown =
            |field: &&str| !["segments", "resource_request"].contains(field) && (who == "nova" || !field.starts_with("binding:"));
        let asked: Vec<String> = asked.filter(is_shown).map(str::to_owned).collect();
        if !asked.is_empty() || path.contains("fields=") {
            return asked;
        }
        let collection = match key {
            "port" | "ports" if who == "nova" => "ports of nova",
            "port" => "ports",
            "network" => "networks",
            other => other,
        };
        let fields = self.recorded["fields"][collection].as_array().unwrap_or_else(|| panic!("no fields of {collection}"));
        fields.iter().map(text).collect()
    }

    /// What Nova asks for by its id is found, and nothing else.
    fn finds(&self, path: &str, records: &[&Value], about: &str) {
        let Some((collection, query)) = path.split_once('?').filter(|_| !path.contains('/')) else { return };
        let asked: BTreeSet<&str> = query.split('&').filter_map(|part| part.strip_prefix("id=")).collect();
        if !asked.is_empty() {
            let found: BTreeSet<&str> = records.iter().filter_map(|record| record["id"].as_str()).collect();
            assert!(!found.is_empty() && found.is_subset(&asked), "{about}");
        }
        if collection == "security-groups" && query.starts_with("name=") {
            assert_eq!(records.iter().map(|record| text(&record["id"])).collect::<Vec<_>>(), [self.names["group"].clone()], "{about}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
