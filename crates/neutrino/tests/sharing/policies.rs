//! The resource `rbac-policies` itself.

use crate::cloud::{ADMIN, Cloud, OWNER, STRANGER, USER};
use serde_json::{Value, json};

const SHARED: &str = "access_as_shared";

#[tokio::test]
async fn what_is_refused() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(OWNER, "10.1.0.0/24").await;
    let group = cloud.made(OWNER, "security_group", json!({"name": "g"})).await;
    let nothing = "00000000-0000-4000-8000-00000000beef";
    let invalid = (400, "InvalidInput");
    let cases = [
        (OWNER, "network", network.as_str(), SHARED, "p2", invalid),
        (OWNER, "foo", &network, SHARED, USER.0, invalid),
        (OWNER, "network", &network, "foo", USER.0, (400, "InvalidActionForType")),
        (OWNER, "security_group", &group, "access_as_external", USER.0, (400, "InvalidActionForType")),
        (OWNER, "network", nothing, SHARED, USER.0, invalid),
        (OWNER, "security_group", &network, SHARED, USER.0, invalid),
        (STRANGER, "network", &network, SHARED, STRANGER.0, invalid),
        (STRANGER, "security_group", &group, SHARED, STRANGER.0, invalid),
        (OWNER, "network", "x", SHARED, USER.0, (400, "HTTPBadRequest")),
        (OWNER, "network", &network, SHARED, "*", (403, "PolicyNotAuthorized")),
        (OWNER, "network", &network, "access_as_external", "*", (403, "PolicyNotAuthorized")),
    ];
    for (who, object_type, object, action, target, expected) in cases {
        let answer = cloud.share(who, (object_type, object), action, target).await;
        assert_eq!(answer.refusal(), expected, "{object_type} {action} {target}: {}", answer.message());
    }
    let action = cloud.share(OWNER, ("security_group", &group), "x", USER.0).await;
    assert_eq!(action.message(), "Invalid action 'x' for object type 'security_group'. Valid actions: ('access_as_shared',)");
    for hostile in [json!(null), json!(5), json!([]), json!({}), json!(["*"])] {
        for name in ["object_type", "object_id", "target_tenant", "action"] {
            let mut body = json!({"object_type": "network", "object_id": network, "action": SHARED, "target_tenant": USER.0});
            body[name] = hostile.clone();
            assert_eq!(cloud.post(OWNER, "rbac_policy", body).await.0, 400, "{name} {hostile}");
        }
    }
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty());
}

/// One who may use an object of somebody else may not pass it on.
#[tokio::test]
async fn only_owners_share() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(OWNER, "10.1.0.0/24").await;
    let object = ("network", network.as_str());
    let policy = cloud.shared(OWNER, object, USER.0).await;
    let passed_on = cloud.share(USER, object, SHARED, STRANGER.0).await;
    assert_eq!(passed_on.refusal(), (400, "InvalidInput"));
    assert!(passed_on.message().contains("Only admins can manipulate policies on networks they do not own"));
    assert_eq!(cloud.share(OWNER, object, SHARED, USER.0).await.refusal(), (409, "DuplicateRbacPolicy"));
    let other = cloud.shared(OWNER, object, STRANGER.0).await;
    let same = json!({"target_tenant": USER.0});
    assert_eq!(cloud.put(OWNER, "rbac_policy", &other, same).await.refusal(), (409, "DuplicateRbacPolicy"));
    assert_eq!(cloud.put(OWNER, "rbac_policy", &other, json!({"target_tenant": "*"})).await.refusal(), (403, "PolicyNotAuthorized"));
    let fixed = json!({"action": "access_as_external"});
    assert_eq!(cloud.put(OWNER, "rbac_policy", &other, fixed).await.refusal(), (400, "HTTPBadRequest"));
    for id in [&policy, &other] {
        assert_eq!(cloud.put(USER, "rbac_policy", id, json!({"target_tenant": USER.0})).await.refusal(), (404, "RbacPolicyNotFound"));
        assert_eq!(cloud.delete(USER, "rbac_policy", id).await.refusal(), (404, "RbacPolicyNotFound"));
    }
}

