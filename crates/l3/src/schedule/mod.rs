//! Scheduling: which L3 agent carries a router, and binding the router's ports on that agent's host.
//!
//! A router goes to an agent of the zones that it asks for (see [`ml2::schedule`]) and stays there. [`schedule`] brings a router to this
//! state from any other and changes nothing when it is there; everything that can disturb it ends with a call of it. [`by_hand`] is what
//! operators do about it.

pub mod by_hand;

use crate::Config;
use crate::router::ports;
use api::Op;
use ml2::Lost;
use ml2::port::bind_service_port;
use ml2::schedule::{Candidates, zones};
use model::{Agent, AgentType, FloatingIp, FloatingIpStatus, Router};
use net::{AgentId, FloatingIpId, HostName, PortId, RouterId};
use std::sync::Arc;
use world::World;

fn agent_of<'w>(world: &'w World, router: &Router) -> Option<&'w Arc<Agent>> {
    router.agents.iter().filter_map(|id| world.get::<Agent>(id)).find(|agent| agent.agent_type == AgentType::L3)
}

/// The host of the agent to which a router is scheduled; none when it is to no agent.
pub fn host_of<'w>(world: &'w World, router: &Router) -> Option<&'w HostName> {
    agent_of(world, router).map(|agent| &agent.host)
}

/// The host that carries a router: none also while its agent is disabled.
pub fn carrier_of<'w>(world: &'w World, router: &Router) -> Option<&'w HostName> {
    agent_of(world, router).filter(|agent| agent.admin_state_up).map(|agent| &agent.host)
}

fn candidates(world: &World) -> Candidates {
    Candidates::of(world, AgentType::L3, |world, agent| world.table::<Router>().count(Router::BY_AGENT, agent))
}

fn choose(op: &Op<'_>, candidates: &mut Candidates, router: &Router) -> Option<AgentId> {
    candidates.choose(zones(op.settings.get(), &router.availability_zone_hints), &[])
}

/// Brings the router to an agent, if there is one, and its ports to that agent's host.
pub fn schedule(op: &mut Op<'_>, id: RouterId) {
    let Some(router) = op.tx.get::<Router>(&id).cloned() else { return };
    let mut agents = router.agents.clone();
    agents.retain(|agent| op.tx.get::<Agent>(agent).is_some());
    if agents.is_empty() {
        let mut candidates = candidates(op.tx.world());
        agents.extend(choose(op, &mut candidates, &router));
    }
    settle(op, &router, agents);
}

/// Gives the router to these agents and no others. Its floating IPs are not carried until its new host says so.
fn settle(op: &mut Op<'_>, router: &Router, agents: Vec<AgentId>) {
    if agents != router.agents {
        let before = host_of(op.tx.world(), router).cloned();
        op.tx.update::<Router>(&router.id, |router| router.agents = agents);
        let after = op.tx.get::<Router>(&router.id).and_then(|router| host_of(op.tx.world(), router));
        if before.as_ref() != after {
            floating_ips_down(op, router.id);
        }
    }
    bind_ports(op, router.id);
}

fn bind_ports(op: &mut Op<'_>, id: RouterId) {
    let Some(router) = op.tx.get::<Router>(&id) else { return };
    let host = host_of(op.tx.world(), router).cloned();
    let ports: Vec<PortId> = ports(op.tx.world(), id).map(|port| port.id).collect();
    for port in ports {
        bind_service_port(op, port, host.as_ref());
    }
}

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

/// An L3 agent has come: routers that wait for one are given to it or its like.
pub(crate) fn agent_able(op: &mut Op<'_>, agent: &Agent) {
    if agent.agent_type != AgentType::L3 {
        return;
    }
    let waiting = op.tx.table::<Router>().iter().filter(|router| router.agents.is_empty());
    let waiting: Vec<Arc<Router>> = waiting.cloned().collect();
    let mut candidates = candidates(op.tx.world());
    for router in waiting {
        if let Some(agent) = choose(op, &mut candidates, &router) {
            settle(op, &router, vec![agent]);
        }
    }
}

/// An L3 agent was lost: its routers go to others. Those of a silent one only when the configuration wants it and there is another; those of
/// a disabled one stay with it and are carried by nobody.
pub(crate) fn agent_lost(op: &mut Op<'_>, agent: &Agent, lost: Lost) {
    if agent.agent_type != AgentType::L3 || (lost == Lost::Silent && !op.settings.get::<Config>().router_failover) {
        return;
    }
    let routers: Vec<Arc<Router>> = op.tx.table::<Router>().by(Router::BY_AGENT, agent.id).cloned().collect();
    let mut candidates = candidates(op.tx.world());
    for router in routers {
        match (lost, choose(op, &mut candidates, &router)) {
            (Lost::Disabled, _) => floating_ips_down(op, router.id),
            (Lost::Silent, None) => {}
            (_, successor) => {
                floating_ips_down(op, router.id);
                settle(op, &router, successor.into_iter().collect());
            }
        }
    }
}
