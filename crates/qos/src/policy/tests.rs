use crate::testing::{NONE, lab, policy, refused, rule, rules};
use apikit::Lab;
use serde_json::{Value, json};

#[test]
fn shown_as_in_the_reference() {
    let mut lab = lab();
    let id = policy(&lab, json!({"name": "q", "description": "d", "project_id": "p1"}));
    let rule = rule(&lab, &id, "bandwidth_limit", json!({"max_kbps": 5}));
    let shown = lab.show(&format!("qos/policies/{id}"));
    let time = shown["created_at"].clone();
    let rules =
        json!([{"max_kbps": 5, "max_burst_kbps": 0, "direction": "egress", "id": rule, "qos_policy_id": id, "type": "bandwidth_limit"}]);
    let expected = json!({
        "id": id, "name": "q", "description": "d", "project_id": "p1", "tenant_id": "p1", "shared": false, "is_default": false,
        "rules": rules, "tags": [], "revision_number": 1, "created_at": time, "updated_at": shown["updated_at"],
    });
    assert_eq!(shown, expected);
    lab.member();
    assert_eq!(lab.show("qos/policies?name=q"), json!([expected]));
    lab.project = "p2";
    assert_eq!(lab.show("qos/policies"), json!([]));
    assert_eq!(lab.refused("GET", &format!("qos/policies/{id}"), Value::Null), refused(404, "QosPolicyNotFound"));
}

#[test]
fn tags_are_beside_the_collection() {
    let lab = lab();
    let id = policy(&lab, json!({}));
    lab.accepted("PUT", &format!("policies/{id}/tags"), json!({"tags": ["red"]}));
    assert_eq!(lab.show(&format!("qos/policies/{id}"))["tags"], json!(["red"]));
    assert_eq!(lab.show("qos/policies?tags=blue"), json!([]));
}

#[test]
fn who_may_do_what() {
    let mut lab = lab();
    let own = policy(&lab, json!({"project_id": "p1"}));
    let foreign = policy(&lab, json!({}));
    let shared = policy(&lab, json!({"shared": true}));
    lab.member();
    assert_eq!(lab.refused("POST", "qos/policies", json!({"policy": {}})), refused(403, "PolicyNotAuthorized"));
    let body = json!({"policy": {"name": "x"}});
    assert_eq!(lab.refused("PUT", &format!("qos/policies/{own}"), body.clone()), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("PUT", &format!("qos/policies/{foreign}"), body.clone()), refused(404, "QosPolicyNotFound"));
    assert_eq!(lab.refused("PUT", &format!("qos/policies/{shared}"), body), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("DELETE", &format!("qos/policies/{shared}"), Value::Null), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.show(&format!("qos/policies/{shared}"))["shared"], true);
    assert_eq!(lab.show("qos/policies?shared=True")[0]["id"], shared.as_str());
    let manager = {
        lab.roles = "manager,member";
        policy(&lab, json!({"name": "mine"}))
    };
    lab.accepted("DELETE", &format!("qos/policies/{manager}"), Value::Null);
}

#[test]
fn one_default_for_a_project() {
    let lab = lab();
    let first = policy(&lab, json!({"is_default": true}));
    let again = json!({"policy": {"is_default": true}});
    assert_eq!(lab.refused("POST", "qos/policies", again.clone()), refused(409, "QoSPolicyDefaultAlreadyExists"));
    assert_eq!(lab.message("POST", "qos/policies", again.clone()), "A default QoS policy exists for project adm.");
    let second = policy(&lab, json!({}));
    assert_eq!(lab.refused("PUT", &format!("qos/policies/{second}"), again.clone()), refused(409, "QoSPolicyDefaultAlreadyExists"));
    lab.accepted("PUT", &format!("qos/policies/{first}"), again.clone());
    policy(&lab, json!({"is_default": true, "project_id": "p1"}));
    lab.accepted("PUT", &format!("qos/policies/{first}"), json!({"policy": {"is_default": false}}));
    lab.accepted("PUT", &format!("qos/policies/{second}"), again);
    assert_eq!(lab.create_at("networks", "network", json!({})).len(), 36);
    let network = lab.show("networks")[0].clone();
    assert_eq!(network["qos_policy_id"], second.as_str(), "the owner's default");
    let other = lab.create("network", json!({"qos_policy_id": first}));
    assert_eq!(lab.show(&format!("networks/{other}"))["qos_policy_id"], first.as_str());
}

