//! Which agent carries a router.

use crate::Config;
use crate::floating_ip::{floating_ip_failed, floating_ip_realised};
use crate::testing::Lab;
use ml2::agent::{agent_down, agent_up};
use model::{AgentType, Port, Router, VifType};
use net::{FloatingIpId, HostName, RouterId};
use serde_json::{Value, json};

fn agents(lab: &Lab, router: &str) -> Vec<net::AgentId> {
    lab.get::<Router>(router).expect("a router").agents.clone()
}

/// Hosts of the router's ports, gateway included.
fn hosts(lab: &mut Lab, router: &str) -> Vec<(String, VifType)> {
    lab.admin();
    let ports = lab.show(&format!("ports?device_id={router}"));
    lab.member();
    let port = |shown: &Value| lab.get::<Port>(shown["id"].as_str().expect("an id")).expect("a port");
    let binding = |port: &Port| (port.binding.host.to_string(), port.binding.vif_type);
    ports.as_array().expect("a list").iter().map(|shown| binding(&port(shown))).collect()
}

#[test]
fn one_that_waits_is_given_to_the_first_agent() {
    let mut lab = Lab::new();
    let router = lab.router();
    assert!(agents(&lab, &router).is_empty());
    let before = lab.show(&format!("routers/{router}"))["revision_number"].clone();
    lab.agent("h1", AgentType::LinuxBridge);
    let agent = lab.agent("h1", AgentType::L3);
    assert_eq!(agents(&lab, &router), [agent]);
    assert_eq!(hosts(&mut lab, &router), vec![("h1".to_owned(), VifType::Tap); 2]);
    assert_eq!(lab.show(&format!("routers/{router}"))["revision_number"], before, "scheduling is no revision");
    let (_, subnet) = lab.network(json!({}), "10.8.0.0/24");
    lab.add(&router, json!({"subnet_id": subnet}));
    assert_eq!(hosts(&mut lab, &router), vec![("h1".to_owned(), VifType::Tap); 3], "later ports too");
}

#[test]
fn ports_that_could_not_be_bound_are_bound_when_the_bridge_agent_comes() {
    let mut lab = Lab::new();
    lab.agent("h1", AgentType::L3);
    let router = lab.router();
    assert_eq!(hosts(&mut lab, &router), vec![("h1".to_owned(), VifType::BindingFailed); 2]);
    lab.agent("h1", AgentType::LinuxBridge);
    assert_eq!(hosts(&mut lab, &router), vec![("h1".to_owned(), VifType::Tap); 2]);
}

#[test]
fn the_least_loaded_carries() {
    let lab = Lab::new();
    let all = [lab.agent("h1", AgentType::L3), lab.agent("h2", AgentType::L3), lab.agent("h3", AgentType::L3)];
    let routers: Vec<String> = (0..9).map(|_| lab.create("router", json!({}))).collect();
    for agent in all {
        assert_eq!(routers.iter().filter(|router| agents(&lab, router) == [agent]).count(), 3);
    }
}

#[test]
fn silent_agents_keep_their_routers_unless_told_otherwise() {
    for router_failover in [false, true] {
        let mut lab = Lab::with(Config { router_failover, ..Config::default() });
        lab.agent("h1", AgentType::LinuxBridge);
        lab.agent("h2", AgentType::LinuxBridge);
        let first = lab.agent("h1", AgentType::L3);
        let router = lab.router();
        lab.act(move |op| agent_down(op, first));
        assert_eq!(agents(&lab, &router), [first], "there is no other");
        lab.act(move |op| agent_up(op, first));
        let second = lab.agent("h2", AgentType::L3);
        lab.act(move |op| agent_down(op, first));
        let (agent, host) = if router_failover { (second, "h2") } else { (first, "h1") };
        assert_eq!(agents(&lab, &router), [agent]);
        assert_eq!(hosts(&mut lab, &router), vec![(host.to_owned(), VifType::Tap); 2]);
    }
}

#[test]
fn a_deleted_agent_leaves_its_routers() {
    let mut lab = Lab::new();
    let first = lab.agent("h1", AgentType::L3);
    let router = lab.router();
    let second = lab.agent("h2", AgentType::L3);
    lab.admin();
    lab.accepted("DELETE", &format!("agents/{first}"), Value::Null);
    assert_eq!(agents(&lab, &router), [second]);
    lab.admin();
    lab.accepted("DELETE", &format!("agents/{second}"), Value::Null);
    assert!(agents(&lab, &router).is_empty());
    assert_eq!(hosts(&mut lab, &router), vec![(String::new(), VifType::Unbound); 2]);
}

#[test]
fn floating_ips_are_active_when_their_host_says_so() {
    let lab = Lab::with(Config { router_failover: true, ..Config::default() });
    let agent = lab.agent("h1", AgentType::L3);
    let router = lab.router();
    let id = lab.floating_ip(json!({"port_id": lab.port(json!({}))}));
    let status = |lab: &Lab| lab.show(&format!("floatingips/{id}"))["status"].as_str().expect("a word").to_owned();
    assert_eq!(status(&lab), "DOWN");
    let (at, which): (RouterId, FloatingIpId) = (router.parse().expect("an id"), id.parse().expect("an id"));
    assert!(!lab.act(move |op| floating_ip_realised(op, at, which, &HostName::from("h2"))), "not its host");
    assert!(!lab.act(move |op| floating_ip_realised(op, RouterId::MIN, which, &HostName::from("h1"))), "not its router");
    assert!(lab.act(move |op| floating_ip_realised(op, at, which, &HostName::from("h1"))));
    assert!(!lab.act(move |op| floating_ip_realised(op, at, which, &HostName::from("h1"))), "twice is once");
    assert_eq!(status(&lab), "ACTIVE");
    lab.accepted("PUT", &format!("floatingips/{id}"), json!({"floatingip": {"description": "d"}}));
    assert_eq!(status(&lab), "ACTIVE");
    assert!(lab.act(move |op| floating_ip_failed(op, at, which, &HostName::from("h1"))));
    assert_eq!(status(&lab), "ERROR");
    lab.act(move |op| floating_ip_realised(op, at, which, &HostName::from("h1")));
    lab.agent("h2", AgentType::L3);
    lab.act(move |op| agent_down(op, agent));
    assert_eq!(status(&lab), "DOWN", "its new host has not said so");
    lab.act(move |op| floating_ip_realised(op, at, which, &HostName::from("h2")));
    let other = lab.port(json!({}));
    lab.accepted("PUT", &format!("floatingips/{id}"), json!({"floatingip": {"port_id": other}}));
    assert_eq!(status(&lab), "DOWN", "it leads elsewhere");
}
