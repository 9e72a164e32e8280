use crate::testing::{NONE, lab, policy, refused, rule};
use apikit::Lab;
use serde_json::{Value, json};
use uuid::Uuid;

fn set(policy: impl Into<Value>) -> Value {
    json!({ "qos_policy_id": policy.into() })
}

/// A router of `p1` with a gateway, and a floating IP: their paths.
fn routed(lab: &mut Lab) -> (String, String) {
    lab.admin();
    let (outside, _) = lab.network(json!({"router:external": true}), "172.24.4.0/24");
    lab.member();
    let router = lab.create("router", json!({"external_gateway_info": {"network_id": outside}}));
    let floating_ip = lab.create("floatingip", json!({"floating_network_id": outside}));
    (format!("routers/{router}"), format!("floatingips/{floating_ip}"))
}

#[test]
fn networks_and_ports() {
    let mut lab = lab();
    let (first, second) = (policy(&lab, json!({"shared": true})), policy(&lab, json!({"shared": true})));
    lab.member();
    let network = lab.create("network", set(first.as_str()));
    let port = lab.create("port", json!({"network_id": network}));
    let port = format!("ports/{port}");
    let of = |lab: &Lab| {
        let shown = lab.show(&port);
        (shown["qos_policy_id"].clone(), shown["qos_network_policy_id"].clone())
    };
    assert_eq!(of(&lab), (Value::Null, json!(first)));
    let revision = |path: &str| lab.show(path)["revision_number"].as_i64().expect("a number");
    let before = revision(&port);
    lab.update(&port, "port", set(second.as_str()));
    assert_eq!((of(&lab), revision(&port)), ((json!(second), json!(first)), before + 1));
    lab.update(&port, "port", json!({"name": "x"}));
    assert_eq!(of(&lab), (json!(second), json!(first)), "what a request does not say stays");
    lab.update(&port, "port", set(Value::Null));
    lab.update(&format!("networks/{network}"), "network", set(Value::Null));
    assert_eq!(of(&lab), (Value::Null, Value::Null));
    let direct = lab.create("port", json!({"network_id": network, "qos_policy_id": second}));
    assert_eq!(lab.show(&format!("ports/{direct}"))["qos_policy_id"], second.as_str());
}

#[test]
fn policies_that_the_caller_may_not_use() {
    let mut lab = lab();
    let foreign = policy(&lab, json!({}));
    let (router, floating_ip) = routed(&mut lab);
    let network = lab.create("network", json!({}));
    let network_path = format!("networks/{network}");
    let port_path = format!("ports/{}", lab.create("port", json!({"network_id": network})));
    for unusable in [foreign.as_str(), NONE] {
        let missing = refused(404, "QosPolicyNotFound");
        assert_eq!(lab.refused("POST", "networks", json!({"network": set(unusable)})), missing);
        assert_eq!(lab.refused("POST", "ports", json!({"port": {"network_id": network, "qos_policy_id": unusable}})), missing);
        assert_eq!(lab.refused("PUT", &network_path, json!({"network": set(unusable)})), missing);
        assert_eq!(lab.refused("PUT", &port_path, json!({"port": set(unusable)})), missing);
        assert_eq!(lab.refused("PUT", &floating_ip, json!({"floatingip": set(unusable)})), missing);
        let outside = lab.show(&router)["external_gateway_info"]["network_id"].clone();
        let info = json!({"network_id": outside, "qos_policy_id": unusable});
        assert_eq!(lab.refused("PUT", &router, json!({"router": {"external_gateway_info": info}})), missing);
    }
    assert_eq!(lab.refused("POST", "networks", json!({"network": set("x")})), refused(400, "HTTPBadRequest"));
    lab.admin();
    lab.update(&network_path, "network", set(foreign.as_str()));
    lab.update(&port_path, "port", set(foreign.as_str()));
    lab.update(&floating_ip, "floatingip", set(foreign.as_str()));
    lab.member();
    let forbidden = refused(403, "PolicyRemoveAuthorizationError");
    assert_eq!(lab.refused("PUT", &network_path, json!({"network": set(Value::Null)})), forbidden);
    assert_eq!(lab.refused("PUT", &port_path, json!({"port": set(Value::Null)})), forbidden);
    assert_eq!(lab.refused("PUT", &floating_ip, json!({"floatingip": set(Value::Null)})), refused(404, "QosPolicyNotFound"));
    lab.create("port", json!({"network_id": network}));
    lab.admin();
    lab.accepted("PUT", &format!("qos/policies/{foreign}"), json!({"policy": {"shared": true}}));
    lab.member();
    for (path, name) in [(&network_path, "network"), (&port_path, "port"), (&floating_ip, "floatingip")] {
        assert_eq!(lab.update(path, name, set(Value::Null))["qos_policy_id"], Value::Null);
    }
}

