//! Forwarding entries of VXLAN links, permanent neighbour entries, and addresses that a link answers for.

use crate::Name;
use net::Mac;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Frames for `mac` leave the VXLAN link towards `remote`. The MAC 00:00:00:00:00:00 stands for all unknown ones; it may
/// have several remotes, each an entry of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FdbEntry {
    /// The VXLAN link.
    pub link: Name,
    /// Destination of the inner frame.
    pub mac: Mac,
    /// Underlay address of the host that has it.
    pub remote: IpAddr,
}

impl FdbEntry {
    /// A remote to which unknown, broadcast and multicast frames are flooded.
    pub fn flood(link: impl Into<Name>, remote: IpAddr) -> FdbEntry {
        FdbEntry { link: link.into(), mac: Mac::MIN, remote }
    }
}

impl fmt::Display for FdbEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dev {} dst {}", self.mac, self.link, self.remote)
    }
}

/// A permanent neighbour: `address` is at `mac`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// The link it is reached by.
    pub link: Name,
    /// Its IP address.
    pub address: IpAddr,
    /// Its link-layer address.
    pub mac: Mac,
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lladdr {} dev {}", self.address, self.mac, self.link)
    }
}

/// The link answers neighbour solicitations for `address`, which is somebody else's behind this host (RFC 4861, section 7.2.8), where
/// its parameter `proxy_ndp` is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NeighbourProxy {
    /// The link that answers.
    pub link: Name,
    /// The address.
    pub address: Ipv6Addr,
}

impl fmt::Display for NeighbourProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dev {}", self.address, self.link)
    }
}
