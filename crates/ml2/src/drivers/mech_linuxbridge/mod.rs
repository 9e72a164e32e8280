//! Linux bridges: a bridge for each network on each host, taps of instances enslaved by the host's agent.
//!
//! A port is bound on a host whose Linux bridge agent is alive, enabled and reaches a segment of the network: tunnels by
//! `tunnel_types` and `tunneling_ip` of its report, physical networks by `bridge_mappings` or `interface_mappings`.

use super::{Bound, MechanismDriver};
use crate::Config;
use model::{Agent, AgentType, Network, NetworkType, Port, Segment, VifType, VnicType};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use world::World;

pub(super) struct LinuxBridge;

impl MechanismDriver for LinuxBridge {
    fn name(&self) -> &'static str {
        "linuxbridge"
    }

    fn bind(&self, world: &World, config: &Config, port: &Port, network: &Network) -> Option<Bound> {
        if port.binding.vnic_type != VnicType::Normal {
            return None;
        }
        let mut agents = world.table::<Agent>().by(Agent::BY_HOST, &port.binding.host);
        let agent = agents.find(|agent| agent.agent_type == AgentType::LinuxBridge && agent.alive && agent.admin_state_up)?;
        let segment = network.segments.iter().find(|segment| reaches(agent, segment))?;
        let vif_type = if config.vif_type_bridge { VifType::Bridge } else { VifType::Tap };
        Some(Bound { segment: segment.id, vif_type, vif_details: vif_details() })
    }
}

/// True when the agent ends tunnels somewhere.
fn has_endpoint(agent: &Agent) -> bool {
    agent.configuration("tunneling_ip").and_then(Value::as_str).is_some_and(|text| text.parse::<IpAddr>().is_ok())
}

fn vif_details() -> Map<String, Value> {
    [("port_filter".to_owned(), json!(true)), ("connectivity".to_owned(), json!("l2"))].into_iter().collect()
}

fn reaches(agent: &Agent, segment: &Segment) -> bool {
    match segment.network_type {
        NetworkType::Local => true,
        NetworkType::Flat | NetworkType::Vlan => segment.physical_network.as_deref().is_some_and(|physical| has_mapping(agent, physical)),
        tunnel @ (NetworkType::Vxlan | NetworkType::Gre | NetworkType::Geneve) => {
            let types = agent.configuration("tunnel_types").and_then(Value::as_array);
            let speaks = types.is_some_and(|types| types.iter().any(|t| t.as_str() == Some(tunnel.as_str())));
            speaks && has_endpoint(agent)
        }
    }
}

pub(super) fn has_mapping(agent: &Agent, physical: &str) -> bool {
    let maps = ["bridge_mappings", "interface_mappings"];
    maps.iter().any(|map| agent.configuration(map).and_then(Value::as_object).is_some_and(|map| map.contains_key(physical)))
}
