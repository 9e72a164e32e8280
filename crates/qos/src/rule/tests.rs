use crate::testing::{NONE, lab, policy, refused, rule, rules};
use apikit::Lab;
use serde_json::{Value, json};

const KINDS: [(&str, &str); 5] = [
    ("bandwidth_limit", "max_kbps"),
    ("packet_rate_limit", "max_kpps"),
    ("dscp_marking", "dscp_mark"),
    ("minimum_bandwidth", "min_kbps"),
    ("minimum_packet_rate", "min_kpps"),
];

#[track_caller]
fn refusal(lab: &Lab, policy: &str, kind: &str, body: Value) -> (u16, String) {
    lab.refused("POST", &rules(policy, kind), json!({ format!("{kind}_rule"): body }))
}

#[test]
fn each_type_is_made_shown_changed_and_removed() {
    let lab = lab();
    for (kind, value) in KINDS {
        let policy = policy(&lab, json!({}));
        let id = rule(&lab, &policy, kind, json!({ value: 8 }));
        let path = format!("{}/{id}", rules(&policy, kind));
        let mut expected = json!({"id": id, value: 8});
        if kind != "dscp_marking" {
            expected["direction"] = "egress".into();
        }
        if let Some(limited) = value.strip_prefix("max") {
            expected[format!("max_burst{limited}")] = 0.into();
        }
        assert_eq!(lab.show(&path), expected);
        assert_eq!(lab.show(&rules(&policy, kind)), json!([expected]));
        expected[value] = 10.into();
        assert_eq!(lab.update(&path, &format!("{kind}_rule"), json!({ value: 10 })), expected);
        let other = crate::testing::policy(&lab, json!({}));
        let elsewhere = format!("{}/{id}", rules(&other, kind));
        let message = format!("QoS rule {id} for policy {other} could not be found.");
        assert_eq!(lab.message("GET", &elsewhere, Value::Null), message);
        let alias = format!("qos/alias-{}-rules/{id}", kind.replace('_', "-"));
        if kind == "packet_rate_limit" {
            assert_eq!(lab.refused("GET", &alias, Value::Null), refused(404, "HTTPNotFound"));
        } else {
            assert_eq!(lab.show(&alias), expected);
            expected[value] = 12.into();
            assert_eq!(lab.update(&alias, &format!("alias_{kind}_rule"), json!({ value: 12 })), expected);
        }
        let revision = lab.show(&format!("qos/policies/{policy}"))["revision_number"].as_i64();
        assert!(revision >= Some(2), "a policy is another by its rules");
        lab.accepted("DELETE", if kind == "packet_rate_limit" { &path } else { &alias }, Value::Null);
        assert_eq!(lab.refused("GET", &path, Value::Null), refused(404, "QosRuleNotFound"));
    }
}

#[test]
fn a_rule_of_another_type_is_not_there() {
    let lab = lab();
    let policy = policy(&lab, json!({}));
    let id = rule(&lab, &policy, "dscp_marking", json!({"dscp_mark": 8}));
    for path in [format!("{}/{id}", rules(&policy, "bandwidth_limit")), format!("qos/alias_bandwidth_limit_rules/{id}")] {
        assert_eq!(lab.refused("GET", &path, Value::Null), refused(404, "QosRuleNotFound"));
        assert_eq!(lab.refused("DELETE", &path, Value::Null), refused(404, "QosRuleNotFound"));
    }
    assert_eq!(lab.show(&rules(&policy, "bandwidth_limit")), json!([]));
}

