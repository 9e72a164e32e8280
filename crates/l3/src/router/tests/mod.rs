//! Routers.

mod by_hand;
mod delegation;
mod gateways;
mod interfaces;
mod modes;
mod multihoming;
mod schedule;

use crate::testing::Lab;
use serde_json::{Value, json};

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[test]
fn shown_as_in_the_reference() {
    let mut lab = Lab::new();
    let id = lab.create("router", json!({"name": "r"}));
    let shown = lab.show(&format!("routers/{id}"));
    let names: Vec<&str> = shown.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["id", "name", "project_id", "tenant_id", "admin_state_up", "status", "external_gateway_info", "routes", "description"];
    assert_eq!(names[..9], expected);
    assert_eq!((&shown["status"], &shown["external_gateway_info"], &shown["routes"]), (&json!("ACTIVE"), &Value::Null, &json!([])));
    assert_eq!(shown["revision_number"], 1);
    let path = format!("routers/{id}");
    let changed = lab.accepted("PUT", &path, json!({"router": {"name": "s", "admin_state_up": false, "description": "d"}}));
    assert_eq!((&changed["router"]["name"], &changed["router"]["admin_state_up"]), (&json!("s"), &json!(false)));
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(lab.refused("GET", &path, Value::Null), refusal(404, "RouterNotFound"));
    assert_eq!(lab.refused("PUT", &format!("{path}/add_router_interface"), json!({})), refusal(404, "RouterNotFound"));
    assert_eq!(lab.refused("DELETE", &path, Value::Null), refusal(404, "RouterNotFound"));
    assert_eq!(lab.show("routers"), json!([]));
    lab.member();
    lab.roles = "reader";
    assert_eq!(lab.refused("PUT", &format!("{path}/add_extraroutes"), json!({})), refusal(403, "PolicyNotAuthorized"));
    lab.member();
    lab.accepted("DELETE", &path, Value::Null);
}

#[test]
fn as_many_as_the_quota() {
    let lab = Lab::new();
    for _ in 0..10 {
        lab.create("router", json!({}));
    }
    assert_eq!(lab.refused("POST", "routers", json!({"router": {}})), refusal(409, "OverQuota"));
}

#[test]
fn what_a_router_holds_stays() {
    let lab = Lab::new();
    let router = lab.router();
    let interface = lab.show(&format!("ports?device_id={router}"))[0].clone();
    assert_eq!(interface["device_owner"], "network:router_interface");
    let port = format!("ports/{}", interface["id"].as_str().expect("an id"));
    assert_eq!(lab.refused("DELETE", &format!("routers/{router}"), Value::Null), refusal(409, "RouterInUse"));
    assert_eq!(lab.refused("DELETE", &port, Value::Null), refusal(409, "ServicePortInUse"));
    let subnet = format!("subnets/{}", lab.inside.1);
    assert_eq!(lab.refused("DELETE", &subnet, Value::Null), refusal(409, "SubnetInUse"));
    assert_eq!(lab.refused("PUT", &subnet, json!({"subnet": {"gateway_ip": "10.0.0.9"}})), refusal(409, "GatewayIpInUse"));
    let moved = json!({"port": {"fixed_ips": [{"ip_address": "10.0.0.7"}]}});
    assert_eq!(lab.refused("PUT", &port, moved), refusal(400, "IPAddressChangeNotAllowed"));
    for device in [json!({"device_id": ""}), json!({"device_owner": "compute:nova"})] {
        assert_eq!(lab.refused("PUT", &port, json!({"port": device})), refusal(409, "ServicePortInUse"));
    }
    lab.accepted("PUT", &port, json!({"port": {"name": "mine", "device_id": router}}));
}

#[test]
fn nobody_joins_the_router_of_others() {
    let mut lab = Lab::new();
    lab.admin();
    let router = lab.create("router", json!({}));
    lab.member();
    let owner = json!({"network_id": lab.inside.0, "device_owner": "network:router_interface", "device_id": router});
    assert_eq!(lab.refused("POST", "ports", json!({"port": owner})), refusal(409, "DeviceIDNotOwnedByTenant"));
    let port = lab.port(json!({}));
    let owner = json!({"device_owner": "network:router_interface", "device_id": router});
    assert_eq!(lab.refused("PUT", &format!("ports/{port}"), json!({"port": owner})), refusal(409, "DeviceIDNotOwnedByTenant"));
}

#[test]
fn extra_routes() {
    let lab = Lab::new();
    let router = lab.router();
    let path = format!("routers/{router}");
    let route = |to: &str, by: &str| json!({"destination": to, "nexthop": by});
    let put = |routes: Value| json!({"router": {"routes": routes}});
    let reason =
        "Invalid format for routes: [{'destination': '1.1.1.0/24', 'nexthop': '9.9.9.9'}], the nexthop is not connected with router";
    assert_eq!(lab.message("PUT", &path, put(json!([route("1.1.1.0/24", "9.9.9.9")]))), reason);
    assert_eq!(lab.refused("PUT", &path, put(json!([route("1.1.1.0/24", "10.0.0.1")]))), refusal(400, "InvalidRoutes"), "its own address");
    let one = route("1.1.1.0/24", "10.0.0.2");
    lab.accepted("PUT", &path, put(json!([one])));
    // The gateway's own address is given at random and can be no next hop.
    let gateway = lab.show(&path)["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].clone();
    let beyond = if gateway == "172.24.4.200" { "172.24.4.201" } else { "172.24.4.200" };
    let (outside, two) = (route("1.1.2.0/24", beyond), route("1.1.3.0/24", "10.0.0.3"));
    let added = lab.accepted("PUT", &format!("{path}/add_extraroutes"), put(json!([one, outside, two])));
    assert_eq!(added["router"]["routes"], json!([one, outside, two]), "what is there is not added twice");
    let removed = lab.accepted("PUT", &format!("{path}/remove_extraroutes"), put(json!([one, route("9.0.0.0/8", "10.0.0.2")])));
    assert_eq!(removed["router"]["routes"], json!([outside, two]), "what is not there is gone");
    let remove = format!("{path}/remove_router_interface");
    assert_eq!(lab.refused("PUT", &remove, json!({"subnet_id": lab.inside.1})), refusal(409, "RouterInterfaceInUseByRoute"));
    let many: Vec<Value> = (0..31).map(|n| route(&format!("1.2.{n}.0/24"), "10.0.0.2")).collect();
    assert_eq!(lab.refused("PUT", &path, put(json!(many))), refusal(400, "RoutesExhausted"));
    assert_eq!(lab.refused("PUT", &format!("{path}/add_extraroutes"), json!({})), refusal(400, "HTTPBadRequest"));
    assert_eq!(lab.refused("POST", "routers", put(json!([]))), refusal(400, "HTTPBadRequest"));
    lab.accepted("PUT", &path, put(json!([])));
    lab.accepted("PUT", &remove, json!({"subnet_id": lab.inside.1}));
}
