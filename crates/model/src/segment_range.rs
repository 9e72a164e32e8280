//! Ranges of segmentation ids that networks of projects get.

use crate::{NetworkType, Standard};
use net::{ProjectId, SegmentRangeId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

/// A range of segmentation ids, for one project or for all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SegmentRange {
    /// Its id.
    pub id: SegmentRangeId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// True: it shows what the configuration says and cannot be changed.
    #[serde(default)]
    pub default: bool,
    /// Whose networks get ids of it; none: everybody's (`shared`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// Of which type.
    pub network_type: NetworkType,
    /// On which physical network, for VLANs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_network: Option<SmolStr>,
    /// The lowest.
    pub minimum: u32,
    /// The highest.
    pub maximum: u32,
    /// Common attributes.
    pub standard: Standard,
}

impl SegmentRange {
    /// By `Key::Text` of the network type.
    pub const BY_TYPE: Index<SegmentRange> = Index::new(0);
}

impl Record for SegmentRange {
    type Id = SegmentRangeId;
    const KIND: &'static str = "network_segment_range";
    const INDEXES: usize = 1;

    fn id(&self) -> SegmentRangeId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        self.project_id.as_ref()
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_TYPE, self.network_type.as_str().into());
    }
}
