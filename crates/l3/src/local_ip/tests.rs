//! Local IPs.

use crate::testing::Lab;
use model::{LocalIp, Port};
use serde_json::{Value, json};

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[test]
fn of_a_port_and_of_a_network() {
    let mut lab = Lab::new();
    let port = lab.port(json!({}));
    let address = lab.show(&format!("ports/{port}"))["fixed_ips"][0]["ip_address"].clone();
    let id = lab.create("local_ip", json!({"name": "n", "local_port_id": port, "local_ip_address": address}));
    let shown = lab.show(&format!("local-ips/{id}"));
    for (name, value) in [
        ("name", json!("n")),
        ("local_port_id", json!(port)),
        ("network_id", json!(lab.inside.0)),
        ("local_ip_address", address),
        ("ip_mode", json!("translate")),
        ("project_id", json!("p1")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    assert_eq!(lab.refused("DELETE", &format!("ports/{port}"), Value::Null), refusal(409, "ServicePortInUse"));
    assert_eq!(lab.update(&format!("local_ips/{id}"), "local_ip", json!({"name": "m"}))["name"], "m");
    lab.accepted("DELETE", &format!("local_ips/{id}"), Value::Null);
    lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    let id = lab.create("local_ip", json!({"network_id": lab.inside.0, "ip_mode": "passthrough"}));
    let own = lab.show(&format!("local_ips/{id}"))["local_port_id"].as_str().expect("an id").to_owned();
    assert_eq!(lab.show(&format!("ports/{own}"))["device_owner"], "network:local_ip");
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(lab.refused("GET", &format!("local_ips/{id}"), Value::Null), refusal(404, "LocalIPNotFound"));
    lab.member();
    lab.accepted("DELETE", &format!("local_ips/{id}"), Value::Null);
    assert!(lab.get::<Port>(&own).is_none(), "its own port goes with it");
}

#[test]
fn what_is_refused() {
    let mut lab = Lab::new();
    let create = |lab: &Lab, body: Value| lab.refused("POST", "local_ips", json!({"local_ip": body}));
    let nothing = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";
    assert_eq!(create(&lab, json!({})), refusal(400, "LocalIPPortOrNetworkRequired"));
    assert_eq!(create(&lab, json!({"local_port_id": nothing})), refusal(400, "BadRequest"));
    assert_eq!(create(&lab, json!({"network_id": nothing})), refusal(404, "NetworkNotFound"));
    let bare = lab.create("network", json!({}));
    assert_eq!(create(&lab, json!({"network_id": bare})), refusal(400, "BadRequest"));
    let port = lab.port(json!({"fixed_ips": []}));
    assert_eq!(create(&lab, json!({"local_port_id": port})), refusal(400, "LocalIPNoIP"));
    let two = lab.port(json!({"fixed_ips": [{"ip_address": "10.0.0.21"}, {"ip_address": "10.0.0.22"}]}));
    assert_eq!(create(&lab, json!({"local_port_id": two})), refusal(400, "LocalIPNoRequestedIP"));
    assert_eq!(create(&lab, json!({"local_port_id": two, "local_ip_address": "10.0.0.9"})), refusal(400, "LocalIPRequestedIPNotFound"));
    assert_eq!(create(&lab, json!({"local_port_id": two, "ip_mode": "x"})), refusal(400, "HTTPBadRequest"));
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(create(&lab, json!({"local_port_id": two})), refusal(400, "BadRequest"), "not theirs");
}

#[test]
fn associations() {
    let mut lab = Lab::new();
    // Before others are given any address.
    let two = lab.port(json!({"fixed_ips": [{"ip_address": "10.0.0.21"}, {"ip_address": "10.0.0.22"}]}));
    let id = lab.create("local_ip", json!({"network_id": lab.inside.0}));
    let of = format!("local_ips/{id}/port_associations");
    let (first, second) = (lab.port(json!({})), lab.port(json!({})));
    let ask = |lab: &Lab, body: Value| lab.ask("POST", &of, json!({"port_association": body}));
    let (status, made) = ask(&lab, json!({"fixed_port_id": first}));
    assert_eq!((status, &made["port_association"]["local_ip_id"]), (201, &json!(id)));
    let address = lab.show(&format!("ports/{first}"))["fixed_ips"][0]["ip_address"].clone();
    assert_eq!(lab.show(&format!("{of}/{first}"))["fixed_ip"], address);
    assert_eq!(ask(&lab, json!({"fixed_port_id": first})).0, 409, "it leads there already");
    assert_eq!(ask(&lab, json!({"fixed_port_id": two})).0, 400, "to which of them?");
    let (_, made) = ask(&lab, json!({"fixed_port_id": two, "fixed_ip": "10.0.0.22"}));
    assert_eq!(made["port_association"]["fixed_ip"], "10.0.0.22");
    assert_eq!(ask(&lab, json!({"fixed_port_id": second, "fixed_ip": "10.0.1.250"})).0, 400);
    assert_eq!(ask(&lab, json!({})).0, 400);
    assert_eq!(ask(&lab, json!({"fixed_port_id": "x"})).0, 400);
    assert_eq!(lab.show(&of).as_array().map(Vec::len), Some(2));
    assert_eq!(lab.refused("DELETE", &format!("local_ips/{id}"), Value::Null), refusal(409, "LocalIPInUse"));
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(lab.refused("GET", &of, Value::Null), refusal(404, "LocalIPNotFound"));
    assert_eq!(lab.refused("DELETE", &format!("{of}/{first}"), Value::Null), refusal(404, "LocalIPNotFound"));
    lab.member();
    lab.roles = "reader";
    assert_eq!(lab.refused("DELETE", &format!("{of}/{first}"), Value::Null), refusal(403, "PolicyNotAuthorized"));
    lab.member();
    lab.accepted("DELETE", &format!("{of}/{first}"), Value::Null);
    assert_eq!(lab.refused("GET", &format!("{of}/{first}"), Value::Null), refusal(404, "LocalIPAssociationNotFound"));
    lab.accepted("DELETE", &format!("ports/{two}"), Value::Null);
    assert_eq!(lab.get::<LocalIp>(&id).expect("it is there").associations, [], "the port took it along");
    lab.accepted("DELETE", &format!("local_ips/{id}"), Value::Null);
}
