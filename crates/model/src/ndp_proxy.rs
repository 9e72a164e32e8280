//! NDP proxies: IPv6 addresses behind a router that are reached at its gateway.

use crate::Standard;
use net::{NdpProxyId, PortId, ProjectId, RouterId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::Ipv6Addr;
use world::{Index, Key, Record};

/// An NDP proxy.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NdpProxy {
    /// Its id.
    pub id: NdpProxyId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// The router.
    pub router_id: RouterId,
    /// The port that has the address.
    pub port_id: PortId,
    /// The address; one proxy of a router has it.
    pub ip_address: Ipv6Addr,
    /// Common attributes.
    pub standard: Standard,
}

impl NdpProxy {
    /// By owner.
    pub const BY_PROJECT: Index<NdpProxy> = Index::new(0);
    /// By router.
    pub const BY_ROUTER: Index<NdpProxy> = Index::new(1);
    /// By the port that has the address.
    pub const BY_PORT: Index<NdpProxy> = Index::new(2);
}

impl Record for NdpProxy {
    type Id = NdpProxyId;
    const KIND: &'static str = "ndp_proxy";
    const INDEXES: usize = 3;

    fn id(&self) -> NdpProxyId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        put(Self::BY_ROUTER, self.router_id.into());
        put(Self::BY_PORT, self.port_id.into());
    }
}
