//! Networks given to DHCP agents and taken from them by operators: `agents/<id>/dhcp-networks`, `networks/<id>/dhcp-agents` (extension
//! `dhcp_agent_scheduler`).
//!
//! What is taken from an agent stays so until something happens to the network that schedules it again: a new port or subnet.

use super::settle;
use crate::agent;
use crate::network::NetworkFault;
use crate::port::provisioning::stop_waiting;
use api::{Fault, Links, Op};
use model::{Agent, AgentType, Network};
use net::{AgentId, NetworkId};
use serde_json::{Map, Value};

/// Why a network was not given to an agent or taken from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DhcpFault {
    /// 404 `InvalidDHCPAgent`: of another type, or disabled.
    InvalidAgent(AgentId),
    /// 409 `NetworkHostedByDHCPAgent`.
    Hosted(NetworkId, AgentId),
    /// 409 `NetworkNotHostedByDhcpAgent`; the network as the client wrote it.
    NotHosted(String, AgentId),
}

impl From<DhcpFault> for Fault {
    fn from(fault: DhcpFault) -> Fault {
        match fault {
            DhcpFault::InvalidAgent(agent) => {
                Fault::new(404, "InvalidDHCPAgent", format!("Agent {agent} is not a valid DHCP Agent or has been disabled."))
            }
            DhcpFault::Hosted(network, agent) => {
                let message = format!("The network {network} has been already hosted by the DHCP Agent {agent}.");
                Fault::new(409, "NetworkHostedByDHCPAgent", message)
            }
            DhcpFault::NotHosted(network, agent) => {
                let message = format!("The network {network} is not hosted by the DHCP Agent {agent}.");
                Fault::new(409, "NetworkNotHostedByDhcpAgent", message)
            }
        }
    }
}

/// The networks of an agent.
pub fn networks_of_agent() -> Links<Network> {
    Links {
        collection: "agents",
        name: "dhcp_networks",
        get: "get_dhcp-networks",
        names: "network_id",
        tie: Some(("create_dhcp-network", add)),
        untie: Some(("delete_dhcp-network", remove)),
        ids: |world, agent| {
            let agent = agent::find(world, agent)?.id;
            Ok(world.table::<Network>().ids(Network::BY_DHCP_AGENT, agent).copied().collect())
        },
    }
}

/// The agents of a network. One that is not there has none.
pub fn agents_of_network() -> Links<Agent> {
    Links {
        collection: "networks",
        name: "dhcp_agents",
        get: "get_dhcp-agents",
        names: "agent_id",
        tie: None,
        untie: None,
        ids: |world, id| {
            let network = id.parse().ok().and_then(|id| world.get::<Network>(&id));
            Ok(network.map(|network| network.dhcp_agents.clone()).unwrap_or_default())
        },
    }
}

fn add(op: &mut Op<'_>, agent: &str, body: &Map<String, Value>) -> Result<(), Fault> {
    let asked = agent::required(body, "network_id")?;
    let found = asked.parse().ok().and_then(|id| op.tx.get::<Network>(&id)).cloned();
    let network = found.ok_or_else(|| NetworkFault::unknown(&asked))?;
    let agent = agent::find(op.tx.world(), agent)?;
    if agent.agent_type != AgentType::Dhcp || !agent.admin_state_up {
        return Err(DhcpFault::InvalidAgent(agent.id).into());
    }
    if network.dhcp_agents.contains(&agent.id) {
        return Err(DhcpFault::Hosted(network.id, agent.id).into());
    }
    let agents = network.dhcp_agents.iter().copied().chain([agent.id]).collect();
    settle(op, network.id, agents);
    Ok(())
}

fn remove(op: &mut Op<'_>, agent: &str, network: &str) -> Result<(), Fault> {
    let agent = agent::find(op.tx.world(), agent)?.id;
    let found = network.parse().ok().and_then(|id| op.tx.get::<Network>(&id));
    let Some(found) = found.filter(|network| network.dhcp_agents.contains(&agent)) else {
        return Err(DhcpFault::NotHosted(network.to_owned(), agent).into());
    };
    let id = found.id;
    let agents = found.dhcp_agents.iter().copied().filter(|there| *there != agent).collect();
    settle(op, id, agents);
    stop_waiting(op, id);
    Ok(())
}
