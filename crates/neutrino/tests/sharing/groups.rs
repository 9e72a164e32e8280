//! Security groups that are shared.

use crate::cloud::{Cloud, OWNER, STRANGER, USER};
use serde_json::json;

#[tokio::test]
async fn a_shared_group_filters_ports_of_others() {
    let cloud = Cloud::new();
    let group = cloud.made(OWNER, "security_group", json!({"name": "web"})).await;
    let (network, _) = cloud.network(USER, "10.1.0.0/24").await;
    let port = json!({"network_id": network, "security_groups": [group]});
    assert_eq!(cloud.post(USER, "port", port.clone()).await.refusal(), (404, "SecurityGroupNotFound"));
    let policy = cloud.shared(OWNER, ("security_group", &group), USER.0).await;
    let show = format!("security-groups/{group}");
    assert_eq!(cloud.get(USER, &show).await.ok()["shared"], true);
    assert_eq!(cloud.get(OWNER, &show).await.ok()["shared"], false);
    assert_eq!(cloud.ids(USER, "security-groups?shared=true").await, [group.as_str()]);
    assert_eq!(cloud.ids(USER, "security-groups").await.len(), 2, "and its default group");
    assert!(cloud.ids(STRANGER, "security-groups?shared=true").await.is_empty());
    assert_eq!(cloud.put(USER, "security_group", &group, json!({"name": "x"})).await.refusal(), (403, "PolicyNotAuthorized"));

    let port = cloud.made(USER, "port", port).await;
    assert_eq!(cloud.delete(OWNER, "rbac_policy", &policy).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.delete(USER, "port", &port).await.ok();
    cloud.delete(OWNER, "rbac_policy", &policy).await.ok();
    assert_eq!(cloud.get(USER, &show).await.0, 404);
}

#[tokio::test]
async fn a_shared_group_can_be_a_remote_group() {
    let cloud = Cloud::new();
    let remote = cloud.made(OWNER, "security_group", json!({"name": "web"})).await;
    let group = cloud.made(USER, "security_group", json!({"name": "db"})).await;
    let rule = json!({"security_group_id": group, "direction": "ingress", "remote_group_id": remote});
    assert_eq!(cloud.post(USER, "security_group_rule", rule.clone()).await.refusal(), (404, "SecurityGroupNotFound"));
    cloud.shared(OWNER, ("security_group", &remote), USER.0).await;
    cloud.made(USER, "security_group_rule", rule).await;
}
