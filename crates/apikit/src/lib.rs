//! What unit tests of slices share: [`Lab`], the API over a database in memory, and [`Bench`], a world to run operations in.
//!
//! A slice's tests give a lab the resources and settings that they need; requests run through the whole frame (body, policy, quota, log), one
//! at a time and without a network.

mod bench;

pub use bench::{Bench, refused};

use api::{Op, Registry, Server, ServerOptions, Settings};
use auth::identity::{Identity, NoAuth};
use auth::{Caller, Policy};
use bytes::Bytes;
use net::ProjectId;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::runtime::Runtime;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Record, Store, StoreOptions, World};

/// A served API, and who asks it.
pub struct Lab {
    runtime: Runtime,
    server: Server,
    store: Store,
    settings: Arc<Settings>,
    /// Who asks.
    pub project: &'static str,
    /// In which roles.
    pub roles: &'static str,
}

impl Lab {
    /// An empty state, asked by an administrator.
    pub fn new(registry: Registry, settings: Settings) -> Lab {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), StoreOptions::default());
        let store = store.expect("the store opens");
        let identity = Identity::None(NoAuth::new(ProjectId::from("adm")));
        let server = Server::new(store.clone(), registry, Policy::defaults(), identity, settings.clone(), ServerOptions::default());
        Lab { runtime, server, store, settings: Arc::new(settings), project: "adm", roles: "admin" }
    }

    /// Asks as an administrator from now on.
    pub fn admin(&mut self) {
        (self.project, self.roles) = ("adm", "admin");
    }

    /// Asks as a member of the project `p1` from now on.
    pub fn member(&mut self) {
        (self.project, self.roles) = ("p1", "member");
    }

    /// Status and body of an answer.
    pub fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (status, text) = self.text((self.project, self.roles), method, path, &body);
        (status, serde_json::from_slice(&text).unwrap_or_default())
    }

    /// Status and text of an answer to somebody of this project and in these roles.
    pub fn text(&self, (project, roles): (&str, &str), method: &str, path: &str, body: &Value) -> (u16, Bytes) {
        let request = http::Request::builder().method(method).uri(format!("/v2.0/{path}"));
        let request = request.header("x-project-id", project).header("x-roles", roles);
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = self.runtime.block_on(self.server.respond(request.body(body).expect("a request")));
        (answer.status().as_u16(), answer.into_body())
    }

    /// What an accepted request answers.
    #[track_caller]
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
    #[track_caller]
    pub fn message(&self, method: &str, path: &str, body: Value) -> String {
        self.ask(method, path, body).1["NeutronError"]["message"].as_str().expect("a refusal").to_owned()
    }

    /// Creates a resource whose collection is its name and an s; its id.
    #[track_caller]
    pub fn create(&self, name: &str, body: Value) -> String {
        self.create_at(&format!("{name}s"), name, body)
    }

    /// Creates a resource; its id.
    #[track_caller]
    pub fn create_at(&self, path: &str, name: &str, body: Value) -> String {
        let answer = self.accepted("POST", path, json!({ name: body }));
        answer[name]["id"].as_str().expect("an id").to_owned()
    }

    /// Changes a resource; what it is then.
    #[track_caller]
    pub fn update(&self, path: &str, name: &str, body: Value) -> Value {
        self.accepted("PUT", path, json!({ name: body }))[name].take()
    }

    /// A resource, or the list of a collection.
    #[track_caller]
    pub fn show(&self, path: &str) -> Value {
        let answer = self.accepted("GET", path, Value::Null);
        answer.as_object().and_then(|map| map.values().next()).expect("one").clone()
    }

    /// A network with an IPv4 subnet: the ids of both.
    #[track_caller]
    pub fn network(&self, body: Value, cidr: &str) -> (String, String) {
        let network = self.create("network", body);
        let subnet = self.subnet(&network, cidr);
        (network, subnet)
    }

    /// A subnet; its id.
    #[track_caller]
    pub fn subnet(&self, network: &str, cidr: &str) -> String {
        let version = if cidr.contains(':') { 6 } else { 4 };
        self.create("subnet", json!({"network_id": network, "cidr": cidr, "ip_version": version}))
    }

    /// A record.
    pub fn get<R: Record>(&self, id: &str) -> Option<Arc<R>> {
        self.world().get::<R>(&id.parse().ok()?).cloned()
    }

    /// The state.
    pub fn world(&self) -> World {
        self.store.world()
    }

    /// Runs an operation of the system itself, such as an agent's report.
    pub fn act<T: Send + 'static>(&self, operation: impl Fn(&mut Op<'_>) -> T + Send + 'static) -> T {
        let settings = self.settings.clone();
        let commit = self.store.commit("req-test".into(), move |tx| {
            let mut op = Op { tx, caller: &Caller::internal(), settings: &settings };
            Ok::<T, Infallible>(operation(&mut op))
        });
        let Ok(committed) = self.runtime.block_on(commit).expect("committed");
        committed.answer
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab").field("project", &self.project).field("roles", &self.roles).finish_non_exhaustive()
    }
}
