use api::{Registry, Settings};
use apikit::Lab;
use auth::Policy;
use ml2::Heartbeats;
use serde_json::{Value, json};
use std::sync::Arc;

const NONE: &str = "9efe63d0-836f-4cc2-b00c-468e63aa614e";

fn registry() -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource().with(crate::of_port()))
        .resource(ml2::agent::resource())
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .resource(crate::resource())
        .previews(crate::previews())
        .preview_extensions(true)
}

/// As a member of `p1`.
fn lab() -> Lab {
    let settings = Settings::new().with(Arc::new(ml2::Config::default())).with(Arc::new(Heartbeats::new()));
    let mut lab = Lab::new(registry(), settings);
    lab.member();
    lab
}

/// A port on a network of its own.
#[track_caller]
fn port(lab: &Lab) -> String {
    port_on(lab, json!({}))
}

#[track_caller]
fn port_on(lab: &Lab, network: Value) -> String {
    let network = lab.create("network", network);
    lab.create("port", json!({ "network_id": network }))
}

fn vlan(port: &str, id: impl Into<Value>) -> Value {
    json!({"port_id": port, "segmentation_type": "vlan", "segmentation_id": id.into()})
}

fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn subports(subports: &[Value]) -> Value {
    json!({ "sub_ports": subports })
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}

#[test]
fn shown_as_in_the_reference() {
    let mut lab = lab();
    let (parent, child) = (port(&lab), port(&lab));
    let id = lab.create("trunk", json!({"port_id": parent, "sub_ports": [vlan(&child, "100")], "description": "d"}));
    let shown = lab.show(&format!("trunks/{id}"));
    let time = shown["created_at"].clone();
    let expected = json!({
        "id": id, "name": "", "project_id": "p1", "tenant_id": "p1", "admin_state_up": true, "port_id": parent, "status": "DOWN",
        "sub_ports": [vlan(&child, 100)], "description": "d", "tags": [], "revision_number": 0, "created_at": time, "updated_at": time,
    });
    assert_eq!(shown, expected);
    assert_eq!(lab.show(&format!("trunks?port_id={parent}")), json!([expected]));
    assert_eq!(lab.show("trunks?status=ACTIVE"), json!([]));
    let mac = lab.show(&format!("ports/{child}"))["mac_address"].clone();
    let mut detail = vlan(&child, 100);
    detail["mac_address"] = mac;
    let details = json!({"trunk_id": id, "sub_ports": [detail]});
    assert_eq!(lab.show(&format!("ports/{parent}"))["trunk_details"], details);
    assert_eq!(lab.show(&format!("ports?id={parent}"))[0]["trunk_details"], details);
    assert_eq!(lab.show(&format!("ports/{child}")).get("trunk_details"), None);
    assert_eq!(lab.show("quotas/p1")["trunk"], -1);
    lab.project = "p2";
    assert_eq!(lab.show("trunks"), json!([]));
    assert_eq!(lab.refused("GET", &format!("trunks/{id}"), Value::Null), refused(404, "TrunkNotFound"));
    assert_eq!(lab.refused("GET", &format!("trunks/{id}/get_subports"), Value::Null), refused(404, "TrunkNotFound"));
    let action = format!("trunks/{id}/add_subports");
    assert_eq!(lab.refused("PUT", &action, subports(&[])), refused(404, "TrunkNotFound"));
}

#[test]
fn subports_come_and_go() {
    let lab = lab();
    let (parent, first, second) = (port(&lab), port(&lab), port(&lab));
    let id = lab.create("trunk", json!({ "port_id": parent }));
    let path = |name: &str| format!("trunks/{id}/{name}");
    let added = lab.accepted("PUT", &path("add_subports"), subports(&[vlan(&first, 2), vlan(&second, 3)]));
    assert_eq!((&added["id"], &added["revision_number"]), (&json!(id), &json!(1)), "the trunk without its name");
    let both = subports(&[vlan(&first, 2), vlan(&second, 3)]);
    assert_eq!(lab.accepted("GET", &path("get_subports"), Value::Null), both);
    assert_eq!(lab.accepted("PUT", &path("add_subports"), subports(&[]))["revision_number"], 1, "nothing is no change");
    let removed = lab.accepted("PUT", &path("remove_subports"), subports(&[json!({ "port_id": first })]));
    assert_eq!(removed["sub_ports"], json!([vlan(&second, 3)]));
    let gone = format!("SubPort {first} on trunk {id} could not be found.");
    assert_eq!(lab.message("PUT", &path("remove_subports"), subports(&[json!({ "port_id": first })])), gone);
    lab.accepted("PUT", &path("add_subports"), subports(&[vlan(&first, 2)]));
    assert_eq!(lab.refused("GET", &path("add_subports"), Value::Null), refused(405, "HTTPMethodNotAllowed"));
    assert_eq!(lab.refused("PUT", &path("get_subports"), json!({})), refused(405, "HTTPMethodNotAllowed"));
}

