//! What is said of a port's device: trust, hints, the MAC of a physical function.

use crate::port::resource;
use crate::testing::{Api, Lab, refused};
use model::Port;
use serde_json::{Value, json};

#[test]
fn trust_is_part_of_the_profile() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let plain = api.make("port", json!({"network_id": network}));
    let port = |id: &str| api.show(&format!("ports/{id}"));
    assert_eq!((&port(&plain)["trusted"], &port(&plain)["binding:profile"]), (&Value::Null, &json!({})));
    for trusted in [true, false] {
        let id = api.make("port", json!({"network_id": network, "trusted": trusted}));
        assert_eq!((&port(&id)["trusted"], &port(&id)["binding:profile"]), (&json!(trusted), &json!({"trusted": trusted})));
    }
    let path = format!("ports/{plain}");
    let changed = api.accepted("PUT", &path, &json!({"port": {"trusted": true}}))["port"].clone();
    assert_eq!((&changed["trusted"], &changed["binding:profile"]["trusted"]), (&json!(true), &json!(true)));
    let profile = json!({"port": {"binding:profile": {"pci_slot": "0000:03:10.1"}}});
    assert_eq!(api.ask("service", "PUT", &path, &profile).0, 200);
    assert_eq!(port(&plain)["binding:profile"], json!({"pci_slot": "0000:03:10.1", "trusted": true}));
    assert_eq!(api.refused("PUT", &path, &json!({"port": {"trusted": null}})), (400, "InvalidInput".to_owned()));
    let own = json!({"port": {"network_id": network, "trusted": true}});
    assert_eq!(api.ask("member", "POST", "ports", &own).0, 403);
    assert!(api.ask("member", "GET", &path, &Value::Null).1["port"].get("trusted").is_none());
}

#[test]
fn ports_follow_their_uplink_unless_they_say_otherwise() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let usual = api.make("port", json!({"network_id": network}));
    assert_eq!(api.show(&format!("ports/{usual}"))["propagate_uplink_status"], true);
    let own = json!({"port": {"network_id": network, "propagate_uplink_status": "False"}});
    let (status, made) = api.ask("member", "POST", "ports", &own);
    assert_eq!((status, &made["port"]["propagate_uplink_status"]), (201, &json!(false)));
    let path = format!("ports/{}", made["port"]["id"].as_str().expect("an id"));
    api.accepted("PUT", &path, &json!({"port": {"name": "n"}}));
    assert_eq!(api.show(&path)["propagate_uplink_status"], false, "what is not said stays");
    assert_eq!(api.accepted("PUT", &path, &json!({"port": {"propagate_uplink_status": true}}))["port"]["propagate_uplink_status"], true);
    assert_eq!(api.refused("PUT", &path, &json!({"port": {"propagate_uplink_status": "x"}})), (400, "InvalidInput".to_owned()));
}

#[test]
fn offloading_is_a_capability_of_the_device() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let port = |body: Value| {
        let mut body = body;
        body["network_id"] = json!(network);
        let (status, made) = api.ask("admin,service", "POST", "ports", &json!({ "port": body }));
        assert_eq!(status, 201, "{made}");
        let port = api.show(&format!("ports/{}", made["port"]["id"].as_str().expect("an id")));
        (port["hardware_offload_type"].clone(), port["binding:profile"].clone())
    };
    let offload = json!("switchdev");
    assert_eq!(port(json!({})), (Value::Null, json!({})));
    assert_eq!(port(json!({"hardware_offload_type": offload})), (offload.clone(), json!({"capabilities": ["switchdev"]})));
    let with = |capabilities: Value| json!({"hardware_offload_type": offload, "binding:profile": {"capabilities": capabilities, "a": 1}});
    assert_eq!(port(with(json!(["x"]))).1, json!({"capabilities": ["x", "switchdev"], "a": 1}));
    assert_eq!(port(with(offload.clone())).1, json!({"capabilities": ["switchdev"], "a": 1}), "what is no list is none");
    assert_eq!(port(with(json!(["switchdev"]))).1, json!({"capabilities": ["switchdev"], "a": 1}));
    let create = |value: Value| api.refused("POST", "ports", &json!({"port": {"network_id": network, "hardware_offload_type": value}}));
    for wrong in [json!("x"), json!(null), json!(1), json!(["switchdev"])] {
        assert_eq!(create(wrong.clone()), (400, "HTTPBadRequest".to_owned()), "{wrong}");
    }
    let id = api.make("port", json!({"network_id": network}));
    let change = json!({"port": {"hardware_offload_type": "switchdev"}});
    assert_eq!(api.refused("PUT", &format!("ports/{id}"), &change), (400, "HTTPBadRequest".to_owned()), "a device is chosen once");
}

