//! What operators and agents do to agents.

use crate::port::rebind;
use crate::{Config, Heartbeats, Lost, dependents, dhcp};
use api::{Fault, Fields, Op};
use model::{Agent, AgentType, Network, Port, VifType, device_owner};
use net::{AgentId, HostName, PortId, Timestamp};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::sync::Arc;
use world::World;

/// What a host says of one of its roles.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentReport {
    /// The host.
    pub host: HostName,
    /// The role.
    pub agent_type: AgentType,
    /// `binary`: `neutron-linuxbridge-agent`.
    pub binary: SmolStr,
    /// `topic`.
    pub topic: SmolStr,
    /// Its availability zone.
    pub availability_zone: Option<SmolStr>,
    /// What it says of itself.
    pub configurations: Map<String, Value>,
    /// Aliases of extensions that it enforces, of those that not all agents do.
    pub enforces: Vec<SmolStr>,
    /// When its process started.
    pub started_at: Timestamp,
}

/// Takes in a report: the agent is made, or revived and brought up to date. Networks that wait for a DHCP agent are given to a new one,
/// and ports of the deployment that could not be bound on the host are bound now.
pub fn report_agent(op: &mut Op<'_>, report: AgentReport) -> AgentId {
    let before = reported(op.tx.world(), &report.host, report.agent_type);
    let agent = match &before {
        Some(agent) => Agent {
            binary: report.binary,
            topic: report.topic,
            availability_zone: report.availability_zone,
            configurations: report.configurations,
            enforces: report.enforces,
            started_at: report.started_at,
            alive: true,
            ..Agent::clone(agent)
        },
        None => Agent {
            id: AgentId(op.tx.context.uuid()),
            agent_type: report.agent_type,
            binary: report.binary,
            host: report.host,
            topic: report.topic,
            availability_zone: report.availability_zone,
            admin_state_up: op.settings.get::<Config>().enable_new_agents,
            description: None,
            configurations: report.configurations,
            enforces: report.enforces,
            alive: true,
            created_at: op.tx.context.now,
            started_at: report.started_at,
        },
    };
    let id = agent.id;
    op.settings.get::<Heartbeats>().beat(id, op.tx.context.now);
    let able = |agent: &Agent| (agent.alive, agent.configurations.clone());
    let is_news = before.is_none_or(|before| able(&before) != able(&agent));
    op.tx.put(agent);
    if is_news {
        became_able(op, id);
    }
    id
}

fn reported(world: &World, host: &HostName, agent_type: AgentType) -> Option<Arc<Agent>> {
    world.table::<Agent>().by(Agent::BY_HOST, host).find(|agent| agent.agent_type == agent_type).cloned()
}

/// An agent that is heard again.
pub fn agent_up(op: &mut Op<'_>, id: AgentId) {
    if op.tx.get::<Agent>(&id).is_some_and(|agent| !agent.alive) {
        op.tx.update::<Agent>(&id, |agent| agent.alive = true);
        became_able(op, id);
    }
}

/// An agent that is not heard any more: its networks go to other DHCP agents, if there are any and the configuration wants it. A disabled
/// one keeps what it has, as it had been told to.
pub fn agent_down(op: &mut Op<'_>, id: AgentId) {
    let Some(agent) = op.tx.get::<Agent>(&id).filter(|agent| agent.alive).cloned() else { return };
    op.tx.update::<Agent>(&id, |agent| agent.alive = false);
    became_unable(op, &agent, Lost::Silent);
}

fn became_unable(op: &mut Op<'_>, agent: &Agent, lost: Lost) {
    match lost {
        Lost::Deleted => dhcp::unschedule(op, agent.id, false),
        Lost::Silent if op.settings.get::<Config>().dhcp_failover => dhcp::unschedule(op, agent.id, true),
        Lost::Silent | Lost::Disabled => dhcp::pause(op, agent.id),
    }
    for dependent in dependents(op) {
        (dependent.agent_lost)(op, agent, lost);
    }
}

fn became_able(op: &mut Op<'_>, id: AgentId) {
    let Some(agent) = op.tx.get::<Agent>(&id).cloned() else { return };
    match agent.agent_type {
        AgentType::Dhcp => dhcp::schedule_waiting(op),
        AgentType::LinuxBridge | AgentType::OpenVSwitch => {
            bind_failed(op, &agent.host);
            dhcp::schedule_waiting(op);
        }
        AgentType::L3 | AgentType::Metadata => {}
    }
    for dependent in dependents(op) {
        (dependent.agent_able)(op, &agent);
    }
}

/// Ports of the deployment itself that could not be bound on the host; nobody else would try again. Those of instances
/// are their compute service's to retry.
fn bind_failed(op: &mut Op<'_>, host: &HostName) {
    let failed =
        |port: &Port| port.binding.vif_type == VifType::BindingFailed && port.device_owner.starts_with(device_owner::NETWORK_PREFIX);
    let ports = op.tx.table::<Port>().by(Port::BY_HOST, host).filter(|port| failed(port));
    let ports: Vec<PortId> = ports.map(|port| port.id).collect();
    let world = op.tx.world().clone();
    for id in ports {
        let Some(port) = world.get::<Port>(&id) else { continue };
        let Some(network) = world.get::<Network>(&port.network_id) else { continue };
        let mut new = Port::clone(port);
        rebind(&world, op.settings.get(), &mut new, network);
        if new != **port {
            new.standard.touch(op.tx.context.now);
            op.tx.put(new);
        }
    }
}

pub(super) fn update(op: &mut Op<'_>, agent: &Arc<Agent>, fields: &Fields) -> Result<(), Fault> {
    let mut new = Agent::clone(agent);
    if let Some(up) = fields.bool("admin_state_up") {
        new.admin_state_up = up;
    }
    if let Some(description) = fields.typed::<Option<SmolStr>>("description") {
        new.description = description;
    }
    let is_enabled = new.admin_state_up && !agent.admin_state_up;
    let is_disabled = !new.admin_state_up && agent.admin_state_up;
    op.tx.put(new);
    if is_enabled {
        became_able(op, agent.id);
    }
    if is_disabled {
        became_unable(op, agent, Lost::Disabled);
    }
    Ok(())
}

/// Forgets the agent; its networks go to other agents, or wait for one.
pub(super) fn delete(op: &mut Op<'_>, agent: &Arc<Agent>) -> Result<(), Fault> {
    op.tx.remove::<Agent>(&agent.id);
    became_unable(op, agent, Lost::Deleted);
    op.settings.get::<Heartbeats>().forget(agent.id);
    Ok(())
}
