//! Who may do and see what, by the default rules.

use crate::toy::{Toy, networks, ports, registry};
use api::{Attribute, Cell, Kind, Registry, Resource};
use auth::Policy;
use model::Network;
use serde_json::{Value, json};

async fn made(client: &crate::client::Client, body: Value) -> String {
    let got = client.post("/v2.0/networks", json!({ "network": body })).await.ok();
    got["network"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn refusals_name_the_rules() {
    let toy = Toy::start().await;
    let member = toy.client.by("p1", "member");
    let id = made(&member, json!({})).await;
    let path = format!("/v2.0/networks/{id}");
    let refused =
        |got: crate::client::Got, rules: &str| got.refused(403, "PolicyNotAuthorized", &format!("{rules} is disallowed by policy"));
    let post = |body: Value| member.post("/v2.0/networks", json!({ "network": body }));
    refused(post(json!({"shared": true})).await, "(rule:create_network and rule:create_network:shared)");
    let two = "((rule:create_network and rule:create_network:shared) and rule:create_network:provider:network_type)";
    refused(post(json!({"shared": true, "provider:network_type": "vxlan"})).await, two);
    assert_eq!(post(json!({"shared": "false"})).await.status, 201, "the default may be said");
    let put = member.put(&path, json!({"network": {"shared": false}})).await;
    refused(put, "(rule:update_network and rule:update_network:shared)");
    let reader = toy.client.by("p1", "reader");
    refused(reader.post("/v2.0/networks", json!({"network": {}})).await, "rule:create_network");
    refused(reader.put(&path, json!({"network": {}})).await, "rule:update_network");
    refused(reader.delete(&path).await, "rule:delete_network");
}

#[tokio::test]
async fn what_others_own_does_not_exist() {
    let toy = Toy::start().await;
    let id = made(&toy.client.by("p1", "member"), json!({})).await;
    let path = format!("/v2.0/networks/{id}");
    let other = toy.client.by("p2", "member");
    let message = format!("Network {id} could not be found.");
    other.get(&path).await.refused(404, "NetworkNotFound", &message);
    other.put(&path, json!({"network": {"name": "x"}})).await.refused(404, "NetworkNotFound", &message);
    other.delete(&path).await.refused(404, "NetworkNotFound", &message);
    assert_eq!(other.get("/v2.0/networks").await.ok(), json!({"networks": []}));
    let port = other.post("/v2.0/ports", json!({"port": {"network_id": id}})).await;
    port.refused(404, "NetworkNotFound", &message);
}

#[tokio::test]
async fn shared_networks_are_seen_but_not_changed() {
    let toy = Toy::start().await;
    let id = made(&toy.client, json!({"shared": true})).await;
    let path = format!("/v2.0/networks/{id}");
    let other = toy.client.by("p2", "member");
    assert_eq!(other.get(&path).await.status, 200);
    assert_eq!(other.get("/v2.0/networks?fields=id").await.ok(), json!({"networks": [{"id": id}]}));
    assert_eq!(other.delete(&path).await.fault().0, 403);
    let port = |attributes: Value| {
        let mut port = json!({"network_id": id});
        port.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
        other.post("/v2.0/ports", json!({ "port": port }))
    };
    assert_eq!(port(json!({})).await.status, 201);
    let address = "(rule:create_port and (rule:create_port:fixed_ips and (rule:create_port:fixed_ips:ip_address))) is disallowed by policy";
    port(json!({"fixed_ips": [{"ip_address": "10.0.0.5"}]})).await.refused(403, "PolicyNotAuthorized", address);
    assert_eq!(port(json!({"fixed_ips": [{"subnet_id": "x"}]})).await.status, 201, "the network is shared");
    let host = "(rule:create_port and rule:create_port:binding:host_id) is disallowed by policy";
    port(json!({"binding:host_id": "h1"})).await.refused(403, "PolicyNotAuthorized", host);
}

#[tokio::test]
async fn a_tenants_list_has_its_own_and_what_is_shared_once_each() {
    let toy = Toy::start().await;
    let mut expected = vec![
        made(&toy.client, json!({"project_id": "p2"})).await,
        made(&toy.client, json!({"project_id": "p2", "shared": true})).await,
        made(&toy.client, json!({"project_id": "p1", "shared": true})).await,
    ];
    made(&toy.client, json!({"project_id": "p1"})).await;
    expected.sort_unstable();
    let ids = |got: Value| {
        let list = got["networks"].as_array().expect("a list").clone();
        list.iter().map(|network| network["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(toy.client.by("p2", "reader").get("/v2.0/networks").await.ok()), expected);
    assert_eq!(ids(toy.client.by("p2", "reader").get("/v2.0/networks?limit=2").await.ok()), expected[..2]);
    assert_eq!(
        toy.client.by("p2", "reader").get("/v2.0/networks?project_id=p1&fields=shared").await.ok()["networks"],
        json!([{"shared": true}])
    );
    assert_eq!(ids(toy.client.by("p2", "service").get("/v2.0/networks").await.ok()).len(), 4);
    assert_eq!(ids(toy.client.by("p2", "stranger").get("/v2.0/networks").await.ok()).len(), 2, "without a role only shared ones");
}

#[tokio::test]
async fn columns_are_hidden_from_those_who_may_not_see_them() {
    let toy = Toy::start().await;
    let id = made(&toy.client, json!({"project_id": "p1"})).await;
    let body = json!({"port": {"network_id": id, "project_id": "p1"}});
    toy.client.post("/v2.0/ports", body).await.ok();
    let sees = async |client: crate::client::Client, name: &str| client.get("/v2.0/ports").await.ok()["ports"][0].get(name).is_some();
    assert!(sees(toy.client.clone(), "binding:host_id").await);
    assert!(!sees(toy.client.by("p1", "member"), "binding:host_id").await);
    assert!(sees(toy.client.by("p1", "member"), "device_owner").await);
    let asked = toy.client.by("p1", "member").get("/v2.0/ports?fields=binding:host_id&fields=name").await.ok();
    assert_eq!(asked, json!({"ports": [{"name": ""}]}), "asking for a column does not show it");
}

#[tokio::test]
async fn operators_rules_decide_by_record() {
    let rules = "get_network:mtu: 'rule:admin_only or field:networks:name=open'\nget_network: ''\n";
    let policy = Policy::from_yaml(rules, "policy.yaml").expect("rules");
    let toy = toy_with(policy);
    let ask = async |method: &str, body: &str, roles: &str| {
        let request = http::Request::builder().method(method).uri("/v2.0/networks?fields=name&fields=mtu&sort_key=name&sort_dir=asc");
        let request = request.header("x-project-id", "p1").header("x-roles", roles).body(body.to_owned().into()).expect("a request");
        let body = toy.respond(request).await.into_body();
        serde_json::from_slice::<Value>(&body).expect("JSON")
    };
    ask("POST", r#"{"networks": [{"name": "open"}, {"name": "closed"}]}"#, "member").await;
    let members = json!({"networks": [{"name": "closed"}, {"name": "open", "mtu": 1450}]});
    assert_eq!(ask("GET", "", "member").await, members);
    let admins = json!({"networks": [{"name": "closed", "mtu": 1450}, {"name": "open", "mtu": 1450}]});
    assert_eq!(ask("GET", "", "admin").await, admins);
}

fn toy_with(policy: Policy) -> api::Server {
    let memory = world::engines::Memory::new(world::engines::memory::Locking::Pessimistic, 1);
    let store = world::Store::open(memory.engine(), std::sync::Arc::new(model::schema()), world::StoreOptions::default());
    let identity = auth::identity::Identity::None(auth::identity::NoAuth::default());
    let store = store.expect("the store opens");
    api::Server::new(store, registry(), policy, identity, api::Settings::new(), api::ServerOptions::default())
}

#[test]
fn declarations_are_audited() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
    let attribute = |name| Attribute::<Network>::new(name, Kind::Bool, |_| Cell::Null);
    let wrong = Resource {
        attributes: vec![attribute("a").post_or("True"), attribute("a"), attribute("tenant_id").put(), attribute("b").policy()],
        quota: Some(api::Quota { default: 1, by_project: world::Index::new(99) }),
        update: Some(|_, _, _| Ok(())),
        ..Resource::new("thing", "things", "ThingNotFound", |id| id.to_owned())
    };
    let faults = Registry::new().resource(wrong).resource(ports()).resource(ports()).audit(&Policy::defaults());
    assert_eq!(
        faults,
        [
            "things: attribute a: the default's canonical form is true",
            "things: attribute a can be set by a create that does not exist",
            "things: attribute a is declared twice",
            "things: attribute tenant_id is the frame's: declare project_id",
            "things: there is no attribute id",
            "things: the index of its quota does not exist",
            "things: policy rule get_thing does not exist",
            "things: policy rule update_thing does not exist",
            "ports: declared twice",
        ]
    );
    let orphan = Registry::new().resource(networks()).member("routers", "x", |_| panic!("never built")).audit(&Policy::defaults());
    assert_eq!(orphan, ["routers/x: there is no such collection"]);
}
