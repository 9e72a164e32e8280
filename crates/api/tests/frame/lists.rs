//! Lists: filters, fields, sorting, pages and their links.

use crate::client::Client;
use crate::toy::Toy;
use serde_json::{Value, json};

const BAD: &str = "HTTPBadRequest";

/// Four networks; their ids in order.
async fn four(client: &Client) -> Vec<String> {
    let names = ["a", "b", "n1", ""].map(|name| json!({"name": name, "admin_state_up": name != "b", "mtu": 1000 + name.len()}));
    let made = client.post("/v2.0/networks", json!({ "networks": names })).await.ok();
    let mut ids: Vec<String> =
        made["networks"].as_array().expect("a list").iter().map(|n| n["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort_unstable();
    ids
}

fn values(got: &Value, name: &str) -> Vec<String> {
    let list = got.as_object().and_then(|map| map.values().next()).and_then(Value::as_array).expect("a list");
    list.iter().map(|item| item[name].as_str().unwrap_or_else(|| panic!("no {name} in {item}")).to_owned()).collect()
}

/// The names that a query finds, sorted.
async fn names(client: &Client, query: &str) -> Vec<String> {
    let mut names = values(&client.get(&format!("/v2.0/networks?{query}")).await.ok(), "name");
    names.sort_unstable();
    names
}

#[tokio::test]
async fn filters() {
    let toy = Toy::start().await;
    let client = &toy.client;
    let ids = four(client).await;
    assert_eq!(names(client, "name=a&name=b").await, ["a", "b"]);
    assert_eq!(names(client, "name=a&admin_state_up=False").await, Vec::<String>::new());
    assert_eq!(names(client, "admin_state_up=false").await, ["b"]);
    assert_eq!(names(client, "admin_state_up=0&admin_state_up=1").await.len(), 4);
    assert_eq!(names(client, "name=").await, [""]);
    assert_eq!(names(client, "mtu=1002&fields=name").await, ["n1"]);
    assert_eq!(names(client, "tenant_id=p1").await.len(), 4);
    assert_eq!(names(client, "project_id=p2").await.len(), 0);
    assert_eq!(names(client, &format!("id={}&id={}&id=zz", ids[0], ids[1].to_uppercase())).await.len(), 2);
    assert_eq!(names(client, "id=zz").await.len(), 0);
    let nobody = client.by("p1", "reader");
    assert_eq!(names(&nobody, "provider:network_type=vxlan").await.len(), 4, "a filter may look at what is not shown");
    assert_eq!(client.get("/v2.0/networks?fields=zzz").await.ok(), json!({"networks": [{}, {}, {}, {}]}));
}

#[tokio::test]
async fn refused_filters() {
    let toy = Toy::start().await;
    let refused = async |query: &str, kind: &str, message: &str| toy.client.get(query).await.refused(400, kind, message);
    refused("/v2.0/networks?foo=1", BAD, "['foo'] is invalid attribute for filtering").await;
    refused("/v2.0/networks?foo=1&created_at=2&foo=3", BAD, "['foo', 'created_at'] is invalid attribute for filtering").await;
    let boolean = "Invalid input for operation: 'banana' cannot be converted to boolean.";
    refused("/v2.0/networks?admin_state_up=banana&fields=name", "InvalidInput", boolean).await;
    refused("/v2.0/networks?mtu=x", "InvalidInput", "Invalid input for operation: 'x' is not an integer.").await;
    refused("/v2.0/ports?fixed_ips=foo", "InvalidInput", "Invalid input for operation: 'foo' is not of the form <key>=[value].").await;
}

#[tokio::test]
async fn filters_of_their_own_and_by_index() {
    let toy = Toy::start().await;
    let ids = four(&toy.client).await;
    let port = |network: &str, address: &str, group: &str| json!({"port": {"network_id": network, "name": address, "fixed_ips": [{"ip_address": address}], "security_groups": [group]}});
    let groups = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
    toy.client.post("/v2.0/ports", port(&ids[0], "10.0.0.2", groups[0])).await.ok();
    toy.client.post("/v2.0/ports", port(&ids[1], "10.0.0.3", groups[1])).await.ok();
    let found = async |query: &str| values(&toy.client.get(&format!("/v2.0/ports?{query}")).await.ok(), "name");
    assert_eq!(found("fixed_ips=ip_address%3D10.0.0.2").await, ["10.0.0.2"]);
    assert_eq!(found("fixed_ips=ip_address%3D10.0.0.2&fixed_ips=ip_address=10.0.0.3").await.len(), 2);
    assert_eq!(found("fixed_ips=ip_address%3D10.0.0.9").await.len(), 0);
    assert_eq!(found(&format!("security_groups={}", groups[1])).await, ["10.0.0.3"]);
    assert_eq!(found(&format!("network_id={}", ids[0])).await, ["10.0.0.2"]);
    assert_eq!(found(&format!("network_id={}&network_id={}", ids[0], ids[1])).await.len(), 2);
    assert_eq!(found(&format!("network_id={}&name=10.0.0.3", ids[0])).await.len(), 0);
    assert_eq!(found(&format!("network_id={}&limit=1", ids[1])).await, ["10.0.0.3"]);
}

#[tokio::test]
async fn sorting() {
    let toy = Toy::start().await;
    let ids = four(&toy.client).await;
    let get = async |query: &str| toy.client.get(&format!("/v2.0/networks?{query}")).await;
    assert_eq!(values(&get("sort_key=name&sort_dir=desc").await.ok(), "name"), ["n1", "b", "a", ""].map(String::from));
    let by_two = get("sort_key=admin_state_up&sort_dir=asc&sort_key=name&sort_dir=desc").await.ok();
    assert_eq!(values(&by_two, "name"), ["b", "n1", "a", ""].map(String::from));
    assert_eq!(values(&get("fields=id").await.ok(), "id"), ids, "the order of ids without a sort key");
    get("sort_key=name").await.refused(400, BAD, "The number of sort_keys and sort_dirs must be same");
    get("sort_key=zz&sort_dir=asc").await.refused(400, BAD, "['zz'] is invalid attribute for sort_keys");
    get("sort_key=shared&sort_dir=asc").await.refused(400, BAD, "['shared'] is invalid attribute for sort_keys");
    let direction = "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'";
    get("sort_key=name&sort_dir=up").await.refused(400, BAD, direction);
}

fn links(got: &Value) -> Vec<(String, String)> {
    let link = |link: &Value| (link["rel"].as_str().expect("rel").to_owned(), link["href"].as_str().expect("href").to_owned());
    got["networks_links"].as_array().map(|links| links.iter().map(link).collect()).unwrap_or_default()
}

fn link(rel: &str, query: &str) -> (String, String) {
    (rel.to_owned(), format!("http://localhost/v2.0/networks?{query}"))
}

#[tokio::test]
async fn pages_in_the_order_of_ids() {
    let toy = Toy::start().await;
    let ids = four(&toy.client).await;
    let get = async |query: &str| toy.client.get(&format!("/v2.0/networks?{query}")).await.ok();

    let first = get("limit=2&fields=id").await;
    assert_eq!(values(&first, "id"), ids[..2]);
    let next = link("next", &format!("limit=2&fields=id&marker={}", ids[1]));
    assert_eq!(links(&first), [next, link("previous", &format!("limit=2&fields=id&marker={}&page_reverse=True", ids[0]))]);

    let second = get(&format!("limit=2&fields=id&marker={}", ids[1])).await;
    assert_eq!(values(&second, "id"), ids[2..]);
    assert_eq!(links(&second).len(), 2, "a full last page still has a next page");

    let beyond = get(&format!("limit=2&marker={}", ids[3])).await;
    assert_eq!(beyond["networks"], json!([]));
    assert_eq!(links(&beyond), [link("previous", "limit=2&page_reverse=True")]);

    let back = get(&format!("limit=2&fields=id&page_reverse=True&marker={}", ids[1])).await;
    assert_eq!(values(&back, "id"), ids[..1]);
    assert_eq!(links(&back), [link("next", &format!("limit=2&fields=id&marker={}", ids[0]))]);
    let last = get("limit=2&page_reverse=True&fields=id").await;
    assert_eq!(values(&last, "id"), ids[2..], "reversed without a marker: the end of the list");

    assert_eq!(get("limit=0&fields=id").await.as_object().expect("an object").len(), 1, "no limit, no links");
    let ignored = get(&format!("marker={}", ids[3])).await;
    assert_eq!(ignored["networks"].as_array().map(Vec::len), Some(4), "a marker means nothing without a limit");
}

#[tokio::test]
async fn pages_of_sorted_and_filtered_lists() {
    let toy = Toy::start().await;
    four(&toy.client).await;
    let get = async |query: &str| toy.client.get(&format!("/v2.0/networks?{query}")).await.ok();
    for (query, expected) in [
        ("sort_key=name&sort_dir=asc", vec!["", "a", "b", "n1"]),
        ("sort_key=name&sort_dir=desc", vec!["n1", "b", "a", ""]),
        ("sort_key=name&sort_dir=asc&admin_state_up=true", vec!["", "a", "n1"]),
        ("sort_key=admin_state_up&sort_dir=desc&sort_key=name&sort_dir=asc", vec!["", "a", "n1", "b"]),
    ] {
        for limit in 1..=5 {
            let forward = walk(&toy.client, &format!("{query}&limit={limit}"), "next").await;
            assert_eq!(forward, expected, "{query} by {limit}");
            let mut backward = walk(&toy.client, &format!("{query}&limit={limit}&page_reverse=True"), "previous").await;
            backward.sort_by_key(|name| expected.iter().position(|e| e == name));
            assert_eq!(backward, expected, "{query} backwards by {limit}");
        }
    }
    let first = get("limit=2&fields=name&sort_key=name&sort_dir=asc").await;
    let all = toy.client.get("/v2.0/networks").await.ok();
    let id = |name: &str| {
        let found = all["networks"].as_array().expect("a list").iter().find(|n| n["name"] == name).expect("it is there");
        found["id"].as_str().expect("an id").to_owned()
    };
    let query = "limit=2&fields=name&sort_key=name&sort_dir=asc";
    let next = link("next", &format!("{query}&marker={}", id("a")));
    assert_eq!(links(&first), [next, link("previous", &format!("{query}&marker={}&page_reverse=True", id("")))]);
}

/// The names on all pages from a first one on, following links until a page is empty or short.
async fn walk(client: &Client, query: &str, rel: &str) -> Vec<String> {
    let mut path = format!("/v2.0/networks?{query}");
    let mut all = Vec::new();
    loop {
        let got = client.get(&path).await.ok();
        let page = values(&got, "name");
        all.extend(page.iter().cloned());
        let link = links(&got).into_iter().find(|(name, _)| name == rel);
        match link.filter(|_| !page.is_empty()) {
            Some((_, href)) => path = href.trim_start_matches("http://localhost").to_owned(),
            None => return all,
        }
        assert!(all.len() < 50, "links lead in a circle");
    }
}

#[tokio::test]
async fn refused_pages() {
    let toy = Toy::start().await;
    let get = async |query: &str| toy.client.get(&format!("/v2.0/networks?{query}")).await;
    let limit = |text: &str| format!("Bad limit request: Limit must be an integer 0 or greater and not '{text}'.");
    get("limit=-1").await.refused(400, "BadRequest", &limit("-1"));
    get("limit=a").await.refused(400, "BadRequest", &limit("a"));
    get("limit=2&marker=nope").await.refused(404, "NetworkNotFound", "Network nope could not be found.");
    let stranger = toy.client.by("p2", "reader");
    let id = four(&toy.client).await.remove(0);
    assert_eq!(stranger.get(&format!("/v2.0/networks?limit=2&marker={id}")).await.status, 404, "a marker must be visible");
}

#[tokio::test]
async fn the_largest_page_is_the_servers() {
    let toy = Toy::with(api::ServerOptions { largest_page: Some(3), ..Default::default() }).await;
    four(&toy.client).await;
    for query in ["", "?limit=100", "?limit=0"] {
        let got = toy.client.get(&format!("/v2.0/networks{query}")).await.ok();
        assert_eq!((got["networks"].as_array().map(Vec::len), links(&got).len()), (Some(3), 2), "{query}");
    }
}

#[tokio::test]
async fn what_must_be_made_first_is_there_at_the_first_look() {
    let toy = Toy::start().await;
    let prepared = toy.client.by("prepared", "reader");
    assert_eq!(prepared.get("/v2.0/networks").await.ok()["networks"].as_array().map(Vec::len), Some(1));
    assert_eq!(prepared.get("/v2.0/networks").await.ok()["networks"].as_array().map(Vec::len), Some(1));
    assert_eq!(toy.memory.log().len(), 1);
}
