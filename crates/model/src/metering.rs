//! Metering labels: which packets of routers are counted.

use crate::Direction;
use net::{IpNet, MeteringLabelId, MeteringLabelRuleId, ProjectId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

/// A label: what its rules match is counted together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeteringLabel {
    /// Its id.
    pub id: MeteringLabelId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// What it is for.
    pub description: SmolStr,
    /// True: of all routers; false: of those of its owner.
    pub shared: bool,
}

impl MeteringLabel {
    /// By owner.
    pub const BY_PROJECT: Index<MeteringLabel> = Index::new(0);
}

impl Record for MeteringLabel {
    type Id = MeteringLabelId;
    const KIND: &'static str = "metering_label";
    const INDEXES: usize = 1;

    fn id(&self) -> MeteringLabelId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
    }
}

/// A rule of a label: what it matches is counted, or is not. Immutable once made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeteringLabelRule {
    /// Its id.
    pub id: MeteringLabelRuleId,
    /// The label's owner.
    pub project_id: ProjectId,
    /// The label.
    pub metering_label_id: MeteringLabelId,
    /// As the router's networks see it.
    pub direction: Direction,
    /// True: what it matches is not counted.
    pub excluded: bool,
    /// The other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip_prefix: Option<IpNet>,
    /// Where packets come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip_prefix: Option<IpNet>,
    /// Where they go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_ip_prefix: Option<IpNet>,
}

impl MeteringLabelRule {
    /// By label.
    pub const BY_LABEL: Index<MeteringLabelRule> = Index::new(0);
    /// By owner.
    pub const BY_PROJECT: Index<MeteringLabelRule> = Index::new(1);
}

impl Record for MeteringLabelRule {
    type Id = MeteringLabelRuleId;
    const KIND: &'static str = "metering_label_rule";
    const INDEXES: usize = 2;

    fn id(&self) -> MeteringLabelRuleId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_LABEL, self.metering_label_id.into());
        put(Self::BY_PROJECT, (&self.project_id).into());
    }
}
