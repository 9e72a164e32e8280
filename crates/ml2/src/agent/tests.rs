//! Agents and the scheduling of DHCP.

use super::{AgentReport, agent_down, agent_up, report_agent, resource};
use crate::testing::{Api, Lab, refused, report};
use crate::{Config, Heartbeats, dhcp};
use model::{Agent, AgentType, Network, Port, Subnet, VifType, device_owner};
use net::{AgentId, HostName, NetworkId, Timestamp};
use serde_json::json;
use smol_str::SmolStr;
use std::sync::Arc;

fn dhcp_ports(lab: &Lab, network: NetworkId) -> Vec<Arc<Port>> {
    let ports = lab.world.table::<Port>().by(Port::BY_NETWORK, network);
    ports.filter(|port| port.device_owner == device_owner::DHCP).cloned().collect()
}

#[test]
fn reports_make_and_revive() {
    let mut lab = Lab::new();
    let id = lab.bridge_agent("h1", 1);
    assert_eq!(lab.bridge_agent("h1", 2), id);
    assert_eq!(lab.get::<Agent>(id).configuration("tunneling_ip"), Some(&json!("192.0.2.2")));
    assert_ne!(lab.dhcp_agent("h1"), id);
    lab.act(|op| agent_down(op, id));
    assert!(!lab.get::<Agent>(id).alive);
    lab.bridge_agent("h1", 2);
    assert!(lab.get::<Agent>(id).alive);
    assert!(lab.settings.get::<Heartbeats>().last(id).is_some());
    lab.bridge_agent("h1", 2);
    assert!(lab.last.is_empty(), "a report without news is not a change");
}

#[test]
fn operators() {
    let mut lab = Lab::new();
    let id = lab.bridge_agent("h1", 1);
    assert_eq!(refused(lab.create(resource(), json!({}))), (400, "BadRequest"));
    lab.update(resource(), id, json!({"description": "rack 1", "admin_state_up": false})).expect("an operator");
    let agent = lab.get::<Agent>(id);
    assert_eq!((agent.description.as_deref(), agent.admin_state_up), (Some("rack 1"), false));
    lab.delete(resource(), id).expect("an operator");
    assert_eq!(lab.count::<Agent>(), 0);
    assert_eq!(lab.settings.get::<Heartbeats>().last(id), None);
}

#[test]
fn heartbeats_are_not_in_the_log() {
    let lab = Lab::new();
    let beats = lab.settings.get::<Heartbeats>();
    beats.beat(AgentId::MIN, Timestamp(7));
    assert_eq!(beats.last(AgentId::MIN), Some(Timestamp(7)));
}

#[test]
fn a_dhcp_port_comes_and_goes_with_the_subnets() {
    let mut lab = Lab::new();
    lab.bridge_agent("node1.example.org", 1);
    let agent = lab.dhcp_agent("node1.example.org");
    let network = lab.network();
    let off = lab.subnet(network, json!({"cidr": "10.9.0.0/24", "enable_dhcp": false})).expect("free");
    assert!(dhcp_ports(&lab, network).is_empty());
    let v4 = lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    assert_eq!(lab.get::<Network>(network).dhcp_agents, [agent]);
    let [port] = &dhcp_ports(&lab, network)[..] else { panic!("one port") };
    let device = dhcp::device_id(&HostName::from("node1"), network);
    assert_eq!(port.device_id, device, "the host without its domain");
    assert_eq!((port.binding.vif_type, port.binding.host.as_str()), (VifType::Tap, "node1.example.org"));
    assert_eq!(port.fixed_ips[0].ip_address.to_string(), "10.0.0.2", "the lowest");
    assert!(port.security_groups.is_empty() && !port.port_security_enabled && port.project_id.as_str() == "p1");
    let v6 = lab.subnet(network, json!({"cidr": "fd00::/64", "ipv6_address_mode": "dhcpv6-stateful"})).expect("free");
    assert_eq!(dhcp_ports(&lab, network)[0].fixed_ips.len(), 2);
    lab.update(crate::subnet::resource(), off, json!({"enable_dhcp": true})).expect("on");
    assert_eq!(dhcp_ports(&lab, network)[0].fixed_ips.len(), 3);
    lab.update(crate::subnet::resource(), off, json!({"enable_dhcp": false})).expect("off");
    lab.delete(crate::subnet::resource(), v4).expect("only DHCP is there");
    let [port] = &dhcp_ports(&lab, network)[..] else { panic!("one port") };
    assert_eq!(port.fixed_ips.iter().map(|ip| ip.subnet_id).collect::<Vec<_>>(), [v6]);
    lab.delete(crate::subnet::resource(), v6).expect("only DHCP is there");
    assert!(dhcp_ports(&lab, network).is_empty());
    assert_eq!(lab.get::<Network>(network).dhcp_agents, [agent], "for the next subnet");
    assert_eq!(lab.count::<Subnet>(), 1);
}

#[test]
fn scheduling_is_not_a_revision_of_the_network() {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    let before = lab.get::<Network>(network).standard.clone();
    let agent = lab.dhcp_agent("h1");
    let network = lab.get::<Network>(network);
    assert_eq!((network.dhcp_agents.as_slice(), &network.standard), (&[agent][..], &before));
}

