//! Address scopes: what is once in them.

use crate::cloud::{ADMIN, Cloud, OWNER, STRANGER, USER};
use serde_json::json;

#[tokio::test]
async fn a_scope_as_it_is_shown() {
    let cloud = Cloud::new();
    let id = cloud.made(OWNER, "address_scope", json!({"name": "s", "ip_version": 4})).await;
    let expected = json!({"id": id, "name": "s", "project_id": OWNER.0, "tenant_id": OWNER.0, "shared": false, "ip_version": 4});
    assert_eq!(cloud.get(OWNER, &format!("address-scopes/{id}")).await.ok(), expected);
    assert_eq!(cloud.get(STRANGER, &format!("address-scopes/{id}")).await.refusal(), (404, "AddressScopeNotFound"));
    assert_eq!(cloud.put(OWNER, "address_scope", &id, json!({"name": "t"})).await.ok()["name"], "t");
    for (body, expected) in [
        (json!({"name": "s"}), (400, "HTTPBadRequest")),
        (json!({"name": "s", "ip_version": 5}), (400, "HTTPBadRequest")),
        (json!({"name": "s", "ip_version": 4, "shared": true}), (403, "PolicyNotAuthorized")),
    ] {
        assert_eq!(cloud.post(OWNER, "address_scope", body.clone()).await.refusal(), expected, "{body}");
    }
    assert_eq!(cloud.put(OWNER, "address_scope", &id, json!({"ip_version": 6})).await.refusal(), (400, "HTTPBadRequest"));
    assert_eq!(cloud.put(OWNER, "address_scope", &id, json!({"shared": true})).await.refusal(), (403, "PolicyNotAuthorized"));
    cloud.put(ADMIN, "address_scope", &id, json!({"shared": true})).await.ok();
    assert_eq!(cloud.get(STRANGER, &format!("address-scopes/{id}")).await.ok()["shared"], true);
    assert_eq!(cloud.put(ADMIN, "address_scope", &id, json!({"shared": false})).await.refusal(), (400, "AddressScopeUpdateError"));
    cloud.delete(OWNER, "address_scope", &id).await.ok();
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty());
}

#[tokio::test]
async fn prefixes_are_once_in_a_scope() {
    let cloud = Cloud::new();
    let scope = cloud.made(OWNER, "address_scope", json!({"name": "s", "ip_version": 4})).await;
    let pool = |prefixes: &[&str]| json!({"name": "p", "prefixes": prefixes, "min_prefixlen": 24, "address_scope_id": scope});
    let first = cloud.made(OWNER, "subnetpool", pool(&["20.0.0.0/18", "30.0.0.0/18"])).await;
    let conflict = (409, "AddressScopePrefixConflict");
    assert_eq!(cloud.post(OWNER, "subnetpool", pool(&["40.0.0.0/18", "30.0.0.0/12"])).await.refusal(), conflict);
    let second = cloud.made(OWNER, "subnetpool", pool(&["20.10.0.0/24"])).await;
    assert_eq!(cloud.put(OWNER, "subnetpool", &first, json!({"prefixes": ["20.0.0.0/12", "30.0.0.0/18"]})).await.refusal(), conflict);
    let path = format!("subnetpools/{second}/add_prefixes");
    assert_eq!(cloud.send(OWNER, "PUT", &path, json!({"prefixes": ["30.0.1.0/24"]})).await.refusal(), conflict);
    let six = json!({"name": "p", "prefixes": ["fd00::/48"], "address_scope_id": scope});
    let family = (400, "IllegalSubnetPoolIpVersionAssociationToAddressScope");
    assert_eq!(cloud.post(OWNER, "subnetpool", six).await.refusal(), family);
    assert_eq!(cloud.delete(OWNER, "address_scope", &scope).await.refusal(), (409, "AddressScopeInUse"));
    let free = cloud.put(OWNER, "subnetpool", &second, json!({"address_scope_id": null})).await.ok();
    assert!(free["address_scope_id"].is_null());
    cloud.delete(OWNER, "subnetpool", &first).await.ok();
    cloud.delete(OWNER, "address_scope", &scope).await.ok();
}

#[tokio::test]
async fn shared_scopes() {
    let cloud = Cloud::new();
    let scope = cloud.made(OWNER, "address_scope", json!({"name": "s", "ip_version": 4})).await;
    let pool = json!({"name": "p", "prefixes": ["10.0.0.0/16"], "address_scope_id": scope});
    assert_eq!(cloud.post(USER, "subnetpool", pool.clone()).await.refusal(), (404, "AddressScopeNotFound"));
    let policy = cloud.shared(OWNER, ("address_scope", &scope), USER.0).await;
    let pool = cloud.made(USER, "subnetpool", pool).await;
    assert_eq!(cloud.put(USER, "subnetpool", &pool, json!({"name": "q"})).await.refusal(), (400, "IllegalSubnetPoolUpdate"));
    assert_eq!(cloud.delete(OWNER, "rbac_policy", &policy).await.refusal(), (409, "RbacPolicyInUse"));
    let without_scope = cloud.share(USER, ("subnetpool", &pool), "access_as_shared", STRANGER.0).await;
    assert_eq!(without_scope.refusal(), (400, "InvalidInput"));
    cloud.shared(OWNER, ("address_scope", &scope), STRANGER.0).await;
    cloud.shared(USER, ("subnetpool", &pool), STRANGER.0).await;
    cloud.shared(USER, ("subnetpool", &pool), OWNER.0).await;
}

#[tokio::test]
async fn networks_are_in_the_scope_of_their_pools() {
    let cloud = Cloud::new();
    let scope = cloud.made(OWNER, "address_scope", json!({"name": "s", "ip_version": 4})).await;
    let mut pools = Vec::new();
    for (prefix, scope) in [("10.1.0.0/16", Some(&scope)), ("10.2.0.0/16", Some(&scope)), ("10.3.0.0/16", None)] {
        let body = json!({"name": "p", "prefixes": [prefix], "default_prefixlen": 24, "address_scope_id": scope});
        pools.push(cloud.made(OWNER, "subnetpool", body).await);
    }
    let network = cloud.made(OWNER, "network", json!({})).await;
    let from = |pool: &str| json!({"network_id": network, "ip_version": 4, "subnetpool_id": pool});
    cloud.made(OWNER, "subnet", from(&pools[0])).await;
    cloud.made(OWNER, "subnet", from(&pools[1])).await;
    let affinity = (400, "NetworkAddressScopeAffinityError");
    assert_eq!(cloud.post(OWNER, "subnet", from(&pools[2])).await.refusal(), affinity);
    let by_hand = json!({"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24"});
    assert_eq!(cloud.post(OWNER, "subnet", by_hand).await.refusal(), (400, "NetworkSubnetPoolAffinityError"));
    let shown = cloud.get(OWNER, &format!("networks/{network}")).await.ok();
    assert_eq!((&shown["ipv4_address_scope"], &shown["ipv6_address_scope"]), (&json!(scope), &json!(null)));
    assert_eq!(cloud.put(OWNER, "subnetpool", &pools[0], json!({"address_scope_id": null})).await.refusal(), affinity);
    cloud.put(OWNER, "subnetpool", &pools[0], json!({"name": "renamed"})).await.ok();
}
