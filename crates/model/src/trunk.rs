//! Trunks: several networks through one port of an instance.

use crate::{Standard, words};
use net::{PortId, ProjectId, TrunkId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

words! {
    /// `status` of a trunk.
    TrunkStatus {
        /// All its subports are wired.
        Active = "ACTIVE",
        /// Nobody wires it.
        Down = "DOWN",
        /// An agent is at it.
        Build = "BUILD",
        /// Some of its subports are wired.
        Degraded = "DEGRADED",
        /// It cannot be wired.
        Error = "ERROR",
    }
}

words! {
    /// How the instance tells a subport's frames from others.
    SegmentationType {
        /// IEEE 802.1Q.
        Vlan = "vlan",
    }
}

/// A port whose network is reached through a trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SubPort {
    /// The port.
    pub port_id: PortId,
    /// How its frames are marked.
    pub segmentation_type: SegmentationType,
    /// With what: a VLAN id.
    pub segmentation_id: u16,
}

/// A trunk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trunk {
    /// Its id.
    pub id: TrunkId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// False: its subports cannot be changed.
    pub admin_state_up: bool,
    /// The parent: the port that the instance has.
    pub port_id: PortId,
    /// Its status.
    pub status: TrunkStatus,
    /// What is reached through it, in the order in which it was added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_ports: Vec<SubPort>,
    /// Common attributes.
    pub standard: Standard,
}

impl Trunk {
    /// By owner.
    pub const BY_PROJECT: Index<Trunk> = Index::new(0);
    /// By parent.
    pub const BY_PORT: Index<Trunk> = Index::new(1);
    /// By subport.
    pub const BY_SUB_PORT: Index<Trunk> = Index::new(2);
}

impl Record for Trunk {
    type Id = TrunkId;
    const KIND: &'static str = "trunk";
    const INDEXES: usize = 3;

    fn id(&self) -> TrunkId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        put(Self::BY_PORT, self.port_id.into());
        for sub_port in &self.sub_ports {
            put(Self::BY_SUB_PORT, sub_port.port_id.into());
        }
    }
}
