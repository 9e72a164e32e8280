//! Several gateways.

use super::refusal;
use crate::testing::Lab;
use serde_json::{Value, json};

fn body(gateways: Value) -> Value {
    json!({"router": {"external_gateways": gateways}})
}

fn networks(router: &Value) -> Vec<&str> {
    let gateways = router["external_gateways"].as_array().expect("a list");
    gateways.iter().map(|gateway| gateway["network_id"].as_str().expect("an id")).collect()
}

/// A lab with two further external networks.
fn lab() -> (Lab, String, String) {
    let mut lab = Lab::new();
    lab.admin();
    let second = lab.network(json!({"router:external": true}), "203.0.113.0/24").0;
    let third = lab.network(json!({"router:external": true}), "192.0.2.0/24").0;
    lab.member();
    (lab, second, third)
}

#[test]
fn added_set_and_removed() {
    let (lab, second, third) = lab();
    let id = lab.create("router", json!({}));
    let path = format!("routers/{id}");
    let act =
        |what: &str, gateways: Value| lab.accepted("PUT", &format!("{path}/{what}_external_gateways"), body(gateways))["router"].clone();
    let of = |network: &str| json!({"network_id": network});
    let first = lab.outside.0.as_str();
    assert_eq!(networks(&lab.show(&path)), Vec::<&str>::new());
    let router = act("add", json!([of(first)]));
    assert_eq!(router["external_gateway_info"]["network_id"], first, "without any, the first one is the first");
    let router = act("add", json!([of(&second), of(&third)]));
    assert_eq!(networks(&router), [first, &second, &third]);
    assert_eq!(router["external_gateways"][0]["external_fixed_ips"], router["external_gateway_info"]["external_fixed_ips"]);
    assert_eq!(router["external_gateways"][1]["external_fixed_ips"].as_array().map(Vec::len), Some(1));
    let router = act("update", json!([of(&third), of(first)]));
    assert_eq!(networks(&router), [third.as_str(), first], "in this order, and no others");
    assert_eq!(router["external_gateway_info"]["network_id"], third.as_str());
    let same = act("remove", json!([]));
    assert_eq!(networks(&same), [third.as_str(), first]);
    let router = lab.accepted("PUT", &path, json!({"router": {"external_gateway_info": null}}))["router"].clone();
    assert_eq!(networks(&router), [first], "the next is the first");
    act("add", json!([of(&second)]));
    let router = act("remove", json!([of(first)]));
    assert_eq!((networks(&router), &router["external_gateway_info"]["network_id"]), (vec![second.as_str()], &json!(second)));
    act("add", json!([of(first)]));
    lab.accepted("DELETE", &path, Value::Null);
    let (mut lab, _) = (lab, ());
    lab.admin();
    assert_eq!(lab.show("ports?device_owner=network:router_gateway"), json!([]), "all go with their router");
}

#[test]
fn what_is_refused() {
    let (mut lab, second, third) = lab();
    let router = lab.router();
    let path = format!("routers/{router}");
    let refused = |lab: &Lab, what: &str, gateways: Value| lab.refused("PUT", &format!("{path}/{what}_external_gateways"), body(gateways));
    let of = |network: &str| json!({"network_id": network});
    let before = lab.show(&path);
    assert_eq!(refused(&lab, "add", json!([of(&lab.outside.0)])), refusal(400, "BadRequest"), "it has one there");
    assert_eq!(refused(&lab, "add", json!([of(&second), of(&second)])), refusal(400, "BadRequest"));
    assert_eq!(refused(&lab, "add", json!([of(&second), of(&lab.inside.0)])), refusal(400, "BadRequest"), "not external");
    assert_eq!(refused(&lab, "remove", json!([of(&third)])), refusal(409, "UnableToMatchGateways"));
    for wrong in [json!("x"), json!([null]), json!([{}]), json!([{"network_id": "x"}]), json!([{"network_id": second, "more": 1}])] {
        assert_eq!(refused(&lab, "update", wrong.clone()), refusal(400, "HTTPBadRequest"), "{wrong}");
    }
    for part in [json!({"enable_snat": false}), json!({"external_fixed_ips": [{"ip_address": "203.0.113.9"}]})] {
        let mut gateway = part;
        gateway["network_id"] = json!(second);
        assert_eq!(refused(&lab, "add", json!([gateway.clone()])), refusal(403, "PolicyNotAuthorized"));
        assert_eq!(refused(&lab, "update", json!([gateway])), refusal(403, "PolicyNotAuthorized"));
    }
    assert_eq!(lab.show(&path), before, "refusals change nothing");
    let port = lab.port(json!({}));
    lab.floating_ip(json!({"port_id": port}));
    assert_eq!(refused(&lab, "update", json!([of(&second)])), refusal(409, "RouterExternalGatewayInUseByFloatingIp"));
    lab.accepted("PUT", &format!("{path}/add_external_gateways"), body(json!([of(&second)])));
    let floating = json!({"floatingip": {"floating_network_id": second, "port_id": port}});
    lab.accepted("POST", "floatingips", floating);
    assert_eq!(refused(&lab, "remove", json!([of(&second)])), refusal(409, "RouterExternalGatewayInUseByFloatingIp"));
    let bare = lab.create("router", json!({}));
    let remove = format!("routers/{bare}/remove_external_gateways");
    assert_eq!(lab.refused("PUT", &remove, body(json!([of(&second)]))), refusal(409, "UnableToRemoveGateways"));
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(refused(&lab, "add", json!([of(&third)])), refusal(404, "RouterNotFound"));
}

#[test]
fn an_administrator_chooses_addresses() {
    let (mut lab, second, _) = lab();
    let router = lab.router();
    lab.admin();
    let gateway = json!({"network_id": second, "enable_snat": false, "external_fixed_ips": [{"ip_address": "203.0.113.77"}]});
    let path = format!("routers/{router}/add_external_gateways");
    let shown = lab.accepted("PUT", &path, body(json!([gateway])))["router"]["external_gateways"][1].clone();
    assert_eq!((&shown["external_fixed_ips"][0]["ip_address"], &shown["enable_snat"]), (&json!("203.0.113.77"), &json!(false)));
    let remove = format!("routers/{router}/remove_external_gateways");
    let other = json!({"network_id": second, "external_fixed_ips": [{"ip_address": "203.0.113.78"}]});
    assert_eq!(lab.refused("PUT", &remove, body(json!([other]))), refusal(409, "UnableToMatchGateways"));
    let named = json!({"network_id": second, "external_fixed_ips": [{"ip_address": "203.0.113.77"}]});
    lab.accepted("PUT", &remove, body(json!([named])));
}
