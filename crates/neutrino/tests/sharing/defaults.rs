//! What new security groups start with.

use crate::cloud::{ADMIN, Cloud, OWNER, STRANGER, USER, Who};
use serde_json::{Value, json};

const MANAGER: Who = Who(OWNER.0, "manager,member,reader");

/// Direction, family, protocol and remote group of a group's rules.
async fn rules(cloud: &Cloud, who: Who, group: &str) -> Vec<String> {
    let shown = cloud.get(who, &format!("security-groups/{group}")).await.ok();
    let rules = shown["security_group_rules"].as_array().expect("rules").iter();
    let text = |rule: &Value| {
        let itself = if rule["remote_group_id"] == group { "itself" } else { "anybody" };
        format!("{} {} {} {itself}", rule["direction"], rule["ethertype"], rule["protocol"]).replace('"', "")
    };
    let mut rules: Vec<String> = rules.map(text).collect();
    rules.sort();
    rules
}

async fn default_group(cloud: &Cloud, who: Who) -> String {
    cloud.ids(who, "security-groups?name=default").await.remove(0)
}

const OUT: [&str; 2] = ["egress IPv4 null anybody", "egress IPv6 null anybody"];
const OWN: [&str; 2] = ["ingress IPv4 null itself", "ingress IPv6 null itself"];

#[tokio::test]
async fn the_rules_to_begin_with() {
    let cloud = Cloud::new();
    assert!(cloud.ids(Who(USER.0, "none"), "default-security-group-rules").await.is_empty(), "only readers see them");
    let listed = cloud.get(USER, "default-security-group-rules?used_in_non_default_sg=false").await.ok();
    let listed = listed.as_array().expect("rules");
    assert_eq!(listed.len(), 2);
    let mut first = listed[0].clone();
    assert!(first.as_object_mut().expect("an object").remove("id").is_some());
    first["ethertype"] = json!("any");
    let expected = json!({
        "direction": "ingress", "ethertype": "any", "protocol": null, "port_range_min": null, "port_range_max": null,
        "remote_ip_prefix": null, "remote_group_id": "PARENT", "remote_address_group_id": null, "used_in_default_sg": true,
        "used_in_non_default_sg": false, "description": "Legacy default SG rule for ingress traffic",
    });
    assert_eq!(first, expected);
    assert_eq!(cloud.ids(USER, "default-security-group-rules").await.len(), 4, "they are made once");
    let group = cloud.made(USER, "security_group", json!({"name": "g"})).await;
    assert_eq!(rules(&cloud, USER, &group).await, OUT);
    assert_eq!(rules(&cloud, USER, &default_group(&cloud, USER).await).await, [OUT, OWN].concat());
}

#[tokio::test]
async fn new_groups_start_with_what_there_is_then() {
    let cloud = Cloud::new();
    let before = default_group(&cloud, STRANGER).await;
    let tcp = |default: bool, custom: bool| {
        json!({"direction": "ingress", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_group_id": "PARENT",
            "used_in_default_sg": default, "used_in_non_default_sg": custom})
    };
    let id = cloud.made(ADMIN, "default_security_group_rule", tcp(false, true)).await;
    assert_eq!(cloud.post(ADMIN, "default_security_group_rule", tcp(true, true)).await.refusal(), (409, "DefaultSecurityGroupRuleExists"));
    cloud.made(ADMIN, "default_security_group_rule", tcp(true, false)).await;
    let group = cloud.made(USER, "security_group", json!({"name": "g"})).await;
    let ssh = "ingress IPv4 tcp itself";
    assert_eq!(rules(&cloud, USER, &group).await, [OUT[0], OUT[1], ssh]);
    assert_eq!(rules(&cloud, USER, &default_group(&cloud, USER).await).await, [OUT[0], OUT[1], OWN[0], ssh, OWN[1]]);
    assert_eq!(rules(&cloud, STRANGER, &before).await, [OUT, OWN].concat(), "groups keep what they have");

    cloud.delete(ADMIN, "default_security_group_rule", &id).await.ok();
    for rule in cloud.ids(ADMIN, "default-security-group-rules?direction=egress").await {
        cloud.delete(ADMIN, "default_security_group_rule", &rule).await.ok();
    }
    let closed = cloud.made(USER, "security_group", json!({"name": "h"})).await;
    assert!(rules(&cloud, USER, &closed).await.is_empty(), "what was deleted does not come back");
}

