//! Floating IPs.

use crate::testing::Lab;
use model::Port;
use serde_json::{Value, json};

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn refused(lab: &Lab, mut body: Value) -> (u16, String) {
    body.as_object_mut().expect("an object").entry("floating_network_id").or_insert_with(|| lab.outside.0.clone().into());
    lab.refused("POST", "floatingips", json!({"floatingip": body}))
}

const NOTHING: &str = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";

#[test]
fn free_and_shown_as_in_the_reference() {
    let mut lab = Lab::new();
    let id = lab.floating_ip(json!({"description": "d"}));
    let shown = lab.show(&format!("floatingips/{id}"));
    for (name, value) in [
        ("floating_network_id", json!(lab.outside.0)),
        ("router_id", Value::Null),
        ("port_id", Value::Null),
        ("fixed_ip_address", Value::Null),
        ("status", json!("DOWN")),
        ("description", json!("d")),
        ("port_details", Value::Null),
        ("port_forwardings", json!([])),
        ("project_id", json!("p1")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    assert!(shown.get("subnet_id").is_none());
    let address = shown["floating_ip_address"].as_str().expect("an address").to_owned();
    assert!(address.starts_with("172.24.4."));
    assert_eq!(lab.show(&format!("floatingips?floating_ip_address={address}"))[0]["id"], id.as_str());
    assert_eq!(lab.show("ports?device_owner=network:floatingip"), json!([]), "a tenant does not see its port");
    lab.admin();
    let port = lab.show("ports?device_owner=network:floatingip")[0].clone();
    assert_eq!((&port["device_id"], &port["project_id"], &port["status"]), (&json!(id), &json!(""), &json!("N/A")));
    assert_eq!((&port["security_groups"], &port["port_security_enabled"]), (&json!([]), &json!(false)));
    let path = format!("ports/{}", port["id"].as_str().expect("an id"));
    assert_eq!(lab.refused("DELETE", &path, Value::Null), refusal(409, "ServicePortInUse"));
    lab.member();
    lab.accepted("DELETE", &format!("floatingips/{id}"), Value::Null);
    lab.admin();
    assert_eq!(lab.refused("GET", &path, Value::Null), refusal(404, "PortNotFound"));
}

#[test]
fn address_asked_for() {
    let mut lab = Lab::new();
    assert_eq!(refused(&lab, json!({"floating_ip_address": "172.24.4.99"})), refusal(403, "PolicyNotAuthorized"));
    let network = json!({"floating_network_id": lab.inside.0});
    assert_eq!(refused(&lab, network), refusal(400, "BadRequest"));
    assert_eq!(refused(&lab, json!({"floating_network_id": NOTHING})), refusal(404, "NetworkNotFound"));
    lab.admin();
    let id = lab.floating_ip(json!({"floating_ip_address": "172.24.4.99"}));
    assert_eq!(lab.show(&format!("floatingips/{id}"))["floating_ip_address"], "172.24.4.99");
    assert_eq!(refused(&lab, json!({"floating_ip_address": "172.24.4.99"})), refusal(409, "IpAddressAlreadyAllocated"));
    assert_eq!(refused(&lab, json!({"floating_ip_address": "9.9.9.9"})), refusal(400, "InvalidIpForNetwork"));
    assert_eq!(refused(&lab, json!({"floating_ip_address": "fd00::1"})), refusal(400, "BadRequest"));
    let second = lab.subnet(&lab.outside.0, "198.51.100.0/24");
    let id = lab.floating_ip(json!({"subnet_id": second}));
    assert!(lab.show(&format!("floatingips/{id}"))["floating_ip_address"].as_str().is_some_and(|ip| ip.starts_with("198.51.100.")));
    let (empty, _) = lab.network(json!({"router:external": true}), "fd00::/64");
    assert_eq!(refused(&lab, json!({"floating_network_id": empty})), refusal(400, "BadRequest"));
}

#[test]
fn associated_and_not() {
    let lab = Lab::new();
    let router = lab.router();
    let port = lab.port(json!({"name": "vm"}));
    let id = lab.floating_ip(json!({"port_id": port}));
    let path = format!("floatingips/{id}");
    let shown = lab.show(&path);
    let fixed = lab.show(&format!("ports/{port}"))["fixed_ips"][0]["ip_address"].clone();
    assert_eq!((&shown["router_id"], &shown["port_id"], &shown["fixed_ip_address"]), (&json!(router), &json!(port), &fixed));
    let details = &shown["port_details"];
    assert_eq!((&details["name"], &details["network_id"], &details["status"]), (&json!("vm"), &json!(lab.inside.0), &json!("DOWN")));
    assert_eq!(refused(&lab, json!({"port_id": port})), refusal(409, "FloatingIPPortAlreadyAssociated"));
    lab.accepted("PUT", &path, json!({"floatingip": {"description": "d"}}));
    assert_eq!(lab.show(&path)["port_id"], port.as_str(), "other attributes leave it");
    lab.accepted("PUT", &path, json!({"floatingip": {"port_id": port}}));
    assert_eq!(lab.show(&path)["port_id"], port.as_str(), "its own address is no conflict");
    lab.accepted("PUT", &path, json!({"floatingip": {}}));
    assert_eq!((&lab.show(&path)["port_id"], &lab.show(&path)["router_id"]), (&Value::Null, &Value::Null), "nothing takes it off");
    assert_eq!(lab.refused("PUT", &path, json!({"floatingip": {"fixed_ip_address": fixed}})), refusal(400, "BadRequest"));
    lab.accepted("PUT", &path, json!({"floatingip": {"port_id": port, "fixed_ip_address": fixed}}));
    assert_eq!(lab.show(&format!("floatingips?port_id={port}"))[0]["id"], id.as_str());
    assert_eq!(lab.show(&format!("floatingips?router_id={router}"))[0]["id"], id.as_str());
    lab.accepted("PUT", &path, json!({"floatingip": {"port_id": null}}));
    assert_eq!(lab.show(&path)["port_id"], Value::Null);
}

#[test]
fn what_a_port_must_be() {
    let mut lab = Lab::new();
    let port = lab.port(json!({}));
    assert_eq!(refused(&lab, json!({"port_id": port})), refusal(404, "ExternalGatewayForFloatingIPNotFound"));
    lab.router();
    assert_eq!(refused(&lab, json!({"port_id": NOTHING})), refusal(404, "PortNotFound"));
    assert_eq!(refused(&lab, json!({"port_id": port, "fixed_ip_address": "10.0.0.250"})), refusal(400, "BadRequest"));
    assert_eq!(refused(&lab, json!({"port_id": port, "fixed_ip_address": "fd00::1"})), refusal(400, "BadRequest"));
    assert_eq!(refused(&lab, json!({"fixed_ip_address": "10.0.0.250"})), refusal(400, "BadRequest"));
    let bare = lab.port(json!({"fixed_ips": []}));
    assert_eq!(refused(&lab, json!({"port_id": bare})), refusal(400, "BadRequest"));
    let both = json!([{"ip_address": "10.0.0.60"}, {"ip_address": "10.0.0.61"}]);
    let two = lab.port(json!({"fixed_ips": both}));
    assert_eq!(refused(&lab, json!({"port_id": two})), refusal(400, "BadRequest"), "which of them?");
    let id = lab.floating_ip(json!({"port_id": two, "fixed_ip_address": "10.0.0.61"}));
    lab.accepted("PUT", &format!("floatingips/{id}"), json!({"floatingip": {"fixed_ip_address": "10.0.0.60"}}));
    assert_eq!(lab.show(&format!("floatingips/{id}"))["fixed_ip_address"], "10.0.0.60");
    lab.admin();
    let server = lab.port(json!({"device_owner": "network:dhcp"}));
    assert_eq!(refused(&lab, json!({"port_id": server})), refusal(400, "BadRequest"));
    let (network, _) = lab.network(json!({}), "10.3.0.0/24");
    let foreign = lab.port(json!({"network_id": network}));
    lab.member();
    assert_eq!(refused(&lab, json!({"port_id": foreign})), refusal(404, "PortNotFound"), "a tenant does not learn of it");
    lab.admin();
    assert_eq!(lab.show("ports?device_owner=network:floatingip").as_array().map(Vec::len), Some(1), "refusals leave no port behind");
}

#[test]
fn a_port_that_goes_leaves_its_floating_ip() {
    let lab = Lab::new();
    lab.router();
    let port = lab.port(json!({}));
    let id = lab.floating_ip(json!({"port_id": port}));
    let path = format!("floatingips/{id}");
    let before = lab.show(&path)["revision_number"].as_u64();
    lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    let shown = lab.show(&path);
    assert_eq!((&shown["port_id"], &shown["fixed_ip_address"], &shown["router_id"]), (&Value::Null, &Value::Null, &Value::Null));
    assert!(shown["revision_number"].as_u64() > before);
    let port = lab.port(json!({"fixed_ips": [{"ip_address": "10.0.0.66"}]}));
    lab.accepted("PUT", &path, json!({"floatingip": {"port_id": port}}));
    lab.accepted("PUT", &format!("ports/{port}"), json!({"port": {"fixed_ips": [{"ip_address": "10.0.0.77"}]}}));
    assert_eq!(lab.show(&path)["port_id"], Value::Null, "another port may have the address next");
    assert!(lab.get::<Port>(&port).is_some());
}

#[test]
fn as_many_as_the_quota() {
    let lab = Lab::new();
    for _ in 0..50 {
        lab.floating_ip(json!({}));
    }
    assert_eq!(refused(&lab, json!({})), refusal(409, "OverQuota"));
}

#[test]
fn what_leads_nowhere_goes_with_its_external_network() {
    let mut lab = Lab::new();
    lab.admin();
    let (network, _) = lab.network(json!({"router:external": true}), "172.25.0.0/24");
    lab.member();
    let free = lab.create("floatingip", json!({"floating_network_id": network}));
    lab.admin();
    lab.accepted("DELETE", &format!("networks/{network}"), Value::Null);
    assert_eq!(lab.refused("GET", &format!("floatingips/{free}"), Value::Null), refusal(404, "FloatingIPNotFound"));
    // One that leads somewhere keeps it.
    let (kept, port) = (lab.outside.0.clone(), lab.port(json!({})));
    lab.router();
    let used = lab.floating_ip(json!({"port_id": port}));
    assert_eq!(lab.refused("DELETE", &format!("networks/{kept}"), Value::Null), refusal(409, "NetworkInUse"));
    assert_eq!(lab.show(&format!("floatingips/{used}"))["port_id"], json!(port));
}

#[test]
fn carried_by_a_router_that_is_named() {
    let mut lab = Lab::new();
    let port = lab.port(json!({}));
    // The port's network leads to the outer router through another one.
    let inner = lab.create("router", json!({}));
    lab.add(&inner, json!({"subnet_id": lab.inside.1}));
    let outer = lab.create("router", json!({"external_gateway_info": {"network_id": lab.outside.0}}));
    assert_eq!(refused(&lab, json!({"port_id": port})), refusal(404, "ExternalGatewayForFloatingIPNotFound"));
    assert_eq!(refused(&lab, json!({"port_id": port, "router_id": inner})), refusal(409, "Conflict"));
    assert_eq!(refused(&lab, json!({"port_id": port, "router_id": NOTHING})), refusal(404, "RouterNotFound"));
    lab.admin();
    let foreign = lab.create("router", json!({"external_gateway_info": {"network_id": lab.outside.0}}));
    lab.member();
    assert_eq!(refused(&lab, json!({"port_id": port, "router_id": foreign})), refusal(404, "RouterNotFound"));
    let id = lab.floating_ip(json!({"port_id": port, "router_id": outer}));
    let path = format!("floatingips/{id}");
    assert_eq!(lab.show(&path)["router_id"], outer.as_str());
    lab.update(&path, "floatingip", json!({"description": "d"}));
    assert_eq!(lab.show(&path)["router_id"], outer.as_str(), "what is not said stays");
    let near = lab.create("router", json!({"external_gateway_info": {"network_id": lab.outside.0}}));
    assert_eq!(lab.update(&path, "floatingip", json!({"router_id": near}))["router_id"], near.as_str());
    assert_eq!(lab.show(&path)["port_id"], port.as_str());
    assert_eq!(lab.refused("DELETE", &format!("routers/{near}"), Value::Null), refusal(409, "RouterExternalGatewayInUseByFloatingIp"));
    assert_eq!(lab.update(&path, "floatingip", json!({"port_id": null, "router_id": near}))["router_id"], Value::Null, "it leads nowhere");
    assert_eq!(lab.refused("PUT", &path, json!({"floatingip": {"router_id": "x"}})), refusal(400, "HTTPBadRequest"));
}

#[test]
fn pools_are_the_subnets_outside() {
    let mut lab = Lab::new();
    lab.admin();
    lab.subnet(&lab.outside.0, "2001:db8::/64");
    let private = lab.create("network", json!({}));
    lab.subnet(&private, "192.0.2.0/24");
    lab.member();
    let shown = lab.show("floatingip_pools");
    let expected = json!({
        "subnet_id": lab.outside.1, "subnet_name": "", "network_id": lab.outside.0, "cidr": "172.24.4.0/24", "project_id": "p1",
    });
    assert_eq!(shown, json!([expected]), "IPv4 only");
    assert_eq!(lab.show("floatingip-pools?cidr=10.0.0.0/8"), json!([]));
    assert_eq!(lab.show("floatingip-pools?fields=cidr"), json!([{"cidr": "172.24.4.0/24"}]));
    lab.roles = "nothing";
    assert_eq!(lab.show("floatingip_pools"), json!([]));
    assert_eq!(lab.refused("POST", "floatingip_pools", json!({})), refusal(405, "HTTPMethodNotAllowed"));
}