#[test]
fn gateways_and_floating_ips() {
    let mut lab = lab();
    let id = policy(&lab, json!({"shared": true}));
    let (router, floating_ip) = routed(&mut lab);
    assert_eq!(lab.show(&floating_ip)["qos_policy_id"], Value::Null);
    assert_eq!(lab.update(&floating_ip, "floatingip", set(id.as_str()))["qos_policy_id"], id.as_str());
    let outside = lab.show(&router)["external_gateway_info"]["network_id"].clone();
    assert_eq!(lab.show(&router)["external_gateway_info"].get("qos_policy_id"), None);
    let gateway = |info: Value| json!({"external_gateway_info": info});
    let with = lab.update(&router, "router", gateway(json!({"network_id": outside, "qos_policy_id": id})));
    assert_eq!(
        (&with["external_gateway_info"]["qos_policy_id"], &with["external_gateway_info"]["enable_snat"]),
        (&json!(id), &json!(true))
    );
    lab.admin();
    let kept = lab.update(&router, "router", gateway(json!({"network_id": outside, "enable_snat": true})));
    assert_eq!(kept["external_gateway_info"]["qos_policy_id"], id.as_str(), "what a request does not say stays");
    let used = lab.message("DELETE", &format!("qos/policies/{id}"), Value::Null);
    assert!(used.starts_with(&format!("QoS Policy {id} is used by fip ")), "{used}");
    lab.accepted("DELETE", &floating_ip, Value::Null);
    let used = lab.message("DELETE", &format!("qos/policies/{id}"), Value::Null);
    assert!(used.starts_with(&format!("QoS Policy {id} is used by router ")), "{used}");
    let without = lab.update(&router, "router", gateway(json!({"network_id": outside, "qos_policy_id": null})));
    assert_eq!(without["external_gateway_info"].get("qos_policy_id"), None);
    lab.update(&router, "router", gateway(json!({"network_id": outside, "qos_policy_id": id})));
    assert_eq!(lab.update(&router, "router", gateway(json!({})))["external_gateway_info"], Value::Null);
    lab.accepted("DELETE", &format!("qos/policies/{id}"), Value::Null);
    let bad = json!({"router": gateway(json!({"network_id": outside, "qos_policy_id": 5}))});
    assert_eq!(lab.refused("PUT", &router, bad), refused(400, "HTTPBadRequest"));
    let made = lab.accepted("POST", "routers", json!({"router": gateway(json!({"network_id": outside, "qos_policy_id": null}))}));
    assert_eq!(made["router"]["external_gateway_info"].get("qos_policy_id"), None);
}

