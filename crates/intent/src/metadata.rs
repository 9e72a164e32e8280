//! Who asks for metadata, as the hosts that answer must know it.

use net::{IpNet, Mac, NetworkId, PortId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where instances ask for their metadata.
pub const METADATA_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The same by IPv6, on the link.
pub const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe);

/// [`METADATA_V4`] as an address of a link.
pub fn metadata_v4() -> IpNet {
    IpNet::from(IpAddr::V4(METADATA_V4))
}

/// [`METADATA_V6`] as an address of a link.
pub fn metadata_v6() -> IpNet {
    IpNet::new(IpAddr::V6(METADATA_V6), 64).expect("64 is a prefix length of IPv6")
}

/// `metadata-client/<network>/<port>`: a port of an instance on a network where the host answers, by its DHCP server or by a router.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MetadataClient {
    /// The network.
    pub network_id: NetworkId,
    /// The port.
    pub port_id: PortId,
    /// Its MAC, from which its link-local address is made.
    pub mac: Mac,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The instance: the port's `device_id`.
    pub instance_id: SmolStr,
    /// The port's project.
    pub project_id: SmolStr,
}
