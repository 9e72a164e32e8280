//! Networks that are external for some projects.

use crate::cloud::{ADMIN, Cloud, OWNER, STRANGER, USER};
use serde_json::json;

const EXTERNAL: &str = "access_as_external";

#[tokio::test]
async fn router_external_is_a_policy_for_everybody() {
    let cloud = Cloud::new();
    let network = cloud.made(ADMIN, "network", json!({"router:external": true})).await;
    let path = format!("rbac-policies?object_id={network}&action={EXTERNAL}&target_tenant=*");
    assert_eq!(cloud.ids(ADMIN, &path).await.len(), 1);
    cloud.put(ADMIN, "network", &network, json!({"router:external": false})).await.ok();
    assert!(cloud.ids(ADMIN, &path).await.is_empty());
    assert_eq!(cloud.get(USER, &format!("networks/{network}")).await.0, 404);
    cloud.put(ADMIN, "network", &network, json!({"router:external": true})).await.ok();
    assert_eq!(cloud.ids(ADMIN, &path).await.len(), 1);
    let seen = cloud.get(USER, &format!("networks/{network}")).await.ok();
    assert_eq!((&seen["router:external"], &seen["shared"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_network_is_external_while_it_has_policies_that_say_so() {
    let cloud = Cloud::new();
    let (network, subnet) = cloud.network(OWNER, "10.9.0.0/24").await;
    let object = ("network", network.as_str());
    let mut policies = Vec::new();
    for target in [OWNER.0, USER.0] {
        policies.push(cloud.share(OWNER, object, EXTERNAL, target).await.ok()["id"].as_str().expect("an id").to_owned());
        assert_eq!(cloud.get(OWNER, &format!("networks/{network}")).await.ok()["router:external"], true);
    }
    assert_eq!(cloud.ids(USER, "networks?router:external=true").await, [network.as_str()]);
    assert_eq!(cloud.ids(USER, "subnets").await, [subnet.as_str()]);
    assert!(cloud.ids(STRANGER, "networks").await.is_empty() && cloud.ids(STRANGER, "subnets").await.is_empty());
    assert_eq!(cloud.get(STRANGER, &format!("networks/{network}")).await.0, 404);
    assert_eq!(cloud.get(STRANGER, &format!("subnets/{subnet}")).await.0, 404);
    assert_eq!(cloud.post(USER, "port", json!({"network_id": network})).await.refusal(), (403, "PolicyNotAuthorized"));
    for policy in policies {
        assert_eq!(cloud.get(OWNER, &format!("networks/{network}")).await.ok()["router:external"], true);
        cloud.delete(OWNER, "rbac_policy", &policy).await.ok();
    }
    assert_eq!(cloud.get(OWNER, &format!("networks/{network}")).await.ok()["router:external"], false);
}

#[tokio::test]
async fn gateways_and_floating_ips_need_a_policy_and_keep_it() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(ADMIN, "172.24.4.0/24").await;
    let object = ("network", network.as_str());
    cloud.share(ADMIN, object, EXTERNAL, ADMIN.0).await.ok();
    let floating = json!({"floating_network_id": network});
    let gateway = json!({"external_gateway_info": {"network_id": network}});
    assert_eq!(cloud.post(USER, "floatingip", floating.clone()).await.refusal(), (404, "NetworkNotFound"));
    assert_eq!(cloud.post(USER, "router", gateway.clone()).await.refusal().0, 404);
    let own = cloud.share(ADMIN, object, EXTERNAL, USER.0).await.ok()["id"].as_str().expect("an id").to_owned();
    cloud.made(USER, "floatingip", floating).await;
    let router = cloud.made(USER, "router", gateway).await;

    let all = cloud.share(ADMIN, object, EXTERNAL, "*").await.ok()["id"].as_str().expect("an id").to_owned();
    cloud.delete(ADMIN, "rbac_policy", &own).await.ok();
    assert_eq!(cloud.delete(ADMIN, "rbac_policy", &all).await.refusal(), (409, "RbacPolicyInUse"));
    let elsewhere = json!({"target_tenant": STRANGER.0});
    assert_eq!(cloud.put(ADMIN, "rbac_policy", &all, elsewhere).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.put(ADMIN, "rbac_policy", &all, json!({"target_tenant": USER.0})).await.ok();
    assert_eq!(cloud.delete(ADMIN, "rbac_policy", &all).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.delete(USER, "router", &router).await.ok();
    cloud.delete(ADMIN, "rbac_policy", &all).await.ok();
}

/// The owner needs no policy for its own gateway, but the network would be none to have gateways on.
#[tokio::test]
async fn the_last_policy_stays_while_there_are_gateways() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(OWNER, "172.24.4.0/24").await;
    let policy = cloud.share(OWNER, ("network", &network), EXTERNAL, USER.0).await.ok()["id"].as_str().expect("an id").to_owned();
    let router = cloud.made(OWNER, "router", json!({"external_gateway_info": {"network_id": network}})).await;
    assert_eq!(cloud.delete(OWNER, "rbac_policy", &policy).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.delete(OWNER, "router", &router).await.ok();
    cloud.delete(OWNER, "rbac_policy", &policy).await.ok();
}
