//! Bodies of creates and updates: each refusal in the reference's words, in its order, and nothing changed by it.

use crate::toy::Toy;
use serde_json::{Value, json};

const BAD: &str = "HTTPBadRequest";

#[tokio::test]
async fn a_create_shows_what_was_made() {
    let toy = Toy::start().await;
    let got = toy.client.by("p1", "member").post("/v2.0/networks", json!({"network": {"name": "n1", "admin_state_up": "False"}})).await;
    assert_eq!(got.status, 201);
    assert_eq!(got.header("content-type"), Some("application/json"));
    let network = got.ok()["network"].clone();
    let names: Vec<&String> = network.as_object().expect("an object").keys().collect();
    // No provider attribute: the caller may not see it.
    let expected =
        ["id", "name", "project_id", "tenant_id", "admin_state_up", "mtu", "status", "shared", "created_at", "revision_number", "tags"];
    assert_eq!(names, expected);
    assert_eq!((&network["name"], &network["project_id"], &network["tenant_id"]), (&json!("n1"), &json!("p1"), &json!("p1")));
    assert_eq!((&network["admin_state_up"], &network["shared"], &network["mtu"]), (&json!(false), &json!(false), &json!(1450)));
    let id = network["id"].as_str().expect("an id");
    let shown = toy.client.by("p1", "member").get(&format!("/v2.0/networks/{id}")).await;
    assert_eq!(shown.ok()["network"], network);
    let admin = toy.client.get(&format!("/v2.0/networks/{id}")).await.ok();
    assert_eq!((&admin["network"]["provider:network_type"], &admin["network"]["segments"]), (&json!("vxlan"), &json!([])));
    let narrow = toy.client.get(&format!("/v2.0/networks/{id}?fields=tenant_id&fields=name&fields=zzz")).await.ok();
    assert_eq!(narrow, json!({"network": {"name": "n1", "tenant_id": "p1"}}));
}

#[tokio::test]
async fn refusals_of_a_create_change_nothing() {
    let toy = Toy::start().await;
    let member = toy.client.by("p1", "member");
    let x256 = "x".repeat(256);
    let cases: Vec<(&str, String, &str, String)> = vec![
        ("networks", "{".into(), BAD, "Body contains invalid data".into()),
        ("networks", "[1]".into(), BAD, "Body contains invalid data".into()),
        ("networks", "\"x\"".into(), BAD, "Body contains invalid data".into()),
        ("networks", "{\"network\": {\"name\": \"\\ud800\"}}".into(), BAD, "Body contains invalid data".into()),
        ("networks", "{}".into(), BAD, "Unable to find 'network' in request body".into()),
        ("networks", "{\"port\": {}}".into(), BAD, "Unable to find 'network' in request body".into()),
        ("networks", "{\"network\": null}".into(), BAD, "Unable to find 'network' in request body".into()),
        ("networks", "{\"network\": \"x\"}".into(), BAD, "Object 'network' contains invalid data".into()),
        ("networks", "{\"networks\": []}".into(), BAD, "Resources required".into()),
        ("networks", "{\"networks\": {\"a\": 1}}".into(), BAD, "Object 'networks' contains invalid data".into()),
        ("networks", "{\"networks\": [5]}".into(), BAD, "Object 'network' contains invalid data".into()),
        ("networks", n(json!({"foo": 1})), BAD, "Unrecognized attribute(s) 'foo'".into()),
        ("networks", n(json!({"foo": 1, "bar": 2})), BAD, "Unrecognized attribute(s) 'foo, bar'".into()),
        ("networks", n(json!({"status": "ACTIVE"})), BAD, "Attribute 'status' not allowed in POST".into()),
        ("networks", n(json!({"project_id": "p2"})), BAD, other_project()),
        ("networks", n(json!({"tenant_id": "p2"})), BAD, other_project()),
        ("networks", n(json!({"project_id": "p1", "tenant_id": "p2"})), BAD, "'project_id' and 'tenant_id' do not match".into()),
        (
            "networks",
            n(json!({"admin_state_up": "banana"})),
            "InvalidInput",
            "Invalid input for operation: 'banana' cannot be converted to boolean.".into(),
        ),
        ("networks", n(json!({"name": x256})), BAD, format!("Invalid input for name. Reason: '{x256}' exceeds maximum length of 255.")),
        ("networks", n(json!({"mtu": 1})), BAD, "Invalid input for mtu. Reason: '1' is too small - must be at least '68'.".into()),
        ("ports", json!({"port": {}}).to_string(), BAD, "Failed to parse request. Required attribute 'network_id' not specified".into()),
        (
            "ports",
            json!({"port": {"network_id": "zz"}}).to_string(),
            BAD,
            "Invalid input for network_id. Reason: 'zz' is not a valid UUID.".into(),
        ),
        // The order of checks: unknown before missing, missing before wrong.
        ("ports", json!({"port": {"foo": 1, "name": 5}}).to_string(), BAD, "Unrecognized attribute(s) 'foo'".into()),
        (
            "ports",
            json!({"port": {"name": 5}}).to_string(),
            BAD,
            "Failed to parse request. Required attribute 'network_id' not specified".into(),
        ),
        ("networks", n(json!({"name": "refused"})), "InvalidInput", "Invalid input for operation: this name is refused.".into()),
    ];
    for (collection, body, kind, message) in cases {
        let got = member.post(&format!("/v2.0/{collection}"), &body).await;
        assert_eq!(got.fault(), (400, kind.to_owned(), message), "{body}");
    }
    assert_eq!(toy.client.get("/v2.0/networks").await.ok(), json!({"networks": []}));
    assert!(toy.memory.log().is_empty());
}

