//! The identity as its clients see it: requests in, answers out, on files in a throw-away directory.

mod accounts;
mod auth;
mod files;
mod none;

use super::builtin::{Builtin, Config, Hashing};
use super::*;
use http::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

const BASE: &str = "http://192.0.2.1:9696";
const SECOND_US: i64 = 1_000_000;

/// A server with a clock that only moves when told to.
struct Server {
    state: TempDir,
    now_us: Arc<AtomicI64>,
    identity: Identity,
    admin: String,
    demo: String,
    nova: String,
}

fn config(state: &std::path::Path, now_us: &Arc<AtomicI64>) -> Config {
    let now_us = now_us.clone();
    let mut config = Config::new(state, BASE);
    config.hashing = Hashing { memory_kib: 8, passes: 1 };
    config.clock = Arc::new(move || now_us.load(Ordering::SeqCst));
    config
}

struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    fn token(&self) -> String {
        self.headers["x-subject-token"].to_str().expect("text").to_owned()
    }

    fn message(&self) -> &str {
        self.body["error"]["message"].as_str().expect("a message")
    }

    fn id(&self, key: &str) -> String {
        self.body[key]["id"].as_str().expect("an id").to_owned()
    }

    fn names(&self, collection: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.body[collection].as_array().expect("a list").iter().map(|item| item["name"].as_str().expect("a name")).collect();
        names.sort_unstable();
        names
    }
}

impl Server {
    fn start() -> Self {
        let state = tempfile::tempdir().expect("a directory");
        let now_us = Arc::new(AtomicI64::new(1_800_000_000 * SECOND_US));
        let builtin = Builtin::open(config(state.path(), &now_us)).expect("starts");
        let identity = Identity::Builtin(Arc::new(builtin));
        let mut server = Self { state, now_us, identity, admin: String::new(), demo: String::new(), nova: String::new() };
        server.admin = server.login_cloud("neutrino");
        server.demo = server.login_cloud("neutrino-demo");
        server.nova = server.login_cloud("neutrino-service");
        server
    }

    fn restart(&mut self) {
        let builtin = Builtin::open(config(self.state.path(), &self.now_us)).expect("starts again");
        self.identity = Identity::Builtin(Arc::new(builtin));
    }

    fn builtin(&self) -> &Arc<Builtin> {
        match &self.identity {
            Identity::Builtin(builtin) => builtin,
            Identity::None(_) | Identity::Keystone(_) => unreachable!("started as built-in"),
        }
    }

    fn pass(&self, seconds: i64) {
        self.now_us.fetch_add(seconds * SECOND_US, Ordering::SeqCst);
    }

    fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/identity{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let response = self.builtin().handle(&request.body(body).expect("well-formed"), BASE);
        let (parts, body) = response.into_parts();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn get(&self, token: &str, path: &str) -> Reply {
        self.request(Method::GET, path, &[("x-auth-token", token)], &Value::Null)
    }

    fn send(&self, method: Method, token: &str, path: &str, body: Value) -> Reply {
        self.request(method, path, &[("x-auth-token", token)], &body)
    }

    fn login(&self, user: &str, password: &str, scope: &Value) -> Reply {
        let user = json!({"name": user, "domain": {"id": "default"}, "password": password});
        let mut body = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}});
        if !scope.is_null() {
            body["auth"]["scope"] = scope.clone();
        }
        self.request(Method::POST, "/v3/auth/tokens", &[], &body)
    }

    fn cloud(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.state.path().join("clouds.yaml")).expect("written at first start");
        let document: Value = serde_yaml_ng::from_str(&text).expect("YAML");
        document["clouds"][name].clone()
    }

    fn password(&self, cloud: &str) -> String {
        self.cloud(cloud)["auth"]["password"].as_str().expect("text").to_owned()
    }

    fn login_cloud(&self, cloud: &str) -> String {
        let auth = &self.cloud(cloud)["auth"];
        let text = |name: &str| auth[name].as_str().expect("text").to_owned();
        let scope = json!({"project": {"name": text("project_name"), "domain": {"name": text("project_domain_name")}}});
        self.login(&text("username"), &text("password"), &scope).expect(201).token()
    }

    fn caller(&self, headers: &[(&'static str, &str)]) -> Option<Caller> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value")))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(self.identity.authenticate(&headers)).ok()
    }

    fn works(&self, token: &str) -> bool {
        self.caller(&[("x-auth-token", token)]).is_some()
    }

    fn id_of(&self, collection: &str, name: &str) -> String {
        let reply = self.get(&self.admin, &format!("/v3/{collection}?name={name}")).expect(200);
        reply.body[collection][0]["id"].as_str().expect("known").to_owned()
    }
}
