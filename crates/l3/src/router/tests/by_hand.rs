//! Routers given to agents by operators, zones, and agents that are disabled.

use super::refusal;
use crate::floating_ip::floating_ip_realised;
use crate::testing::Lab;
use model::{AgentType, FloatingIp, FloatingIpStatus, Port, Router, VifType};
use net::{AgentId, HostName};
use serde_json::{Value, json};

fn two_agents(lab: &mut Lab) -> [AgentId; 2] {
    lab.admin();
    ["h1", "h2"].map(|host| {
        lab.agent(host, AgentType::LinuxBridge);
        lab.agent_in(host, AgentType::L3, Some("nova"))
    })
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|item| item["id"].as_str()).collect()
}

/// The hosts of the router's ports.
fn hosts(lab: &Lab, router: &str) -> Vec<(String, VifType)> {
    let ports = lab.show(&format!("ports?device_id={router}"));
    let port = |id: &str| lab.get::<Port>(id).map(|port| (port.binding.host.to_string(), port.binding.vif_type)).expect("a port");
    ids(&ports).into_iter().map(port).collect()
}

#[test]
fn routers_are_moved() {
    let mut lab = Lab::new();
    let agents = two_agents(&mut lab);
    let router = lab.router();
    let [from, to] = if lab.get::<Router>(&router).expect("made").agents == [agents[0]] { agents } else { [agents[1], agents[0]] };
    let (of_from, of_to) = (format!("agents/{from}/l3-routers"), format!("agents/{to}/l3-routers"));
    let body = json!({ "router_id": router });
    assert_eq!(lab.accepted("POST", &of_from, body.clone()), Value::Null, "it has it already");
    assert_eq!(lab.refused("POST", &of_to, body.clone()), refusal(409, "RouterHostedByL3Agent"));
    assert_eq!(ids(&lab.show(&format!("routers/{router}/l3-agents"))), [from.to_string()]);
    assert_eq!(lab.show(&of_from)[0], lab.show(&format!("routers/{router}")), "shown as routers are");
    lab.accepted("DELETE", &format!("{of_from}/{router}"), Value::Null);
    lab.accepted("DELETE", &format!("{of_from}/{router}"), Value::Null);
    assert_eq!((lab.show(&of_from), lab.show(&format!("routers/{router}/l3-agents"))), (json!([]), json!([])));
    assert_eq!(hosts(&lab, &router), vec![(String::new(), VifType::Unbound); 2], "nobody carries it");
    lab.accepted("POST", &of_to, body);
    let host = if to == agents[0] { "h1" } else { "h2" };
    assert_eq!(hosts(&lab, &router), vec![(host.to_owned(), VifType::Tap); 2]);
    lab.accepted("DELETE", &format!("{of_to}/{router}"), Value::Null);
    lab.accepted("PUT", &format!("routers/{router}"), json!({"router": {"name": "r"}}));
    assert_eq!(ids(&lab.show(&format!("routers/{router}/l3-agents"))).len(), 1, "an update schedules it again");
}

#[test]
fn refusals() {
    let mut lab = Lab::new();
    let [one, two] = two_agents(&mut lab);
    let bridge = lab.agent("h1", AgentType::LinuxBridge);
    let router = lab.create("router", json!({}));
    let missing = "00000000-0000-4000-8000-000000000000";
    let body = json!({ "router_id": router });
    let path = |agent: &dyn std::fmt::Display| format!("agents/{agent}/l3-routers");
    assert_eq!(lab.refused("POST", &path(&one), json!({ "router_id": missing })), refusal(404, "RouterNotFound"));
    assert_eq!(lab.refused("POST", &path(&missing), body.clone()), refusal(404, "AgentNotFound"));
    assert_eq!(lab.refused("POST", &path(&bridge), body.clone()), refusal(404, "InvalidL3Agent"));
    for wrong in [json!({}), json!({"router_id": 5}), json!({"router_id": []}), json!("x")] {
        assert_eq!(lab.refused("POST", &path(&one), wrong.clone()).0, 400, "{wrong}");
    }
    lab.accepted("PUT", &format!("agents/{two}"), json!({"agent": {"admin_state_up": false}}));
    assert_eq!(lab.refused("POST", &path(&two), body.clone()), refusal(404, "InvalidL3Agent"));
    assert_eq!(lab.refused("DELETE", &format!("{}/{missing}", path(&one)), Value::Null), refusal(404, "RouterNotFound"));
    assert_eq!(lab.refused("DELETE", &format!("{}/{router}", path(&missing)), Value::Null), refusal(404, "AgentNotFound"));
    assert_eq!(lab.refused("GET", &path(&missing), Value::Null), refusal(404, "AgentNotFound"));
    assert_eq!(lab.refused("GET", &format!("routers/{missing}/l3-agents"), Value::Null), refusal(404, "RouterNotFound"));
    assert_eq!(lab.show(&path(&bridge)), json!([]));
    lab.member();
    assert_eq!(lab.refused("GET", &path(&one), Value::Null), refusal(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("GET", &format!("routers/{router}/l3-agents"), Value::Null), refusal(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("POST", &path(&one), body), refusal(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("DELETE", &format!("{}/{router}", path(&one)), Value::Null), refusal(403, "PolicyNotAuthorized"));
}

#[test]
fn routers_are_carried_in_the_zones_they_ask_for() {
    let mut lab = Lab::new();
    lab.admin();
    lab.agent_in("h1", AgentType::L3, Some("a"));
    let b = lab.agent_in("h2", AgentType::L3, Some("b"));
    let body = |zone: &str| json!({"router": {"availability_zone_hints": [zone]}});
    assert_eq!(lab.refused("POST", "routers", body("z")), refusal(404, "AvailabilityZoneNotFound"));
    for _ in 0..3 {
        let made = lab.accepted("POST", "routers", body("b"))["router"].clone();
        assert_eq!((&made["availability_zone_hints"], &made["availability_zones"]), (&json!(["b"]), &json!(["b"])));
    }
    assert_eq!(ids(&lab.show(&format!("agents/{b}/l3-routers"))).len(), 3);
    lab.accepted("DELETE", &format!("agents/{b}"), Value::Null);
    assert_eq!(lab.show("routers")[0]["availability_zones"], json!([]), "rather nowhere than elsewhere");
}

#[test]
fn a_disabled_agent_keeps_its_routers_and_carries_none() {
    let mut lab = Lab::new();
    lab.admin();
    lab.agent("h1", AgentType::LinuxBridge);
    let agent = lab.agent("h1", AgentType::L3);
    let router = lab.router();
    let id = lab.floating_ip(json!({"port_id": lab.port(json!({}))}));
    let status = |lab: &Lab| lab.get::<FloatingIp>(&id).expect("made").status;
    let realised = |lab: &Lab| {
        let (router, id) = (router.parse().expect("an id"), id.parse().expect("an id"));
        lab.act(move |op| floating_ip_realised(op, router, id, &HostName::from("h1")))
    };
    assert!(realised(&lab));
    let enable = |up: bool| lab.accepted("PUT", &format!("agents/{agent}"), json!({"agent": {"admin_state_up": up}}));
    enable(false);
    assert_eq!((lab.get::<Router>(&router).expect("made").agents.clone(), status(&lab)), (vec![agent], FloatingIpStatus::Down));
    assert!(!realised(&lab), "a late word");
    let waiting = lab.create("router", json!({}));
    assert!(lab.get::<Router>(&waiting).expect("made").agents.is_empty(), "nothing new goes to it");
    enable(true);
    assert!(realised(&lab));
    assert_eq!(lab.get::<Router>(&waiting).expect("made").agents, [agent]);
}
