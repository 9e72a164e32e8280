//! RBAC policies: which projects may use an object that is not theirs.

use crate::words;
use net::{ProjectId, RbacPolicyId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;
use world::{Index, Key, Record};

/// The target that means every project.
pub const EVERYBODY: &str = "*";

words! {
    /// What a policy lets its target do.
    RbacAction {
        /// Use the object as if it were the target's own, without changing it.
        Shared = "access_as_shared",
        /// Use the network as one that leads out of the cloud: gateways and floating IPs on it, no ports.
        External = "access_as_external",
    }
}

/// One entry: a project (or everybody) and what it may do with an object. There is one for each target, object and action.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RbacPolicy {
    /// Its id.
    pub id: RbacPolicyId,
    /// Its owner, who need not be the object's.
    pub project_id: ProjectId,
    /// What the object is: `network`.
    pub object_type: SmolStr,
    /// The object.
    pub object_id: Uuid,
    /// What may be done.
    pub action: RbacAction,
    /// Who may: a project, or [`EVERYBODY`].
    pub target_project: SmolStr,
}

impl RbacPolicy {
    /// By owner.
    pub const BY_PROJECT: Index<RbacPolicy> = Index::new(0);
    /// By object.
    pub const BY_OBJECT: Index<RbacPolicy> = Index::new(1);
    /// By [`RbacPolicy::grant`].
    pub const BY_GRANT: Index<RbacPolicy> = Index::new(2);
    /// By [`RbacPolicy::reach`].
    pub const BY_REACH: Index<RbacPolicy> = Index::new(3);

    /// True when its target is everybody.
    pub fn is_for_all(&self) -> bool {
        self.target_project == EVERYBODY
    }

    /// The key of what a target may do with an object.
    pub fn grant(object: Uuid, target: &SmolStr) -> Key {
        Key::UuidText(object, target.clone())
    }

    /// The key of the objects of a type that a target may do something with.
    pub fn reach(object_type: &str, target: &SmolStr) -> Key {
        Key::Texts(SmolStr::new(object_type), target.clone())
    }
}

impl Record for RbacPolicy {
    type Id = RbacPolicyId;
    const KIND: &'static str = "rbac_policy";
    const INDEXES: usize = 4;

    fn id(&self) -> RbacPolicyId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        put(Self::BY_OBJECT, self.object_id.into());
        put(Self::BY_GRANT, Self::grant(self.object_id, &self.target_project));
        put(Self::BY_REACH, Self::reach(&self.object_type, &self.target_project));
    }
}
