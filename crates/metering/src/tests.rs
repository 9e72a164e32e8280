use api::{Registry, Settings};
use apikit::Lab;
use auth::Policy;
use serde_json::{Value, json};

const LABELS: &str = "metering/metering-labels";
const RULES: &str = "metering/metering-label-rules";
const NONE: &str = "9efe63d0-836f-4cc2-b00c-468e63aa614e";

fn registry() -> Registry {
    Registry::new()
        .resource(crate::label::resource())
        .resource(crate::rule::resource())
        .previews(crate::previews())
        .preview_extensions(true)
}

fn lab() -> Lab {
    Lab::new(registry(), Settings::new())
}

fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[track_caller]
fn label(lab: &Lab, body: Value) -> String {
    lab.create_at(LABELS, "metering_label", body)
}

/// A rule for what comes in.
fn rule(label: &str, mut body: Value) -> Value {
    let map = body.as_object_mut().expect("an object");
    map.insert("metering_label_id".to_owned(), label.into());
    map.entry("direction").or_insert("ingress".into());
    json!({ "metering_label_rule": body })
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}

#[test]
fn labels() {
    let mut lab = lab();
    let id = label(&lab, json!({"name": "l", "project_id": "p1", "shared": "true"}));
    let path = format!("{LABELS}/{id}");
    let shown = json!({"id": id, "name": "l", "description": "", "project_id": "p1", "tenant_id": "p1", "shared": true});
    assert_eq!(lab.show(&path), shown);
    assert_eq!(lab.refused("PUT", &path, json!({"metering_label": {}})), refused(405, "HTTPMethodNotAllowed"));
    let long = json!({"metering_label": {"name": "x".repeat(256)}});
    assert_eq!(lab.refused("POST", LABELS, long), refused(400, "HTTPBadRequest"));
    lab.member();
    assert_eq!(lab.show(&format!("{LABELS}?shared=True&name=l")), json!([shown]));
    assert_eq!(lab.refused("POST", LABELS, json!({"metering_label": {}})), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("DELETE", &path, Value::Null), refused(403, "PolicyNotAuthorized"));
    lab.project = "p2";
    assert_eq!(lab.show(LABELS), json!([]), "shared is about routers, not about who sees it");
    assert_eq!(lab.refused("GET", &path, Value::Null), refused(404, "HTTPNotFound"));
    let message = format!("Metering label '{NONE}' does not exist.");
    assert_eq!(lab.message("GET", &format!("{LABELS}/{NONE}"), Value::Null), message);
}

#[test]
fn rules() {
    let lab = lab();
    let label = label(&lab, json!({}));
    let made = lab.accepted("POST", RULES, rule(&label, json!({"remote_ip_prefix": "10.0.0.7/24"})))["metering_label_rule"].clone();
    let id = made["id"].as_str().expect("an id");
    let expected = json!({
        "id": id, "metering_label_id": label, "direction": "ingress", "excluded": false, "remote_ip_prefix": "10.0.0.7/24",
        "source_ip_prefix": null, "destination_ip_prefix": null,
    });
    assert_eq!(made, expected);
    lab.accepted("POST", RULES, rule(&label, json!({"source_ip_prefix": "10.7.0.1", "destination_ip_prefix": "fd00::/64"})));
    assert_eq!(lab.show(&format!("{RULES}?source_ip_prefix=10.7.0.1"))[0]["source_ip_prefix"], "10.7.0.1/32");
    assert_eq!(lab.show(&format!("{RULES}?metering_label_id={label}&direction=egress")), json!([]));
    let path = format!("{RULES}/{id}");
    assert_eq!(lab.refused("PUT", &path, json!({})), refused(405, "HTTPMethodNotAllowed"));
    lab.accepted("DELETE", &path, Value::Null);
    assert_eq!(lab.message("GET", &path, Value::Null), format!("Metering label rule '{id}' does not exist."));
    lab.accepted("DELETE", &format!("{LABELS}/{label}"), Value::Null);
    assert_eq!(lab.show(RULES), json!([]), "they go with their label");
}

#[test]
fn rules_that_are_none() {
    let lab = lab();
    let label = label(&lab, json!({}));
    let create = |body: Value| lab.refused("POST", RULES, rule(&label, body));
    let (bad, invalid) = (refused(400, "HTTPBadRequest"), refused(400, "Invalid"));
    assert_eq!(create(json!({})), invalid);
    assert_eq!(create(json!({"remote_ip_prefix": "", "source_ip_prefix": null})), invalid);
    assert_eq!(create(json!({"remote_ip_prefix": "10.0.0.0/24", "destination_ip_prefix": "10.0.0.0/24"})), invalid);
    for prefix in [json!("x"), json!(5), json!("10.0.0.0/33"), json!(["10.0.0.0/24"]), json!({})] {
        assert_eq!(create(json!({ "source_ip_prefix": prefix })), bad);
    }
    assert_eq!(create(json!({"remote_ip_prefix": "10.0.0.0/24", "direction": "any"})), bad);
    assert_eq!(lab.refused("POST", RULES, rule("x", json!({"remote_ip_prefix": "10.0.0.0/24"}))), bad);
    assert_eq!(lab.refused("POST", RULES, rule(NONE, json!({"remote_ip_prefix": "10.0.0.0/24"}))), refused(404, "MeteringLabelNotFound"));
    assert_eq!(lab.show(RULES), json!([]));
}

#[test]
fn nothing_is_counted_twice() {
    let lab = lab();
    let (first, second) = (label(&lab, json!({})), label(&lab, json!({})));
    let remote = |prefix: &str| json!({ "remote_ip_prefix": prefix });
    lab.accepted("POST", RULES, rule(&first, remote("10.0.0.0/24")));
    for prefix in ["10.0.0.0/25", "10.0.0.0/8", "10.0.0.128/32", "0.0.0.0/0"] {
        assert_eq!(lab.refused("POST", RULES, rule(&first, remote(prefix))), refused(409, "MeteringLabelRuleOverlaps"));
    }
    for prefix in ["10.0.1.0/24", "fd00::/64"] {
        lab.accepted("POST", RULES, rule(&first, remote(prefix)));
    }
    lab.accepted("POST", RULES, rule(&first, json!({"remote_ip_prefix": "10.0.0.0/25", "excluded": true})));
    lab.accepted("POST", RULES, rule(&first, json!({"remote_ip_prefix": "10.0.0.0/25", "direction": "egress"})));
    lab.accepted("POST", RULES, rule(&second, remote("10.0.0.0/24")));
    for _ in 0..2 {
        lab.accepted("POST", RULES, rule(&first, json!({"source_ip_prefix": "10.0.0.0/24"})));
    }
}

#[test]
fn nobody_adds_to_labels_of_others() {
    let mut lab = lab();
    let own = label(&lab, json!({"project_id": "p1"}));
    let foreign = label(&lab, json!({"shared": true}));
    lab.member();
    let body = |label: &str| rule(label, json!({"remote_ip_prefix": "10.0.0.0/24"}));
    assert_eq!(lab.refused("POST", RULES, body(&own)), refused(403, "PolicyNotAuthorized"));
    lab.roles = "manager,member,reader";
    assert_eq!(lab.refused("POST", RULES, body(&foreign)), refused(404, "MeteringLabelNotFound"));
    lab.accepted("POST", RULES, body(&own));
    assert_eq!(lab.show(RULES).as_array().map(Vec::len), Some(1));
    lab.project = "p2";
    assert_eq!(lab.show(RULES), json!([]));
}
