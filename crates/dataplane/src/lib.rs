//! What a host should have in its kernel and among its processes, as plain data, and the difference to what it has.
//!
//! A [`Program`] is composed of units (a network, a port, a DHCP network …); each unit owns its objects alone. [`diff`]
//! compares the programs of some units with an [`Actual`] and answers a [`Plan`]: ordered steps, each naming its unit.
//! Everything is ordered and deterministic. Deliberately absent: any I/O (see crate `host`, whose modules have the same
//! names) and any word of the API (the compile crates translate intents into programs).

mod actual;
mod address;
mod daemon;
mod diff;
mod digest;
mod file;
mod link;
mod model;
mod neigh;
pub mod nft;
mod plan;
mod program;
mod route;
mod route_rule;

pub use actual::{Actual, ActualChain, ActualDaemon, ActualLink, ActualNamespace, ActualTable};
pub use address::Address;
pub use daemon::{ConfigFile, Daemon, DaemonDigest, OnChange};
pub use diff::diff;
pub use digest::Digest;
pub use file::{Files, file_digest};
pub use link::{Bridge, BridgePort, Link, LinkKind, Owner, Role, UNFILTERED_GROUP, Veth, Vlan, Vxlan};
pub use model::Refused;
pub use neigh::{FdbEntry, Neighbour, NeighbourProxy};
pub use plan::{Action, LinkChange, Plan, Step, TableChange, Waiting};
pub use program::{Namespace, Netns, Program, UnitKey};
pub use route::{Gateway, Hop, PROTOCOL, Route, RouteKey, RouteKind, Scope};
pub use route_rule::RouteRule;

/// The name of a kernel object: a link, a chain, a set. Links take at most 15 bytes.
pub type Name = smol_str::SmolStr;
