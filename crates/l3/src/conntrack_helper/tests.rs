//! Conntrack helpers.

use crate::testing::Lab;
use model::ConntrackHelper;
use serde_json::{Value, json};

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[test]
fn a_life() {
    let mut lab = Lab::new();
    let router = lab.create("router", json!({}));
    let (path, of) = (format!("routers/{router}"), format!("routers/{router}/conntrack_helpers"));
    assert_eq!(lab.show(&path)["conntrack_helpers"], json!([]));
    let revision = lab.show(&path)["revision_number"].as_u64();
    let id = lab.create_at(&of, "conntrack_helper", json!({"protocol": "UDP", "port": "69", "helper": "tftp"}));
    let one = format!("{of}/{id}");
    assert_eq!(lab.show(&one), json!({"id": id, "protocol": "udp", "port": 69, "helper": "tftp"}));
    assert_eq!(lab.show(&path)["conntrack_helpers"], json!([{"protocol": "udp", "port": 69, "helper": "tftp"}]));
    assert!(lab.show(&path)["revision_number"].as_u64() > revision, "the router is another");
    assert_eq!(lab.update(&one, "conntrack_helper", json!({"port": 6969}))["port"], 6969);
    assert_eq!(lab.show(&format!("{of}?port=6969"))[0]["id"], id.as_str());
    assert_eq!(lab.show(&format!("{of}?port=69")), json!([]));
    (lab.project, lab.roles) = ("p2", "member");
    assert_eq!(lab.refused("GET", &of, Value::Null), refusal(404, "RouterNotFound"));
    assert_eq!(lab.refused("DELETE", &one, Value::Null), refusal(404, "RouterNotFound"));
    lab.member();
    lab.roles = "reader";
    assert_eq!(lab.refused("DELETE", &one, Value::Null), refusal(403, "PolicyNotAuthorized"));
    lab.member();
    lab.accepted("DELETE", &one, Value::Null);
    assert_eq!(lab.refused("GET", &one, Value::Null), refusal(404, "ConntrackHelperNotFound"));
    let id = lab.create_at(&of, "conntrack_helper", json!({"protocol": "tcp", "port": 21, "helper": "ftp"}));
    lab.accepted("DELETE", &path, Value::Null);
    assert!(lab.get::<ConntrackHelper>(&id).is_none(), "it goes with its router");
}

#[test]
fn what_is_refused() {
    let lab = Lab::new();
    let router = lab.create("router", json!({}));
    let of = format!("routers/{router}/conntrack_helpers");
    let helper =
        |protocol: &str, port: Value, helper: &str| json!({"conntrack_helper": {"protocol": protocol, "port": port, "helper": helper}});
    lab.accepted("POST", &of, helper("tcp", json!(21), "ftp"));
    for (body, kind) in [
        (helper("tcp", json!(21), "gopher"), "ConntrackHelperNotAllowed"),
        (helper("udp", json!(21), "ftp"), "InvalidProtocolForHelper"),
        (helper("tcp", json!(21), "ftp"), "BadRequest"),
        (helper("tcp", json!(0), "ftp"), "HTTPBadRequest"),
        (helper("tcp", json!(65_536), "ftp"), "HTTPBadRequest"),
        (helper("", json!(21), "ftp"), "HTTPBadRequest"),
        (json!({"conntrack_helper": {"protocol": "tcp", "port": 21}}), "HTTPBadRequest"),
    ] {
        assert_eq!(lab.refused("POST", &of, body.clone()), refusal(400, kind), "{body}");
    }
    let other = lab.create_at(&of, "conntrack_helper", json!({"protocol": "tcp", "port": 2121, "helper": "ftp"}));
    let same = json!({"conntrack_helper": {"port": 21}});
    assert_eq!(lab.refused("PUT", &format!("{of}/{other}"), same), refusal(400, "BadRequest"));
    assert_eq!(lab.show(&format!("{of}/{other}"))["port"], 2121);
    let nowhere = "routers/7c9b1c9e-8a3f-4a5e-9d63-000000000001/conntrack_helpers";
    assert_eq!(lab.refused("POST", nowhere, helper("tcp", json!(21), "ftp")), refusal(404, "RouterNotFound"));
}
