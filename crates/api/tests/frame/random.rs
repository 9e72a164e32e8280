//! Random requests: whatever comes, the answer is Neutron's, never 500, and a refusal changes nothing.

use crate::toy::Toy;
use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("true")),
        Just(json!("7c9b1c9e-8a3f-4a5e-9d63-000000000001")),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((attribute(), inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn attribute() -> impl Strategy<Value = String> {
    let names = [
        "id",
        "name",
        "project_id",
        "tenant_id",
        "admin_state_up",
        "mtu",
        "shared",
        "network_id",
        "fixed_ips",
        "device_owner",
        "limit",
        "security_groups",
        "network",
        "networks",
        "port",
        "ports",
        "quota",
        "force",
        "ip_address",
        "fields",
        "marker",
        "sort_key",
        "sort_dir",
        "page_reverse",
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
    ];
    prop_oneof![4 => prop::sample::select(names.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let wrapper = prop::sample::select(vec!["network", "networks", "port", "ports", "quota"]);
    prop_oneof![
        4 => (wrapper, any_json()).prop_map(|(wrapper, value)| json!({ wrapper: value }).to_string().into_bytes()),
        1 => any_json().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

fn any_path() -> impl Strategy<Value = String> {
    let path =
        prop::sample::select(vec!["networks", "networks/x", "ports", "quotas/p1", "extensions/a", "networks/x/rename", "quotas", ""]);
    let value = prop_oneof!["[a-zA-Z0-9%+=:.-]{0,10}", Just("true".to_owned()), Just("name".to_owned()), Just("asc".to_owned())];
    let name = attribute().prop_map(|name| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    (path, prop::collection::vec((name, value), 0..4)).prop_map(|(path, query)| {
        let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("/v2.0/{path}?{}", query.join("&"))
    })
}

#[test]
fn any_request_has_a_proper_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let toy = runtime.block_on(Toy::start());
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "PATCH"]);
    let roles = prop::sample::select(vec!["admin", "member", "reader", "service", "", "x"]);
    let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(methods, any_path(), any_body(), roles), |(method, path, body, roles)| {
        let body = if method == "GET" { Vec::new() } else { body };
        let request = Request::builder().method(method).uri(&path).header("x-roles", roles).header("x-project-id", "p1");
        let Ok(request) = request.body(Bytes::from(body)) else { return Ok(()) };
        let before = toy.memory.log().len();
        let response = runtime.block_on(toy.server.respond(request));
        let status = response.status().as_u16();
        prop_assert!(status < 500 || status == 501, "{} {}: {}", method, path, status);
        if status != 204 {
            let text = response.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
            let json = serde_json::from_slice::<Value>(response.body());
            prop_assert!(text || json.is_ok(), "{:?}", response.body());
            let is_fault = json.is_ok_and(|json| json.get("NeutronError").is_some());
            prop_assert_eq!(is_fault, status >= 400 && !text);
        }
        if status >= 400 {
            prop_assert_eq!(toy.memory.log().len(), before, "a refusal changed something");
        }
        Ok(())
    });
    result.expect("every request has a proper answer");
}
