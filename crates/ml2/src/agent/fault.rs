//! Refusals of agents.

use api::Fault;

/// Why an operation on an agent was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentFault {
    /// 400 `BadRequest`: agents make themselves by reporting.
    CreatedByReport,
    /// 404 `AgentNotFound`; the id as the client wrote it.
    NotFound(String),
}

impl From<AgentFault> for Fault {
    fn from(fault: AgentFault) -> Fault {
        match fault {
            AgentFault::CreatedByReport => Fault::new(400, "BadRequest", "Bad agents request: Agent creation using API is not supported.."),
            AgentFault::NotFound(id) => Fault::new(404, "AgentNotFound", format!("Agent {id} could not be found.")),
        }
    }
}