#[test]
fn values_out_of_range() {
    let lab = lab();
    let policy = policy(&lab, json!({}));
    for (kind, body) in [
        ("bandwidth_limit", json!({"max_kbps": -1})),
        ("bandwidth_limit", json!({"max_kbps": 2_147_483_648_u32})),
        ("bandwidth_limit", json!({"max_burst_kbps": 5})),
        ("bandwidth_limit", json!({"max_kbps": 1, "direction": "any"})),
        ("bandwidth_limit", json!({"max_kbps": 1, "dscp_mark": 8})),
        ("dscp_marking", json!({"dscp_mark": 58})),
        ("dscp_marking", json!({"dscp_mark": 8, "direction": "egress"})),
        ("minimum_bandwidth", json!({"direction": "egress"})),
        ("minimum_packet_rate", json!({"min_kpps": 1, "direction": "both"})),
    ] {
        assert_eq!(refusal(&lab, &policy, kind, body.clone()), refused(400, "HTTPBadRequest"), "{kind} {body}");
    }
    let message = lab.message("POST", &rules(&policy, "dscp_marking"), json!({"dscp_marking_rule": {"dscp_mark": 58}}));
    assert_eq!(message, "Invalid input for dscp_mark. Reason: 58 is not in valid_values.");
    assert_eq!(refusal(&lab, &policy, "minimum_bandwidth", json!({"min_kbps": "many"})), refused(400, "InvalidInput"));
    assert_eq!(lab.show(&format!("qos/policies/{policy}"))["rules"], json!([]));
}

#[test]
fn one_of_each_type_and_direction() {
    let lab = lab();
    for (kind, value) in KINDS {
        let policy = policy(&lab, json!({}));
        let first = rule(&lab, &policy, kind, json!({ value: 8 }));
        assert_eq!(refusal(&lab, &policy, kind, json!({ value: 10 })), refused(409, "QoSRulesConflict"));
        if kind == "dscp_marking" {
            continue;
        }
        let second = rule(&lab, &policy, kind, json!({ value: 8, "direction": "ingress" }));
        let path = format!("{}/{second}", rules(&policy, kind));
        let turned = json!({ format!("{kind}_rule"): {"direction": "egress"} });
        let message = format!("Rule {kind} conflicts with rule {first} which already exists in QoS Policy {policy}.");
        assert_eq!(lab.message("PUT", &path, turned), message);
    }
}

#[test]
fn no_more_is_guaranteed_than_is_allowed() {
    let lab = lab();
    let policy = policy(&lab, json!({}));
    let limit = rule(&lab, &policy, "bandwidth_limit", json!({"max_kbps": 100}));
    assert_eq!(refusal(&lab, &policy, "minimum_bandwidth", json!({"min_kbps": 101})), refused(409, "QoSRuleParameterConflict"));
    rule(&lab, &policy, "minimum_bandwidth", json!({"min_kbps": 101, "direction": "ingress"}));
    let guarantee = rule(&lab, &policy, "minimum_bandwidth", json!({"min_kbps": 100}));
    let path = format!("{}/{limit}", rules(&policy, "bandwidth_limit"));
    let message = format!(
        "Unable to add the rule with value 99 to the policy {policy} as the existing rule of type minimum_bandwidth has value 100."
    );
    assert_eq!(lab.message("PUT", &path, json!({"bandwidth_limit_rule": {"max_kbps": 99}})), message);
    let path = format!("{}/{guarantee}", rules(&policy, "minimum_bandwidth"));
    let more = json!({"minimum_bandwidth_rule": {"min_kbps": 101}});
    assert_eq!(lab.refused("PUT", &path, more), refused(409, "QoSRuleParameterConflict"));
    assert_eq!(lab.show(&path)["min_kbps"], 100);
}

#[test]
fn packets_are_guaranteed_for_each_direction_or_for_both_together() {
    let lab = lab();
    let both = policy(&lab, json!({}));
    rule(&lab, &both, "minimum_packet_rate", json!({"min_kpps": 1, "direction": "any"}));
    for direction in ["ingress", "egress"] {
        let body = json!({"min_kpps": 1, "direction": direction});
        assert_eq!(refusal(&lab, &both, "minimum_packet_rate", body), refused(409, "QoSRuleParameterConflict"));
    }
    let each = policy(&lab, json!({}));
    let only = rule(&lab, &each, "minimum_packet_rate", json!({"min_kpps": 1}));
    let body = json!({"min_kpps": 1, "direction": "any"});
    assert_eq!(refusal(&lab, &each, "minimum_packet_rate", body), refused(409, "QoSRuleParameterConflict"));
    let path = format!("{}/{only}", rules(&each, "minimum_packet_rate"));
    assert_eq!(lab.update(&path, "minimum_packet_rate_rule", json!({"direction": "any"}))["direction"], "any", "the only one may turn");
}

