//! Joining networks and leaving them.

use super::refusal;
use crate::testing::Lab;
use model::Port;
use serde_json::{Value, json};

const NOTHING: &str = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";

fn add(router: &str) -> String {
    format!("routers/{router}/add_router_interface")
}

fn remove(router: &str) -> String {
    format!("routers/{router}/remove_router_interface")
}

#[test]
fn by_subnet() {
    let lab = Lab::new();
    let router = lab.create("router", json!({}));
    let answer = lab.add(&router, json!({"subnet_id": lab.inside.1}));
    assert_eq!((&answer["id"], &answer["project_id"], &answer["network_id"]), (&json!(router), &json!("p1"), &json!(lab.inside.0)));
    assert_eq!((&answer["subnet_id"], &answer["subnet_ids"]), (&json!(lab.inside.1), &json!([lab.inside.1])));
    let port = lab.show(&format!("ports/{}", answer["port_id"].as_str().expect("an id")));
    assert_eq!((&port["project_id"], &port["fixed_ips"][0]["ip_address"]), (&json!("p1"), &json!("10.0.0.1")));
    assert_eq!((&port["security_groups"], &port["port_security_enabled"]), (&json!([]), &json!(false)));
    let again = format!("Bad router request: Router already has a port on subnet {}.", lab.inside.1);
    assert_eq!(lab.message("PUT", &add(&router), json!({"subnet_id": lab.inside.1})), again);
    let left = lab.accepted("PUT", &remove(&router), json!({"subnet_id": lab.inside.1}));
    assert_eq!((&left["port_id"], &left["subnet_ids"]), (&answer["port_id"], &json!([lab.inside.1])));
    assert_eq!(lab.show(&format!("ports?device_id={router}")), json!([]));
}

#[test]
fn what_is_refused() {
    let mut lab = Lab::new();
    let router = lab.create("router", json!({}));
    lab.add(&router, json!({"subnet_id": lab.inside.1}));
    let refused = |body: Value| lab.refused("PUT", &add(&router), body);
    let port = lab.port(json!({}));
    let both = "Bad router request: Cannot specify both subnet-id and port-id.";
    assert_eq!(lab.message("PUT", &add(&router), json!({"subnet_id": lab.inside.1, "port_id": port})), both);
    let none = "Bad router request: Either subnet_id or port_id must be specified.";
    assert_eq!(lab.message("PUT", &add(&router), json!({})), none);
    assert_eq!(refused(json!({"subnet_id": "x"})), refusal(400, "BadRequest"));
    assert_eq!(refused(json!({"subnet_id": NOTHING})), refusal(404, "SubnetNotFound"));
    assert_eq!(refused(json!({"port_id": NOTHING})), refusal(404, "PortNotFound"));
    let (_, overlapping) = lab.network(json!({}), "10.0.0.0/25");
    let message =
        format!("Bad router request: Cidr 10.0.0.0/25 of subnet {overlapping} overlaps with cidr 10.0.0.0/24 of subnet {}.", lab.inside.1);
    assert_eq!(lab.message("PUT", &add(&router), json!({"subnet_id": overlapping})), message);
    let body = json!({"network_id": lab.inside.0, "cidr": "10.9.0.0/24", "ip_version": 4, "gateway_ip": null});
    let without_gateway = lab.create("subnet", body);
    assert_eq!(refused(json!({"subnet_id": without_gateway})), refusal(400, "BadRequest"));
    let body = json!({"network_id": lab.inside.0, "cidr": "fd00::/64", "ip_version": 6, "ipv6_address_mode": "slaac"});
    let advertised = lab.create("subnet", body);
    assert_eq!(refused(json!({"subnet_id": advertised})), refusal(400, "BadRequest"));
    assert_eq!(refused(json!({"subnet_id": lab.outside.1})), refusal(404, "SubnetNotFound"), "a tenant is no router outside");
    assert_eq!(lab.refused("POST", &add(&router), json!({})), refusal(405, "HTTPMethodNotAllowed"));
    assert_eq!(lab.refused("PUT", &format!("routers/{router}/add_nothing"), json!({})), refusal(404, "HTTPNotFound"));
    lab.admin();
    let (_, foreign) = lab.network(json!({}), "10.7.0.0/24");
    lab.member();
    assert_eq!(lab.refused("PUT", &add(&router), json!({"subnet_id": foreign})), refusal(404, "SubnetNotFound"));
}