#[test]
fn hints_are_for_open_vswitch() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let hints = json!({"openvswitch": {"other_config": {"tx-steering": "hash"}}});
    let id = api.make("port", json!({"network_id": network, "hints": hints}));
    let path = format!("ports/{id}");
    assert_eq!(api.show(&path)["hints"], hints);
    for wrong in
        [json!("x"), json!({"ovs": {}}), json!({"openvswitch": null}), json!({"openvswitch": {"other_config": {"tx-steering": "x"}}})]
    {
        assert_eq!(api.refused("PUT", &path, &json!({"port": {"hints": wrong}})), (400, "HTTPBadRequest".to_owned()), "{wrong}");
    }
    for nothing in [Value::Null, json!({})] {
        assert_eq!(api.accepted("PUT", &path, &json!({"port": {"hints": nothing}}))["port"]["hints"], Value::Null);
    }
    assert_eq!(api.ask("member", "PUT", &path, &json!({"port": {"hints": hints}})).0, 403);
}

#[test]
fn a_physical_function_has_the_mac_of_its_device() {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "fd00::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"})).expect("free");
    let used = json!({"device_id": "i1", "device_owner": "compute:nova"});
    let asked = json!({"binding:vnic_type": "direct-physical", "mac_address": "fa:16:3e:00:00:01"});
    let id = lab.port(network, asked).expect("free");
    let other = lab.port(network, json!({"mac_address": "3c:fd:fe:00:00:02"})).expect("free");
    let mac = |lab: &Lab| lab.get::<Port>(id).mac_address.to_string();
    let there = |mac: &str| json!({"binding:host_id": "h1", "binding:profile": {"device_mac_address": mac}});
    lab.update(resource(), id, used).expect("free");
    lab.update(resource(), id, json!({"binding:profile": {"device_mac_address": "3c:fd:fe:00:00:01"}})).expect("no host yet");
    assert_eq!(mac(&lab), "fa:16:3e:00:00:01");
    lab.update(resource(), id, there("3c:fd:fe:00:00:01")).expect("free");
    assert_eq!(mac(&lab), "3c:fd:fe:00:00:01");
    assert_eq!(lab.get::<Port>(id).fixed_ips[0].ip_address.to_string(), "fd00::3efd:feff:fe00:1", "its address follows");
    assert_eq!(refused(lab.update(resource(), id, there("3c:fd:fe:00:00:02"))), (409, "MacAddressInUse"));
    assert_eq!(refused(lab.update(resource(), id, there("x"))), (400, "HTTPBadRequest"));
    assert_eq!(mac(&lab), "3c:fd:fe:00:00:01");
    lab.update(resource(), id, json!({"device_id": "", "device_owner": ""})).expect("unplugged");
    assert_ne!(mac(&lab), "3c:fd:fe:00:00:01", "the device may be another port's");
    let normal = json!({"binding:host_id": "h1", "binding:profile": {"device_mac_address": "3c:fd:fe:00:00:09"}});
    lab.update(resource(), other, normal).expect("free");
    assert_eq!(lab.get::<Port>(other).mac_address.to_string(), "3c:fd:fe:00:00:02", "others have their own");
}