#[test]
fn who_may_do_what() {
    let mut lab = lab();
    let own = policy(&lab, json!({"project_id": "p1"}));
    let foreign = policy(&lab, json!({}));
    let shared = policy(&lab, json!({"shared": true}));
    let rule_of =
        |policy: &str| format!("{}/{}", rules(policy, "bandwidth_limit"), rule(&lab, policy, "bandwidth_limit", json!({"max_kbps": 5})));
    let [in_own, in_foreign, in_shared] = [&own, &foreign, &shared].map(|policy| rule_of(policy));
    lab.member();
    for policy in [&own, &foreign, &shared] {
        assert_eq!(refusal(&lab, policy, "dscp_marking", json!({"dscp_mark": 8})), refused(403, "PolicyNotAuthorized"));
    }
    for policy in [NONE, "policy"] {
        assert_eq!(refusal(&lab, policy, "dscp_marking", json!({"dscp_mark": 8})), refused(404, "QosPolicyNotFound"));
    }
    let body = json!({"bandwidth_limit_rule": {"max_kbps": 6}});
    assert_eq!(lab.refused("PUT", &in_own, body.clone()), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("PUT", &in_foreign, body.clone()), refused(404, "QosPolicyNotFound"));
    assert_eq!(lab.refused("PUT", &in_shared, body.clone()), refused(404, "HTTPNotFound"));
    assert_eq!(lab.show(&in_own)["max_kbps"], 5);
    assert_eq!(lab.refused("GET", &in_shared, Value::Null), refused(404, "HTTPNotFound"), "who shares a policy sees its rules in it");
    assert_eq!(lab.show(&rules(&shared, "bandwidth_limit")), json!([]));
    let id = in_foreign.rsplit('/').next().expect("an id");
    for method in ["GET", "DELETE"] {
        let alias = format!("qos/alias_bandwidth_limit_rules/{id}");
        assert_eq!(lab.refused(method, &alias, Value::Null), refused(404, "HTTPNotFound"));
    }
    lab.roles = "manager,member,reader";
    lab.accepted("PUT", &in_own, body);
    lab.accepted("DELETE", &in_own, Value::Null);
}

#[test]
fn guarantees_of_instances_do_not_change() {
    let lab = lab();
    let policy = policy(&lab, json!({}));
    let guarantee = rule(&lab, &policy, "minimum_bandwidth", json!({"min_kbps": 5}));
    let network = lab.create("network", json!({"qos_policy_id": policy}));
    let port = lab.create("port", json!({"network_id": network, "device_owner": "compute:nova", "device_id": "vm"}));
    let path = format!("{}/{guarantee}", rules(&policy, "minimum_bandwidth"));
    let body = json!({"minimum_bandwidth_rule": {"min_kbps": 6}});
    assert_eq!(lab.refused("PUT", &path, body.clone()), refused(501, "NotImplementedError"));
    assert_eq!(lab.refused("DELETE", &path, Value::Null), refused(501, "NotImplementedError"));
    assert_eq!(refusal(&lab, &policy, "minimum_packet_rate", json!({"min_kpps": 6})), refused(501, "NotImplementedError"));
    rule(&lab, &policy, "bandwidth_limit", json!({"max_kbps": 6}));
    lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    lab.accepted("PUT", &path, body);
}

#[test]
fn only_what_its_ports_can_have() {
    let lab = lab();
    let policy = policy(&lab, json!({}));
    let network = lab.create("network", json!({"qos_policy_id": policy}));
    let port = lab.create("port", json!({"network_id": network, "binding:vnic_type": "direct"}));
    let body = json!({"bandwidth_limit_rule": {"max_kbps": 6}});
    let message = format!("Rule bandwidth_limit is not supported by port {port}");
    assert_eq!(lab.message("POST", &rules(&policy, "bandwidth_limit"), body), message);
    assert_eq!(lab.show(&format!("qos/policies/{policy}"))["rules"], json!([]));
}
