//! Scheduling: which agent is given new work. Of the alive and enabled agents in the zones that are asked for, one whose zone has the least of
//! the work, then the least loaded. What is chosen is kept in the record of the network or router; nothing is remembered here.

use crate::Config;
use model::{Agent, AgentType};
use net::AgentId;
use smol_str::SmolStr;
use world::World;

/// How much an agent has.
pub type Load = fn(&World, AgentId) -> usize;

/// The agents of a type that work may be given to, for one or many choices.
pub struct Candidates {
    world: World,
    load: Load,
    agents: Vec<Candidate>,
}

struct Candidate {
    id: AgentId,
    zone: Option<SmolStr>,
    /// Counted when it first matters, then kept up to date with what was chosen.
    load: Option<usize>,
}

impl Candidates {
    /// Those of a world.
    pub fn of(world: &World, agent_type: AgentType, load: Load) -> Candidates {
        let agents = world.table::<Agent>().by(Agent::BY_TYPE, agent_type.as_str());
        let usable = agents.filter(|agent| agent.alive && agent.admin_state_up);
        let agents = usable.map(|agent| Candidate { id: agent.id, zone: agent.availability_zone.clone(), load: None }).collect();
        Candidates { world: world.clone(), load, agents }
    }

    /// Leaves those that can do the work.
    pub fn retain(&mut self, can: impl Fn(&AgentId) -> bool) {
        self.agents.retain(|agent| can(&agent.id));
    }

    /// An agent in one of the zones (none named: anywhere) for what agents `taken` have already.
    pub fn choose(&mut self, zones: &[SmolStr], taken: &[AgentId]) -> Option<AgentId> {
        let in_zones = |agent: &Candidate| zones.is_empty() || agent.zone.as_ref().is_some_and(|zone| zones.contains(zone));
        let fits = |at: &usize| in_zones(&self.agents[*at]) && !taken.contains(&self.agents[*at].id);
        let fitting: Vec<usize> = (0..self.agents.len()).filter(fits).collect();
        let chosen = match fitting[..] {
            [] => return None,
            [only] => only,
            _ => self.best(&fitting, taken)?,
        };
        let agent = &mut self.agents[chosen];
        agent.load = agent.load.map(|load| load + 1);
        Some(agent.id)
    }

    fn best(&mut self, fitting: &[usize], taken: &[AgentId]) -> Option<usize> {
        for at in fitting {
            let agent = &mut self.agents[*at];
            agent.load.get_or_insert_with(|| (self.load)(&self.world, agent.id));
        }
        let zones_taken: Vec<_> = taken.iter().filter_map(|id| Some(&self.world.get::<Agent>(id)?.availability_zone)).collect();
        let rank = |at: &&usize| {
            let agent = &self.agents[**at];
            (zones_taken.iter().filter(|zone| ***zone == agent.zone).count(), agent.load)
        };
        fitting.iter().min_by_key(rank).copied()
    }
}

/// The zones that a network or router may be served from; none: any.
pub fn zones<'a>(config: &'a Config, hints: &'a [SmolStr]) -> &'a [SmolStr] {
    if hints.is_empty() { &config.default_availability_zones } else { hints }
}
