//! DHCP by hand, and agents that are disabled.

use crate::agent::agent_down;
use crate::dhcp;
use crate::testing::Api;
use model::{AgentType, Network, Port, PortStatus};
use net::AgentId;
use serde_json::{Value, json};

fn hosts(api: &Api) -> [AgentId; 2] {
    api.agent("h1", AgentType::LinuxBridge, None);
    api.agent("h2", AgentType::LinuxBridge, None);
    ["h1", "h2"].map(|host| api.agent(host, AgentType::Dhcp, Some("nova")))
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|item| item["id"].as_str()).collect()
}

fn dhcp_hosts(api: &Api, network: &str) -> Vec<String> {
    let ports = api.show(&format!("ports?network_id={network}&device_owner=network:dhcp"));
    ports.as_array().expect("a list").iter().map(|port| port["binding:host_id"].as_str().expect("a host").to_owned()).collect()
}

#[test]
fn networks_are_given_and_taken() {
    let api = Api::new();
    let [one, two] = hosts(&api);
    let network = api.make("network", json!({}));
    let body = json!({ "network_id": network });
    let (of_one, agents) = (format!("agents/{one}/dhcp-networks"), format!("networks/{network}/dhcp-agents"));
    assert_eq!(api.accepted("POST", &of_one, &body), Value::Null);
    assert_eq!((ids(&api.show(&of_one)), ids(&api.show(&agents))), (vec![network.as_str()], vec![one.to_string().as_str()]));
    assert_eq!(api.show(&of_one)[0], api.show(&format!("networks/{network}")), "shown as networks are");
    api.subnet(&network, "10.0.0.0/24", json!({}));
    assert_eq!(dhcp_hosts(&api, &network), ["h1"], "it has the agent that it needs");
    api.accepted("POST", &format!("agents/{two}/dhcp-networks"), &body);
    assert_eq!(dhcp_hosts(&api, &network).len(), 2);
    assert_eq!(ids(&api.show(&agents)).len(), 2);
    api.accepted("DELETE", &format!("agents/{one}/dhcp-networks/{network}"), &Value::Null);
    assert_eq!(dhcp_hosts(&api, &network), ["h2"]);
    api.accepted("DELETE", &format!("agents/{two}/dhcp-networks/{network}"), &Value::Null);
    assert_eq!((api.show(&of_one), api.show(&agents), dhcp_hosts(&api, &network)), (json!([]), json!([]), vec![]));
    api.make("port", json!({ "network_id": network }));
    assert_eq!(dhcp_hosts(&api, &network).len(), 1, "a new port wants DHCP");
}

/// Only hosts that have the physical network can serve a network on it.
#[test]
fn networks_on_a_physical_network_are_served_where_it_is() {
    let api = Api::new();
    let [one, two] = hosts(&api);
    let rack = || json!({"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1", "bridge_mappings": {"rack": "br0"}});
    let flat = api.make("network", json!({"provider:network_type": "flat", "provider:physical_network": "rack"}));
    api.subnet(&flat, "10.0.0.0/24", json!({}));
    assert_eq!(dhcp_hosts(&api, &flat), Vec::<String>::new(), "nobody has it");
    api.agent_with("h3", AgentType::LinuxBridge, rack());
    let three = api.agent("h3", AgentType::Dhcp, Some("nova"));
    assert_eq!(dhcp_hosts(&api, &flat), ["h3"]);
    api.act(move |op| agent_down(op, three));
    assert_eq!(dhcp_hosts(&api, &flat), ["h3"], "nobody else can");
    api.agent_with("h4", AgentType::LinuxBridge, rack());
    let four = api.agent("h4", AgentType::Dhcp, Some("nova"));
    api.accepted("DELETE", &format!("agents/{three}"), &Value::Null);
    assert_eq!(dhcp_hosts(&api, &flat), ["h4"]);
    let of = |agent: AgentId| ids(&api.show(&format!("agents/{agent}/dhcp-networks"))).len();
    assert_eq!((of(one), of(two), of(four)), (0, 0, 1));
}

