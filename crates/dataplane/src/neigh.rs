//! Forwarding entries of VXLAN links and permanent neighbour entries.

use crate::Name;
use net::Mac;
use std::fmt;
use std::net::IpAddr;

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
