//! Address groups: lists of prefixes that security group rules name.

use crate::Standard;
use net::{AddressGroupId, IpNet, ProjectId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

/// A list of prefixes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AddressGroup {
    /// Its id.
    pub id: AddressGroupId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// Of both families, without host bits, sorted, none twice; they may overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpNet>,
    /// Common attributes.
    pub standard: Standard,
}

impl AddressGroup {
    /// By owner.
    pub const BY_PROJECT: Index<AddressGroup> = Index::new(0);
}

impl Record for AddressGroup {
    type Id = AddressGroupId;
    const KIND: &'static str = "address_group";
    const INDEXES: usize = 1;

    fn id(&self) -> AddressGroupId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
    }
}
