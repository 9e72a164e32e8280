//! Address counts as clients get them.

use crate::{Config, Heartbeats};
use api::{Registry, Server, ServerOptions, Settings};
use auth::Policy;
use auth::identity::{Identity, NoAuth};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use world::engines::Memory;
use world::engines::memory::Locking;
use world::{Store, StoreOptions};

struct Lab {
    runtime: tokio::runtime::Runtime,
    server: Server,
}

impl Lab {
    fn new() -> Lab {
        let registry = Registry::new()
            .core_resource(crate::network::resource())
            .core_resource(crate::subnet::resource())
            .core_resource(crate::port::resource())
            .resource(security_groups::group::resource())
            .resource(security_groups::rule::resource())
            .collection(super::COLLECTION, super::collection);
        let store = Store::open(Memory::new(Locking::Pessimistic, 1).engine(), Arc::new(model::schema()), StoreOptions::default());
        let settings = Settings::new().with(Arc::new(Config::default())).with(Arc::new(Heartbeats::new()));
        let identity = Identity::None(NoAuth::default());
        let options = ServerOptions::default();
        let server = Server::new(store.expect("the store opens"), registry, Policy::defaults(), identity, settings, options);
        Lab { runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"), server }
    }

    /// Status and text of an answer.
    fn ask(&self, roles: &str, method: &str, path: &str, body: &Value) -> (u16, String) {
        let request = Request::builder().method(method).uri(format!("/v2.0/{path}")).header("x-project-id", "p1").header("x-roles", roles);
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = self.runtime.block_on(self.server.respond(request.body(body).expect("a request")));
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).expect("text"))
    }

    fn make(&self, resource: &str, body: Value) -> String {
        let (status, text) = self.ask("admin", "POST", &format!("{resource}s"), &json!({ resource: body }));
        assert_eq!(status, 201, "{text}");
        let made: Value = serde_json::from_str(&text).expect("JSON");
        made[resource]["id"].as_str().expect("an id").to_owned()
    }

    fn subnet(&self, network: &str, cidr: &str, mut more: Value) -> String {
        let map = more.as_object_mut().expect("an object");
        map.extend([("network_id".to_owned(), json!(network)), ("cidr".to_owned(), json!(cidr))]);
        map.insert("ip_version".to_owned(), json!(if cidr.contains(':') { 6 } else { 4 }));
        self.make("subnet", more)
    }

    fn get(&self, path: &str) -> Value {
        let (status, text) = self.ask("admin", "GET", path, &Value::Null);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn listed(&self, query: &str) -> Value {
        self.get(&format!("network-ip-availabilities?{query}"))["network_ip_availabilities"].clone()
    }
}

fn counts(of: &Value) -> Value {
    json!([of["used_ips"], of["total_ips"]])
}

#[test]
fn a_network_tells_what_is_used_in_it() {
    let lab = Lab::new();
    let network = lab.make("network", json!({"name": "n"}));
    let path = format!("network-ip-availabilities/{network}");
    let empty = lab.get(&path)["network_ip_availability"].clone();
    assert_eq!((counts(&empty), &empty["subnet_ip_availability"]), (json!([0, 0]), &json!([])));
    let subnet =
        lab.subnet(&network, "10.0.0.0/24", json!({"name": "s", "allocation_pools": [{"start": "10.0.0.10", "end": "10.0.0.19"}]}));
    lab.make("port", json!({"network_id": network}));
    let outside = lab.make("port", json!({"network_id": network, "fixed_ips": [{"ip_address": "10.0.0.200"}]}));
    let details = json!({
        "total_ips_in_subnet": 254, "total_ips_in_allocation_pool": 10, "used_ips_in_subnet": 2, "used_ips_in_allocation_pool": 1,
    });
    let expected = json!({
        "network_id": network, "network_name": "n", "project_id": "p1", "tenant_id": "p1", "used_ips": 2, "total_ips": 10,
        "ip_availability_details": details,
        "subnet_ip_availability": [{
            "subnet_id": subnet, "subnet_name": "s", "ip_version": 4, "cidr": "10.0.0.0/24", "used_ips": 2, "total_ips": 10,
            "ip_availability_details": details,
        }],
    });
    assert_eq!(lab.get(&path)["network_ip_availability"], expected);
    assert_eq!(lab.listed(""), json!([expected]));
    assert_eq!(lab.ask("admin", "DELETE", &format!("ports/{outside}"), &Value::Null).0, 204);
    assert_eq!(counts(&lab.get(&path)["network_ip_availability"]), json!([1, 10]), "a removed port's address is free");
}

#[test]
fn an_ip_version_chooses_what_is_counted() {
    let lab = Lab::new();
    let both = lab.make("network", json!({"name": "both"}));
    lab.subnet(&both, "10.0.0.0/24", json!({}));
    lab.subnet(&both, "fd00::/64", json!({}));
    let six = lab.make("network", json!({"name": "six"}));
    lab.subnet(&six, "fd01::/120", json!({"gateway_ip": null}));
    lab.make("network", json!({"name": "none"}));
    assert_eq!(lab.listed("").as_array().map(Vec::len), Some(3));
    let four = lab.listed("ip_version=4");
    assert_eq!((four.as_array().map(Vec::len), &four[0]["network_name"], counts(&four[0])), (Some(1), &json!("both"), json!([0, 253])));
    assert_eq!(lab.listed("ip_version=6").as_array().map(Vec::len), Some(2));
    assert_eq!(lab.listed("ip_version=6&network_name=six&fields=total_ips"), json!([{"total_ips": 255}]));
    let (_, text) = lab.ask("admin", "GET", &format!("network-ip-availabilities?ip_version=6&network_id={both}"), &Value::Null);
    assert!(
        text.contains(r#""total_ips":18446744073709551615"#) && text.contains(r#""total_ips_in_subnet":18446744073709551616"#),
        "{text}"
    );
    assert_eq!(lab.listed(&format!("network_id={six}&network_id={both}&fields=network_name")).as_array().map(Vec::len), Some(2));
    for nothing in ["network_id=x", "network_name=x", "project_id=p2", "tenant_id=p2", "ip_version=5", "ip_version=x"] {
        assert_eq!(lab.listed(nothing), json!([]), "{nothing}");
    }
}

#[test]
fn it_is_for_administrators() {
    let lab = Lab::new();
    let network = lab.make("network", json!({"name": "n"}));
    let member = |path: &str| lab.ask("member", "GET", path, &Value::Null);
    assert_eq!(member("network-ip-availabilities"), (200, r#"{"network_ip_availabilities":[]}"#.to_owned()));
    assert_eq!(member(&format!("network-ip-availabilities/{network}")).0, 404);
    let unknown = "network-ip-availabilities/00000000-0000-4000-8000-000000000000";
    let (status, text) = lab.ask("admin", "GET", unknown, &Value::Null);
    assert!(status == 404 && text.contains("NetworkNotFound"), "{text}");
    let (status, text) = lab.ask("admin", "GET", "network-ip-availabilities?foo=1", &Value::Null);
    assert!(status == 400 && text.contains("['foo'] is invalid attribute for filtering"), "{text}");
    assert_eq!(lab.ask("admin", "POST", "network-ip-availabilities", &json!({})).0, 405);
}
