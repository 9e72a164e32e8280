//! Bindings as Nova uses them.

use crate::port::provisioning::{port_unwired, port_wired};
use crate::testing::Api;
use model::{AgentType, Port, PortStatus};
use net::{HostName, PortId};
use serde_json::{Value, json};
use std::sync::Arc;

struct Lab {
    api: Api,
    port: String,
}

impl Lab {
    /// A port of an instance on the first of three hosts.
    fn new() -> Lab {
        let api = Api::new();
        ["h1", "h2", "h3"].into_iter().for_each(|host| _ = api.agent(host, AgentType::LinuxBridge, None));
        let network = api.make("network", json!({}));
        let port = json!({"network_id": network, "device_owner": "compute:nova", "device_id": "i", "binding:host_id": "h1"});
        let port = api.make("port", port);
        Lab { api, port }
    }

    /// Status and document of an answer to Nova; updates have no rule of their own and are an administrator's.
    fn ask(&self, method: &str, below: &str, body: &Value) -> (u16, Value) {
        let roles = if method == "PUT" && !below.ends_with("/activate") { "admin" } else { "service" };
        self.api.ask(roles, method, &format!("ports/{}/bindings{below}", self.port), body)
    }

    #[track_caller]
    fn refused(&self, method: &str, below: &str, body: &Value, status: u16, kind: &str) {
        let (got, answer) = self.ask(method, below, body);
        assert_eq!((got, answer["NeutronError"]["type"].as_str()), (status, Some(kind)), "{answer}");
    }

    fn id(&self) -> PortId {
        self.port.parse().expect("an id")
    }

    fn record(&self) -> Arc<Port> {
        self.api.world().get::<Port>(&self.id()).expect("made").clone()
    }

    /// Host, status and VIF type of each.
    fn all(&self) -> Vec<[String; 3]> {
        let (status, answer) = self.ask("GET", "", &Value::Null);
        assert_eq!(status, 200, "{answer}");
        let text = |binding: &Value, name: &str| binding[name].as_str().expect("a text").to_owned();
        let bindings = answer["bindings"].as_array().expect("a list");
        bindings.iter().map(|binding| ["host", "status", "vif_type"].map(|name| text(binding, name))).collect()
    }
}

fn body(host: &str) -> Value {
    json!({"binding": {"host": host, "vnic_type": "normal", "profile": {}}})
}

fn shown(bindings: &[[&str; 3]]) -> Vec<[String; 3]> {
    bindings.iter().map(|binding| binding.map(str::to_owned)).collect()
}

#[test]
fn a_live_migration() {
    let lab = Lab::new();
    let wired = |host: &'static str| {
        let id = lab.id();
        lab.api.act(move |op| port_wired(op, id, &HostName::from(host)));
    };
    wired("h1");
    let (status, answer) = lab.ask("POST", "", &body("h2"));
    let details = json!({"port_filter": true, "connectivity": "l2"});
    let expected =
        json!({"host": "h2", "vif_type": "tap", "vnic_type": "normal", "status": "INACTIVE", "profile": {}, "vif_details": details});
    assert_eq!((status, &answer), (201, &json!({ "binding": expected })));
    assert_eq!(lab.ask("GET", "/h2", &Value::Null), (200, answer));
    assert_eq!(lab.all(), shown(&[["h1", "ACTIVE", "tap"], ["h2", "INACTIVE", "tap"]]));
    assert_eq!((lab.record().status, lab.record().binding.host.as_str()), (PortStatus::Active, "h1"), "it works where it is");
    wired("h2");
    assert!(lab.record().standby[0].prepared && lab.record().status == PortStatus::Active);
    let (status, answer) = lab.ask("PUT", "/h2/activate", &Value::Null);
    assert_eq!((status, &answer["host"], &answer["status"]), (200, &json!("h2"), &json!("ACTIVE")));
    lab.refused("PUT", "/h2/activate", &Value::Null, 409, "PortBindingAlreadyActive");
    assert_eq!(lab.all(), shown(&[["h2", "ACTIVE", "tap"], ["h1", "INACTIVE", "unbound"]]));
    assert_eq!(lab.api.show(&format!("ports/{}", lab.port))["binding:host_id"], "h2");
    assert_eq!(lab.record().status, PortStatus::Down, "its new host has not said so");
    wired("h1");
    assert_eq!(lab.record().status, PortStatus::Down, "nor does the old one");
    wired("h2");
    assert_eq!(lab.record().status, PortStatus::Active);
    let id = lab.id();
    lab.api.act(move |op| port_unwired(op, id, &HostName::from("h1")));
    assert_eq!(lab.record().status, PortStatus::Active, "its old device goes");
    assert_eq!(lab.ask("DELETE", "/h1", &Value::Null).0, 204);
    lab.refused("DELETE", "/h1", &Value::Null, 404, "PortBindingNotFound");
    assert_eq!(lab.all(), shown(&[["h2", "ACTIVE", "tap"]]));
}

