//! Tags of networks: what the reference answers, who may change them, and the filters of lists.

use crate::client::Client;
use crate::toy::Toy;
use serde_json::{Value, json};

/// A network with these tags; its path.
async fn tagged(client: &Client, name: &str, tags: &[&str]) -> String {
    let made = client.post("/v2.0/networks", json!({"network": {"name": name}})).await.ok();
    let path = format!("/v2.0/networks/{}", made["network"]["id"].as_str().expect("an id"));
    client.put(&format!("{path}/tags"), json!({ "tags": tags })).await.ok();
    path
}

async fn shown(client: &Client, path: &str) -> Value {
    client.get(path).await.ok()["network"].clone()
}

#[tokio::test]
async fn tags_are_replaced_added_and_removed() {
    let toy = Toy::start().await;
    let member = toy.client.by("p1", "member");
    let path = tagged(&member, "n", &[]).await;
    let tags = format!("{path}/tags");
    let revision = shown(&member, &path).await["revision_number"].as_i64().expect("a number");
    assert_eq!(member.put(&tags, json!({"tags": ["b", "a"]})).await.ok(), json!({"tags": ["b", "a"]}));
    for _ in 0..2 {
        let got = member.put(&format!("{tags}/red"), "").await;
        assert_eq!((got.status, got.body.as_str()), (201, "null"));
    }
    assert_eq!(member.get(&tags).await.ok(), json!({"tags": ["a", "b", "red"]}));
    let network = shown(&member, &path).await;
    assert_eq!(network["tags"], json!(["a", "b", "red"]));
    assert_eq!(network["revision_number"], revision + 2, "what changes nothing is no change");
    assert_eq!(member.get(&format!("{tags}/red")).await.status, 204);
    member.get(&format!("{tags}/blue")).await.refused(404, "TagNotFound", "Tag blue could not be found.");
    assert_eq!(member.post(&tags, json!({"tags": ["c", "a"]})).await.ok(), json!({"tags": ["c", "a"]}), "what was posted");
    assert_eq!(member.get(&tags).await.ok(), json!({"tags": ["a", "b", "c", "red"]}));
    assert_eq!(member.delete(&format!("{tags}/red")).await.status, 204);
    member.delete(&format!("{tags}/red")).await.refused(404, "TagNotFound", "Tag red could not be found.");
    assert_eq!(member.delete(&tags).await.status, 204);
    assert_eq!(member.get(&tags).await.ok(), json!({"tags": []}));
}

#[tokio::test]
async fn bad_tags_change_nothing() {
    let toy = Toy::start().await;
    let path = tagged(&toy.client, "n", &["kept"]).await;
    let tags = format!("{path}/tags");
    let long = "x".repeat(256);
    let message = |reason: &str| format!("Invalid input for operation: {reason}.");
    for (body, reason) in [
        (json!({"tags": [long]}), format!("'{long}' exceeds maximum length of 255")),
        (json!({"tag": []}), "Invalid tags body".to_owned()),
        (json!({"tags": null}), "'None' is not a list".to_owned()),
        (json!({"tags": "a"}), "'a' is not a list".to_owned()),
        (json!({"tags": [["a"]]}), "'['a']' is not a valid string".to_owned()),
        (json!({"tags": ["b", "a", "b"]}), "Duplicate items in the list: 'a, b, b'".to_owned()),
        (json!({"tags": vec!["a"; 1001]}), "a resource has at most 1000 tags".to_owned()),
    ] {
        toy.client.put(&tags, body.clone()).await.refused(400, "InvalidInput", &message(&reason));
        toy.client.post(&tags, body).await.refused(400, "InvalidInput", &message(&reason));
    }
    let reason = format!("'{long}' exceeds maximum length of 255");
    toy.client.put(&format!("{tags}/{long}"), "").await.refused(400, "InvalidInput", &message(&reason));
    assert_eq!(toy.client.post(&format!("{tags}/a"), "").await.fault().0, 405);
    let post = toy.client.post("/v2.0/networks", json!({"network": {"tags": ["a"]}})).await;
    post.refused(400, "HTTPBadRequest", "Attribute 'tags' not allowed in POST");
    assert_eq!(toy.client.get(&format!("{tags}/a/b")).await.fault().0, 404);
    assert_eq!(toy.client.get(&tags).await.ok(), json!({"tags": ["kept"]}));
}

#[tokio::test]
async fn only_who_may_change_the_record_changes_its_tags() {
    let toy = Toy::start().await;
    let member = toy.client.by("p1", "member");
    let path = tagged(&member, "n", &["own"]).await;
    let id = path.rsplit('/').next().expect("an id");
    let tags = format!("{path}/tags");
    let reader = toy.client.by("p1", "reader");
    assert_eq!(reader.get(&tags).await.ok(), json!({"tags": ["own"]}));
    let refused = |verb: &str| format!("rule:{verb}_network:tags is disallowed by policy");
    reader.put(&tags, json!({"tags": []})).await.refused(403, "PolicyNotAuthorized", &refused("update"));
    reader.put(&format!("{tags}/x"), "").await.refused(403, "PolicyNotAuthorized", &refused("update"));
    reader.post(&tags, json!({"tags": ["x"]})).await.refused(403, "PolicyNotAuthorized", &refused("create"));
    reader.delete(&tags).await.refused(403, "PolicyNotAuthorized", &refused("delete"));
    let nothing = format!("Resource networks {id} could not be found.");
    let other = toy.client.by("p2", "member");
    for got in [
        other.get(&tags).await,
        other.get(&format!("{tags}/own")).await,
        other.put(&tags, json!({"tags": []})).await,
        other.post(&tags, json!({"tags": ["x"]})).await,
        other.delete(&format!("{tags}/own")).await,
        other.delete(&tags).await,
    ] {
        got.refused(404, "TagResourceNotFound", &nothing);
    }
    assert_eq!(member.get(&tags).await.ok(), json!({"tags": ["own"]}));
}

#[tokio::test]
async fn lists_are_filtered_by_tags() {
    let toy = Toy::start().await;
    let client = toy.client.by("p1", "member");
    for (name, tags) in [("none", &[][..]), ("a", &["a"]), ("ab", &["a", "b"]), ("c", &["c"])] {
        tagged(&client, name, tags).await;
    }
    let names = async |query: &str| {
        let listed = client.get(&format!("/v2.0/networks?{query}&fields=name&sort_key=name&sort_dir=asc")).await.ok();
        let networks = listed["networks"].as_array().expect("a list").iter();
        networks.map(|network| network["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (query, expected) in [
        ("tags=a", "a ab"),
        ("tags=a,b", "ab"),
        ("tags=b&tags=a", "ab"),
        ("tags-any=b,c", "ab c"),
        ("tags-any=b&tags-any=c", "ab c"),
        ("not-tags=a,b", "a c none"),
        ("not-tags-any=a,b", "c none"),
        ("tags=a&not-tags=b", "a"),
        ("tags=zz", ""),
    ] {
        assert_eq!(names(query).await, expected, "{query}");
    }
}
