use api::{Registry, Settings};
use apikit::Lab;
use auth::Policy;
use serde_json::{Value, json};
use std::sync::Arc;

const NONE: &str = "9efe63d0-836f-4cc2-b00c-468e63aa614e";

fn registry() -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource().with(crate::of_port()))
        .resource(security_groups::group::resource().with(crate::of_group()))
        .resource(security_groups::rule::resource())
        .resource(crate::resource())
        .collection_of("logging", crate::LOGGABLE, crate::loggable)
        .previews([crate::preview()])
        .preview_extensions(true)
}

fn lab() -> Lab {
    Lab::new(registry(), Settings::new().with(Arc::new(ml2::Config::default())).with(Arc::new(ml2::Heartbeats::new())))
}

fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn of_groups(mut body: Value) -> Value {
    body.as_object_mut().expect("an object").insert("resource_type".to_owned(), "security_group".into());
    body
}

#[track_caller]
fn log(lab: &Lab, body: Value) -> String {
    lab.create_at("log/logs", "log", of_groups(body))
}

#[track_caller]
fn create(lab: &Lab, body: Value) -> (u16, String) {
    lab.refused("POST", "log/logs", json!({ "log": of_groups(body) }))
}

/// A security group, and a port that is in it.
fn filtered(lab: &Lab) -> (String, String) {
    let group = lab.create_at("security-groups", "security_group", json!({"name": "g"}));
    let network = lab.create("network", json!({}));
    let port = lab.create("port", json!({"network_id": network, "security_groups": [group]}));
    (group, port)
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}

#[test]
fn shown_as_in_the_reference() {
    let lab = lab();
    let (group, port) = filtered(&lab);
    let body = json!({"name": "l", "description": "d", "resource_id": group, "target_id": port, "event": "DROP", "project_id": "p1"});
    let id = log(&lab, body);
    let path = format!("log/logs/{id}");
    let shown = lab.show(&path);
    let time = shown["created_at"].clone();
    let expected = json!({
        "id": id, "name": "l", "description": "d", "project_id": "p1", "tenant_id": "p1", "resource_type": "security_group",
        "resource_id": group, "target_id": port, "event": "DROP", "enabled": true, "revision_number": 0, "created_at": time,
        "updated_at": time,
    });
    assert_eq!(shown, expected);
    for filter in [format!("resource_id={group}"), format!("target_id={port}"), "event=DROP".to_owned(), "enabled=True".to_owned()] {
        assert_eq!(lab.show(&format!("log/logs?{filter}")), json!([expected]), "{filter}");
    }
    let updated = lab.update(&path, "log", json!({"enabled": false, "name": "m", "description": ""}));
    assert_eq!((&updated["enabled"], &updated["name"], &updated["revision_number"]), (&json!(false), &json!("m"), &json!(1)));
    assert_eq!(lab.refused("PUT", &path, json!({"log": {"event": "ALL"}})), refused(400, "HTTPBadRequest"));
    lab.accepted("DELETE", &path, Value::Null);
    assert_eq!(lab.message("GET", &path, Value::Null), format!("Log resource {id} could not be found."));
}

#[test]
fn bodies_that_are_none() {
    let lab = lab();
    let (group, port) = filtered(&lab);
    let other = lab.create_at("security-groups", "security_group", json!({"name": "other"}));
    assert_eq!(lab.refused("POST", "log/logs", json!({"log": {}})), refused(400, "HTTPBadRequest"));
    let snat = json!({"log": {"resource_type": "snat"}});
    assert_eq!(lab.refused("POST", "log/logs", snat), refused(400, "InvalidLogResourceType"));
    assert_eq!(create(&lab, json!({"event": "X"})), refused(400, "HTTPBadRequest"));
    assert_eq!(create(&lab, json!({"resource_id": "x"})), refused(400, "HTTPBadRequest"));
    assert_eq!(create(&lab, json!({ "resource_id": NONE })), refused(404, "ResourceNotFound"));
    assert_eq!(create(&lab, json!({ "target_id": NONE })), refused(404, "TargetResourceNotFound"));
    assert_eq!(create(&lab, json!({"resource_id": other, "target_id": port})), refused(400, "InvalidResourceConstraint"));
    let network = lab.show("networks")[0]["id"].clone();
    let direct = lab.create("port", json!({"network_id": network, "binding:vnic_type": "direct"}));
    assert_eq!(create(&lab, json!({ "target_id": direct })), refused(409, "LoggingTypeNotSupported"));
    assert_eq!(lab.show("log/logs"), json!([]));
    log(&lab, json!({"resource_id": group, "target_id": null}));
}

#[test]
fn what_goes_takes_its_logs_with_it() {
    let lab = lab();
    let (group, port) = filtered(&lab);
    let (of_group, of_port) = (log(&lab, json!({ "resource_id": group })), log(&lab, json!({ "target_id": port })));
    let of_both = log(&lab, json!({"resource_id": group, "target_id": port}));
    let of_all = log(&lab, json!({}));
    let is_there = |id: &str| lab.ask("GET", &format!("log/logs/{id}"), Value::Null).0 == 200;
    assert_eq!(lab.refused("DELETE", &format!("security-groups/{group}"), Value::Null), refused(409, "SecurityGroupInUse"));
    assert!(is_there(&of_group), "what is refused changes nothing");
    lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    assert_eq!([&of_group, &of_port, &of_both, &of_all].map(|id| is_there(id)), [true, false, false, true]);
    lab.accepted("DELETE", &format!("security-groups/{group}"), Value::Null);
    assert_eq!([&of_group, &of_all].map(|id| is_there(id)), [false, true]);
}

#[test]
fn managers_log_what_is_theirs() {
    let mut lab = lab();
    let (group, port) = filtered(&lab);
    let id = log(&lab, json!({}));
    lab.member();
    assert_eq!(create(&lab, json!({})), refused(403, "PolicyNotAuthorized"));
    lab.roles = "manager,member,reader";
    let own = log(&lab, json!({}));
    assert_eq!(create(&lab, json!({ "resource_id": group })), refused(404, "ResourceNotFound"));
    assert_eq!(create(&lab, json!({ "target_id": port })), refused(404, "TargetResourceNotFound"));
    assert_eq!(lab.refused("GET", &format!("log/logs/{id}"), Value::Null), refused(404, "LogResourceNotFound"));
    assert_eq!(lab.refused("DELETE", &format!("log/logs/{id}"), Value::Null), refused(404, "LogResourceNotFound"));
    lab.accepted("DELETE", &format!("log/logs/{own}"), Value::Null);
}

#[test]
fn what_can_be_logged() {
    let mut lab = lab();
    assert_eq!(lab.show("log/loggable-resources"), json!([{"type": "security_group"}]));
    assert_eq!(lab.refused("GET", "log/loggable-resources?type=x", Value::Null), refused(400, "HTTPBadRequest"));
    assert_eq!(lab.refused("GET", "log/loggable-resources/x", Value::Null), refused(404, "HTTPNotFound"));
    assert_eq!(lab.refused("POST", "log/loggable-resources", json!({})), refused(405, "HTTPMethodNotAllowed"));
    lab.member();
    assert_eq!(lab.show("log/loggable-resources"), json!([]));
}
