//! Auto-allocated topologies.

use crate::testing::Lab;
use model::{AutoAllocatedTopology, Network, Router, Subnet};
use serde_json::{Value, json};

const PATH: &str = "auto-allocated-topology/p1";

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

/// A default external network and default pools of both families.
fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.admin();
    lab.update(&format!("networks/{}", lab.outside.0), "network", json!({"is_default": true}));
    for (name, prefix, length) in [("v4", "10.64.0.0/12", 24), ("v6", "fd64::/48", 64)] {
        let pool = json!({"name": name, "prefixes": [prefix], "default_prefixlen": length, "is_default": true, "shared": true});
        lab.create("subnetpool", pool);
    }
    lab.member();
    lab
}

fn counts(lab: &Lab) -> (usize, usize, usize, usize) {
    let world = lab.world();
    let (networks, subnets) = (world.table::<Network>().iter().count(), world.table::<Subnet>().iter().count());
    (networks, subnets, world.table::<Router>().iter().count(), world.table::<AutoAllocatedTopology>().iter().count())
}

#[test]
fn made_once_and_taken_down_whole() {
    let lab = lab();
    let before = counts(&lab);
    let made = lab.show(PATH);
    assert_eq!((&made["project_id"], &made["tenant_id"]), (&json!("p1"), &json!("p1")));
    let network = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(counts(&lab), (before.0 + 1, before.1 + 2, before.2 + 1, 1));
    let shown = lab.show(&format!("networks/{network}"));
    assert_eq!((&shown["name"], &shown["admin_state_up"]), (&json!("auto_allocated_network"), &json!(true)));
    let router = lab.show("routers?name=auto_allocated_router")[0].clone();
    assert_eq!(router["external_gateway_info"]["network_id"], lab.outside.0.as_str());
    let interfaces = lab.show(&format!("ports?device_id={}", router["id"].as_str().expect("an id")));
    let joined = interfaces.as_array().expect("a list").iter().filter(|port| port["network_id"] == network.as_str());
    assert_eq!(joined.count(), 2, "one for each family");
    assert_eq!(lab.show("auto-allocated-topology/None")["id"], network.as_str(), "the caller's own, which is there");
    assert_eq!(counts(&lab).3, 1);
    let port = lab.port(json!({"network_id": network}));
    assert_eq!(lab.refused("DELETE", PATH, Value::Null), refusal(409, "NetworkInUse"));
    assert_eq!(counts(&lab).3, 1, "a refusal changes nothing");
    lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    lab.accepted("DELETE", PATH, Value::Null);
    assert_eq!(counts(&lab), before);
    lab.accepted("DELETE", PATH, Value::Null);
    assert_ne!(lab.show(PATH)["id"], network.as_str());
}

#[test]
fn forgotten_with_its_network() {
    let lab = lab();
    let first = lab.show(PATH)["id"].as_str().expect("an id").to_owned();
    let router = lab.show("routers?name=auto_allocated_router")[0]["id"].as_str().expect("an id").to_owned();
    for subnet in lab.show(&format!("networks/{first}"))["subnets"].as_array().expect("a list") {
        lab.accepted("PUT", &format!("routers/{router}/remove_router_interface"), json!({"subnet_id": subnet}));
    }
    lab.accepted("DELETE", &format!("routers/{router}"), Value::Null);
    assert_eq!(lab.show(PATH)["id"], first.as_str(), "without a router it is still the project's");
    lab.accepted("DELETE", &format!("networks/{first}"), Value::Null);
    assert_eq!(counts(&lab).3, 0);
    assert_ne!(lab.show(PATH)["id"], first.as_str());
}

