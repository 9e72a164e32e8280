//! What agents' reports do to the state. The rules are those of the slices; the binary joins them to this seam.

use model::AgentType;
use net::{AgentId, HostName, PortId, Timestamp};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use world::Tx;

/// A role of a host as its agent reports it.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentReport {
    /// `agent_type`.
    pub agent_type: AgentType,
    /// `binary`.
    pub binary: SmolStr,
    /// `topic`.
    pub topic: SmolStr,
    /// Its availability zone.
    pub availability_zone: Option<SmolStr>,
    /// What it says of itself.
    pub configurations: Map<String, Value>,
    /// When its process started.
    pub started_at: Timestamp,
}

/// Operations that reports cause: pure functions of the transaction, which may be run again. Each one is a no-op on what is gone.
/// That a host may report for the port or network has been checked before.
pub trait Operations: Send + Sync + 'static {
    /// Makes or updates the agent of this role on a host; it is alive.
    fn report_agent(&self, tx: &mut Tx, host: &HostName, report: &AgentReport) -> AgentId;

    /// The agent has not been heard for too long.
    fn agent_down(&self, tx: &mut Tx, agent: AgentId);

    /// The L2 agent of the port's host has wired it.
    fn port_wired(&self, tx: &mut Tx, port: PortId);

    /// The port's device went away.
    fn port_unwired(&self, tx: &mut Tx, port: PortId);

    /// A DHCP agent of the port's network knows its addresses.
    fn dhcp_ready(&self, tx: &mut Tx, port: PortId);

    /// The agent was heard: soft state, outside the log.
    fn heartbeat(&self, agent: AgentId, at: Timestamp);
}
