//! Conntrack helpers of routers.

use net::{ConntrackHelperId, ProjectId, RouterId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use world::{Index, Key, Record};

/// Connections through a router to this port are tracked by the helper of an application's protocol.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConntrackHelper {
    /// Its id.
    pub id: ConntrackHelperId,
    /// The router's owner.
    pub project_id: ProjectId,
    /// The router.
    pub router_id: RouterId,
    /// Name of the transport protocol: `tcp`.
    pub protocol: SmolStr,
    /// Where connections go.
    pub port: u16,
    /// Name of the helper: `ftp`.
    pub helper: SmolStr,
}

impl ConntrackHelper {
    /// By router.
    pub const BY_ROUTER: Index<ConntrackHelper> = Index::new(0);
}

impl Record for ConntrackHelper {
    type Id = ConntrackHelperId;
    const KIND: &'static str = "conntrack_helper";
    const INDEXES: usize = 1;

    fn id(&self) -> ConntrackHelperId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_ROUTER, self.router_id.into());
    }
}
