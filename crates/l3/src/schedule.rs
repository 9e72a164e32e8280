//! Scheduling: which L3 agent carries a router, and binding the router's ports on that agent's host.
//!
//! A router goes to the least loaded of the alive agents and stays there. [`schedule`] brings a router to this state from any other
//! and changes nothing when it is there; everything that can disturb it ends with a call of it.

use crate::Config;
use crate::router::ports;
use api::Op;
use ml2::Lost;
use ml2::port::bind_service_port;
use model::{Agent, AgentType, FloatingIp, FloatingIpStatus, Router};
use net::{AgentId, FloatingIpId, HostName, PortId, RouterId};
use world::World;

/// The host that carries a router; none when it is not scheduled.
pub fn host_of<'w>(world: &'w World, router: &Router) -> Option<&'w HostName> {
    let agents = router.agents.iter().filter_map(|id| world.get::<Agent>(id));
    agents.filter(|agent| agent.agent_type == AgentType::L3).map(|agent| &agent.host).next()
}

fn is_usable(agent: &Agent) -> bool {
    agent.agent_type == AgentType::L3 && agent.alive && agent.admin_state_up
}

/// Brings the router to an agent, if there is one, and its ports to that agent's host.
pub fn schedule(op: &mut Op<'_>, id: RouterId) {
    let Some(router) = op.tx.get::<Router>(&id).cloned() else { return };
    let mut agents = router.agents.clone();
    agents.retain(|agent| op.tx.get::<Agent>(agent).is_some());
    if agents.is_empty() {
        agents.extend(least_loaded(op.tx.world(), None));
    }
    if agents != router.agents {
        let before = host_of(op.tx.world(), &router).cloned();
        op.tx.update::<Router>(&id, |router| router.agents = agents);
        let after = op.tx.get::<Router>(&id).and_then(|router| host_of(op.tx.world(), router));
        if before.as_ref() != after {
            floating_ips_down(op, id);
        }
    }
    bind_ports(op, id);
}

fn bind_ports(op: &mut Op<'_>, id: RouterId) {
    let Some(router) = op.tx.get::<Router>(&id) else { return };
    let host = host_of(op.tx.world(), router).cloned();
    let ports: Vec<PortId> = ports(op.tx.world(), id).map(|port| port.id).collect();
    for port in ports {
        bind_service_port(op, port, host.as_ref());
    }
}

/// Floating IPs of a router that moves are not carried until its new host says so.
fn floating_ips_down(op: &mut Op<'_>, router: RouterId) {
    let now = op.tx.context.now;
    let ids: Vec<FloatingIpId> = op.tx.table::<FloatingIp>().ids(FloatingIp::BY_ROUTER, router).copied().collect();
    for id in ids {
        op.tx.update::<FloatingIp>(&id, |floating_ip| {
            if floating_ip.status != FloatingIpStatus::Down {
                floating_ip.status = FloatingIpStatus::Down;
                floating_ip.standard.touch(now);
            }
        });
    }
}

/// Counting stops where an agent is no longer the least loaded.
fn least_loaded(world: &World, except: Option<AgentId>) -> Option<AgentId> {
    let mut best: Option<(usize, AgentId)> = None;
    let agents = world.table::<Agent>().by(Agent::BY_TYPE, AgentType::L3.as_str());
    for agent in agents.filter(|agent| is_usable(agent) && Some(agent.id) != except) {
        let limit = best.map_or(usize::MAX, |(load, _)| load);
        let load = world.table::<Router>().ids(Router::BY_AGENT, agent.id).take(limit).count();
        if load < limit {
            best = Some((load, agent.id));
        }
    }
    best.map(|(_, agent)| agent)
}

/// An L3 agent has come: routers that wait for one are given to it or its like.
pub(crate) fn agent_able(op: &mut Op<'_>, agent: &Agent) {
    if agent.agent_type != AgentType::L3 {
        return;
    }
    let waiting = op.tx.table::<Router>().iter().filter(|router| router.agents.is_empty());
    let waiting: Vec<RouterId> = waiting.map(|router| router.id).collect();
    for router in waiting {
        schedule(op, router);
    }
}

/// An L3 agent was lost: its routers go to others. Those of a silent one only when the configuration wants it and there is another.
pub(crate) fn agent_lost(op: &mut Op<'_>, agent: &Agent, lost: Lost) {
    if agent.agent_type != AgentType::L3 || (lost == Lost::Silent && !op.settings.get::<Config>().router_failover) {
        return;
    }
    let routers: Vec<RouterId> = op.tx.table::<Router>().ids(Router::BY_AGENT, agent.id).copied().collect();
    for id in routers {
        let successor = least_loaded(op.tx.world(), Some(agent.id));
        if successor.is_none() && lost == Lost::Silent {
            return;
        }
        op.tx.update::<Router>(&id, |router| router.agents = successor.into_iter().collect());
        floating_ips_down(op, id);
        schedule(op, id);
    }
}
