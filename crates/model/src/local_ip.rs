//! Local IPs: addresses of a network that lead, on each host, to an instance of that host.

use crate::{Standard, words};
use net::{LocalIpId, NetworkId, PortId, ProjectId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::IpAddr;
use world::{Index, Key, Record};

words! {
    /// `ip_mode` of a local IP.
    LocalIpMode {
        /// Packets reach the instance with its own address.
        Translate = "translate",
        /// Packets reach the instance as they are.
        Passthrough = "passthrough",
    }
}

/// A local IP.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LocalIp {
    /// Its id.
    pub id: LocalIpId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// The port that holds the address.
    pub local_port_id: PortId,
    /// The port's network.
    pub network_id: NetworkId,
    /// The address.
    pub local_ip_address: IpAddr,
    /// How packets reach an instance.
    pub ip_mode: LocalIpMode,
    /// The ports that it leads to, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub associations: Vec<LocalIpAssociation>,
    /// Common attributes.
    pub standard: Standard,
}

/// A port that a local IP leads to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LocalIpAssociation {
    /// The port.
    pub fixed_port_id: PortId,
    /// Which of its addresses.
    pub fixed_ip: IpAddr,
}

impl LocalIp {
    /// By owner.
    pub const BY_PROJECT: Index<LocalIp> = Index::new(0);
    /// By the port that holds the address.
    pub const BY_LOCAL_PORT: Index<LocalIp> = Index::new(1);
    /// By the ports that it leads to.
    pub const BY_FIXED_PORT: Index<LocalIp> = Index::new(2);
}

impl Record for LocalIp {
    type Id = LocalIpId;
    const KIND: &'static str = "local_ip";
    const INDEXES: usize = 3;

    fn id(&self) -> LocalIpId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        put(Self::BY_LOCAL_PORT, self.local_port_id.into());
        for association in &self.associations {
            put(Self::BY_FIXED_PORT, association.fixed_port_id.into());
        }
    }
}
