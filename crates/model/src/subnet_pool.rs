//! Address scopes and subnet pools: who gives prefixes to subnets, and within what they are unique.

use crate::Standard;
use net::{AddressScopeId, Family, IpNet, ProjectId, SubnetPoolId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

/// A realm in which no prefix is there twice, so that its networks can be routed to each other as they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressScope {
    /// Its id.
    pub id: AddressScopeId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// The family of its addresses.
    pub ip_version: Family,
}

impl AddressScope {
    /// By owner.
    pub const BY_PROJECT: Index<AddressScope> = Index::new(0);
}

impl Record for AddressScope {
    type Id = AddressScopeId;
    const KIND: &'static str = "address_scope";
    const INDEXES: usize = 1;

    fn id(&self) -> AddressScopeId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
    }
}

/// Prefixes out of which subnets are given theirs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SubnetPool {
    /// Its id.
    pub id: SubnetPoolId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// Of one family, sorted, as few as possible; at least one.
    pub prefixes: Vec<IpNet>,
    /// The length that a subnet gets which does not say.
    pub default_prefixlen: u8,
    /// The shortest that one can ask for.
    pub min_prefixlen: u8,
    /// The longest that one can ask for.
    pub max_prefixlen: u8,
    /// How much a project can have of it: single addresses in IPv4, prefixes of 64 bits in IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_quota: Option<u64>,
    /// True for the pool, one of a family, that subnets can ask for without knowing it.
    pub is_default: bool,
    /// The scope in which its prefixes are there once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_scope_id: Option<AddressScopeId>,
    /// Common attributes.
    pub standard: Standard,
}

impl SubnetPool {
    /// By owner.
    pub const BY_PROJECT: Index<SubnetPool> = Index::new(0);
    /// By address scope.
    pub const BY_SCOPE: Index<SubnetPool> = Index::new(1);
    /// The default pools, by `Key::Number` of the IP version.
    pub const DEFAULT_OF: Index<SubnetPool> = Index::new(2);

    /// Its address family.
    pub fn family(&self) -> Family {
        self.prefixes.first().map_or(Family::V4, Family::of_net)
    }
}

impl Record for SubnetPool {
    type Id = SubnetPoolId;
    const KIND: &'static str = "subnetpool";
    const INDEXES: usize = 3;

    fn id(&self) -> SubnetPoolId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        if let Some(scope) = self.address_scope_id {
            put(Self::BY_SCOPE, scope.into());
        }
        if self.is_default {
            put(Self::DEFAULT_OF, Key::Number(self.family().version().into()));
        }
    }
}
