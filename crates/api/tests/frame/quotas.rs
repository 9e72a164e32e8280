//! Quotas: enforced on creates, read and set through the API.

use crate::toy::{Toy, registry};
use api::QuotaConfig;
use serde_json::{Value, json};

async fn create(toy: &Toy, count: usize) -> crate::client::Got {
    let networks: Vec<Value> = (0..count).map(|_| json!({})).collect();
    toy.client.by("p1", "member").post("/v2.0/networks", json!({ "networks": networks })).await
}

#[tokio::test]
async fn creates_stop_at_the_limit() {
    let toy = Toy::start().await;
    let set = toy.client.put("/v2.0/quotas/p1", json!({"quota": {"network": 3}})).await;
    assert_eq!((set.status, set.json()), (200, json!({"quota": {"network": 3, "port": 500}})));
    assert_eq!(create(&toy, 2).await.status, 201);
    create(&toy, 2).await.refused(409, "OverQuota", "Quota exceeded for resources: ['network'].");
    assert_eq!(create(&toy, 1).await.status, 201);
    create(&toy, 1).await.refused(409, "OverQuota", "Quota exceeded for resources: ['network'].");
    let reader = toy.client.by("p1", "reader").post("/v2.0/networks", json!({"network": {}})).await;
    assert_eq!(reader.fault().1, "OverQuota", "quota comes before policy");
    let other = toy.client.by("p2", "member").post("/v2.0/networks", json!({"network": {}})).await;
    assert_eq!(other.status, 201, "another project's networks do not count");
    let details = toy.client.get("/v2.0/quotas/p1/details.json").await.ok();
    assert_eq!(details["quota"]["network"], json!({"limit": 3, "used": 3, "reserved": 0}));
    assert_eq!(toy.client.put("/v2.0/quotas/p1", json!({"quota": {"network": -1}})).await.status, 200);
    assert_eq!(create(&toy, 120).await.status, 201);
}

#[tokio::test]
async fn limits_are_set_within_reason() {
    let toy = Toy::start().await;
    create(&toy, 2).await.ok();
    let put = |body: Value| toy.client.put("/v2.0/quotas/p1", json!({ "quota": body }));
    let below = "Quota limit 1 for network must be greater than or equal to already used 2";
    put(json!({"network": 1})).await.refused(400, "HTTPBadRequest", below);
    put(json!({"network": 5, "nope": 1})).await.refused(400, "HTTPBadRequest", "Unrecognized attribute(s) 'nope'");
    let small = "Invalid input for network. Reason: '-2' is too small - must be at least '-1'.";
    put(json!({"network": -2})).await.refused(400, "HTTPBadRequest", small);
    put(json!({"network": "x"})).await.refused(400, "InvalidInput", "Invalid input for operation: 'x' is not an integer.");
    assert_eq!(toy.client.get("/v2.0/quotas").await.ok(), json!({"quotas": []}), "refusals set nothing");
    assert_eq!(put(json!({"network": 1, "force": true, "check_limit": false})).await.status, 200);
    let listed = json!({"quotas": [{"network": 1, "port": 500, "project_id": "p1", "tenant_id": "p1"}]});
    assert_eq!(toy.client.get("/v2.0/quotas").await.ok(), listed);
    assert_eq!(toy.client.get("/v2.0/quotas/p1/default").await.ok(), json!({"quota": {"network": 100, "port": 500}}));
    assert_eq!(toy.client.delete("/v2.0/quotas/p1").await.status, 204);
    let missing = "Quota for project p1 could not be found.";
    toy.client.delete("/v2.0/quotas/p1").await.refused(404, "TenantQuotaNotFound", missing);
    assert_eq!(toy.client.get("/v2.0/quotas/p1").await.ok(), json!({"quota": {"network": 100, "port": 500}}));
}

#[tokio::test]
async fn only_some_may_look_and_only_administrators_may_set() {
    let toy = Toy::start().await;
    let member = toy.client.by("p1", "member");
    let refused =
        |got: crate::client::Got, rule: &str| got.refused(403, "PolicyNotAuthorized", &format!("rule:{rule} is disallowed by policy"));
    refused(member.get("/v2.0/quotas/p2").await, "get_quota");
    refused(member.get("/v2.0/quotas").await, "get_quota");
    refused(member.put("/v2.0/quotas/p1", json!({"quota": {"network": 1}})).await, "update_quota");
    refused(member.delete("/v2.0/quotas/p1").await, "delete_quota");
    let manager = toy.client.by("p1", "manager");
    assert_eq!(manager.get("/v2.0/quotas/p1").await.status, 200);
    refused(manager.get("/v2.0/quotas/p2").await, "get_quota");
    assert_eq!(member.get("/v2.0/quotas/tenant").await.ok(), json!({"tenant": {"tenant_id": "p1"}}));
    assert_eq!(member.get("/v2.0/quotas/project").await.ok(), json!({"project": {"project_id": "p1"}}));
    let post = toy.client.post("/v2.0/quotas", json!({"quota": {}})).await;
    post.refused(501, "HTTPNotImplemented", "POST requests are not supported on this resource.");
}

#[tokio::test]
async fn configured_limits() {
    let config = QuotaConfig { limits: [("network".to_owned(), 1)].into() };
    let toy = Toy::of(registry().quotas(&config)).await;
    assert_eq!(toy.client.get("/v2.0/quotas/p1").await.ok(), json!({"quota": {"network": 1, "port": 500}}));
    assert_eq!(create(&toy, 2).await.fault().1, "OverQuota");
}