#[test]
fn refusals() {
    let api = Api::new();
    let [one, two] = hosts(&api);
    let bridge = api.agent("h1", AgentType::LinuxBridge, None);
    let network = api.make("network", json!({}));
    let body = json!({ "network_id": network });
    let missing = "00000000-0000-4000-8000-000000000000";
    let post = |agent: &dyn std::fmt::Display, body: &Value| api.refused("POST", &format!("agents/{agent}/dhcp-networks"), body);
    let kind = |status: u16, kind: &str| (status, kind.to_owned());
    assert_eq!(post(&one, &json!({ "network_id": missing })), kind(404, "NetworkNotFound"));
    assert_eq!(post(&missing, &body), kind(404, "AgentNotFound"));
    assert_eq!(post(&"x", &body), kind(404, "AgentNotFound"));
    assert_eq!(post(&bridge, &body), kind(404, "InvalidDHCPAgent"));
    for wrong in [json!({}), json!({"network_id": 5}), json!({"network_id": null}), json!([]), json!({"network_id": "x"})] {
        assert_eq!(post(&one, &wrong).0, 400, "{wrong}");
    }
    api.accepted("PUT", &format!("agents/{two}"), &json!({"agent": {"admin_state_up": false}}));
    assert_eq!(post(&two, &body), kind(404, "InvalidDHCPAgent"));
    api.accepted("POST", &format!("agents/{one}/dhcp-networks"), &body);
    assert_eq!(post(&one, &body), kind(409, "NetworkHostedByDHCPAgent"));
    let delete = |agent: &dyn std::fmt::Display, network: &str| {
        api.refused("DELETE", &format!("agents/{agent}/dhcp-networks/{network}"), &Value::Null)
    };
    assert_eq!(delete(&two, &network), kind(409, "NetworkNotHostedByDhcpAgent"));
    assert_eq!(delete(&one, missing), kind(409, "NetworkNotHostedByDhcpAgent"));
    assert_eq!(delete(&missing, &network), kind(404, "AgentNotFound"));
    let get = |path: &str| api.refused("GET", path, &Value::Null);
    assert_eq!(get(&format!("agents/{missing}/dhcp-networks")), kind(404, "AgentNotFound"));
    assert_eq!(get(&format!("agents/{one}/dhcp-networks/{network}")).0, 405);
    assert_eq!(api.show(&format!("networks/{missing}/dhcp-agents")), json!([]));
    assert_eq!(api.show(&format!("agents/{bridge}/dhcp-networks")), json!([]));
    assert_eq!(api.refused("POST", &format!("networks/{network}/dhcp-agents"), &body).0, 405);
    let member = |method: &str, path: &str, body: &Value| api.ask("member", method, path, body).0;
    assert_eq!(member("GET", &format!("networks/{network}/dhcp-agents"), &Value::Null), 403);
    assert_eq!(member("GET", &format!("agents/{one}/dhcp-networks"), &Value::Null), 403);
    assert_eq!(member("POST", &format!("agents/{one}/dhcp-networks"), &body), 403);
    assert_eq!(member("DELETE", &format!("agents/{one}/dhcp-networks/{network}"), &Value::Null), 403);
    assert_eq!(ids(&api.show(&format!("agents/{one}/dhcp-networks"))), [network.as_str()], "as it was");
}

#[test]
fn a_disabled_agent_keeps_its_networks_and_serves_none() {
    let api = Api::new();
    let [one, two] = hosts(&api);
    api.act(move |op| agent_down(op, two));
    let network = api.make("network", json!({}));
    api.subnet(&network, "10.0.0.0/24", json!({}));
    let port = json!({"network_id": network, "device_owner": "compute:nova", "device_id": "i", "binding:host_id": "h1"});
    let port = api.make("port", port);
    let waits = |api: &Api| api.world().get::<Port>(&port.parse().expect("an id")).expect("made").provisioning.dhcp;
    assert!(waits(&api));
    api.accepted("PUT", &format!("agents/{one}"), &json!({"agent": {"admin_state_up": false}}));
    let world = api.world();
    let record = world.get::<Network>(&network.parse().expect("an id")).expect("made").clone();
    assert_eq!((record.dhcp_agents.as_slice(), dhcp::is_served(&world, &record), waits(&api)), (&[one][..], false, false));
    assert_eq!(world.get::<Port>(&port.parse().expect("an id")).map(|port| port.status), Some(PortStatus::Down), "not wired");
    let other = api.make("network", json!({}));
    api.subnet(&other, "10.0.0.0/24", json!({}));
    assert_eq!(api.show(&format!("networks/{other}/dhcp-agents")), json!([]), "nothing new goes to it");
    api.accepted("PUT", &format!("agents/{one}"), &json!({"agent": {"admin_state_up": true}}));
    assert_eq!(ids(&api.show(&format!("networks/{other}/dhcp-agents"))), [one.to_string()]);
    assert!(dhcp::is_served(&api.world(), &record));
}

#[test]
fn agents_are_found_by_type_in_any_case() {
    let api = Api::new();
    let [one, two] = hosts(&api);
    let mut expected = [one.to_string(), two.to_string()];
    expected.sort_unstable();
    assert_eq!(ids(&api.show("agents?agent_type=DHCP%20Agent")), expected);
    assert_eq!(api.show("agents?agent_type=DHCP")[0], Value::Null);
    assert_eq!(ids(&api.show("agents?availability_zone=nova")), expected);
    let shown = api.show(&format!("agents/{one}"));
    assert_eq!((&shown["availability_zone"], shown.get("resources_synced")), (&json!("nova"), Some(&Value::Null)));
}