#[test]
fn the_server_binds_when_the_bridge_agent_comes_later() {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    lab.dhcp_agent("h1");
    assert_eq!(dhcp_ports(&lab, network)[0].binding.vif_type, VifType::BindingFailed);
    lab.bridge_agent("h1", 1);
    assert_eq!(dhcp_ports(&lab, network)[0].binding.vif_type, VifType::Tap);
}

#[test]
fn the_least_loaded_serves() {
    let mut lab = Lab::new();
    let agents = [lab.dhcp_agent("h1"), lab.dhcp_agent("h2"), lab.dhcp_agent("h3")];
    for _ in 0..9 {
        let network = lab.network();
        lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    }
    for agent in agents {
        assert_eq!(lab.world.table::<Network>().count(Network::BY_DHCP_AGENT, agent), 3);
    }
}

#[test]
fn several_serve_when_configured() {
    let mut lab = Lab::with(Config { dhcp_agents_per_network: 2, ..Config::default() });
    lab.dhcp_agent("h1");
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    assert_eq!(dhcp_ports(&lab, network).len(), 1);
    lab.dhcp_agent("h2");
    assert_eq!(dhcp_ports(&lab, network).len(), 2);
}

#[test]
fn a_dead_agent_hands_over_its_port() {
    let mut lab = Lab::new();
    lab.bridge_agent("h1", 1);
    lab.bridge_agent("h2", 2);
    let first = lab.dhcp_agent("h1");
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    let before = dhcp_ports(&lab, network)[0].clone();
    lab.act(|op| agent_down(op, first));
    assert_eq!(lab.get::<Network>(network).dhcp_agents, [first], "there is no other");
    let second = lab.dhcp_agent("h2");
    lab.act(|op| agent_up(op, first));
    lab.act(|op| agent_down(op, first));
    assert_eq!(lab.get::<Network>(network).dhcp_agents, [second]);
    let [after] = &dhcp_ports(&lab, network)[..] else { panic!("one port") };
    assert_eq!((after.id, &after.fixed_ips, after.mac_address), (before.id, &before.fixed_ips, before.mac_address));
    assert_eq!((after.binding.host.as_str(), after.binding.vif_type), ("h2", VifType::Tap));
    assert_eq!(after.device_id, dhcp::device_id(&HostName::from("h2"), network));
}

#[test]
fn failover_can_be_off_and_deletion_always_unschedules() {
    let mut lab = Lab::with(Config { dhcp_failover: false, ..Config::default() });
    let first = lab.dhcp_agent("h1");
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    let second = lab.dhcp_agent("h2");
    lab.act(|op| agent_down(op, first));
    assert_eq!(lab.get::<Network>(network).dhcp_agents, [first]);
    lab.delete(resource(), first).expect("an operator");
    assert_eq!(lab.get::<Network>(network).dhcp_agents, [second]);
    lab.delete(resource(), second).expect("an operator");
    assert!(lab.get::<Network>(network).dhcp_agents.is_empty() && dhcp_ports(&lab, network).is_empty());
    lab.dhcp_agent("h3");
    assert_eq!(dhcp_ports(&lab, network).len(), 1, "networks that wait are served when an agent comes");
}

#[test]
fn a_removed_dhcp_port_comes_back() {
    let mut lab = Lab::new();
    lab.dhcp_agent("h1");
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    let port = dhcp_ports(&lab, network)[0].id;
    lab.delete(crate::port::resource(), port).expect("an administrator");
    let [again] = &dhcp_ports(&lab, network)[..] else { panic!("one port") };
    assert_ne!(again.id, port);
}

#[test]
fn an_exhausted_pool_does_not_fail_the_subnet() {
    let mut lab = Lab::new();
    let network = lab.network();
    let pool = json!([{"start": "10.0.0.9", "end": "10.0.0.9"}]);
    lab.subnet(network, json!({"cidr": "10.0.0.0/24", "allocation_pools": pool})).expect("free");
    lab.port(network, json!({})).expect("the only address");
    lab.dhcp_agent("h1");
    assert!(dhcp_ports(&lab, network).is_empty());
}

#[test]
fn what_is_accepted_and_not_enforced_is_said_of_those_who_would_have_to() {
    let of = |previews: bool, agent_type: AgentType, enforces: &'static [&'static str]| {
        let api = Api::previewing(previews);
        let report = AgentReport {
            enforces: enforces.iter().map(|alias| SmolStr::new_static(alias)).collect(),
            ..report("h1", agent_type, None, &json!({"devices": 2}))
        };
        let id = api.act(move |op| report_agent(op, report.clone()));
        let shown = api.show(&format!("agents/{id}"))["configurations"].clone();
        let listed = api.show("agents?fields=configurations")[0]["configurations"].clone();
        assert_eq!(shown, listed);
        shown
    };
    assert_eq!(of(true, AgentType::LinuxBridge, &[]), json!({"devices": 2, "not_enforced": ["pvlan"]}));
    assert_eq!(of(true, AgentType::OpenVSwitch, &["qos"])["not_enforced"], json!(["pvlan"]));
    let nothing = [(true, AgentType::LinuxBridge, &["pvlan"][..]), (true, AgentType::L3, &[]), (true, AgentType::Dhcp, &[])];
    for (previews, agent_type, enforces) in nothing.into_iter().chain([(false, AgentType::LinuxBridge, &[][..])]) {
        assert_eq!(of(previews, agent_type, enforces), json!({"devices": 2}), "{agent_type}, previews {previews}");
    }
}
