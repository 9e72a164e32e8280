//! Ranges as clients get them, and what networks are given of them.

use crate::Config;
use crate::testing::Api;
use proptest::prelude::*;
use serde_json::{Value, json};

fn api() -> Api {
    Api::with(Config { vni_ranges: vec![(1, 20)], ..Config::default() })
}

fn range(api: &Api, project: &str, minimum: u32, maximum: u32) -> String {
    let body =
        json!({"name": "r", "shared": false, "project_id": project, "network_type": "vxlan", "minimum": minimum, "maximum": maximum});
    api.make("network_segment_range", body)
}

fn network(api: &Api, project: &str) -> (String, u64) {
    let id = api.make("network", json!({ "project_id": project }));
    let vni = api.show(&format!("networks/{id}"))["provider:segmentation_id"].as_u64().expect("a number");
    (id, vni)
}

fn put(api: &Api, id: &str, body: &Value) -> (u16, Value) {
    api.ask("admin", "PUT", &format!("network-segment-ranges/{id}"), &json!({ "network_segment_range": body }))
}

#[test]
fn a_projects_networks_get_ids_of_its_own() {
    let api = api();
    let id = range(&api, "p7", 5, 7);
    let made: Vec<(String, u64)> = (0..3).map(|_| network(&api, "p7")).collect();
    let mut vnis: Vec<u64> = made.iter().map(|(_, vni)| *vni).collect();
    vnis.sort_unstable();
    assert_eq!(vnis, [5, 6, 7]);
    let fourth = network(&api, "p7").1;
    assert!((1..=20).contains(&fourth), "then what is for everybody");
    let others: Vec<u64> = (0..16).map(|_| network(&api, "p8").1).collect();
    assert!(others.iter().all(|vni| !(5..=7).contains(vni)), "and nobody else has them");
    let full = api.refused("POST", "networks", &json!({"network": {"project_id": "p8"}}));
    assert_eq!(full, (503, "NoNetworkAvailable".to_owned()));
    let shown = api.show(&format!("network-segment-ranges/{id}"));
    assert_eq!((&shown["used"], &shown["available"]), (&json!({"5": "p7", "6": "p7", "7": "p7"}), &json!([])));
    assert_eq!((&shown["default"], &shown["shared"], &shown["project_id"]), (&json!(false), &json!(false), &json!("p7")));
    api.accepted("DELETE", &format!("networks/{}", made[0].0), &Value::Null);
    let shown = api.show(&format!("network-segment-ranges/{id}"));
    assert_eq!(shown["available"], json!([made[0].1]));
}

#[test]
fn what_is_used_stays_within() {
    let api = api();
    let id = range(&api, "p7", 10, 12);
    let (network, vni) = network(&api, "p7");
    let refused = |body: Value| {
        let (status, answer) = put(&api, &id, &body);
        (status, answer["NeutronError"]["type"].as_str().unwrap_or_default().to_owned())
    };
    let referenced = (409, "NetworkSegmentRangeReferencedByProject".to_owned());
    assert_eq!(refused(json!({"minimum": vni + 1, "maximum": 19})), referenced);
    assert_eq!(api.refused("DELETE", &format!("network-segment-ranges/{id}"), &Value::Null), referenced);
    let (status, answer) = put(&api, &id, &json!({"name": "s", "minimum": vni, "maximum": 19}));
    let shown = &answer["network_segment_range"];
    assert_eq!((status, &shown["name"], &shown["minimum"], &shown["maximum"]), (200, &json!("s"), &json!(vni), &json!(19)));
    assert_eq!(refused(json!({"minimum": 19, "maximum": 1})).0, 409);
    api.accepted("DELETE", &format!("networks/{network}"), &Value::Null);
    assert_eq!(refused(json!({"minimum": 19, "maximum": 18})), (400, "InvalidInput".to_owned()));
    api.accepted("DELETE", &format!("network-segment-ranges/{id}"), &Value::Null);
    assert_eq!(api.refused("GET", &format!("network-segment-ranges/{id}"), &Value::Null), (404, "NetworkSegmentRangeNotFound".to_owned()));
}

#[test]
fn the_configuration_is_shown_and_stays() {
    let api = api();
    let listed = api.show("network-segment-ranges");
    let [default] = listed.as_array().expect("a list").as_slice() else { panic!("one: {listed}") };
    assert_eq!((&default["default"], &default["shared"], &default["project_id"]), (&json!(true), &json!(true), &Value::Null));
    assert_eq!((&default["minimum"], &default["maximum"], &default["network_type"]), (&json!(1), &json!(20), &json!("vxlan")));
    let id = default["id"].as_str().expect("an id").to_owned();
    api.act(|op| super::follow_configuration(op).is_ok());
    assert_eq!(api.show("network-segment-ranges")[0]["id"], id.as_str(), "the same as before");
    assert_eq!(put(&api, &id, &json!({"name": "x"})).1["NeutronError"]["type"], "NetworkSegmentRangeDefaultReadOnly");
    assert_eq!(api.refused("DELETE", &format!("network-segment-ranges/{id}"), &Value::Null).0, 400);
    assert_eq!(api.ask("member", "GET", "network-segment-ranges", &Value::Null), (200, json!({"network_segment_ranges": []})));
    assert_eq!(api.ask("member", "GET", &format!("network-segment-ranges/{id}"), &Value::Null).0, 404);
}

