//! Topologies that projects got without asking for their parts.

use net::{NetworkId, ProjectId, RouterId};
use serde::{Deserialize, Serialize};
use world::{Index, Key, Record};

/// The topology of one project: a network that a router connects to the default external network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AutoAllocatedTopology {
    /// The project.
    pub project_id: ProjectId,
    /// Its network; the topology goes with it.
    pub network_id: NetworkId,
    /// Its router, which may be gone.
    pub router_id: RouterId,
}

impl AutoAllocatedTopology {
    /// By network.
    pub const BY_NETWORK: Index<AutoAllocatedTopology> = Index::new(0);
}

impl Record for AutoAllocatedTopology {
    type Id = ProjectId;
    const KIND: &'static str = "auto_allocated_topology";
    const INDEXES: usize = 1;

    fn id(&self) -> ProjectId {
        self.project_id.clone()
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_NETWORK, self.network_id.into());
    }
}
