//! Address counts as clients get them.

use crate::testing::Api;
use serde_json::{Value, json};

fn listed(lab: &Api, query: &str) -> Value {
    lab.get(&format!("network-ip-availabilities?{query}"))["network_ip_availabilities"].clone()
}

fn counts(of: &Value) -> Value {
    json!([of["used_ips"], of["total_ips"]])
}

#[test]
fn a_network_tells_what_is_used_in_it() {
    let lab = Api::new();
    let network = lab.make("network", json!({"name": "n"}));
    let path = format!("network-ip-availabilities/{network}");
    let empty = lab.get(&path)["network_ip_availability"].clone();
    assert_eq!((counts(&empty), &empty["subnet_ip_availability"]), (json!([0, 0]), &json!([])));
    let subnet =
        lab.subnet(&network, "10.0.0.0/24", json!({"name": "s", "allocation_pools": [{"start": "10.0.0.10", "end": "10.0.0.19"}]}));
    lab.make("port", json!({"network_id": network}));
    let outside = lab.make("port", json!({"network_id": network, "fixed_ips": [{"ip_address": "10.0.0.200"}]}));
    let details = json!({
        "total_ips_in_subnet": 254, "total_ips_in_allocation_pool": 10, "used_ips_in_subnet": 2, "used_ips_in_allocation_pool": 1,
    });
    let expected = json!({
        "network_id": network, "network_name": "n", "project_id": "p1", "tenant_id": "p1", "used_ips": 2, "total_ips": 10,
        "ip_availability_details": details,
        "subnet_ip_availability": [{
            "subnet_id": subnet, "subnet_name": "s", "ip_version": 4, "cidr": "10.0.0.0/24", "used_ips": 2, "total_ips": 10,
            "ip_availability_details": details,
        }],
    });
    assert_eq!(lab.get(&path)["network_ip_availability"], expected);
    assert_eq!(listed(&lab, ""), json!([expected]));
    assert_eq!(lab.text("admin", "DELETE", &format!("ports/{outside}"), &Value::Null).0, 204);
    assert_eq!(counts(&lab.get(&path)["network_ip_availability"]), json!([1, 10]), "a removed port's address is free");
}

#[test]
fn an_ip_version_chooses_what_is_counted() {
    let lab = Api::new();
    let both = lab.make("network", json!({"name": "both"}));
    lab.subnet(&both, "10.0.0.0/24", json!({}));
    lab.subnet(&both, "fd00::/64", json!({}));
    let six = lab.make("network", json!({"name": "six"}));
    lab.subnet(&six, "fd01::/120", json!({"gateway_ip": null}));
    lab.make("network", json!({"name": "none"}));
    assert_eq!(listed(&lab, "").as_array().map(Vec::len), Some(3));
    let four = listed(&lab, "ip_version=4");
    assert_eq!((four.as_array().map(Vec::len), &four[0]["network_name"], counts(&four[0])), (Some(1), &json!("both"), json!([0, 253])));
    assert_eq!(listed(&lab, "ip_version=6").as_array().map(Vec::len), Some(2));
    assert_eq!(listed(&lab, "ip_version=6&network_name=six&fields=total_ips"), json!([{"total_ips": 255}]));
    let (_, text) = lab.text("admin", "GET", &format!("network-ip-availabilities?ip_version=6&network_id={both}"), &Value::Null);
    assert!(
        text.contains(r#""total_ips":18446744073709551615"#) && text.contains(r#""total_ips_in_subnet":18446744073709551616"#),
        "{text}"
    );
    assert_eq!(listed(&lab, &format!("network_id={six}&network_id={both}&fields=network_name")).as_array().map(Vec::len), Some(2));
    for nothing in ["network_id=x", "network_name=x", "project_id=p2", "tenant_id=p2", "ip_version=5", "ip_version=x"] {
        assert_eq!(listed(&lab, nothing), json!([]), "{nothing}");
    }
}

#[test]
fn it_is_for_administrators() {
    let lab = Api::new();
    let network = lab.make("network", json!({"name": "n"}));
    let member = |path: &str| lab.text("member", "GET", path, &Value::Null);
    assert_eq!(member("network-ip-availabilities"), (200, r#"{"network_ip_availabilities":[]}"#.to_owned()));
    assert_eq!(member(&format!("network-ip-availabilities/{network}")).0, 404);
    let unknown = "network-ip-availabilities/00000000-0000-4000-8000-000000000000";
    let (status, text) = lab.text("admin", "GET", unknown, &Value::Null);
    assert!(status == 404 && text.contains("NetworkNotFound"), "{text}");
    let (status, text) = lab.text("admin", "GET", "network-ip-availabilities?foo=1", &Value::Null);
    assert!(status == 400 && text.contains("['foo'] is invalid attribute for filtering"), "{text}");
    assert_eq!(lab.text("admin", "POST", "network-ip-availabilities", &json!({})).0, 405);
}

#[test]
fn lists_are_sorted_and_cut() {
    let lab = Api::new();
    for name in ["b", "c", "a"] {
        lab.make("network", json!({ "name": name }));
    }
    let names = |query: &str| listed(&lab, &format!("fields=network_name&sort_key=network_name&{query}"));
    assert_eq!(names("sort_dir=asc"), json!([{"network_name": "a"}, {"network_name": "b"}, {"network_name": "c"}]));
    assert_eq!(names("sort_dir=desc&limit=1"), json!([{"network_name": "c"}]));
    let first = listed(&lab, "sort_key=network_name&sort_dir=desc&limit=1")[0]["network_id"].as_str().expect("an id").to_owned();
    assert_eq!(names(&format!("sort_dir=desc&limit=1&marker={first}")), json!([{"network_name": "b"}]));
    assert_eq!(lab.refused("GET", "network-ip-availabilities?sort_key=used_ips&sort_dir=asc", &Value::Null).0, 400);
}
