//! What lies beside the collections: versions, extensions, methods and paths that do not exist, request ids, mounts.

use crate::toy::Toy;
use serde_json::json;

const NOT_FOUND: &str = "The resource could not be found.";
const NOT_ALLOWED: &str = "The server could not comply with the request since it is either malformed or otherwise incorrect.";

#[tokio::test]
async fn versions_and_resources() {
    let toy = Toy::start().await;
    let links = json!([{"rel": "self", "href": "http://localhost/v2.0/"}]);
    assert_eq!(toy.client.get("/").await.ok(), json!({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}));
    let head = toy.client.send("HEAD", "/", "").await;
    assert_eq!((head.status, head.header("content-type"), head.body.as_str()), (405, Some("text/plain; charset=UTF-8"), ""));
    let behind = toy.client.with("X-Forwarded-Proto", "https").get("/").await.ok();
    assert_eq!(behind["versions"][0]["links"][0]["href"], "https://localhost/v2.0/");
    let resource = |name: &str| json!({"name": name, "collection": format!("{name}s"), "links": [{"rel": "self", "href": format!("http://localhost/v2.0/{name}s")}]});
    assert_eq!(toy.client.get("/v2.0/").await.ok(), json!({"resources": [resource("network"), resource("port")]}));
    assert_eq!(toy.client.get("/healthcheck").await.body, "OK");
    assert_eq!(toy.client.get("/console/x").await.body, "console of http://localhost");
}

#[tokio::test]
async fn extensions() {
    let toy = Toy::start().await;
    let extension = json!({"name": "Neutron Toy", "alias": "toy", "description": "Shows the frame.",
        "updated": "2026-11-21T10:00:00-00:00", "links": []});
    let listed = toy.client.get("/v2.0/extensions").await.ok()["extensions"].as_array().expect("a list").clone();
    assert!(listed.contains(&extension), "{listed:?}");
    let aliases: Vec<&str> = listed.iter().map(|extension| extension["alias"].as_str().expect("an alias")).collect();
    assert!(aliases.is_sorted() && aliases.contains(&"pagination") && aliases.contains(&"quotas"), "{aliases:?}");
    assert_eq!(toy.client.get("/v2.0/extensions/toy.json").await.ok(), json!({ "extension": extension }));
    let unknown = toy.client.get("/v2.0/extensions/nope").await;
    assert_eq!((unknown.status, unknown.header("content-type")), (404, Some("text/plain; charset=UTF-8")));
    assert_eq!(unknown.body, "404 Not Found\n\nThe resource could not be found.\n\n Extension with alias nope does not exist  ");
    let made = toy.client.post("/v2.0/extensions", "{}").await;
    assert_eq!((made.status, made.header("content-type")), (404, Some("text/plain; charset=UTF-8")));
}

#[tokio::test]
async fn paths() {
    let toy = Toy::start().await;
    for path in ["/v2.0", "/v2.0/nope", "/v2.0/networks/x/nope", "/v2.0/networks.xml", "/v2.0//networks", "/v2.0/networks/x/rename2"] {
        toy.client.get(path).await.refused(404, "HTTPNotFound", NOT_FOUND);
    }
    for path in ["/v2.0/networks", "/v2.0/networks/", "/v2.0/networks.json", "/v2.0/networks?"] {
        assert_eq!(toy.client.get(path).await.ok(), json!({"networks": []}), "{path}");
    }
    for path in ["/v3", "/v2.0.json", "/v2.0x/networks", "/identity/v3", "/consoles"] {
        let got = toy.client.get(path).await;
        assert_eq!((got.status, got.body.as_str()), (404, "404 Not Found\n\nThe resource could not be found.\n\n   "), "{path}");
    }
    toy.client.get("/v2.0/networks/foo").await.refused(404, "NetworkNotFound", "Network foo could not be found.");
    toy.client.get("/v2.0/networks/a%2Fb").await.refused(404, "NetworkNotFound", "Network a/b could not be found.");
}

#[tokio::test]
async fn methods() {
    let toy = Toy::start().await;
    for (method, path) in
        [("PATCH", "/v2.0/networks/x"), ("POST", "/v2.0/networks/x"), ("PATCH", "/v2.0/networks"), ("PURGE", "/v2.0/networks")]
    {
        toy.client.send(method, path, "{}").await.refused(405, "HTTPMethodNotAllowed", NOT_ALLOWED);
    }
    for path in ["/v2.0/networks", "/v2.0/networks/x"] {
        let head = toy.client.send("HEAD", path, "").await;
        assert_eq!((head.status, head.header("content-type"), head.body.as_str()), (405, Some("application/json"), ""));
    }
    for method in ["PUT", "DELETE"] {
        let got = toy.client.send(method, "/v2.0/networks", "").await;
        got.refused(404, "NetworkNotFound", "Network None could not be found.");
    }
}