#[test]
fn one_in_use_stays() {
    let lab = lab();
    let id = policy(&lab, json!({"shared": true}));
    rule(&lab, &id, "dscp_marking", json!({"dscp_mark": 8}));
    let path = format!("qos/policies/{id}");
    let network = lab.create("network", json!({"qos_policy_id": id}));
    assert_eq!(lab.message("DELETE", &path, Value::Null), format!("QoS Policy {id} is used by network {network}."));
    assert_eq!(lab.refused("PUT", &path, json!({"policy": {"shared": false}})), refused(409, "RbacPolicyInUse"));
    let port = lab.create("port", json!({"network_id": network, "qos_policy_id": id}));
    assert_eq!(lab.message("DELETE", &path, Value::Null), format!("QoS Policy {id} is used by port {port}."));
    assert_eq!(lab.refused("DELETE", &path, Value::Null), refused(409, "QosPolicyInUse"));
    lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    lab.accepted("DELETE", &format!("networks/{network}"), Value::Null);
    lab.accepted("PUT", &path, json!({"policy": {"shared": false}}));
    lab.accepted("DELETE", &path, Value::Null);
    assert_eq!(lab.world().table::<model::QosRule>().len(), 0, "its rules went with it");
    assert_eq!(lab.refused("GET", &rules(&id, "dscp_marking"), Value::Null), refused(404, "QosPolicyNotFound"));
    assert_eq!(lab.refused("DELETE", &format!("qos/policies/{NONE}"), Value::Null), refused(404, "QosPolicyNotFound"));
}

/// A project as policies name it.
const FRIEND: &str = "000000000000000000000000000000b1";

#[test]
fn shared_with_single_projects() {
    let mut lab = lab();
    let id = policy(&lab, json!({}));
    let path = format!("qos/policies/{id}");
    let share = |lab: &Lab, target: &str| {
        let body = json!({"object_type": "qos_policy", "object_id": id, "action": "access_as_shared", "target_tenant": target});
        lab.create_at("rbac-policies", "rbac_policy", body)
    };
    (lab.project, lab.roles) = (FRIEND, "member");
    assert_eq!(lab.refused("GET", &path, Value::Null), refused(404, "QosPolicyNotFound"));
    lab.admin();
    let for_one = share(&lab, FRIEND);
    (lab.project, lab.roles) = (FRIEND, "member");
    assert_eq!((lab.show(&path)["shared"].clone(), lab.show("qos/policies")[0]["id"].clone()), (json!(true), json!(id)));
    let network = lab.create("network", json!({ "qos_policy_id": id }));
    let theft = json!({"rbac_policy": {"object_type": "qos_policy", "object_id": id, "action": "access_as_shared", "target_tenant": NONE}});
    assert_eq!(lab.refused("POST", "rbac-policies", theft), refused(400, "InvalidInput"));
    lab.project = "p2";
    assert_eq!(lab.refused("GET", &path, Value::Null), refused(404, "QosPolicyNotFound"));
    lab.admin();
    let gone = format!("rbac-policies/{for_one}");
    assert_eq!(lab.refused("DELETE", &gone, Value::Null), refused(409, "RbacPolicyInUse"));
    let for_all = share(&lab, "*");
    lab.accepted("DELETE", &gone, Value::Null);
    assert_eq!(lab.refused("DELETE", &format!("rbac-policies/{for_all}"), Value::Null), refused(409, "RbacPolicyInUse"));
    assert_eq!(lab.refused("PUT", &path, json!({"policy": {"shared": false}})), refused(409, "RbacPolicyInUse"));
    share(&lab, FRIEND);
    assert_eq!(lab.update(&path, "policy", json!({"shared": false}))["shared"], false);
    assert_eq!(lab.update(&path, "policy", json!({"shared": true}))["shared"], true);
    lab.accepted("DELETE", &format!("networks/{network}"), Value::Null);
    lab.accepted("DELETE", &path, Value::Null);
    let left = lab.show("rbac-policies");
    assert!(left.as_array().is_some_and(|left| left.iter().all(|policy| policy["object_type"] != "qos_policy")), "{left}");
}
