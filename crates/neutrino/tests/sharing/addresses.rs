//! Address groups: lists that rules name.

use crate::cloud::{ADMIN, Answer, Cloud, OWNER, STRANGER, USER, Who};
use serde_json::{Value, json};

async fn act(cloud: &Cloud, who: Who, id: &str, name: &str, addresses: Value) -> Answer {
    cloud.send(who, "PUT", &format!("address-groups/{id}/{name}"), json!({ "addresses": addresses })).await
}

#[tokio::test]
async fn addresses_come_and_go() {
    let cloud = Cloud::new();
    let body = json!({"name": "g", "description": "d", "addresses": ["192.168.0.10/24", "2001:db8::f00/64", "10.10.10.3/32"]});
    let id = cloud.made(OWNER, "address_group", body).await;
    let mut shown = cloud.get(OWNER, &format!("address-groups/{id}")).await.ok();
    for time in ["created_at", "updated_at", "revision_number"] {
        assert!(shown.as_object_mut().expect("an object").remove(time).is_some());
    }
    let expected = json!({
        "id": id, "name": "g", "description": "d", "project_id": OWNER.0, "tenant_id": OWNER.0,
        "addresses": ["10.10.10.3/32", "192.168.0.0/24", "2001:db8::/64"],
    });
    assert_eq!(shown, expected);
    let added = act(&cloud, OWNER, &id, "add_addresses", json!(["10.20.30.40", "10.20.30.40/32"])).await.ok();
    assert_eq!(added["addresses"], json!(["10.10.10.3/32", "10.20.30.40/32", "192.168.0.0/24", "2001:db8::/64"]));
    let removed = act(&cloud, OWNER, &id, "remove_addresses", json!(["192.168.0.9/24", "2001:db8::/64"])).await.ok();
    assert_eq!(removed["addresses"], json!(["10.10.10.3/32", "10.20.30.40/32"]));
    for (name, addresses, expected) in [
        ("add_addresses", json!(["10.10.10.3"]), (400, "AddressesAlreadyExist")),
        ("remove_addresses", json!(["10.200.200.200"]), (404, "AddressesNotFound")),
        ("add_addresses", json!(["nonsense"]), (400, "AddrFormatError")),
        ("remove_addresses", json!(["10.10.10.3", 5]), (400, "AddrFormatError")),
        ("add_addresses", json!("10.0.0.1"), (400, "HTTPBadRequest")),
        ("add_addresses", json!(null), (400, "HTTPBadRequest")),
    ] {
        assert_eq!(act(&cloud, OWNER, &id, name, addresses.clone()).await.refusal(), expected, "{name} {addresses}");
    }
    for wrong in [json!(["10.20.30.40"]), json!(["x"]), json!(["10.0.0.0/8", "10.0.0.0/8"]), json!(5), json!([null])] {
        assert_eq!(cloud.post(OWNER, "address_group", json!({"addresses": wrong})).await.0, 400, "{wrong}");
    }
    assert_eq!(cloud.put(OWNER, "address_group", &id, json!({"addresses": []})).await.refusal(), (400, "HTTPBadRequest"));
    assert_eq!(cloud.get(STRANGER, &format!("address-groups/{id}")).await.refusal(), (404, "AddressGroupNotFound"));
    assert_eq!(act(&cloud, STRANGER, &id, "add_addresses", json!(["10.0.0.1"])).await.0, 404);
    cloud.delete(OWNER, "address_group", &id).await.ok();
}

#[tokio::test]
async fn rules_name_them() {
    let cloud = Cloud::new();
    let group = cloud.made(USER, "security_group", json!({"name": "db"})).await;
    let list = cloud.made(OWNER, "address_group", json!({"name": "g"})).await;
    let rule = json!({"security_group_id": group, "direction": "ingress", "remote_address_group_id": list});
    assert_eq!(cloud.post(USER, "security_group_rule", rule.clone()).await.refusal(), (404, "AddressGroupNotFound"));
    let policy = cloud.shared(OWNER, ("address_group", &list), USER.0).await;
    assert_eq!(cloud.put(USER, "address_group", &list, json!({"name": "x"})).await.0, 404);
    assert_eq!(cloud.ids(USER, "address-groups").await, [list.as_str()]);
    let made = cloud.post(USER, "security_group_rule", rule.clone()).await.ok();
    assert_eq!(made["remote_address_group_id"], list.as_str());
    let id = made["id"].as_str().expect("an id");
    assert_eq!(cloud.post(USER, "security_group_rule", rule.clone()).await.refusal(), (409, "SecurityGroupRuleExists"));
    assert_eq!(cloud.ids(USER, &format!("security-group-rules?remote_address_group_id={list}")).await, [id]);
    let shown = cloud.get(USER, &format!("security-groups/{group}")).await.ok();
    let rules = shown["security_group_rules"].as_array().expect("rules");
    assert!(rules.iter().any(|rule| rule["remote_address_group_id"] == list.as_str()), "{rules:?}");
    for more in [json!({"remote_ip_prefix": "10.0.0.0/8"}), json!({"remote_group_id": group})] {
        let mut body = rule.clone();
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(cloud.post(USER, "security_group_rule", body).await.refusal(), (400, "SecurityGroupMultipleRemoteEntites"), "{more}");
    }
    assert_eq!(cloud.delete(OWNER, "address_group", &list).await.refusal(), (409, "AddressGroupInUse"));
    assert_eq!(cloud.delete(OWNER, "rbac_policy", &policy).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.delete(USER, "security_group_rule", id).await.ok();
    cloud.delete(OWNER, "address_group", &list).await.ok();
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty());
}
