//! The way out.

use super::refusal;
use crate::testing::Lab;
use model::Port;
use serde_json::{Value, json};

fn gateway(info: Value) -> Value {
    json!({"router": {"external_gateway_info": info}})
}

#[test]
fn set_moved_and_cleared() {
    let mut lab = Lab::new();
    let id = lab.create("router", json!({}));
    let path = format!("routers/{id}");
    let set = lab.accepted("PUT", &path, gateway(json!({"network_id": lab.outside.0})));
    let info = &set["router"]["external_gateway_info"];
    assert_eq!((&info["network_id"], &info["enable_snat"]), (&json!(lab.outside.0), &json!(true)));
    assert_eq!(info["external_fixed_ips"][0]["subnet_id"], lab.outside.1.as_str());
    assert!(set["router"]["revision_number"].as_u64() > Some(1));
    assert_eq!(lab.show(&format!("ports?device_id={id}")), json!([]), "a tenant does not see the port");
    lab.admin();
    let port = lab.show(&format!("ports?device_id={id}"))[0].clone();
    assert_eq!((&port["device_owner"], &port["project_id"]), (&json!("network:router_gateway"), &json!("")));
    assert_eq!((&port["security_groups"], &port["port_security_enabled"]), (&json!([]), &json!(false)));
    let port = port["id"].as_str().expect("an id").to_owned();
    assert_eq!(lab.refused("DELETE", &format!("ports/{port}"), Value::Null), refusal(409, "ServicePortInUse"));
    let off = json!({"network": {"router:external": false}});
    assert_eq!(lab.refused("PUT", &format!("networks/{}", lab.outside.0), off), refusal(409, "ExternalNetworkInUse"));
    let same = json!({"network_id": lab.outside.0, "enable_snat": false, "external_fixed_ips": [{"ip_address": "172.24.4.77"}]});
    let info = lab.accepted("PUT", &path, gateway(same))["router"]["external_gateway_info"].clone();
    assert_eq!((&info["enable_snat"], &info["external_fixed_ips"][0]["ip_address"]), (&json!(false), &json!("172.24.4.77")));
    assert!(lab.get::<Port>(&port).is_some(), "the port stays");
    let (other, _) = lab.network(json!({"router:external": true}), "203.0.113.0/24");
    lab.accepted("PUT", &path, gateway(json!({"network_id": other})));
    assert!(lab.get::<Port>(&port).is_none(), "the port outside is another");
    lab.member();
    assert_eq!(lab.accepted("PUT", &path, gateway(json!({})))["router"]["external_gateway_info"], Value::Null);
    lab.accepted("PUT", &path, gateway(json!({"network_id": lab.outside.0})));
    lab.accepted("DELETE", &path, Value::Null);
    lab.admin();
    assert_eq!(lab.show("ports?device_owner=network:router_gateway"), json!([]), "the gateway goes with its router");
}

#[test]
fn what_is_refused() {
    let mut lab = Lab::new();
    let id = lab.create("router", json!({}));
    let path = format!("routers/{id}");
    let message = format!("Bad router request: Network {} is not an external network.", lab.inside.0);
    assert_eq!(lab.message("PUT", &path, gateway(json!({"network_id": lab.inside.0}))), message);
    let nowhere = json!({"network_id": "7c9b1c9e-8a3f-4a5e-9d63-000000000001"});
    assert_eq!(lab.refused("PUT", &path, gateway(nowhere)), refusal(404, "NetworkNotFound"));
    for parts in [json!({"enable_snat": false}), json!({"external_fixed_ips": [{"ip_address": "172.24.4.9"}]})] {
        let mut info = parts;
        info["network_id"] = json!(lab.outside.0);
        assert_eq!(lab.refused("PUT", &path, gateway(info.clone())), refusal(403, "PolicyNotAuthorized"));
        let create = json!({"router": {"external_gateway_info": info}});
        assert_eq!(lab.refused("POST", "routers", create), refusal(403, "PolicyNotAuthorized"));
    }
    for wrong in [json!("x"), json!({"enable_snat": true}), json!({"network_id": "x"}), json!({"network_id": lab.outside.0, "qos": 1})] {
        assert_eq!(lab.refused("PUT", &path, gateway(wrong)), refusal(400, "HTTPBadRequest"));
    }
    lab.admin();
    let next = json!({"network_id": lab.outside.0, "external_fixed_ips": [{"ip_address": "172.24.4.1"}]});
    assert_eq!(lab.refused("PUT", &path, gateway(next)), refusal(400, "BadRequest"));
    lab.member();
    let (_, overlapping) = lab.network(json!({}), "172.24.4.128/25");
    lab.add(&id, json!({"subnet_id": overlapping}));
    assert_eq!(lab.refused("PUT", &path, gateway(json!({"network_id": lab.outside.0}))), refusal(400, "BadRequest"));
    lab.admin();
    assert_eq!(lab.show("ports?device_owner=network:router_gateway"), json!([]), "refusals leave nothing behind");
}

#[test]
fn needed_by_floating_ips() {
    let lab = Lab::new();
    let router = lab.router();
    let port = lab.port(json!({}));
    lab.floating_ip(json!({"port_id": port}));
    let path = format!("routers/{router}");
    assert_eq!(lab.refused("PUT", &path, gateway(Value::Null)), refusal(409, "RouterExternalGatewayInUseByFloatingIp"));
    lab.accepted("PUT", &path, gateway(json!({"network_id": lab.outside.0})));
}
