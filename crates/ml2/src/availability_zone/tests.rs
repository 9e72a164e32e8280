//! Zones as clients get them, and what follows from hints at them.

use crate::agent::agent_down;
use crate::testing::Api;
use crate::{Config, dhcp};
use model::{AgentType, Network};
use net::{AgentId, NetworkId};
use serde_json::{Value, json};

fn three_zones(api: &Api) -> [AgentId; 3] {
    [("h1", "a"), ("h2", "b"), ("h3", "b")].map(|(host, zone)| api.agent(host, AgentType::Dhcp, Some(zone)))
}

fn served(api: &Api, hints: &Value) -> (String, Vec<AgentId>) {
    let id = api.make("network", json!({ "availability_zone_hints": hints }));
    api.subnet(&id, "10.0.0.0/24", json!({}));
    let agents = api.world().get::<Network>(&id.parse().expect("an id")).expect("made").dhcp_agents.clone();
    (id, agents)
}

#[test]
fn zones_are_where_agents_are() {
    let api = Api::new();
    assert_eq!(api.get("availability_zones"), json!({"availability_zones": []}));
    let [first, ..] = three_zones(&api);
    api.agent("h4", AgentType::L3, Some("a"));
    api.agent("h4", AgentType::LinuxBridge, Some("c"));
    api.agent("h5", AgentType::Dhcp, None);
    let zone = |name: &str, resource: &str, state: &str| json!({"name": name, "resource": resource, "state": state});
    let (net_a, router_a, net_b) = (zone("a", "network", "available"), zone("a", "router", "available"), zone("b", "network", "available"));
    assert_eq!(api.show("availability-zones"), json!([net_a, router_a, net_b]));
    assert_eq!(api.show("availability_zones?name=a&name=b&resource=network"), json!([net_a, net_b]));
    assert_eq!(api.show("availability_zones?name=b&fields=state"), json!([{"state": "available"}]));
    assert_eq!(api.show("availability_zones?resource=x"), json!([]));
    assert_eq!(api.refused("GET", "availability_zones?foo=1", &Value::Null), (400, "HTTPBadRequest".to_owned()));
    assert_eq!(api.refused("POST", "availability_zones", &json!({})).0, 405);
    api.accepted("PUT", &format!("agents/{first}"), &json!({"agent": {"admin_state_up": false}}));
    assert_eq!(api.show("availability_zones?state=unavailable"), json!([zone("a", "network", "unavailable")]));
    assert_eq!(api.ask("reader", "GET", "availability_zones", &Value::Null).1["availability_zones"].as_array().map(Vec::len), Some(3));
    assert_eq!(api.ask("nobody", "GET", "availability_zones", &Value::Null), (200, json!({"availability_zones": []})));
}

#[test]
fn hints_are_checked() {
    let api = Api::new();
    three_zones(&api);
    api.agent("h4", AgentType::L3, Some("c"));
    let refused = |hints: Value| api.refused("POST", "networks", &json!({"network": {"availability_zone_hints": hints}}));
    assert_eq!(refused(json!(["a", "z"])), (404, "AvailabilityZoneNotFound".to_owned()));
    assert_eq!(refused(json!(["c"])), (404, "AvailabilityZoneNotFound".to_owned()), "no DHCP agent is there");
    for wrong in [json!("a"), json!(["a", "a"]), json!([5]), json!(null), json!({})] {
        assert_eq!(refused(wrong.clone()).0, 400, "{wrong}");
    }
    assert_eq!(refused(json!(["x".repeat(252)])), (400, "InvalidInput".to_owned()));
    assert_eq!(api.show("networks"), json!([]));
    let id = api.make("network", json!({"availability_zone_hints": ["b", "a"]}));
    let network = api.show(&format!("networks/{id}"));
    assert_eq!((&network["availability_zone_hints"], &network["availability_zones"]), (&json!(["b", "a"]), &json!([])));
    let update = json!({"network": {"availability_zone_hints": ["a"]}});
    assert_eq!(api.refused("PUT", &format!("networks/{id}"), &update).0, 400);
}

#[test]
fn networks_are_served_from_the_zones_they_ask_for() {
    let api = Api::new();
    let [a, b, c] = three_zones(&api);
    let (first, agents) = served(&api, &json!(["b"]));
    assert_eq!(api.show(&format!("networks/{first}"))["availability_zones"], json!(["b"]));
    let (_, others) = served(&api, &json!(["b"]));
    assert!(agents != others && agents[0] != a && others[0] != a, "the least loaded of the zone");
    api.act(move |op| [b, c].into_iter().for_each(|agent| agent_down(op, agent)));
    assert_eq!(served(&api, &json!(["b"])).1, [], "nobody is there");
    assert_eq!(served(&api, &json!([])).1, [a], "anywhere");
    let (id, there) = served(&api, &json!(["b", "a"]));
    assert_eq!(there, [a]);
    let id: NetworkId = id.parse().expect("an id");
    api.act(move |op| agent_down(op, a));
    assert!(!api.world().get::<Network>(&id).is_some_and(|network| dhcp::is_served(&api.world(), network)));
}

#[test]
fn several_agents_are_of_several_zones() {
    let api = Api::with(Config { dhcp_agents_per_network: 2, ..Config::default() });
    let [a, ..] = three_zones(&api);
    for _ in 0..4 {
        let (id, agents) = served(&api, &json!([]));
        assert!(agents.len() == 2 && agents.contains(&a), "zone b has two agents, and each network is in both zones");
        assert_eq!(api.show(&format!("networks/{id}"))["availability_zones"], json!(["a", "b"]));
    }
}

#[test]
fn zones_can_be_chosen_for_networks_without_hints() {
    let api = Api::with(Config { default_availability_zones: vec!["a".into()], ..Config::default() });
    let [a, ..] = three_zones(&api);
    assert_eq!([served(&api, &json!([])).1, served(&api, &json!([])).1], [[a], [a]]);
    assert_ne!(served(&api, &json!(["b"])).1, [a]);
}
