//! Policies and what can use them: what unit tests of this crate share.

use api::{Registry, Settings};
use apikit::Lab;
use auth::Policy;
use ml2::{Dependents, Heartbeats};
use rbac::Shareables;
use serde_json::{Value, json};
use std::sync::Arc;

fn registry() -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource().with(crate::attach::of_network()))
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource().with(crate::attach::of_port()))
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .resource(l3::router::resource().with(crate::attach::of_router()))
        .resource(l3::floating_ip::resource().with(crate::attach::of_floating_ip()))
        .resource(crate::policy::resource())
        .resource(rbac::policy::resource())
        .slice(crate::rule::register)
        .collection_of("qos", crate::rule_type::COLLECTION, crate::rule_type::collection)
        .previews(l3::previews())
        .previews(crate::previews())
        .preview_extensions(true)
}

/// As an administrator.
pub(crate) fn lab() -> Lab {
    let settings = Settings::new()
        .with(Arc::new(ml2::Config::default()))
        .with(Arc::new(Heartbeats::new()))
        .with(Arc::new(l3::Config::default()))
        .with(Arc::new(Dependents(vec![l3::dependent()])))
        .with(Arc::new(Shareables(vec![ml2::network::shareable(), crate::policy::shareable()])));
    Lab::new(registry(), settings)
}

/// A policy of the administrator's; its id.
#[track_caller]
pub(crate) fn policy(lab: &Lab, body: Value) -> String {
    lab.create_at("qos/policies", "policy", body)
}

/// A rule of a policy; its id.
#[track_caller]
pub(crate) fn rule(lab: &Lab, policy: &str, kind: &str, body: Value) -> String {
    lab.create_at(&rules(policy, kind), &format!("{kind}_rule"), body)
}

pub(crate) fn rules(policy: &str, kind: &str) -> String {
    format!("qos/policies/{policy}/{kind}_rules")
}

/// An id that nothing has.
pub(crate) const NONE: &str = "9efe63d0-836f-4cc2-b00c-468e63aa614e";

pub(crate) fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}

#[test]
fn the_types_of_rules_that_hosts_can_have() {
    let mut lab = lab();
    let listed = lab.show("qos/rule-types");
    let types: Vec<&str> = listed.as_array().expect("a list").iter().map(|rule_type| rule_type["type"].as_str().expect("a word")).collect();
    assert_eq!(types, ["bandwidth_limit", "packet_rate_limit", "dscp_marking", "minimum_bandwidth", "minimum_packet_rate"]);
    assert_eq!(lab.show("qos/rule_types?all_rules=True&fields=type"), listed);
    assert_eq!(lab.show("qos/rule-types?all_supported=1"), listed);
    assert_eq!(lab.refused("GET", "qos/rule-types?all_rules=maybe", Value::Null), refused(400, "InvalidInput"));
    assert_eq!(lab.refused("GET", "qos/rule-types?type=x", Value::Null), refused(400, "HTTPBadRequest"));
    let range = json!({"start": 0, "end": 2_147_483_647});
    let shown = lab.show("qos/rule-types/minimum_packet_rate");
    let parameters = json!([
        {"parameter_name": "min_kpps", "parameter_values": range, "parameter_type": "range"},
        {"parameter_name": "direction", "parameter_values": ["ingress", "egress", "any"], "parameter_type": "choices"},
    ]);
    let drivers = json!([{"name": "linuxbridge", "supported_parameters": parameters}]);
    assert_eq!(shown, json!({"type": "minimum_packet_rate", "drivers": drivers}));
    assert_eq!(lab.refused("GET", "qos/rule-types/nope", Value::Null), refused(404, "HTTPNotFound"));
    assert_eq!(lab.refused("POST", "qos/rule-types", json!({})), refused(405, "HTTPMethodNotAllowed"));
    lab.member();
    assert_eq!(lab.show("qos/rule-types"), listed);
    assert_eq!(lab.refused("GET", "qos/rule-types/bandwidth_limit", Value::Null), refused(403, "NotAuthorized"));
    lab.roles = "nobody";
    assert_eq!(lab.show("qos/rule-types"), json!([]));
}