#[test]
fn by_port() {
    let lab = Lab::new();
    let router = lab.create("router", json!({}));
    let port = lab.port(json!({"name": "mine"}));
    lab.add(&router, json!({"port_id": port}));
    let shown = lab.show(&format!("ports/{port}"));
    assert_eq!((&shown["device_id"], &shown["device_owner"]), (&json!(router), &json!("network:router_interface")));
    assert_eq!((&shown["security_groups"], &shown["port_security_enabled"]), (&json!([]), &json!(false)));
    assert_eq!(lab.refused("PUT", &add(&router), json!({"port_id": port})), refusal(409, "PortInUse"));
    let used = lab.port(json!({"device_id": "i", "device_owner": "compute:nova"}));
    assert_eq!(lab.refused("PUT", &add(&router), json!({"port_id": used})), refusal(409, "PortInUse"));
    let bare = lab.port(json!({"fixed_ips": []}));
    assert_eq!(lab.refused("PUT", &add(&router), json!({"port_id": bare})), refusal(400, "BadRequest"));
    let subnet = lab.subnet(&lab.inside.0, "10.5.0.0/24");
    let two = lab.port(json!({"fixed_ips": [{"subnet_id": subnet}, {"subnet_id": lab.inside.1}]}));
    assert_eq!(lab.refused("PUT", &add(&router), json!({"port_id": two})), refusal(400, "BadRequest"));
    let same = lab.port(json!({"fixed_ips": [{"subnet_id": lab.inside.1}]}));
    assert_eq!(lab.refused("PUT", &add(&router), json!({"port_id": same})), refusal(400, "BadRequest"));
    let mismatch = json!({"port_id": port, "subnet_id": subnet});
    assert_eq!(lab.refused("PUT", &remove(&router), mismatch), refusal(400, "SubnetMismatchForPort"));
    lab.accepted("PUT", &remove(&router), json!({"port_id": port, "subnet_id": lab.inside.1}));
    assert!(lab.get::<Port>(&port).is_none(), "the port goes, whoever made it");
}

#[test]
fn leaving_what_was_not_joined() {
    let lab = Lab::new();
    let router = lab.create("router", json!({}));
    let refused = |body: Value| lab.refused("PUT", &remove(&router), body);
    assert_eq!(refused(json!({})), refusal(400, "BadRequest"));
    assert_eq!(refused(json!({"subnet_id": NOTHING})), refusal(404, "SubnetNotFound"));
    assert_eq!(refused(json!({"subnet_id": lab.inside.1})), refusal(404, "RouterInterfaceNotFoundForSubnet"));
    assert_eq!(refused(json!({"port_id": lab.port(json!({}))})), refusal(404, "RouterInterfaceNotFound"));
}

#[test]
fn ipv6_subnets_of_a_network_share_a_port() {
    let lab = Lab::new();
    let router = lab.create("router", json!({}));
    let v4 = lab.add(&router, json!({"subnet_id": lab.inside.1}));
    let subnets = ["fd00:1::/64", "fd00:2::/64"].map(|cidr| lab.subnet(&lab.inside.0, cidr));
    let first = lab.add(&router, json!({"subnet_id": subnets[0]}));
    assert_ne!(first["port_id"], v4["port_id"], "families have ports of their own");
    let second = lab.add(&router, json!({"subnet_id": subnets[1]}));
    assert_eq!((&second["port_id"], &second["subnet_ids"]), (&first["port_id"], &json!([subnets[1]])));
    let path = format!("ports/{}", first["port_id"].as_str().expect("an id"));
    let addresses = |lab: &Lab| -> Vec<String> {
        let ips = lab.show(&path)["fixed_ips"].as_array().expect("a list").clone();
        ips.iter().map(|ip| ip["ip_address"].as_str().expect("an address").to_owned()).collect()
    };
    let mut both = addresses(&lab);
    both.sort();
    assert_eq!(both, ["fd00:1::", "fd00:2::"]);
    lab.accepted("PUT", &remove(&router), json!({"subnet_id": subnets[0]}));
    assert_eq!(addresses(&lab), ["fd00:2::"]);
    lab.accepted("PUT", &remove(&router), json!({"subnet_id": subnets[1]}));
    assert_eq!(lab.refused("GET", &path, Value::Null), refusal(404, "PortNotFound"));
}

#[test]
fn kept_for_floating_ips() {
    let lab = Lab::new();
    let router = lab.router();
    let floating_ip = lab.floating_ip(json!({"port_id": lab.port(json!({}))}));
    let leave = json!({"subnet_id": lab.inside.1});
    assert_eq!(lab.refused("PUT", &remove(&router), leave.clone()), refusal(409, "RouterInterfaceInUseByFloatingIP"));
    lab.accepted("PUT", &format!("floatingips/{floating_ip}"), json!({"floatingip": {"port_id": null}}));
    lab.accepted("PUT", &remove(&router), leave);
}