#[test]
fn ports_of_trunks_stay() {
    let lab = lab();
    let (parent, child) = (port(&lab), port(&lab));
    let id = lab.create("trunk", json!({"port_id": parent, "sub_ports": [vlan(&child, 100)]}));
    let message = |port: &str| lab.message("DELETE", &format!("ports/{port}"), Value::Null);
    assert_eq!(message(&parent), format!("Port {parent} is currently a parent port for trunk {id}."));
    assert_eq!(message(&child), format!("Port {child} is currently a subport for trunk {id}."));
    assert_eq!(lab.refused("DELETE", &format!("ports/{parent}"), Value::Null), refused(409, "PortInUseAsTrunkParent"));
    assert_eq!(lab.refused("DELETE", &format!("ports/{child}"), Value::Null), refused(409, "PortInUseAsSubPort"));
    lab.accepted("DELETE", &format!("trunks/{id}"), Value::Null);
    lab.accepted("DELETE", &format!("ports/{parent}"), Value::Null);
    lab.accepted("DELETE", &format!("ports/{child}"), Value::Null);
}

#[test]
fn a_disabled_trunk_stays_as_it_is() {
    let lab = lab();
    let (parent, child) = (port(&lab), port(&lab));
    let id = lab.create("trunk", json!({"port_id": parent, "admin_state_up": false}));
    let disabled = refused(409, "TrunkDisabled");
    assert_eq!(lab.refused("PUT", &format!("trunks/{id}/add_subports"), subports(&[vlan(&child, 2)])), disabled);
    assert_eq!(lab.refused("PUT", &format!("trunks/{id}/remove_subports"), subports(&[vlan(&child, 2)])), disabled);
    assert_eq!(lab.refused("DELETE", &format!("trunks/{id}"), Value::Null), disabled);
    let updated = lab.update(&format!("trunks/{id}"), "trunk", json!({"admin_state_up": true, "name": "t", "description": "x"}));
    assert_eq!((&updated["name"], &updated["revision_number"]), (&json!("t"), &json!(1)));
    lab.accepted("DELETE", &format!("trunks/{id}"), Value::Null);
}

/// Status and type of a create with these subports.
#[track_caller]
fn create(lab: &Lab, parent: &str, subports: Value) -> (u16, String) {
    lab.refused("POST", "trunks", json!({"trunk": {"port_id": parent, "sub_ports": subports}}))
}

#[test]
fn bodies_that_are_none() {
    let lab = lab();
    let (parent, child) = (port(&lab), port(&lab));
    let id = {
        let other = port(&lab);
        lab.create("trunk", json!({ "port_id": other }))
    };
    let bad = refused(400, "HTTPBadRequest");
    for subports in [
        json!(null),
        json!({}),
        vlan(&child, 2),
        json!(["x"]),
        json!([{}]),
        json!([{"segmentation_type": "vlan", "segmentation_id": 2}]),
        json!([vlan("x", 2)]),
        json!([{"port_id": child, "segmentation_type": "vlan"}]),
        json!([{"port_id": child, "segmentation_id": 2}]),
        json!([{"port_id": child, "segmentation_type": "", "segmentation_id": 2}]),
        json!([vlan(&child, 2), vlan(&child, 3)]),
        json!([vlan(&child, 2), vlan(NONE, 2)]),
    ] {
        assert_eq!(create(&lab, &parent, subports.clone()), bad, "{subports}");
        let input = refused(400, "InvalidInput");
        assert_eq!(lab.refused("PUT", &format!("trunks/{id}/add_subports"), json!({ "sub_ports": subports })), input, "{subports}");
    }
    assert_eq!(lab.refused("PUT", &format!("trunks/{id}/remove_subports"), json!({})), refused(400, "InvalidInput"));
    for subports in [
        json!([{ "port_id": child }]),
        json!([vlan(&child, "x")]),
        json!([vlan(&child, 0)]),
        json!([vlan(&child, 4095)]),
        json!([vlan(&child, i64::MAX)]),
        json!([{"port_id": child, "segmentation_type": "vxlan", "segmentation_id": 2}]),
        json!([{"port_id": child, "segmentation_type": ["vlan"], "segmentation_id": 2}]),
        json!([{"port_id": child, "segmentation_type": "inherit", "segmentation_id": -1}]),
    ] {
        assert_eq!(create(&lab, &parent, subports.clone()), refused(400, "InvalidInput"), "{subports}");
    }
    let message = lab.message("POST", "trunks", json!({"trunk": {"port_id": parent, "sub_ports": [vlan(&child, 4095)]}}));
    assert_eq!(message, "Invalid input for operation: Segmentation ID '4095' is not in range.");
    assert_eq!(lab.show("trunks").as_array().map(Vec::len), Some(1));
}

