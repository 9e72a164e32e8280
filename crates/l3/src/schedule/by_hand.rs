//! Routers given to L3 agents and taken from them by operators: `agents/<id>/l3-routers`, `routers/<id>/l3-agents` (extension
//! `l3_agent_scheduler`).
//!
//! What is taken from an agent stays so until something happens to the router that schedules it again.

use super::settle;
use crate::router::RouterFault;
use api::{Fault, Links, Op};
use ml2::agent;
use model::{Agent, AgentType, Router};
use net::{AgentId, RouterId};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Why a router was not given to an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScheduleFault {
    /// 404 `InvalidL3Agent`: of another type, or disabled.
    InvalidAgent(AgentId),
    /// 409 `RouterHostedByL3Agent`: by another one.
    Hosted(RouterId, AgentId),
}

impl From<ScheduleFault> for Fault {
    fn from(fault: ScheduleFault) -> Fault {
        match fault {
            ScheduleFault::InvalidAgent(agent) => {
                Fault::new(404, "InvalidL3Agent", format!("Agent {agent} is not a L3 Agent or has been disabled"))
            }
            ScheduleFault::Hosted(router, agent) => {
                let message = format!("The router {router} has been already hosted by the L3 Agent {agent}.");
                Fault::new(409, "RouterHostedByL3Agent", message)
            }
        }
    }
}

/// The routers of an agent.
pub fn routers_of_agent() -> Links<Router> {
    Links {
        collection: "agents",
        name: "l3_routers",
        get: "get_l3-routers",
        names: "router_id",
        tie: Some(("create_l3-router", add)),
        untie: Some(("delete_l3-router", remove)),
        ids: |world, agent| {
            let agent = agent::find(world, agent)?.id;
            Ok(world.table::<Router>().ids(Router::BY_AGENT, agent).copied().collect())
        },
    }
}

/// The agents of a router.
pub fn agents_of_router() -> Links<Agent> {
    Links {
        collection: "routers",
        name: "l3_agents",
        get: "get_l3-agents",
        names: "agent_id",
        tie: None,
        untie: None,
        ids: |world, id| {
            let router = id.parse().ok().and_then(|id| world.get::<Router>(&id));
            Ok(router.ok_or_else(|| RouterFault::NotFound(id.to_owned()))?.agents.clone())
        },
    }
}

fn find(op: &Op<'_>, id: &str) -> Result<Arc<Router>, RouterFault> {
    let found = id.parse().ok().and_then(|id| op.tx.get::<Router>(&id));
    found.cloned().ok_or_else(|| RouterFault::NotFound(id.to_owned()))
}

fn add(op: &mut Op<'_>, agent: &str, body: &Map<String, Value>) -> Result<(), Fault> {
    let router = find(op, &agent::required(body, "router_id")?)?;
    let agent = agent::find(op.tx.world(), agent)?;
    if agent.agent_type != AgentType::L3 || !agent.admin_state_up {
        return Err(ScheduleFault::InvalidAgent(agent.id).into());
    }
    match router.agents.first() {
        Some(there) if *there != agent.id => return Err(ScheduleFault::Hosted(router.id, *there).into()),
        _ => settle(op, &router, vec![agent.id]),
    }
    Ok(())
}

/// A router that the agent does not have is as it should be.
fn remove(op: &mut Op<'_>, agent: &str, router: &str) -> Result<(), Fault> {
    let agent = agent::find(op.tx.world(), agent)?.id;
    let router = find(op, router)?;
    if router.agents.contains(&agent) {
        settle(op, &router, Vec::new());
    }
    Ok(())
}