#[test]
fn a_migration_that_is_called_off() {
    let lab = Lab::new();
    lab.ask("POST", "", &body("h2"));
    assert_eq!(lab.ask("DELETE", "/h2", &Value::Null).0, 204);
    assert_eq!(lab.all(), shown(&[["h1", "ACTIVE", "tap"]]));
    lab.ask("POST", "", &body("h2"));
    lab.ask("PUT", "/h2/activate", &Value::Null);
    assert_eq!(lab.ask("PUT", "/h1/activate", &Value::Null).0, 200, "back again");
    assert_eq!(lab.all(), shown(&[["h1", "ACTIVE", "tap"], ["h2", "INACTIVE", "unbound"]]));
    lab.api.accepted("PUT", &format!("ports/{}", lab.port), &json!({"port": {"binding:host_id": "h2"}}));
    assert_eq!(lab.all(), shown(&[["h2", "ACTIVE", "tap"]]), "one binding for each host");
    assert_eq!(lab.ask("DELETE", "/h2", &Value::Null).0, 204);
    assert_eq!(lab.record().binding.host.as_str(), "", "without its active binding it is nowhere");
    lab.api.accepted("DELETE", &format!("ports/{}", lab.port), &Value::Null);
    lab.refused("GET", "", &Value::Null, 404, "PortNotFound");
}

#[test]
fn updates() {
    let lab = Lab::new();
    lab.ask("POST", "", &body("h2"));
    let put = |below: &str, binding: Value| lab.ask("PUT", below, &json!({ "binding": binding }));
    let (status, answer) = put("/h2", json!({"profile": {"a": 1}}));
    assert_eq!((status, &answer["binding"]["profile"], &answer["binding"]["status"]), (200, &json!({"a": 1}), &json!("INACTIVE")));
    let before = lab.record().standard.revision_number;
    assert_eq!(put("/h2", json!({"profile": {"a": 1}})).0, 200);
    assert_eq!(lab.record().standard.revision_number, before, "nothing new");
    assert_eq!(put("/h1", json!({"profile": {"b": 2}})).1["binding"]["status"], "ACTIVE");
    assert_eq!(lab.api.show(&format!("ports/{}", lab.port))["binding:profile"], json!({"b": 2}));
    assert_eq!(put("/h2", json!({"host": "h3"})).1["binding"]["host"], "h3");
    lab.refused("PUT", "/h3", &json!({"binding": {"host": "h1"}}), 409, "PortBindingAlreadyExists");
    lab.refused("PUT", "/h3", &json!({"binding": {"host": "h9"}}), 409, "PortBindingError");
    lab.refused("PUT", "/h9", &json!({"binding": {}}), 404, "PortBindingNotFound");
    let long = json!({"binding": {"profile": {"a": "x".repeat(5000)}}});
    lab.refused("PUT", "/h3", &long, 400, "InvalidInput");
    lab.refused("POST", "", &json!({"binding": {"host": "h2", "profile": {"a": "x".repeat(5000)}}}), 400, "InvalidInput");
    assert_eq!(lab.all(), shown(&[["h1", "ACTIVE", "tap"], ["h3", "INACTIVE", "tap"]]));
    let listed = lab.api.get(&format!("ports/{}/bindings?status=INACTIVE&fields=host", lab.port));
    assert_eq!(listed, json!({"bindings": [{"host": "h3"}]}));
    assert_eq!(lab.ask("GET", "?foo=1", &Value::Null).0, 400);
}

#[test]
fn refusals() {
    let lab = Lab::new();
    lab.refused("POST", "", &body("h1"), 409, "PortBindingAlreadyExists");
    lab.refused("POST", "", &body("h9"), 409, "PortBindingError");
    lab.refused("PUT", "/h2/activate", &Value::Null, 404, "PortBindingNotFound");
    lab.refused("GET", "/h2", &Value::Null, 404, "PortBindingNotFound");
    let wrong = [
        json!({}),
        json!({"host": null}),
        json!({"host": "", "profile": {}}),
        json!({"host": []}),
        json!({"host": "h2", "vnic_type": "x"}),
    ];
    for binding in wrong.into_iter().chain([json!({"host": "h2", "profile": 5}), json!({"host": "h2", "status": "ACTIVE"}), json!("h2")]) {
        assert_eq!(lab.ask("POST", "", &json!({ "binding": binding })).0, 400, "{binding}");
    }
    assert_eq!(lab.ask("POST", "", &json!([])).0, 400);
    assert_eq!(lab.ask("POST", "/h2", &body("h2")).0, 405);
    assert_eq!(lab.ask("GET", "/h2/activate", &Value::Null).0, 405);
    assert_eq!(lab.ask("PUT", "/h2/x", &Value::Null).0, 404);
    let path = format!("ports/{}/bindings", lab.port);
    assert_eq!(lab.api.ask("service", "PUT", &format!("{path}/h1"), &body("h1")).0, 403);
    assert_eq!(lab.api.ask("member", "PUT", &format!("{path}/h1"), &body("h1")).0, 403);
    for roles in ["admin", "member", "reader"] {
        for (method, below, body) in [("POST", "", body("h2")), ("DELETE", "/h1", Value::Null), ("PUT", "/h1/activate", Value::Null)] {
            assert_eq!(lab.api.ask(roles, method, &format!("{path}{below}"), &body).0, 403, "{roles} {method} {below}");
        }
    }
    assert_eq!(lab.api.ask("member", "GET", &path, &Value::Null).0, 404);
    assert_eq!(lab.api.ask("member", "GET", &format!("{path}/h1"), &Value::Null).0, 404);
    let plain = lab.api.make("port", json!({"network_id": lab.record().network_id}));
    assert_eq!(lab.api.refused("GET", &format!("ports/{plain}/bindings"), &Value::Null), (400, "BadRequest".to_owned()));
    assert_eq!(lab.api.ask("service", "POST", &format!("ports/{plain}/bindings"), &body("h2")).0, 400);
    assert_eq!(lab.api.ask("service", "POST", "ports/x/bindings", &body("h2")).0, 404);
    assert_eq!(lab.all(), shown(&[["h1", "ACTIVE", "tap"]]));
}
