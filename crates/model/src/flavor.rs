//! Flavors: kinds of service that an administrator offers, and the service profiles that say how they are carried.

use net::{FlavorId, ProjectId, ServiceProfileId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

/// A flavor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Flavor {
    /// Its id.
    pub id: FlavorId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SmolStr>,
    /// Of which service: `L3_ROUTER_NAT`.
    pub service_type: SmolStr,
    /// What its administrator says of it.
    pub enabled: bool,
    /// How it is carried: the first one decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_profiles: Vec<ServiceProfileId>,
}

impl Flavor {
    /// By service profile.
    pub const BY_SERVICE_PROFILE: Index<Flavor> = Index::new(0);
}

impl Record for Flavor {
    type Id = FlavorId;
    const KIND: &'static str = "flavor";
    const INDEXES: usize = 1;

    fn id(&self) -> FlavorId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        None
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        for profile in &self.service_profiles {
            put(Self::BY_SERVICE_PROFILE, (*profile).into());
        }
    }
}

/// A way in which a service is carried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceProfile {
    /// Its id.
    pub id: ServiceProfileId,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SmolStr>,
    /// The driver of a service provider, or empty.
    pub driver: SmolStr,
    /// False: nothing new can be carried by it.
    pub enabled: bool,
    /// What the driver is told, in words of its own.
    pub metainfo: SmolStr,
}

impl Record for ServiceProfile {
    type Id = ServiceProfileId;
    const KIND: &'static str = "service_profile";
    const INDEXES: usize = 0;

    fn id(&self) -> ServiceProfileId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        None
    }

    fn index(&self, _put: &mut dyn FnMut(Index<Self>, Key)) {}
}