#[test]
fn what_it_needs() {
    let mut lab = Lab::new();
    let dry = "auto-allocated-topology/p1?fields=dry-run";
    let reason = "Deployment error: No default router:external network.";
    assert_eq!((lab.message("GET", PATH, Value::Null).as_str(), lab.message("GET", dry, Value::Null).as_str()), (reason, reason));
    lab.admin();
    lab.update(&format!("networks/{}", lab.outside.0), "network", json!({"is_default": true}));
    lab.member();
    assert_eq!(lab.message("GET", dry, Value::Null), "Deployment error: No default subnetpools defined.");
    let before = counts(&lab);
    assert_eq!(lab.message("GET", PATH, Value::Null), "Deployment error: Unable to provide project private network.");
    assert_eq!(counts(&lab), before);
    lab.admin();
    let pool = json!({"name": "own", "prefixes": ["10.64.0.0/24"], "default_prefixlen": 24, "is_default": true});
    let pool = lab.create("subnetpool", pool);
    lab.member();
    assert_eq!(lab.refused("GET", dry, Value::Null), refusal(409, "AutoAllocationFailure"), "it is not shared with the project");
    lab.admin();
    assert_eq!(lab.show(dry)["id"], "dry-run=pass", "an administrator may use it");
    let taken = json!({"network_id": lab.create("network", json!({})), "ip_version": 4, "subnetpool_id": pool});
    lab.create("subnet", taken);
    assert_eq!(lab.message("GET", PATH, Value::Null), "Deployment error: Unable to provide project private network.", "the pool is empty");
}

#[test]
fn whose_it_is() {
    let mut lab = lab();
    let other = "auto-allocated-topology/p2";
    assert_eq!(lab.refused("GET", other, Value::Null), refusal(403, "NotAuthorized"));
    assert_eq!(lab.refused("DELETE", other, Value::Null), refusal(403, "NotAuthorized"));
    lab.roles = "nothing";
    assert_eq!(lab.refused("GET", PATH, Value::Null), refusal(404, "HTTPNotFound"));
    lab.roles = "reader";
    lab.show(PATH);
    assert_eq!(lab.refused("DELETE", PATH, Value::Null), refusal(403, "PolicyNotAuthorized"));
    lab.admin();
    let theirs = lab.show(other);
    assert_eq!(theirs["project_id"], "p2");
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(lab.show(other)["id"], theirs["id"]);
    assert_eq!(lab.refused("GET", "auto-allocated-topology/p2?fields=id", Value::Null), refusal(400, "BadRequest"));
    assert_eq!(lab.refused("PUT", other, json!({})), refusal(405, "HTTPMethodNotAllowed"));
    assert_eq!(lab.refused("GET", "auto-allocated-topology", Value::Null), refusal(404, "HTTPNotFound"));
}

#[test]
fn one_external_network_is_the_default() {
    let mut lab = Lab::new();
    lab.admin();
    let first = lab.create("network", json!({"router:external": true, "is_default": true}));
    let second = json!({"network": {"router:external": true, "is_default": true}});
    assert_eq!(lab.refused("POST", "networks", second), refusal(409, "DefaultExternalNetworkExists"));
    let path = format!("networks/{}", lab.outside.0);
    let change = json!({"network": {"is_default": true}});
    let message = format!("A default external network already exists: {first}.");
    assert_eq!(lab.message("PUT", &path, change.clone()), message);
    assert_eq!(lab.update(&format!("networks/{first}"), "network", json!({"name": "n"}))["is_default"], true, "it stays what it is");
    let shown = lab.show("networks?is_default=true");
    assert_eq!(shown.as_array().map(Vec::len), Some(1));
    assert_eq!(lab.update(&format!("networks/{first}"), "network", json!({"router:external": false}))["is_default"], false);
    lab.accepted("PUT", &path, change.clone());
    let inner = lab.create("network", json!({"is_default": true}));
    assert_eq!(lab.show(&format!("networks/{inner}"))["is_default"], false, "only external networks lead out");
    lab.member();
    let own = lab.create("network", json!({"is_default": false}));
    assert_eq!(lab.refused("PUT", &format!("networks/{own}"), change), refusal(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("POST", "networks", json!({"network": {"is_default": true}})), refusal(403, "PolicyNotAuthorized"));
}
