//! Distributed and highly available routers.

use super::refusal;
use crate::testing::Lab;
use model::Router;
use serde_json::{Value, json};

fn owner(lab: &Lab, router: &str) -> Value {
    let ports = lab.show(&format!("ports?device_id={router}&network_id={}", lab.inside.0));
    ports[0]["device_owner"].clone()
}

#[test]
fn for_administrators() {
    let mut lab = Lab::new();
    for name in ["distributed", "ha"] {
        for value in [true, false] {
            assert_eq!(lab.refused("POST", "routers", json!({"router": {name: value}})), refusal(403, "PolicyNotAuthorized"));
        }
    }
    let own = lab.router();
    let path = format!("routers/{own}");
    let shown = lab.show(&path);
    assert!(shown.get("distributed").is_none() && shown.get("ha").is_none(), "{shown}");
    assert_eq!(lab.refused("PUT", &path, json!({"router": {"ha": true}})), refusal(403, "PolicyNotAuthorized"));
    lab.admin();
    let shown = lab.show(&path);
    assert_eq!((&shown["distributed"], &shown["ha"]), (&json!(false), &json!(false)));
    let both = lab.create("router", json!({"distributed": true, "ha": true, "project_id": "p1"}));
    let router = lab.get::<Router>(&both).expect("it is there");
    assert!(router.distributed && router.ha);
    let network = lab.accepted("POST", "networks", json!({"network": {"ha": true}}))["network"].clone();
    assert!(network.get("ha").is_none(), "{network}");
    let neither = lab.create("router", json!({"distributed": null, "ha": null}));
    let router = lab.get::<Router>(&neither).expect("it is there");
    assert!(!router.distributed && !router.ha);
}

#[test]
fn changed_while_down() {
    let mut lab = Lab::new();
    let router = lab.router();
    lab.admin();
    let path = format!("routers/{router}");
    let put = |lab: &Lab, body: Value| lab.refused("PUT", &path, json!({"router": body}));
    assert_eq!(owner(&lab, &router), "network:router_interface");
    assert_eq!(put(&lab, json!({"distributed": true})), refusal(400, "BadRequest"));
    assert_eq!(put(&lab, json!({"ha": true})), refusal(400, "BadRequest"));
    assert_eq!(put(&lab, json!({"distributed": true, "admin_state_up": false})), refusal(400, "BadRequest"), "down before");
    lab.update(&path, "router", json!({"distributed": false, "ha": false}));
    let revision = lab.show(&path)["revision_number"].as_u64();
    lab.update(&path, "router", json!({"ha": true, "admin_state_up": false}));
    assert!(lab.show(&path)["revision_number"].as_u64() > revision);
    assert_eq!(owner(&lab, &router), "network:ha_router_replicated_interface");
    assert_eq!(put(&lab, json!({"distributed": true, "admin_state_up": true})), refusal(400, "BadRequest"));
    let changed = lab.update(&path, "router", json!({"distributed": true, "ha": false}));
    assert_eq!((&changed["distributed"], &changed["ha"]), (&json!(true), &json!(false)));
    assert_eq!(owner(&lab, &router), "network:router_interface_distributed");
    lab.update(&path, "router", json!({"admin_state_up": true}));
    assert_eq!(put(&lab, json!({"distributed": false})), refusal(400, "BadRequest"));
    lab.member();
    let second = lab.network(json!({}), "10.0.1.0/24");
    lab.add(&router, json!({"subnet_id": second.1}));
    let ports = lab.show(&format!("ports?network_id={}", second.0));
    assert_eq!(ports[0]["device_owner"], "network:router_interface_distributed", "interfaces that come later");
    let port = lab.port(json!({}));
    lab.floating_ip(json!({"port_id": port}));
    lab.accepted("PUT", &format!("{path}/remove_router_interface"), json!({"subnet_id": second.1}));
}

#[test]
fn one_network_for_a_projects_routers() {
    let mut lab = Lab::new();
    lab.admin();
    let networks = |lab: &Lab| lab.show("networks?name=HA%20network%20project%20p1");
    let make = |lab: &Lab, body: Value| lab.create("router", body);
    make(&lab, json!({"project_id": "p1"}));
    assert_eq!(networks(&lab), json!([]), "nothing for others");
    let first = make(&lab, json!({"project_id": "p1", "ha": true}));
    let second = make(&lab, json!({"project_id": "p1", "admin_state_up": false}));
    lab.update(&format!("routers/{second}"), "router", json!({"ha": true}));
    let there = networks(&lab);
    assert_eq!(there.as_array().map(Vec::len), Some(1), "{there}");
    assert_eq!((&there[0]["project_id"], &there[0]["shared"]), (&json!(""), &json!(false)));
    let id = there[0]["id"].as_str().expect("an id");
    let subnets = lab.show(&format!("subnets?network_id={id}"));
    let subnet = &subnets[0];
    assert_eq!((&subnet["cidr"], &subnet["gateway_ip"], &subnet["enable_dhcp"]), (&json!("169.254.192.0/18"), &Value::Null, &json!(false)));
    lab.accepted("DELETE", &format!("routers/{first}"), Value::Null);
    assert_eq!(networks(&lab)[0]["id"], id, "another is there");
    lab.update(&format!("routers/{second}"), "router", json!({"ha": false}));
    assert_eq!(networks(&lab), json!([]), "it goes with the last");
}

#[test]
fn a_network_that_went_or_is_used() {
    let mut lab = Lab::new();
    lab.admin();
    let network = |lab: &Lab, project: &str| lab.show(&format!("networks?name=HA%20network%20project%20{project}"))[0]["id"].clone();
    let router = |lab: &Lab, project: &str| lab.create("router", json!({"project_id": project, "ha": true}));
    router(&lab, "p1");
    let removed = network(&lab, "p1");
    lab.accepted("DELETE", &format!("networks/{}", removed.as_str().expect("an id")), Value::Null);
    router(&lab, "p1");
    assert!(network(&lab, "p1").is_string() && network(&lab, "p1") != removed, "made anew");
    let only = router(&lab, "p2");
    let used = network(&lab, "p2");
    lab.create("port", json!({"network_id": used}));
    lab.accepted("DELETE", &format!("routers/{only}"), Value::Null);
    assert_eq!(network(&lab, "p2"), used, "ports stay where they are");
}