fn n(attributes: Value) -> String {
    json!({"network": attributes}).to_string()
}

fn other_project() -> String {
    "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.".to_owned()
}

#[tokio::test]
async fn administrators_may_name_another_project() {
    let toy = Toy::start().await;
    for alias in ["project_id", "tenant_id"] {
        let got = toy.client.post("/v2.0/networks", n(json!({alias: "p7"}))).await.ok();
        assert_eq!((&got["network"]["project_id"], &got["network"]["tenant_id"]), (&json!("p7"), &json!("p7")));
    }
    let service = toy.client.by("p1", "service").post("/v2.0/networks", n(json!({"project_id": "p7"}))).await;
    service.refused(403, "PolicyNotAuthorized", "rule:create_network is disallowed by policy");
}

#[tokio::test]
async fn the_last_of_repeated_keys_counts() {
    let toy = Toy::start().await;
    let got = toy.client.post("/v2.0/networks", r#"{"network": {"name": "a", "name": "b"}}"#).await.ok();
    assert_eq!(got["network"]["name"], "b");
}

#[tokio::test]
async fn updates() {
    let toy = Toy::start().await;
    let member = toy.client.by("p1", "member");
    let made = member.post("/v2.0/networks", n(json!({"name": "a"}))).await.ok();
    let path = format!("/v2.0/networks/{}", made["network"]["id"].as_str().expect("an id"));
    let put = |body: Value| member.put(&path, body);
    assert_eq!(put(json!({"network": {}})).await.ok(), made, "an empty update changes nothing");
    put(json!({})).await.refused(400, BAD, "Unable to find 'network' in request body");
    put(json!({"networks": [{}]})).await.refused(400, BAD, "Bulk operation not supported");
    put(json!({"network": {"id": "x"}})).await.refused(400, BAD, "Cannot update read-only attribute id");
    put(json!({"network": {"status": "x"}})).await.refused(400, BAD, "Cannot update read-only attribute status");
    put(json!({"network": {"tenant_id": "p1"}})).await.refused(400, BAD, "Cannot update read-only attribute tenant_id");
    put(json!({"network": {"nope": 1}})).await.refused(400, BAD, "Unrecognized attribute(s) 'nope'");
    let changed = put(json!({"network": {"name": "b"}})).await;
    assert_eq!((changed.status, &changed.json()["network"]["name"]), (200, &json!("b")));
    member.put("/v2.0/networks/foo", n(json!({"name": "b"}))).await.refused(404, "NetworkNotFound", "Network foo could not be found.");
}

#[tokio::test]
async fn deletes() {
    let toy = Toy::start().await;
    let made = toy.client.post("/v2.0/networks", n(json!({}))).await.ok();
    let path = format!("/v2.0/networks/{}", made["network"]["id"].as_str().expect("an id"));
    toy.client.send("DELETE", &path, "{}").await.refused(400, BAD, "Request body is not supported in DELETE.");
    let gone = toy.client.delete(&path).await;
    assert_eq!((gone.status, gone.body.as_str(), gone.header("content-type")), (204, "", None));
    assert_eq!(toy.client.delete(&path).await.fault().1, "NetworkNotFound");
}

#[tokio::test]
async fn bulk_creates_are_all_or_nothing() {
    let toy = Toy::start().await;
    let wrapped = json!({"networks": [{"network": {"name": "a"}}, {"name": "b"}]});
    let got = toy.client.post("/v2.0/networks", wrapped).await;
    assert_eq!(got.status, 201);
    let names = |got: &Value| got["networks"].as_array().expect("a list").iter().map(|n| n["name"].to_string()).collect::<Vec<_>>();
    assert_eq!(names(&got.json()), ["\"a\"", "\"b\""]);
    assert_eq!(toy.memory.log().len(), 1, "one change in the log");
    let got = toy.client.post("/v2.0/networks", json!({"networks": [{"name": "c"}, {"name": "refused"}]})).await;
    got.refused(400, "InvalidInput", "Invalid input for operation: this name is refused.");
    let listed = toy.client.get("/v2.0/networks?fields=name&sort_key=name&sort_dir=asc").await.ok();
    assert_eq!(names(&listed), ["\"a\"", "\"b\""]);
}

#[tokio::test]
async fn if_match_guards_updates_and_deletes() {
    let toy = Toy::start().await;
    let made = toy.client.post("/v2.0/networks", n(json!({"name": "a"}))).await.ok();
    let id = made["network"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/v2.0/networks/{id}");
    let body = n(json!({"name": "b"}));
    let matching = |value: &str| toy.client.with("If-Match", value);
    let stale = matching("revision_number=999").put(&path, &body).await;
    stale.refused(412, "RevisionNumberConstraintFailed", "Constrained to 999, but current revision is 0");
    let odd = matching("revision_number=x").put(&path, &body).await;
    odd.refused(400, "BadRequest", "Bad if-match request: Revision number etag must be in the format of revision_number=<int>.");
    assert_eq!(toy.client.get(&path).await.ok()["network"]["name"], "a", "a refusal changes nothing");
    assert_eq!(matching("revision_number=0").put(&path, &body).await.status, 200);
    assert_eq!(matching("\"other\"").put(&path, &body).await.status, 200);
    toy.client.post("/v2.0/ports", json!({"port": {"network_id": id}})).await.ok();
    assert_eq!(matching("revision_number=999").delete(&path).await.fault().1, "NetworkInUse", "409 comes before 412");
}

#[tokio::test]
async fn panics_of_operations_are_internal_errors_and_leave_no_trace() {
    let toy = Toy::start().await;
    let message = "Request Failed: internal server error while processing your request.";
    toy.client.post("/v2.0/networks", n(json!({"name": "panic"}))).await.refused(500, "HTTPInternalServerError", message);
    toy.client.put("/v2.0/networks/x/panic", "{}").await.refused(500, "HTTPInternalServerError", message);
    assert_eq!(toy.client.post("/v2.0/networks", n(json!({"name": "after"}))).await.status, 201);
    assert_eq!(toy.memory.log().len(), 1);
}

#[tokio::test]
async fn a_failing_database_is_503() {
    let toy = Toy::start().await;
    toy.memory.set_faults(world::engines::Faults { unavailable: 1.0, ..Default::default() });
    toy.client.post("/v2.0/networks", n(json!({}))).await.refused(503, "ServiceUnavailable", "The service is unavailable.");
    toy.memory.set_faults(world::engines::Faults::default());
    assert_eq!(toy.client.post("/v2.0/networks", n(json!({}))).await.status, 201);
}
