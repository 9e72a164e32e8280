//! What new security groups start with: their rules, and whether they are stateful.

use crate::{Direction, Standard};
use net::{AddressGroupId, DefaultSecurityGroupRuleId, Family, ProjectId, SecurityGroupId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;
use world::{Index, Key, Record};

/// A rule that new groups get.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DefaultSecurityGroupRule {
    /// Its id.
    pub id: DefaultSecurityGroupRuleId,
    /// As the instance sees it.
    pub direction: Direction,
    /// `ethertype`.
    pub ethertype: Family,
    /// As of a security group rule.
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
    /// True: the other side is the new group itself.
    #[serde(default)]
    pub remote_is_parent: bool,
    /// The other side's security group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_group_id: Option<SecurityGroupId>,
    /// The other side's address group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_address_group_id: Option<AddressGroupId>,
    /// The `default` group of a project gets it.
    pub used_in_default_sg: bool,
    /// Other groups get it.
    pub used_in_non_default_sg: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl Record for DefaultSecurityGroupRule {
    type Id = DefaultSecurityGroupRuleId;
    const KIND: &'static str = "default_security_group_rule";
    const INDEXES: usize = 0;

    fn id(&self) -> DefaultSecurityGroupRuleId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        None
    }

    fn index(&self, _put: &mut dyn FnMut(Index<Self>, Key)) {}
}

/// Whether new groups of a project are stateful when the request does not say.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DefaultStatefulness {
    /// Its id.
    pub id: Uuid,
    /// The project; none: all that have no setting of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// They are.
    pub stateful: bool,
}

impl DefaultStatefulness {
    /// By [`DefaultStatefulness::of`].
    pub const OF: Index<DefaultStatefulness> = Index::new(0);

    /// The key of a project's setting, or of the one for all.
    pub fn of(project: Option<&ProjectId>) -> Key {
        project.map_or(Key::Number(0), Key::from)
    }
}

impl Record for DefaultStatefulness {
    type Id = Uuid;
    const KIND: &'static str = "security_groups_default_statefulness";
    const INDEXES: usize = 1;

    fn id(&self) -> Uuid {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        self.project_id.as_ref()
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::OF, Self::of(self.project_id.as_ref()));
    }
}

/// A note that records of a kind were made once to begin with, so that those which were deleted since do not come back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seeded {
    /// The kind: [`Record::KIND`].
    pub kind: SmolStr,
}

impl Record for Seeded {
    type Id = SmolStr;
    const KIND: &'static str = "seeded";
    const INDEXES: usize = 0;

    fn id(&self) -> SmolStr {
        self.kind.clone()
    }

    fn project_id(&self) -> Option<&ProjectId> {
        None
    }

    fn index(&self, _put: &mut dyn FnMut(Index<Self>, Key)) {}
}
