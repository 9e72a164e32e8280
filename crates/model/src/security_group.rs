//! Security groups and their rules.

use crate::{Standard, words};
use net::{AddressGroupId, Family, ProjectId, SecurityGroupId, SecurityGroupRuleId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

words! {
    /// Direction as the instance sees it.
    Direction {
        /// To the instance.
        Ingress = "ingress",
        /// From the instance.
        Egress = "egress",
    }
}

/// A security group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// True: replies to what was allowed pass (connection tracking).
    pub stateful: bool,
    /// True for the project's `default` group.
    pub is_default: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl SecurityGroup {
    /// By owner.
    pub const BY_PROJECT: Index<SecurityGroup> = Index::new(0);
    /// The default group of a project, by owner.
    pub const DEFAULT_OF: Index<SecurityGroup> = Index::new(1);
}

impl Record for SecurityGroup {
    type Id = SecurityGroupId;
    const KIND: &'static str = "security_group";
    const INDEXES: usize = 2;

    fn id(&self) -> SecurityGroupId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        if self.is_default {
            put(Self::DEFAULT_OF, (&self.project_id).into());
        }
    }
}

/// A rule: what it matches passes. Immutable once made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    /// Its id.
    pub id: SecurityGroupRuleId,
    /// Its owner.
    pub project_id: ProjectId,
    /// The group it belongs to.
    pub security_group_id: SecurityGroupId,
    /// As the instance sees it.
    pub direction: Direction,
    /// `ethertype`.
    pub ethertype: Family,
    /// A protocol's name as it was given (lower case), or its number in decimal; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<SmolStr>,
    /// First port, or ICMP type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_range_min: Option<u16>,
    /// Last port, or ICMP code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_range_max: Option<u16>,
    /// The other side's prefix, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip_prefix: Option<SmolStr>,
    /// The other side's security group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_group_id: Option<SecurityGroupId>,
    /// The other side's address group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_address_group_id: Option<AddressGroupId>,
    /// Common attributes.
    pub standard: Standard,
}

impl SecurityGroupRule {
    /// By the group it belongs to.
    pub const BY_GROUP: Index<SecurityGroupRule> = Index::new(0);
    /// By remote group.
    pub const BY_REMOTE_GROUP: Index<SecurityGroupRule> = Index::new(1);
    /// By owner.
    pub const BY_PROJECT: Index<SecurityGroupRule> = Index::new(2);
    /// By remote address group.
    pub const BY_ADDRESS_GROUP: Index<SecurityGroupRule> = Index::new(3);
}

impl Record for SecurityGroupRule {
    type Id = SecurityGroupRuleId;
    const KIND: &'static str = "security_group_rule";
    const INDEXES: usize = 4;

    fn id(&self) -> SecurityGroupRuleId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_GROUP, self.security_group_id.into());
        if let Some(remote) = self.remote_group_id {
            put(Self::BY_REMOTE_GROUP, remote.into());
        }
        if let Some(remote) = self.remote_address_group_id {
            put(Self::BY_ADDRESS_GROUP, remote.into());
        }
        put(Self::BY_PROJECT, (&self.project_id).into());
    }
}
