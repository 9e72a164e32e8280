//! A server in memory and the projects that ask it.

use crate::registry;
use api::{QuotaConfig, Server, ServerOptions, Settings};
use auth::Policy;
use auth::identity::{Identity, NoAuth};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions};

/// A project and a role in it.
#[derive(Clone, Copy)]
pub struct Who(pub &'static str, pub &'static str);

/// The administrator, in a project of his own.
pub const ADMIN: Who = Who("000000000000000000000000000000ad", "admin");
/// A project that has something.
pub const OWNER: Who = Who("000000000000000000000000000000a1", "member");
/// A project that uses it.
pub const USER: Who = Who("000000000000000000000000000000a2", "member");
/// A project that has nothing to do with it.
pub const STRANGER: Who = Who("000000000000000000000000000000a3", "member");

pub struct Cloud {
    server: Server,
}

/// Status and document of an answer.
#[derive(Debug)]
pub struct Answer(pub u16, pub Value);

impl Answer {
    /// The status and the type of a refusal.
    pub fn refusal(&self) -> (u16, &str) {
        (self.0, self.1["NeutronError"]["type"].as_str().unwrap_or_else(|| panic!("no refusal: {self:?}")))
    }

    /// The words of a refusal.
    pub fn message(&self) -> &str {
        self.1["NeutronError"]["message"].as_str().unwrap_or_else(|| panic!("no refusal: {self:?}"))
    }

    /// The resource of a success.
    pub fn ok(self) -> Value {
        assert!(self.0 < 300, "{self:?}");
        match self.1 {
            Value::Object(map) => map.into_iter().next().map(|(_, value)| value).unwrap_or_default(),
            other => other,
        }
    }
}

impl Cloud {
    pub fn new() -> Cloud {
        let engine = Memory::new(Locking::Pessimistic, 1).engine();
        let store = Store::open(engine, Arc::new(model::schema()), StoreOptions::default()).expect("an empty state");
        let settings = Settings::new()
            .with(Arc::new(ml2::Config::default()))
            .with(Arc::new(ml2::Heartbeats::new()))
            .with(Arc::new(l3::Config::default()))
            .with(Arc::new(registry::dependents()))
            .with(Arc::new(registry::shareables()));
        let identity = Identity::None(NoAuth::default());
        let registry = registry::api(&QuotaConfig::default()).preview_extensions(true);
        Cloud { server: Server::new(store, registry, Policy::defaults(), identity, settings, ServerOptions::default()) }
    }

    pub async fn send(&self, who: Who, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(format!("http://localhost/v2.0/{path}"));
        let request = request.header("X-Project-Id", who.0).header("X-User-Id", who.1).header("X-Roles", who.1);
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let response = self.server.respond(request.body(body).expect("a request")).await;
        let status = response.status().as_u16();
        Answer(status, serde_json::from_slice(response.body()).unwrap_or_default())
    }

    pub async fn get(&self, who: Who, path: &str) -> Answer {
        self.send(who, "GET", path, Value::Null).await
    }

    /// The ids of a list.
    pub async fn ids(&self, who: Who, path: &str) -> Vec<String> {
        let list = self.get(who, path).await.ok();
        list.as_array().expect("a list").iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
    }

    pub async fn post(&self, who: Who, kind: &str, body: Value) -> Answer {
        self.send(who, "POST", &collection(kind), json!({ kind: body })).await
    }

    /// Creates something and tells its id.
    pub async fn made(&self, who: Who, kind: &str, body: Value) -> String {
        self.post(who, kind, body).await.ok()["id"].as_str().expect("an id").to_owned()
    }

    pub async fn put(&self, who: Who, kind: &str, id: &str, body: Value) -> Answer {
        self.send(who, "PUT", &format!("{}/{id}", collection(kind)), json!({ kind: body })).await
    }

    pub async fn delete(&self, who: Who, kind: &str, id: &str) -> Answer {
        self.send(who, "DELETE", &format!("{}/{id}", collection(kind)), Value::Null).await
    }

    /// A policy about an object.
    pub async fn share(&self, who: Who, object: (&str, &str), action: &str, target: &str) -> Answer {
        let (object_type, object_id) = object;
        let body = json!({"object_type": object_type, "object_id": object_id, "action": action, "target_tenant": target});
        self.post(who, "rbac_policy", body).await
    }

    pub async fn shared(&self, who: Who, object: (&str, &str), target: &str) -> String {
        self.share(who, object, "access_as_shared", target).await.ok()["id"].as_str().expect("an id").to_owned()
    }

    pub async fn network(&self, who: Who, cidr: &str) -> (String, String) {
        let network = self.made(who, "network", json!({})).await;
        let version = if cidr.contains(':') { 6 } else { 4 };
        let subnet = self.made(who, "subnet", json!({"network_id": network, "cidr": cidr, "ip_version": version})).await;
        (network, subnet)
    }
}

fn collection(kind: &str) -> String {
    let kind = kind.replace('_', "-");
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"))
}
