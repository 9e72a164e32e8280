//! Quotas: a project's limits where they differ from the configured ones.

use net::ProjectId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use world::{Index, Key, Record};

/// The limits set for one project, by resource (`port`); -1 is no limit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Quota {
    /// The project.
    pub project_id: ProjectId,
    /// Limits by resource.
    pub limits: BTreeMap<SmolStr, i64>,
}

impl Record for Quota {
    type Id = ProjectId;
    const KIND: &'static str = "quota";
    const INDEXES: usize = 0;

    fn id(&self) -> ProjectId {
        self.project_id.clone()
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, _put: &mut dyn FnMut(Index<Self>, Key)) {}
}
