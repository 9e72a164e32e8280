//! Agents: the roles of hosts, as `/v2.0/agents` shows them.

use crate::words;
use net::{AgentId, HostName, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use world::{Index, Key, Record};

words! {
    /// `agent_type`.
    AgentType {
        /// L2 by Linux bridges.
        LinuxBridge = "Linux bridge agent",
        /// L2 by Open vSwitch.
        OpenVSwitch = "Open vSwitch agent",
        /// DHCP.
        Dhcp = "DHCP agent",
        /// Routers.
        L3 = "L3 agent",
        /// Metadata.
        Metadata = "Metadata agent",
    }
}

impl AgentType {
    /// The resource that is scheduled to agents of this type by availability zone, as `/v2.0/availability_zones` names it.
    pub fn scheduled_resource(self) -> Option<&'static str> {
        match self {
            AgentType::Dhcp => Some("network"),
            AgentType::L3 => Some("router"),
            AgentType::LinuxBridge | AgentType::OpenVSwitch | AgentType::Metadata => None,
        }
    }
}

/// A role of a host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its role.
    pub agent_type: AgentType,
    /// `binary`: `neutron-linuxbridge-agent`.
    pub binary: SmolStr,
    /// Its host.
    pub host: HostName,
    /// `topic`; `N/A` for L2 agents.
    pub topic: SmolStr,
    /// Its availability zone, where [`AgentType::scheduled_resource`] is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<SmolStr>,
    /// False: nothing new is scheduled to it, and what it has it does not carry.
    pub admin_state_up: bool,
    /// Free text of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SmolStr>,
    /// What it says of itself: bridge mappings, tunnel types, local address.
    pub configurations: Map<String, Value>,
    /// Aliases of extensions that it enforces, of those that not all agents do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enforces: Vec<SmolStr>,
    /// True while heartbeats arrive. A change of this is in the log; the heartbeats themselves are not.
    pub alive: bool,
    /// When it first reported.
    pub created_at: Timestamp,
    /// When its process started.
    pub started_at: Timestamp,
}

impl Agent {
    /// By host.
    pub const BY_HOST: Index<Agent> = Index::new(0);
    /// By `Key::Text` of the agent type.
    pub const BY_TYPE: Index<Agent> = Index::new(1);

    /// A text of its configuration, such as `tunneling_ip`.
    pub fn configuration(&self, name: &str) -> Option<&Value> {
        self.configurations.get(name)
    }
}

impl Record for Agent {
    type Id = AgentId;
    const KIND: &'static str = "agent";
    const INDEXES: usize = 2;

    fn id(&self) -> AgentId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        None
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_HOST, (&self.host).into());
        put(Self::BY_TYPE, self.agent_type.as_str().into());
    }
}