#[tokio::test]
async fn rules_that_name_what_is_gone_are_left_out() {
    let cloud = Cloud::new();
    let remote = cloud.made(ADMIN, "security_group", json!({"name": "r"})).await;
    let list = cloud.made(ADMIN, "address_group", json!({"name": "l"})).await;
    let rule = |name: &str, id: &str| {
        let mut body = json!({"direction": "ingress", "used_in_default_sg": false, "used_in_non_default_sg": true});
        body[name] = json!(id);
        body
    };
    for (name, id) in [("remote_group_id", &remote), ("remote_address_group_id", &list)] {
        cloud.made(ADMIN, "default_security_group_rule", rule(name, id)).await;
    }
    let all = cloud.made(USER, "security_group", json!({"name": "g"})).await;
    assert_eq!(rules(&cloud, USER, &all).await.len(), 4);
    cloud.delete(USER, "security_group", &all).await.ok();
    cloud.delete(ADMIN, "security_group", &remote).await.ok();
    cloud.delete(ADMIN, "address_group", &list).await.ok();
    let left = cloud.made(USER, "security_group", json!({"name": "g"})).await;
    assert_eq!(rules(&cloud, USER, &left).await, OUT);
    for (name, value, expected) in [
        ("remote_group_id", json!("nonsense"), (404, "SecurityGroupNotFound")),
        ("remote_group_id", json!(remote), (404, "SecurityGroupNotFound")),
        ("remote_group_id", json!(5), (404, "SecurityGroupNotFound")),
        ("remote_address_group_id", json!(list), (404, "AddressGroupNotFound")),
        ("protocol", json!("nonsense"), (400, "SecurityGroupRuleInvalidProtocol")),
        ("port_range_min", json!(7), (400, "SecurityGroupProtocolRequiredWithPorts")),
        ("used_in_default_sg", json!("x"), (400, "InvalidInput")),
        ("direction", json!(null), (400, "HTTPBadRequest")),
    ] {
        let mut body = json!({"direction": "ingress", "used_in_default_sg": false, "used_in_non_default_sg": true});
        body[name] = value;
        assert_eq!(cloud.post(ADMIN, "default_security_group_rule", body.clone()).await.refusal(), expected, "{body}");
    }
    let body = json!({"direction": "ingress", "used_in_default_sg": false, "used_in_non_default_sg": true});
    assert_eq!(cloud.post(USER, "default_security_group_rule", body).await.refusal(), (403, "PolicyNotAuthorized"));
}

/// An administrator who looks for a project's default group finds it, as the project itself would.
#[tokio::test]
async fn an_administrator_sees_the_default_group_of_a_project() {
    let cloud = Cloud::new();
    let found = cloud.ids(ADMIN, &format!("security-groups?project_id={}&name=default", USER.0)).await;
    assert_eq!(found, [default_group(&cloud, USER).await]);
    assert!(cloud.ids(USER, &format!("security-groups?project_id={}", STRANGER.0)).await.is_empty());
    assert_eq!(cloud.ids(ADMIN, "security-groups?fields=id").await.len(), 2, "nobody else made one");
}

#[tokio::test]
async fn statefulness() {
    let cloud = Cloud::new();
    const KIND: &str = "security_group_default_statefulness";
    const PATH: &str = "security-groups-default-statefulness";
    let send = |who: Who, method: &'static str, path: String, body: Value| {
        let cloud = &cloud;
        async move { cloud.send(who, method, &path, json!({ KIND: body })).await }
    };
    let stateful = |who: Who, body: Value| {
        let cloud = &cloud;
        async move {
            let made = cloud.post(who, "security_group", body).await.ok();
            made["stateful"].as_bool().expect("a boolean")
        }
    };
    assert!(stateful(USER, json!({"name": "g"})).await);
    let all = send(ADMIN, "POST", PATH.to_owned(), json!({"project_id": null, "stateful": false})).await.ok();
    assert_eq!((&all["project_id"], &all["stateful"]), (&json!(null), &json!(false)));
    let again = send(ADMIN, "POST", PATH.to_owned(), json!({"project_id": null})).await;
    assert_eq!(again.refusal(), (409, "SecurityGroupDefaultStatefulnessAlreadyExists"));
    assert!(!stateful(USER, json!({"name": "g"})).await);
    assert!(stateful(USER, json!({"name": "g", "stateful": true})).await, "who says gets what he says");
    let own = send(MANAGER, "POST", PATH.to_owned(), json!({"stateful": true})).await.ok();
    assert_eq!(own["project_id"], OWNER.0);
    assert!(stateful(OWNER, json!({"name": "g"})).await && !stateful(USER, json!({"name": "g"})).await);
    assert_eq!(send(MANAGER, "POST", PATH.to_owned(), json!({"project_id": null})).await.0, 400);
    assert_eq!(send(USER, "POST", PATH.to_owned(), json!({"stateful": false})).await.refusal(), (403, "PolicyNotAuthorized"));
    let path = format!("{PATH}/{}", own["id"].as_str().expect("an id"));
    assert_eq!(send(MANAGER, "PUT", path.clone(), json!({"stateful": false})).await.ok()["stateful"], false);
    assert_eq!(send(STRANGER, "PUT", path.clone(), json!({"stateful": true})).await.0, 404);
    assert_eq!(send(MANAGER, "PUT", path.clone(), json!({"project_id": null})).await.0, 400);
    assert!(!stateful(OWNER, json!({"name": "h"})).await);
    assert_eq!(cloud.ids(MANAGER, PATH).await.len(), 1);
    assert_eq!(cloud.ids(ADMIN, PATH).await.len(), 2);
    cloud.send(MANAGER, "DELETE", &path, Value::Null).await.ok();
    assert_eq!(cloud.get(MANAGER, &path).await.refusal(), (404, "SecurityGroupDefaultStatefulnessNotFound"));
    for body in [json!([]), json!(5), json!(null), json!({"stateful": "x"})] {
        assert_eq!(send(ADMIN, "POST", PATH.to_owned(), body.clone()).await.0, 400, "{body}");
    }
}