/// A project is cut off from its own network by nobody, whoever shared it.
#[tokio::test]
async fn sharing_with_oneself_holds_nothing() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(OWNER, "10.1.0.0/24").await;
    let object = ("network", network.as_str());
    cloud.made(OWNER, "port", json!({"network_id": network})).await;
    let itself = cloud.shared(OWNER, object, OWNER.0).await;
    cloud.put(OWNER, "rbac_policy", &itself, json!({"target_tenant": USER.0})).await.ok();
    cloud.delete(OWNER, "rbac_policy", &itself).await.ok();
}

#[tokio::test]
async fn lists_and_quota() {
    let cloud = Cloud::new();
    let (network, _) = cloud.network(OWNER, "10.1.0.0/24").await;
    let group = cloud.made(OWNER, "security_group", json!({"name": "g"})).await;
    let of_group = cloud.shared(OWNER, ("security_group", &group), USER.0).await;
    for n in 0..9 {
        cloud.shared(OWNER, ("network", &network), &format!("{n:032x}")).await;
    }
    let more = cloud.share(OWNER, ("network", &network), SHARED, STRANGER.0).await;
    assert_eq!(more.refusal(), (409, "OverQuota"));
    assert_eq!(cloud.ids(OWNER, "rbac-policies").await.len(), 10);
    assert!(cloud.ids(USER, "rbac-policies").await.is_empty());
    assert_eq!(cloud.ids(OWNER, "rbac-policies?object_type=security_group").await, [of_group.as_str()]);
    assert_eq!(cloud.ids(OWNER, &format!("rbac-policies?object_id={network}")).await.len(), 9);
    let shown = cloud.get(OWNER, &format!("rbac-policies/{of_group}?fields=id&fields=action")).await.ok();
    assert_eq!(shown, json!({"id": of_group, "action": SHARED}));
    let used = cloud.get(ADMIN, &format!("quotas/{}/details", OWNER.0)).await.ok();
    assert_eq!((&used["rbac_policy"]["limit"], &used["rbac_policy"]["used"]), (&Value::from(10), &Value::from(10)));
}

/// What networks, ports and others have of a policy keeps it shared.
#[tokio::test]
async fn qos_policies() {
    let cloud = Cloud::new();
    let made = cloud.send(ADMIN, "POST", "qos/policies", json!({"policy": {"name": "q"}})).await.ok();
    let id = made["id"].as_str().expect("an id");
    let with = json!({"qos_policy_id": id});
    assert_eq!(cloud.post(USER, "network", with.clone()).await.refusal(), (404, "QosPolicyNotFound"));
    let policy = cloud.shared(ADMIN, ("qos_policy", id), USER.0).await;
    assert_eq!(cloud.get(USER, &format!("qos/policies/{id}")).await.ok()["shared"], true);
    assert_eq!(cloud.ids(USER, "qos/policies?shared=true").await, [id]);
    assert!(cloud.ids(STRANGER, "qos/policies").await.is_empty());
    let network = cloud.made(USER, "network", with).await;
    assert_eq!(cloud.delete(ADMIN, "rbac_policy", &policy).await.refusal(), (409, "RbacPolicyInUse"));
    let shared = |shared: bool| {
        let (cloud, path) = (&cloud, format!("qos/policies/{id}"));
        async move { cloud.send(ADMIN, "PUT", &path, json!({"policy": {"shared": shared}})).await }
    };
    shared(true).await.ok();
    assert_eq!(cloud.ids(ADMIN, &format!("rbac-policies?object_id={id}&target_tenant=*")).await.len(), 1);
    cloud.delete(ADMIN, "rbac_policy", &policy).await.ok();
    assert_eq!(shared(false).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.delete(USER, "network", &network).await.ok();
    shared(false).await.ok();
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty());
    shared(true).await.ok();
    cloud.send(ADMIN, "DELETE", &format!("qos/policies/{id}"), Value::Null).await.ok();
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty());
}
