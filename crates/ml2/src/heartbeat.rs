//! When each agent was last heard of: soft state, not in the log.

use net::{AgentId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The last heartbeat of each agent, shared by the streams that hear them and the answers that show them.
#[derive(Default, Debug)]
pub struct Heartbeats {
    last: Mutex<HashMap<AgentId, Timestamp>>,
}

impl Heartbeats {
    /// Nothing heard yet.
    pub fn new() -> Heartbeats {
        Heartbeats::default()
    }

    /// Notes that an agent was heard at a time.
    pub fn beat(&self, agent: AgentId, at: Timestamp) {
        self.lock().insert(agent, at);
    }

    /// When an agent was last heard.
    pub fn last(&self, agent: AgentId) -> Option<Timestamp> {
        self.lock().get(&agent).copied()
    }

    /// Forgets an agent that is gone.
    pub fn forget(&self, agent: AgentId) {
        self.lock().remove(&agent);
    }

    /// The map is whole after every operation, so a panic elsewhere in its holder does not spoil it.
    fn lock(&self) -> MutexGuard<'_, HashMap<AgentId, Timestamp>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
