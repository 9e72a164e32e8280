//! Several gateways.

use super::refusal;
use crate::Config;
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
    assert_eq!(refused(&lab, "add", json!(vec![of(&second); 16])), refusal(400, "BadRequest"), "too many");
    assert_eq!(refused(&lab, "update", json!(vec![of(&second); 17])), refusal(400, "BadRequest"));
    assert_eq!(refused(&lab, "remove", json!([of(&lab.outside.0), of(&lab.outside.0)])), refusal(409, "UnableToMatchGateways"));
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

fn addresses(router: &Value) -> Vec<&str> {
    let gateways = router["external_gateways"].as_array().expect("a list");
    gateways.iter().map(|gateway| gateway["external_fixed_ips"][0]["ip_address"].as_str().expect("an address")).collect()
}

/// The ports of the gateways by address.
fn gateway_ports(lab: &Lab) -> std::collections::BTreeMap<String, Value> {
    let ports = lab.show("ports?device_owner=network:router_gateway");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let by_address = |port: &Value| (text(&port["fixed_ips"][0]["ip_address"]), port["id"].clone());
    ports.as_array().expect("a list").iter().map(by_address).collect()
}

#[test]
fn several_on_one_network_are_told_apart_by_their_addresses() {
    let (mut lab, second, _) = lab();
    lab.admin();
    let id = lab.create("router", json!({}));
    let act = |what: &str, gateways: Value| {
        lab.accepted("PUT", &format!("routers/{id}/{what}_external_gateways"), body(gateways))["router"].clone()
    };
    let refused = |what: &str, gateways: Value| lab.refused("PUT", &format!("routers/{id}/{what}_external_gateways"), body(gateways));
    let at = |last: u8| json!({"network_id": second, "external_fixed_ips": [{"ip_address": format!("203.0.113.{last}")}]});
    let any = json!({"network_id": second});
    let shown = act("add", json!([at(11), at(12), at(13)]));
    assert_eq!(addresses(&shown), ["203.0.113.11", "203.0.113.12", "203.0.113.13"]);
    assert_eq!(shown["external_gateways"][0], shown["external_gateway_info"]);
    let before = gateway_ports(&lab);
    assert_eq!(before.len(), 3);
    for what in ["remove", "update"] {
        assert_eq!(refused(what, json!([any])), refusal(409, "UnableToMatchGateways"), "which of them?");
    }
    assert_eq!(refused("remove", json!([at(14)])), refusal(409, "UnableToMatchGateways"));
    assert_eq!(refused("add", json!([at(12)])), refusal(409, "IpAddressAlreadyAllocated"), "it has that address");
    assert_eq!(addresses(&act("update", json!([any, any, any]))).len(), 3, "none of them goes");
    let shown = act("update", json!([at(13), any, at(11)]));
    assert_eq!(addresses(&shown), ["203.0.113.13", "203.0.113.12", "203.0.113.11"], "in this order");
    assert_eq!(gateway_ports(&lab), before, "with the ports that they had");
    assert_eq!(addresses(&act("remove", json!([at(13)]))), ["203.0.113.12", "203.0.113.11"]);
    let shown = act("update", json!([at(12), at(13), any]));
    assert_eq!(addresses(&shown), ["203.0.113.12", "203.0.113.13", "203.0.113.11"], "one new");
    let grown = gateway_ports(&lab);
    assert_eq!([&grown["203.0.113.12"], &grown["203.0.113.11"]], [&before["203.0.113.12"], &before["203.0.113.11"]]);
    act("remove", json!([shown["external_gateways"][2]]));
    assert_eq!(addresses(&act("update", json!([at(12), at(14)]))), ["203.0.113.12", "203.0.113.14"]);
    assert_eq!(gateway_ports(&lab)["203.0.113.14"], grown["203.0.113.13"], "the one that is left gets the other address");
    act("update", json!([at(12), at(13)]));
    // Floating IPs need one of them.
    lab.accepted("PUT", &format!("routers/{id}/add_router_interface"), json!({"subnet_id": lab.inside.1}));
    let port = lab.port(json!({}));
    lab.accepted("POST", "floatingips", json!({"floatingip": {"floating_network_id": second, "port_id": port}}));
    let both = refused("remove", json!([at(12), at(13)]));
    assert_eq!(both, refusal(409, "RouterExternalGatewayInUseByFloatingIp"));
    assert_eq!(addresses(&act("remove", json!([at(12)]))), ["203.0.113.13"], "the other carries them");
    assert_eq!(refused("remove", json!([at(13)])), refusal(409, "RouterExternalGatewayInUseByFloatingIp"));
}

#[test]
fn default_routes_are_as_an_administrator_says() {
    for by_default in [false, true] {
        let routes = |ecmp, bfd| Config { enable_default_route_ecmp: ecmp, enable_default_route_bfd: bfd, ..Config::default() };
        let configs =
            [("enable_default_route_ecmp", routes(by_default, !by_default)), ("enable_default_route_bfd", routes(!by_default, by_default))];
        for (name, config) in configs {
            let mut lab = Lab::with(config);
            let id = lab.create("router", json!({}));
            let path = format!("routers/{id}");
            assert_eq!(lab.show(&path)[name], by_default, "as the operator says");
            for value in [true, false] {
                assert_eq!(lab.refused("POST", "routers", json!({"router": {name: value}})), refusal(403, "PolicyNotAuthorized"));
                assert_eq!(lab.refused("PUT", &path, json!({"router": {name: value}})), refusal(403, "PolicyNotAuthorized"));
            }
            lab.admin();
            let put = |value: Value| lab.accepted("PUT", &path, json!({"router": {name: value}}))["router"].clone();
            let (changed, same) = (put(json!(!by_default)), put(Value::Null));
            assert_eq!((&changed[name], &same[name]), (&json!(!by_default), &json!(!by_default)), "null says nothing");
            assert_eq!(changed["revision_number"], same["revision_number"]);
            assert_eq!(lab.refused("PUT", &path, json!({"router": {name: "perhaps"}})), refusal(400, "InvalidInput"));
            let other = lab.create("router", json!({name: !by_default}));
            assert_eq!(lab.show(&format!("routers/{other}"))[name], !by_default);
        }
    }
}
