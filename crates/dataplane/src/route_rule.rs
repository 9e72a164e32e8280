//! Rules that choose the routing table of a packet. Our mark is the protocol number ([`crate::PROTOCOL`]).

use net::Family;
use std::fmt;

/// Packets of a family with this mark are routed by this table, before `main` is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteRule {
    /// Order among the rules of a namespace: smaller is asked first; `main` is at 32766.
    pub priority: u32,
    /// The family of the packets.
    pub family: Family,
    /// The packet mark, not 0.
    pub mark: u32,
    /// The routing table. What it has no route for goes on with the next rule.
    pub table: u32,
}

impl fmt::Display for RouteRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IPv{} priority {} fwmark {:#x} table {}", self.family.version(), self.priority, self.mark, self.table)
    }
}