#[tokio::test]
async fn members_are_reached_with_hyphen_and_underscore() {
    let toy = Toy::start().await;
    let made = toy.client.post("/v2.0/networks", json!({"network": {}})).await.ok();
    let id = made["network"]["id"].as_str().expect("an id");
    let got = toy.client.put(&format!("/v2.0/networks/{id}/rename"), json!({"name": "new"})).await;
    assert_eq!(got.ok(), json!({"renamed": true}));
    assert_eq!(toy.client.get(&format!("/v2.0/networks/{id}")).await.ok()["network"]["name"], "new");
    toy.client.get(&format!("/v2.0/networks/{id}/rename")).await.refused(405, "HTTPMethodNotAllowed", NOT_ALLOWED);
}

#[tokio::test]
async fn every_answer_below_v2_has_a_request_id_of_its_own() {
    let toy = Toy::start().await;
    let global = "req-7c9b1c9e-8a3f-4a5e-9d63-000000000001";
    let mut seen = Vec::new();
    for path in ["/v2.0/networks", "/v2.0/nope", "/v2.0/", "/v2.0/networks?limit=x"] {
        let got = toy.client.with("X-OpenStack-Request-ID", global).get(path).await;
        let id = got.header("x-openstack-request-id").unwrap_or_else(|| panic!("no id on {path}")).to_owned();
        assert!(id.starts_with("req-") && id.len() == 40 && id != global, "{id}");
        seen.push(id);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4);
    assert_eq!(toy.client.get("/").await.header("x-openstack-request-id"), None);
    let made = toy.client.post("/v2.0/networks", json!({"network": {}})).await;
    assert_eq!(made.header("x-openstack-request-id"), Some(toy.memory.log()[0].request_id.as_str()), "the log knows who made it");
}

#[tokio::test]
async fn shutting_down_ends_idle_connections() {
    let toy = Toy::start().await;
    let mut idle = tokio::net::TcpStream::connect(toy.client.address).await.expect("it listens");
    toy.client.get("/").await.ok();
    toy.stop().await;
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut idle, &mut rest);
    tokio::time::timeout(crate::client::PATIENCE, read).await.expect("the connection ends").ok();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn tokens_are_asked_for_below_v2_only() {
    use auth::identity::{Identity, builtin};
    let state = tempfile::tempdir().expect("a directory");
    let config = builtin::Config {
        hashing: builtin::Hashing { memory_kib: 8, passes: 1 },
        ..builtin::Config::new(state.path(), "http://localhost:9696")
    };
    let identity = Identity::Builtin(std::sync::Arc::new(builtin::Builtin::open(config).expect("the identity opens")));
    let toy = Toy::identified(identity).await;
    for path in ["/v2.0/networks", "/v2.0/", "/v2.0/nope"] {
        let got = toy.client.with("X-Auth-Token", "nonsense").get(path).await;
        assert_eq!((got.status, got.json()["error"]["code"].as_u64()), (401, Some(401)), "{path}");
        assert!(got.header("www-authenticate").is_some_and(|value| value.starts_with("Keystone uri=")), "{got:?}");
        assert!(got.header("x-openstack-request-id").is_some());
    }
    assert_eq!(toy.client.get("/").await.status, 200);
    assert_eq!(toy.client.get("/healthcheck").await.status, 200);
    assert_eq!(toy.client.get("/identity/v3").await.status, 200);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let toy = Toy::start().await;
    let mut stream = tokio::net::TcpStream::connect(toy.client.address).await.expect("it listens");
    let body = r#"{"network": {"name": "kept"}}"#;
    let post = format!("POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let get = "GET /v2.0/networks?fields=name HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /v2.0/networks?fields=name HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{post}{get}{post}{last}").as_bytes()).await.expect("written");
    let mut all = String::new();
    let read = stream.read_to_string(&mut all);
    tokio::time::timeout(crate::client::PATIENCE, read).await.expect("answers in time").expect("answers");
    assert_eq!(all.matches("HTTP/1.1 201 Created").count(), 2, "{all}");
    assert!(all.contains(r#"{"networks":[{"name":"kept"}]}"#), "{all}");
    assert!(all.ends_with(r#"{"networks":[{"name":"kept"},{"name":"kept"}]}"#), "{all}");
}
