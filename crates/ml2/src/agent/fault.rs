//! Refusals of agents.

use api::Fault;

/// Why an operation on an agent was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentFault {
    /// 400 `BadRequest`: agents make themselves by reporting.
    CreatedByReport,
}

impl From<AgentFault> for Fault {
    fn from(fault: AgentFault) -> Fault {
        match fault {
            AgentFault::CreatedByReport => Fault::new(400, "BadRequest", "Bad agents request: Agent creation using API is not supported.."),
        }
    }
}
