//! Networks that are shared with everybody or with one project.

use crate::cloud::{ADMIN, Cloud, OWNER, STRANGER, USER};
use serde_json::json;

const SHARED: &str = "access_as_shared";

#[tokio::test]
async fn a_network_is_there_for_the_project_it_is_shared_with_and_for_no_other() {
    let cloud = Cloud::new();
    let (network, subnet) = cloud.network(OWNER, "10.1.0.0/24").await;
    let show = format!("networks/{network}");
    assert_eq!(cloud.get(USER, &show).await.refusal(), (404, "NetworkNotFound"));
    let policy = cloud.shared(OWNER, ("network", &network), USER.0).await;
    assert_eq!(cloud.get(USER, &show).await.ok()["shared"], true);
    assert_eq!(cloud.get(OWNER, &show).await.ok()["shared"], false, "it is not shared with its owner");
    assert_eq!(cloud.get(ADMIN, &show).await.ok()["shared"], false);
    for path in ["networks", "networks?shared=true"] {
        assert_eq!(cloud.ids(USER, path).await, [network.as_str()], "{path}");
    }
    assert_eq!(cloud.ids(USER, "subnets?shared=true").await, [subnet.as_str()]);
    assert_eq!(cloud.get(USER, &format!("subnets/{subnet}")).await.ok()["id"], subnet.as_str());
    assert!(cloud.ids(USER, "networks?shared=false").await.is_empty());
    for path in ["networks", "subnets", "networks?shared=true"] {
        assert!(cloud.ids(STRANGER, path).await.is_empty(), "{path}");
    }
    assert_eq!(cloud.get(STRANGER, &show).await.refusal(), (404, "NetworkNotFound"));
    assert_eq!(cloud.put(USER, "network", &network, json!({"name": "mine"})).await.refusal(), (403, "PolicyNotAuthorized"));
    assert_eq!(cloud.put(STRANGER, "network", &network, json!({"name": "mine"})).await.refusal(), (404, "NetworkNotFound"));
    assert_eq!(cloud.get(USER, &format!("rbac-policies/{policy}")).await.0, 404, "the policy is its owner's");
}

#[tokio::test]
async fn ports_of_others_keep_their_access() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(OWNER, "10.1.0.0/24").await;
    let object = ("network", network.as_str());
    let on_it = json!({"network_id": network});
    assert_eq!(cloud.post(USER, "port", on_it.clone()).await.refusal(), (404, "NetworkNotFound"));
    let policy = cloud.shared(OWNER, object, USER.0).await;
    let port = cloud.made(USER, "port", on_it.clone()).await;
    let fixed = json!({"network_id": network, "fixed_ips": [{"ip_address": "10.1.0.77"}]});
    assert_eq!(cloud.post(USER, "port", fixed).await.refusal(), (403, "PolicyNotAuthorized"));
    assert_eq!(cloud.post(STRANGER, "port", on_it).await.refusal(), (404, "NetworkNotFound"));

    let refused = cloud.delete(OWNER, "rbac_policy", &policy).await;
    assert_eq!(refused.refusal(), (409, "RbacPolicyInUse"));
    let moved = json!({"target_tenant": STRANGER.0});
    assert_eq!(cloud.put(OWNER, "rbac_policy", &policy, moved.clone()).await.refusal(), (409, "RbacPolicyInUse"));
    assert_eq!(cloud.get(USER, &format!("networks/{network}")).await.0, 200, "a refusal changes nothing");

    let all = cloud.shared(ADMIN, object, "*").await;
    cloud.delete(OWNER, "rbac_policy", &policy).await.ok();
    assert_eq!(cloud.delete(ADMIN, "rbac_policy", &all).await.refusal(), (409, "RbacPolicyInUse"));
    let narrowed = json!({"target_tenant": USER.0});
    assert_eq!(cloud.put(ADMIN, "rbac_policy", &all, narrowed).await.refusal(), (409, "RbacPolicyInUse"));
    let kept = cloud.shared(OWNER, object, USER.0).await;
    cloud.delete(ADMIN, "rbac_policy", &all).await.ok();
    cloud.delete(OWNER, "port", &port).await.ok();
    cloud.put(OWNER, "rbac_policy", &kept, moved).await.ok();
    assert_eq!(cloud.get(STRANGER, &format!("networks/{network}")).await.0, 200);
    assert_eq!(cloud.get(USER, &format!("networks/{network}")).await.0, 404);
}

#[tokio::test]
async fn shared_of_a_network_is_a_policy_for_everybody() {
    let cloud = Cloud::new();
    let network = cloud.made(ADMIN, "network", json!({"shared": true})).await;
    let path = format!("rbac-policies?object_id={network}");
    let policy = cloud.get(ADMIN, &path).await.ok()[0].clone();
    let expected = json!({
        "id": policy["id"], "project_id": ADMIN.0, "tenant_id": ADMIN.0, "object_type": "network", "object_id": network,
        "target_tenant": "*", "action": SHARED,
    });
    assert_eq!(policy, expected);
    let show = format!("networks/{network}");
    assert_eq!(cloud.get(STRANGER, &show).await.ok()["shared"], true);
    let revision = cloud.get(ADMIN, &show).await.ok()["revision_number"].as_u64();
    cloud.delete(ADMIN, "rbac_policy", policy["id"].as_str().expect("an id")).await.ok();
    let after = cloud.get(ADMIN, &show).await.ok();
    assert_eq!(after["shared"], false);
    assert!(after["revision_number"].as_u64() > revision, "{after}");
    assert_eq!(cloud.get(STRANGER, &show).await.0, 404);

    cloud.put(ADMIN, "network", &network, json!({"shared": true})).await.ok();
    let port = cloud.made(USER, "port", json!({"network_id": network})).await;
    let unshared = json!({"shared": false});
    assert_eq!(cloud.put(ADMIN, "network", &network, unshared.clone()).await.refusal(), (409, "InvalidSharedSetting"));
    cloud.shared(ADMIN, ("network", &network), USER.0).await;
    cloud.put(ADMIN, "network", &network, unshared).await.ok();
    assert_eq!(cloud.get(USER, &show).await.ok()["shared"], true, "its own policy is left");
    assert_eq!(cloud.ids(ADMIN, &path).await.len(), 1);
    cloud.delete(USER, "port", &port).await.ok();
    cloud.delete(ADMIN, "network", &network).await.ok();
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty(), "policies go with their object");
}

#[tokio::test]
async fn routers_join_shared_networks() {
    let cloud = Cloud::new();
    let (network, subnet) = cloud.network(OWNER, "10.1.0.0/24").await;
    let router = cloud.made(USER, "router", json!({})).await;
    let join = format!("routers/{router}/add_router_interface");
    let body = json!({"subnet_id": subnet});
    assert_eq!(cloud.send(USER, "PUT", &join, body.clone()).await.0, 404);
    cloud.shared(OWNER, ("network", &network), USER.0).await;
    cloud.send(USER, "PUT", &join, body).await.ok();
}
