//! What an audience hears of clients' requests, through the whole router, and what it is called on the bus.

#[path = "../../src/registry.rs"]
#[allow(dead_code, reason = "the registry's own tests are the binary's")]
mod registry;

use api::{Announcer, Audience, Notice, QuotaConfig, Server, ServerOptions, Settings};
use auth::identity::{Identity, NoAuth};
use auth::{Caller, Policy};
use bytes::Bytes;
use http::Request;
use notifications::message::event_type;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions};

#[derive(Default)]
struct Heard(Mutex<Vec<(String, Value)>>);

impl Audience for Heard {
    fn hear(&self, caller: &Caller, notice: Notice<'_>) {
        assert!(caller.request_id.starts_with("req-") && caller.project_id.as_str() == "p1");
        if let Some(event) = event_type(&notice) {
            self.0.lock().expect("not poisoned").push((event, notice.payload));
        }
    }
}

struct Lab {
    server: Server,
    heard: Arc<Heard>,
}

impl Lab {
    fn new() -> Lab {
        let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), StoreOptions::default());
        let heard: Arc<Heard> = Arc::default();
        let settings = Settings::new()
            .with(Arc::new(ml2::Config::default()))
            .with(Arc::new(ml2::Heartbeats::new()))
            .with(Arc::new(l3::Config::default()))
            .with(Arc::new(registry::dependents()))
            .with(Arc::new(registry::shareables()))
            .with(Arc::new(Announcer(heard.clone())));
        let (registry, identity) = (registry::api(&QuotaConfig::default()), Identity::None(NoAuth::default()));
        let server = Server::new(store.expect("empty"), registry, Policy::defaults(), identity, settings, ServerOptions::default());
        Lab { server, heard }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(format!("http://localhost/v2.0/{path}"));
        let request = request.header("X-Project-Id", "p1").header("X-User-Id", "u").header("X-Roles", "admin");
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let response = self.server.respond(request.body(body).expect("a request")).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    /// What was heard since this was asked last.
    fn heard(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.heard.0.lock().expect("not poisoned"))
    }

    /// Creates something and tells its id; what was heard of it is passed over.
    async fn made(&self, collection: &str, body: Value) -> String {
        let (_, answer) = self.ask("POST", collection, body).await;
        let id = answer.as_object().and_then(|object| object.values().next()).and_then(|made| made["id"].as_str());
        self.heard();
        id.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

fn events(heard: &[(String, Value)]) -> Vec<&str> {
    heard.iter().map(|(event, _)| event.as_str()).collect()
}

#[tokio::test]
async fn the_life_of_a_network() {
    let lab = Lab::new();
    let asked = json!({"network": {"name": "blue"}});
    let (_, made) = lab.ask("POST", "networks", asked.clone()).await;
    let heard = lab.heard();
    assert_eq!(events(&heard), ["network.create.start", "network.create.end"]);
    assert_eq!((&heard[0].1, &heard[1].1), (&asked, &made));
    let id = made["network"]["id"].as_str().expect("an id");
    let path = format!("networks/{id}");
    let (_, changed) = lab.ask("PUT", &path, json!({"network": {"name": "green"}})).await;
    let heard = lab.heard();
    assert_eq!(events(&heard), ["network.update.start", "network.update.end"]);
    assert_eq!((&heard[0].1, &heard[1].1), (&json!({"network": {"name": "green"}, "id": id}), &changed));
    assert_eq!(lab.ask("DELETE", &path, Value::Null).await.0, 204);
    let heard = lab.heard();
    assert_eq!(events(&heard), ["network.delete.start", "network.delete.end"]);
    assert_eq!(heard[0].1, json!({"network_id": id}));
    assert_eq!((&heard[1].1["network_id"], &heard[1].1["network"]), (&json!(id), &changed["network"]));
}

#[tokio::test]
async fn what_is_refused_has_no_end() {
    let lab = Lab::new();
    assert_eq!(lab.ask("POST", "networks", json!({"network": {"mtu": "x"}})).await.0, 400);
    assert_eq!(lab.ask("DELETE", "networks/7c9b1c9e-8a3f-4a5e-9d63-000000000001", Value::Null).await.0, 404);
    assert_eq!(events(&lab.heard()), ["network.create.start", "network.delete.start"]);
    for body in [Value::Null, json!([1]), json!("x"), json!({})] {
        assert_eq!(lab.ask("POST", "networks", body).await.0, 400);
    }
    assert_eq!(lab.ask("GET", "networks", Value::Null).await.0, 200);
    assert_eq!(events(&lab.heard()), [""; 0], "nothing that could be told");
}

#[tokio::test]
async fn many_at_once_interfaces_and_floating_ips() {
    let lab = Lab::new();
    assert_eq!(lab.ask("POST", "networks", json!({"networks": [{"name": "a"}, {"name": "b"}]})).await.0, 201);
    let heard = lab.heard();
    assert_eq!(heard[1].1["networks"].as_array().map(Vec::len), Some(2), "{heard:?}");
    let outside = lab.made("networks", json!({"network": {"router:external": true}})).await;
    lab.made("subnets", json!({"subnet": {"network_id": outside, "ip_version": 4, "cidr": "203.0.113.0/24"}})).await;
    let inside = lab.made("networks", json!({"network": {}})).await;
    let subnet = lab.made("subnets", json!({"subnet": {"network_id": inside, "ip_version": 4, "cidr": "10.0.0.0/24"}})).await;
    let router = lab.made("routers", json!({"router": {"external_gateway_info": {"network_id": outside}}})).await;
    let (_, interface) = lab.ask("PUT", &format!("routers/{router}/add_router_interface"), json!({"subnet_id": subnet})).await;
    assert_eq!(lab.heard(), [("router.interface.create".to_owned(), interface)]);
    let port = lab.made("ports", json!({"port": {"network_id": inside}})).await;
    let floating_ip = lab.made("floatingips", json!({"floatingip": {"floating_network_id": outside}})).await;
    let path = format!("floatingips/{floating_ip}");
    assert_eq!(lab.ask("PUT", &path, json!({"floatingip": {"port_id": port}})).await.0, 200);
    assert_eq!(lab.ask("DELETE", &path, Value::Null).await.0, 204);
    let heard = lab.heard();
    let wanted = ["floatingip.update.start", "floatingip.update.end", "floatingip.delete.start", "floatingip.delete.end"];
    assert_eq!(events(&heard), wanted);
    assert_eq!((&heard[1].1["floatingip"]["port_id"], &heard[3].1["floatingip"]["port_id"]), (&json!(port), &json!(port)));
    let (_, _) = lab.ask("PUT", &format!("routers/{router}/remove_router_interface"), json!({"subnet_id": subnet})).await;
    assert_eq!(events(&lab.heard()), ["router.interface.delete"]);
}
