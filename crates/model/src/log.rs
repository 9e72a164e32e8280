//! Logs: which packets of security groups are told of.

use crate::{Standard, words};
use net::{LogId, PortId, ProjectId, SecurityGroupId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

words! {
    /// What is told of a packet.
    LogEvent {
        /// That it passed.
        Accept = "ACCEPT",
        /// That it did not.
        Drop = "DROP",
        /// Both.
        All = "ALL",
    }
}

/// A log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// The security group; none: any of the owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<SecurityGroupId>,
    /// The port; none: any of the owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<PortId>,
    /// What is told.
    pub event: LogEvent,
    /// False: nothing is.
    pub enabled: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl Log {
    /// By owner.
    pub const BY_PROJECT: Index<Log> = Index::new(0);
    /// By security group.
    pub const BY_RESOURCE: Index<Log> = Index::new(1);
    /// By port.
    pub const BY_TARGET: Index<Log> = Index::new(2);
}

impl Record for Log {
    type Id = LogId;
    const KIND: &'static str = "log";
    const INDEXES: usize = 3;

    fn id(&self) -> LogId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        if let Some(group) = self.resource_id {
            put(Self::BY_RESOURCE, group.into());
        }
        if let Some(port) = self.target_id {
            put(Self::BY_TARGET, port.into());
        }
    }
}
