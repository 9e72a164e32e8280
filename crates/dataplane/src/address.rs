//! IP addresses on links.

use crate::Name;
use net::IpNet;
use std::fmt;

/// An address on a link. Duplicate address detection is off for IPv6: the control plane hands out addresses once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The link that has it.
    pub link: Name,
    /// The address with the length of its on-link prefix.
    pub net: IpNet,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dev {}", self.net, self.link)
    }
}