#[test]
fn what_placement_is_asked_for() {
    let mut lab = lab();
    let id = policy(&lab, json!({"shared": true}));
    let limit = rule(&lab, &id, "bandwidth_limit", json!({"max_kbps": 1000}));
    let network = lab.create("network", json!({"qos_policy_id": id}));
    let port = lab.create("port", json!({"network_id": network}));
    let path = format!("ports/{port}");
    assert_eq!(lab.show(&path)["resource_request"], Value::Null, "a limit asks for nothing: {limit}");
    let bandwidth = rule(&lab, &id, "minimum_bandwidth", json!({"min_kbps": 500}));
    let packets = rule(&lab, &id, "minimum_packet_rate", json!({"min_kpps": 7, "direction": "any"}));
    let group = |rule: &str| Uuid::new_v5(&port.parse().expect("an id"), rule.as_bytes());
    let expected = json!({
        "request_groups": [
            {"id": group(&bandwidth), "required": ["CUSTOM_NETWORK_TUNNEL_PROVIDER", "CUSTOM_VNIC_TYPE_NORMAL"],
                "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 500}},
            {"id": group(&packets), "required": ["CUSTOM_VNIC_TYPE_NORMAL"], "resources": {"NET_PACKET_RATE_KILOPACKET_PER_SEC": 7}},
        ],
        "same_subtree": [group(&bandwidth), group(&packets)],
    });
    assert_eq!(lab.show(&path)["resource_request"], expected);
    assert_eq!(lab.show(&format!("ports?id={port}"))[0]["resource_request"], expected);
    let own = policy(&lab, json!({}));
    lab.update(&path, "port", set(own.as_str()));
    assert_eq!(lab.show(&path)["resource_request"], Value::Null, "its own policy holds");
    let flat = json!({"provider:network_type": "flat", "provider:physical_network": "phys.net-1", "qos_policy_id": id});
    let flat = lab.create("network", flat);
    let port = lab.create("port", json!({"network_id": flat, "binding:vnic_type": "normal"}));
    let shown = lab.show(&format!("ports/{port}"));
    let required = &shown["resource_request"]["request_groups"][0]["required"];
    assert_eq!(*required, json!(["CUSTOM_PHYSNET_PHYS_NET_1", "CUSTOM_VNIC_TYPE_NORMAL"]));
    lab.member();
    let own = lab.create("network", set(id.as_str()));
    let port = lab.create("port", json!({"network_id": own}));
    assert_eq!(lab.show(&format!("ports/{port}")).get("resource_request"), None, "for the deployment alone");
}

#[test]
fn an_allocation_is_kept() {
    let mut lab = lab();
    lab.roles = "admin,service";
    let guaranteed = policy(&lab, json!({}));
    rule(&lab, &guaranteed, "minimum_bandwidth", json!({"min_kbps": 500}));
    let network = lab.create("network", json!({}));
    let placed = json!({
        "network_id": network, "device_owner": "compute:nova", "qos_policy_id": guaranteed, "binding:profile": {"allocation": {"a": "b"}},
    });
    let port = format!("ports/{}", lab.create("port", placed));
    assert_eq!(lab.refused("PUT", &port, json!({"port": set(Value::Null)})), refused(501, "NotImplementedError"));
    lab.update(&port, "port", set(guaranteed.as_str()));
    lab.update(&port, "port", json!({"device_owner": "", "binding:profile": {}}));
    lab.update(&port, "port", set(Value::Null));
}

#[test]
fn ports_that_cannot_have_the_rules() {
    let lab = lab();
    let limited = policy(&lab, json!({}));
    rule(&lab, &limited, "bandwidth_limit", json!({"max_kbps": 500}));
    let network = lab.create("network", json!({}));
    let body = json!({"port": {"network_id": network, "binding:vnic_type": "direct", "qos_policy_id": limited}});
    assert_eq!(lab.refused("POST", "ports", body), refused(409, "QosRuleNotSupported"));
    let port = lab.create("port", json!({"network_id": network, "binding:vnic_type": "direct"}));
    let unsupported = refused(409, "QosRuleNotSupported");
    assert_eq!(lab.refused("PUT", &format!("ports/{port}"), json!({"port": set(limited.as_str())})), unsupported);
    assert_eq!(lab.refused("PUT", &format!("networks/{network}"), json!({"network": set(limited.as_str())})), unsupported);
    let inherits = lab.create("network", set(limited.as_str()));
    let body = json!({"port": {"network_id": inherits, "binding:vnic_type": "direct"}});
    assert_eq!(lab.refused("POST", "ports", body), unsupported, "its network's holds");
}