#[test]
fn ports_that_are_used_otherwise() {
    let lab = lab();
    let (parent, child, free) = (port(&lab), port(&lab), port(&lab));
    let id = lab.create("trunk", json!({"port_id": parent, "sub_ports": [vlan(&child, 2)]}));
    assert_eq!(create(&lab, &parent, json!([])), refused(409, "ParentPortInUse"));
    assert_eq!(create(&lab, &child, json!([])), refused(409, "TrunkPortInUse"));
    assert_eq!(create(&lab, &free, json!([vlan(&child, 3)])), refused(409, "TrunkPortInUse"));
    assert_eq!(create(&lab, &free, json!([vlan(&parent, 3)])), refused(409, "ParentPortInUse"));
    assert_eq!(create(&lab, &free, json!([vlan(&free, 3)])), refused(409, "ParentPortInUse"));
    let add = |sub_port: Value| lab.refused("PUT", &format!("trunks/{id}/add_subports"), subports(&[sub_port]));
    assert_eq!(add(vlan(&free, 2)), refused(409, "DuplicateSubPort"));
    assert_eq!(add(vlan(&parent, 3)), refused(409, "ParentPortInUse"));
    let network = lab.create("network", json!({}));
    let used = lab.create("port", json!({"network_id": network, "device_id": "vm"}));
    assert_eq!(add(vlan(&used, 3)), refused(409, "PortInUse"));
    lab.create("trunk", json!({ "port_id": used }));
}

#[test]
fn ports_that_the_caller_does_not_see() {
    let mut lab = lab();
    let own = port(&lab);
    lab.admin();
    let foreign = port(&lab);
    lab.member();
    for port in [foreign.as_str(), NONE] {
        assert_eq!(create(&lab, port, json!([])), refused(404, "PortNotFound"));
        assert_eq!(create(&lab, &own, json!([vlan(port, 2)])), refused(404, "PortNotFound"));
    }
    assert_eq!(lab.refused("POST", "trunks", json!({"trunk": {}})), refused(400, "HTTPBadRequest"));
    assert_eq!(lab.show("trunks"), json!([]));
}

#[test]
fn a_subport_passes_its_parent() {
    let lab = lab();
    let sized = |mtu: u32| port_on(&lab, json!({ "mtu": mtu }));
    let (small, large, same) = (sized(1300), sized(1301), sized(1300));
    assert_eq!(create(&lab, &small, json!([vlan(&large, 2)])), refused(409, "SubPortMtuGreaterThanTrunkPortMtu"));
    let id = lab.create("trunk", json!({"port_id": small, "sub_ports": [vlan(&same, 2)]}));
    let body = subports(&[vlan(&large, 3)]);
    let message = format!("MTU 1301 of subport {large} cannot be greater than MTU 1300 of trunk {small}.");
    assert_eq!(lab.message("PUT", &format!("trunks/{id}/add_subports"), body), message);
}

#[test]
fn where_a_parent_may_be() {
    let mut lab = lab();
    lab.roles = "admin,service";
    let (parent, child) = (port(&lab), port(&lab));
    lab.update(&format!("ports/{parent}"), "port", json!({"binding:host_id": "nowhere"}));
    assert_eq!(create(&lab, &parent, json!([])), refused(409, "ParentPortInUse"));
    let id = lab.create("trunk", json!({ "port_id": child }));
    lab.update(&format!("ports/{child}"), "port", json!({"binding:host_id": "nowhere"}));
    assert_eq!(lab.refused("DELETE", &format!("trunks/{id}"), Value::Null), refused(409, "TrunkInUse"));
    lab.update(&format!("ports/{child}"), "port", json!({"binding:host_id": ""}));
    lab.accepted("DELETE", &format!("trunks/{id}"), Value::Null);
}
