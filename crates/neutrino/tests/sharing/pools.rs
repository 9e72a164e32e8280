//! Subnet pools: whose they are, what subnets get of them.

use crate::cloud::{ADMIN, Cloud, OWNER, STRANGER, USER, Who};
use serde_json::{Value, json};

async fn pool(cloud: &Cloud, who: Who, more: Value) -> String {
    let mut body = json!({"name": "p", "prefixes": ["10.11.0.0/16"], "min_prefixlen": "26"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    cloud.made(who, "subnetpool", body).await
}

/// The prefix of a new subnet on a new network.
async fn subnet(cloud: &Cloud, who: Who, more: Value) -> crate::cloud::Answer {
    let network = cloud.made(who, "network", json!({})).await;
    let mut body = json!({"network_id": network, "ip_version": 4});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    cloud.post(who, "subnet", body).await
}

#[tokio::test]
async fn a_pool_as_it_is_shown() {
    let cloud = Cloud::new();
    let id = pool(&cloud, OWNER, json!({"prefixes": ["10.11.12.13/24", "10.11.13.0/24", "10.11.13.128/25"]})).await;
    let mut shown = cloud.get(OWNER, &format!("subnetpools/{id}")).await.ok();
    for time in ["created_at", "updated_at"] {
        assert!(shown.as_object_mut().expect("an object").remove(time).is_some());
    }
    let expected = json!({
        "id": id, "name": "p", "project_id": OWNER.0, "tenant_id": OWNER.0, "prefixes": ["10.11.12.0/23"], "default_quota": null,
        "ip_version": 4, "default_prefixlen": "26", "min_prefixlen": "26", "max_prefixlen": "32", "is_default": false, "shared": false,
        "address_scope_id": null, "description": "", "revision_number": 0, "tags": [],
    });
    assert_eq!(shown, expected);
    assert_eq!(cloud.get(STRANGER, &format!("subnetpools/{id}")).await.refusal(), (404, "SubnetPoolNotFound"));
    assert!(cloud.ids(STRANGER, "subnetpools").await.is_empty());
}

#[tokio::test]
async fn subnets_get_what_they_ask_for() {
    let cloud = Cloud::new();
    let id = pool(&cloud, OWNER, json!({"min_prefixlen": 24})).await;
    let cases = [
        (json!({}), "10.11.0.0/24"),
        (json!({"prefixlen": 26}), "10.11.1.0/26"),
        (json!({"cidr": "10.11.200.0/24"}), "10.11.200.0/24"),
        (json!({"prefixlen": 25}), "10.11.1.128/25"),
        (json!({}), "10.11.201.0/24"),
    ];
    for (mut ask, cidr) in cases {
        ask["subnetpool_id"] = json!(id);
        let made = subnet(&cloud, OWNER, ask.clone()).await.ok();
        assert_eq!((&made["cidr"], &made["subnetpool_id"]), (&json!(cidr), &json!(id)), "{ask}");
    }
    assert_eq!(cloud.ids(OWNER, &format!("subnets?subnetpool_id={id}")).await.len(), 5);
    let none = "00000000-0000-4000-8000-00000000beef";
    let cases = [
        (json!({"subnetpool_id": id, "prefixlen": 27, "cidr": "10.11.3.0/24"}), (400, "BadRequest")),
        (json!({"subnetpool_id": id, "prefixlen": 15}), (400, "MinPrefixSubnetAllocationError")),
        (json!({"subnetpool_id": id, "prefixlen": 64}), (400, "MaxPrefixSubnetAllocationError")),
        (json!({"subnetpool_id": id, "cidr": "10.11.0.0/26"}), (409, "SubnetAllocationError")),
        (json!({"subnetpool_id": id, "cidr": "10.12.0.0/26"}), (409, "SubnetAllocationError")),
        (json!({"subnetpool_id": id, "ip_version": 6}), (400, "BadRequest")),
        (json!({"subnetpool_id": id, "allocation_pools": [{"start": "10.11.9.2", "end": "10.11.9.3"}]}), (400, "BadRequest")),
        (json!({"subnetpool_id": id, "use_default_subnetpool": true}), (400, "BadRequest")),
        (json!({"use_default_subnetpool": true}), (400, "BadRequest")),
        (json!({"subnetpool_id": none}), (404, "SubnetPoolNotFound")),
        (json!({}), (400, "BadRequest")),
    ];
    for (ask, expected) in cases {
        assert_eq!(subnet(&cloud, OWNER, ask.clone()).await.refusal(), expected, "{ask}");
    }
    assert_eq!(subnet(&cloud, STRANGER, json!({"subnetpool_id": id})).await.refusal(), (404, "SubnetPoolNotFound"));
    assert_eq!(cloud.delete(OWNER, "subnetpool", &id).await.refusal(), (400, "SubnetPoolDeleteError"));
}

#[tokio::test]
async fn pools_that_are_refused() {
    let cloud = Cloud::new();
    let cases = [
        (json!({"prefixes": []}), (400, "EmptySubnetPoolPrefixList")),
        (json!({"prefixes": ["10.0.0.0/8", "fd00::/48"]}), (400, "PrefixVersionMismatch")),
        (json!({"prefixes": ["10.0.0.0/8", "10.0.0.0/8"]}), (400, "HTTPBadRequest")),
        (json!({"prefixes": ["10.0.0.0"]}), (400, "HTTPBadRequest")),
        (json!({"prefixes": "10.0.0.0/8"}), (400, "HTTPBadRequest")),
        (json!({"prefixes": [null, 5]}), (400, "HTTPBadRequest")),
        (json!({"name": " "}), (400, "HTTPBadRequest")),
        (json!({"min_prefixlen": 33}), (400, "IllegalSubnetPoolPrefixBounds")),
        (json!({"max_prefixlen": 33}), (400, "IllegalSubnetPoolPrefixBounds")),
        (json!({"default_prefixlen": 8}), (400, "IllegalSubnetPoolPrefixBounds")),
        (json!({"max_prefixlen": 28, "default_prefixlen": 29}), (400, "IllegalSubnetPoolPrefixBounds")),
        (json!({"min_prefixlen": -1}), (400, "HTTPBadRequest")),
        (json!({"default_quota": -1}), (400, "HTTPBadRequest")),
        (json!({"shared": true}), (403, "PolicyNotAuthorized")),
        (json!({"is_default": true}), (403, "PolicyNotAuthorized")),
        (json!({"address_scope_id": "x"}), (400, "HTTPBadRequest")),
        (json!({"address_scope_id": "00000000-0000-4000-8000-00000000beef"}), (404, "AddressScopeNotFound")),
    ];
    for (more, expected) in cases {
        let mut body = json!({"name": "p", "prefixes": ["10.11.0.0/16"], "min_prefixlen": 24});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(cloud.post(OWNER, "subnetpool", body).await.refusal(), expected, "{more}");
    }
    let id = pool(&cloud, OWNER, json!({})).await;
    for (body, expected) in [
        (json!({"prefixes": ["10.11.0.0/17"]}), (400, "IllegalSubnetPoolPrefixUpdate")),
        (json!({"shared": true}), (400, "HTTPBadRequest")),
        (json!({"project_id": USER.0}), (400, "HTTPBadRequest")),
        (json!({"max_prefixlen": 25}), (400, "IllegalSubnetPoolPrefixBounds")),
    ] {
        assert_eq!(cloud.put(OWNER, "subnetpool", &id, body.clone()).await.refusal(), expected, "{body}");
    }
    let grown = cloud.put(OWNER, "subnetpool", &id, json!({"prefixes": ["10.10.0.0/15"], "default_quota": 512})).await.ok();
    assert_eq!((&grown["prefixes"], &grown["default_quota"]), (&json!(["10.10.0.0/15"]), &json!(512)));
    for _ in 0..2 {
        subnet(&cloud, OWNER, json!({"subnetpool_id": id, "prefixlen": 26})).await.ok();
    }
    let over = subnet(&cloud, OWNER, json!({"subnetpool_id": id, "cidr": "10.10.8.0/23"})).await;
    assert_eq!(over.refusal(), (400, "MinPrefixSubnetAllocationError"));
}

#[tokio::test]
async fn the_default_pool() {
    let cloud = Cloud::new();
    let id = pool(&cloud, ADMIN, json!({"is_default": true})).await;
    let second = json!({"name": "q", "prefixes": ["10.20.0.0/16"], "is_default": true});
    assert_eq!(cloud.post(ADMIN, "subnetpool", second.clone()).await.refusal(), (400, "InvalidInput"));
    let six = json!({"name": "q", "prefixes": ["fd00::/48"], "is_default": true, "shared": true});
    cloud.made(ADMIN, "subnetpool", six).await;
    let ask = json!({"use_default_subnetpool": true});
    assert_eq!(subnet(&cloud, USER, ask.clone()).await.refusal(), (400, "BadRequest"), "it is not the user's to use");
    cloud.shared(ADMIN, ("subnetpool", &id), USER.0).await;
    assert_eq!(subnet(&cloud, USER, ask).await.ok()["cidr"], "10.11.0.0/26");
    let six = subnet(&cloud, USER, json!({"use_default_subnetpool": true, "ip_version": 6})).await.ok();
    assert_eq!(six["cidr"], "fd00::/64");
}

#[tokio::test]
async fn shared_pools_are_used_and_kept() {
    let cloud = Cloud::new();
    let id = pool(&cloud, OWNER, json!({})).await;
    let ask = json!({"subnetpool_id": id});
    assert_eq!(subnet(&cloud, USER, ask.clone()).await.refusal().0, 404);
    let policy = cloud.shared(OWNER, ("subnetpool", &id), USER.0).await;
    let made = subnet(&cloud, USER, ask).await.ok();
    assert_eq!(cloud.get(USER, &format!("subnetpools/{id}")).await.ok()["shared"], true);
    assert_eq!(cloud.put(USER, "subnetpool", &id, json!({"name": "x"})).await.0, 403);
    assert_eq!(cloud.delete(OWNER, "rbac_policy", &policy).await.refusal(), (409, "RbacPolicyInUse"));
    cloud.delete(USER, "subnet", made["id"].as_str().expect("an id")).await.ok();
    cloud.delete(OWNER, "rbac_policy", &policy).await.ok();
    cloud.shared(OWNER, ("subnetpool", &id), USER.0).await;
    cloud.delete(OWNER, "subnetpool", &id).await.ok();
    assert!(cloud.ids(ADMIN, "rbac-policies").await.is_empty());
}

#[tokio::test]
async fn prefixes_come_and_go() {
    let cloud = Cloud::new();
    let id = pool(&cloud, OWNER, json!({})).await;
    let act = |name: &'static str, prefixes: Value| {
        let (cloud, path) = (&cloud, format!("subnetpools/{id}/{name}"));
        async move { cloud.send(OWNER, "PUT", &path, json!({ "prefixes": prefixes })).await }
    };
    assert_eq!(act("add_prefixes", json!(["10.10.0.0/16", "10.20.0.0/16"])).await.1, json!({"prefixes": ["10.10.0.0/15", "10.20.0.0/16"]}));
    assert_eq!(
        act("remove_prefixes", json!(["10.20.0.0/16", "10.10.0.0/17"])).await.1,
        json!({"prefixes": ["10.10.128.0/17", "10.11.0.0/16"]})
    );
    assert_eq!(act("remove_prefixes", json!(["192.0.2.0/24"])).await.1, json!({"prefixes": ["10.10.128.0/17", "10.11.0.0/16"]}));
    subnet(&cloud, OWNER, json!({"subnetpool_id": id, "cidr": "10.11.0.0/26"})).await.ok();
    assert_eq!(act("remove_prefixes", json!(["10.11.0.0/24"])).await.refusal(), (400, "IllegalSubnetPoolPrefixUpdate"));
    for wrong in [json!([]), json!("10.0.0.0/8"), json!([5]), json!(["x"]), json!(null)] {
        assert_eq!(act("add_prefixes", wrong.clone()).await.0, 400, "{wrong}");
        assert_eq!(act("remove_prefixes", wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(act("add_prefixes", json!(["fd00::/48"])).await.refusal(), (400, "PrefixVersionMismatch"));
    let path = format!("subnetpools/{id}/add_prefixes");
    assert_eq!(cloud.send(STRANGER, "PUT", &path, json!({"prefixes": ["10.30.0.0/16"]})).await.0, 404);
}

#[tokio::test]
async fn a_network_is_of_one_pool() {
    let cloud = Cloud::new();
    let (first, second) = (pool(&cloud, OWNER, json!({})).await, pool(&cloud, OWNER, json!({"prefixes": ["10.20.0.0/16"]})).await);
    let (network, own) = cloud.network(OWNER, "10.30.0.0/24").await;
    let from = |pool: &str| json!({"network_id": network, "ip_version": 4, "subnetpool_id": pool});
    assert_eq!(cloud.post(OWNER, "subnet", from(&first)).await.refusal(), (400, "NetworkSubnetPoolAffinityError"));
    let path = format!("subnetpools/{first}/onboard_network_subnets");
    let onboard = json!({"network_id": network});
    assert_eq!(cloud.send(USER, "PUT", &path, onboard.clone()).await.0, 404);
    let answer = cloud.send(OWNER, "PUT", &path, onboard.clone()).await;
    assert_eq!((answer.0, answer.1), (200, json!([{"id": own, "cidr": "10.30.0.0/24"}])));
    assert_eq!(cloud.get(OWNER, &format!("subnetpools/{first}")).await.ok()["prefixes"], json!(["10.11.0.0/16", "10.30.0.0/24"]));
    assert_eq!(cloud.get(OWNER, &format!("subnets/{own}")).await.ok()["subnetpool_id"], first.as_str());
    assert_eq!(cloud.send(OWNER, "PUT", &path, onboard).await.refusal(), (400, "IllegalSubnetPoolUpdate"), "it is there already");
    cloud.made(OWNER, "subnet", from(&first)).await;
    assert_eq!(cloud.post(OWNER, "subnet", from(&second)).await.refusal(), (400, "NetworkSubnetPoolAffinityError"));
    for wrong in [json!({}), json!({"network_id": null}), json!({"network_id": 5})] {
        assert_eq!(cloud.send(OWNER, "PUT", &path, wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(cloud.send(OWNER, "PUT", &path, json!({"network_id": "x"})).await.refusal(), (404, "NetworkNotFound"));
    let (foreign, _) = cloud.network(USER, "10.40.0.0/24").await;
    let foreign_network = json!({"network_id": foreign});
    assert_eq!(cloud.send(OWNER, "PUT", &path, foreign_network.clone()).await.refusal(), (404, "NetworkNotFound"));
    cloud.shared(USER, ("network", &foreign), OWNER.0).await;
    assert_eq!(cloud.send(OWNER, "PUT", &path, foreign_network).await.refusal(), (403, "NotAuthorized"));
}
