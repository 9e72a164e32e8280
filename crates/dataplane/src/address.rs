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
    /// Metric of the kernel's route to that prefix; 0: the kernel's own choice, 0 for IPv4 and 256 for IPv6. It is not of what tells
    /// addresses of a link apart.
    pub metric: u32,
}

impl Address {
    /// With the kernel's own metric.
    pub fn new(link: impl Into<Name>, net: IpNet) -> Address {
        Address { link: link.into(), net, metric: 0 }
    }

    /// The same address on the same link.
    pub fn is_same(&self, other: &Address) -> bool {
        (&self.link, self.net) == (&other.link, other.net)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dev {}", self.net, self.link)?;
        if self.metric > 0 { write!(f, " metric {}", self.metric) } else { Ok(()) }
    }
}