#[test]
fn vlans_are_counted_by_physical_network() {
    let [first, last] = [1, 2].map(|id| net::VlanId::try_from(id).expect("a VLAN"));
    let configured = crate::VlanRange { physical_network: "a".into(), first, last };
    let api = Api::with(Config { vlan_ranges: vec![configured], vni_ranges: vec![(1, 20)], ..Config::default() });
    let listed = api.show("network-segment-ranges?network_type=vlan");
    let [default] = listed.as_array().expect("a list").as_slice() else { panic!("one: {listed}") };
    assert_eq!((&default["default"], &default["physical_network"], &default["maximum"]), (&json!(true), &json!("a"), &json!(2)));
    let range = |project: &str, physical: &str, minimum: u32, maximum: u32| {
        json!({"name": "r", "shared": false, "project_id": project, "network_type": "vlan", "physical_network": physical,
               "minimum": minimum, "maximum": maximum})
    };
    let own = api.make("network_segment_range", range("p7", "b", 2, 2));
    let network = |project: &str, more: Value| {
        let mut body = json!({"project_id": project, "provider:network_type": "vlan"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let (status, answer) = api.ask("admin", "POST", "networks", &json!({ "network": body }));
        let network = &answer["network"];
        (status, network["provider:physical_network"].as_str().unwrap_or_default().to_owned(), network["provider:segmentation_id"].as_u64())
    };
    assert_eq!(network("p7", json!({})), (201, "b".to_owned(), Some(2)), "the project's own goes first");
    assert_eq!(network("p8", json!({"provider:physical_network": "b"})).0, 503, "nobody else has it");
    assert_eq!(network("p8", json!({"provider:physical_network": "b", "provider:segmentation_id": 9})).0, 201, "the range makes it known");
    assert_eq!(network("p8", json!({"provider:physical_network": "a", "provider:segmentation_id": 2})).0, 201);
    assert_eq!(api.show(&format!("network-segment-ranges/{own}"))["used"], json!({"2": "p7"}));
    assert_eq!(api.show(&format!("network-segment-ranges/{}", default["id"].as_str().expect("an id")))["available"], json!([1]));
    api.make("network_segment_range", range("p8", "c", 2, 2));
    let post = |body: Value| api.refused("POST", "network-segment-ranges", &json!({ "network_segment_range": body }));
    assert_eq!(post(range("p8", "b", 1, 3)), (409, "NetworkSegmentRangeOverlaps".to_owned()));
    assert_eq!(post(range("p8", "b", 3, 4095)), (400, "InvalidInput".to_owned()));
    assert_eq!(post(range("p8", "", 3, 4)), (400, "InvalidInput".to_owned()));
}

#[test]
fn refusals() {
    let api = api();
    range(&api, "p7", 30, 40);
    let post = |more: Value| {
        let mut body = json!({"network_type": "vxlan", "minimum": 50, "maximum": 60});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        api.refused("POST", "network-segment-ranges", &json!({ "network_segment_range": body }))
    };
    let kind = |status: u16, kind: &str| (status, kind.to_owned());
    assert_eq!(post(json!({"minimum": 40})), kind(409, "NetworkSegmentRangeOverlaps"));
    assert_eq!(post(json!({"network_type": "gre"})), kind(400, "NetworkSegmentRangeNetTypeNotSupported"));
    assert_eq!(post(json!({"network_type": "flat"})).0, 400);
    assert_eq!(post(json!({"minimum": 61})), kind(400, "InvalidInput"));
    assert_eq!(post(json!({"maximum": 16_777_216})), kind(400, "InvalidInput"));
    assert_eq!(post(json!({"shared": false, "project_id": ""})), kind(400, "InvalidInput"));
    for wrong in [
        json!({"minimum": 0}),
        json!({"minimum": "x"}),
        json!({"maximum": 4_294_967_296_u64}),
        json!({"used": {}}),
        json!({"default": true}),
    ] {
        assert_eq!(post(wrong.clone()).0, 400, "{wrong}");
    }
    let member = api.ask(
        "member",
        "POST",
        "network-segment-ranges",
        &json!({"network_segment_range": {"network_type": "vxlan", "minimum": 1, "maximum": 2}}),
    );
    assert_eq!(member.0, 403);
}

proptest! {
    #[test]
    fn without_is_what_is_in_none_of_the_others(ranges in prop::collection::vec((0u128..40, 0u128..9), 0..5), others in prop::collection::vec((0u128..40, 0u128..9), 0..4)) {
        let of = |ranges: &[(u128, u128)]| ranges.iter().map(|(first, size)| (*first, first + size)).collect::<Vec<_>>();
        let (ranges, others) = (of(&ranges), of(&others));
        let has = |ranges: &[(u128, u128)], n: u128| ranges.iter().any(|(first, last)| (*first..=*last).contains(&n));
        let left = super::ops::without(ranges.clone(), &others);
        for n in 0..60 {
            prop_assert_eq!(has(&left, n), has(&ranges, n) && !has(&others, n), "{}", n);
        }
        prop_assert!(left.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }
}
