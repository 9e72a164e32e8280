//! Networks as a host must carry them.

use net::{Mac, NetworkId, PortId, VlanId, Vni};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::IpAddr;

/// How a network is carried between hosts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Carrier {
    /// Not at all: it is on this host only.
    Local,
    /// Untagged on a physical network; the agent knows by which link.
    Flat {
        /// Name of the physical network.
        physical_network: SmolStr,
    },
    /// Tagged on a physical network (IEEE 802.1Q).
    Vlan {
        /// Name of the physical network.
        physical_network: SmolStr,
        /// The tag.
        vlan: VlanId,
    },
    /// VXLAN (RFC 7348), unicast.
    Vxlan {
        /// Its network identifier.
        vni: Vni,
    },
}

/// `network/<network>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NetworkIntent {
    /// Its id.
    pub id: NetworkId,
    /// How it is carried.
    pub carrier: Carrier,
    /// Largest IP packet in bytes.
    pub mtu: u32,
    /// False: no port of it carries packets.
    pub admin_state_up: bool,
}

/// `remote/<network>/<port>`: where frames to a port of another host go, and whom ARP and ND requests for its addresses mean.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RemotePort {
    /// The network.
    pub network_id: NetworkId,
    /// The port.
    pub port_id: PortId,
    /// Its MAC.
    pub mac: Mac,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Tunnel address of its host.
    pub vtep: IpAddr,
}
