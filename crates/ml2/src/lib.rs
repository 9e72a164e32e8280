//! Layer 2: networks, subnets, ports and the agents that carry them.
//!
//! [`network`], [`subnet`], [`port`] and [`agent`] are the resources; [`drivers`] says how networks are carried and who plugs ports;
//! [`subnet_pool`] and [`address_scope`] say where subnets' prefixes come from; [`segment`] and [`segment_range`] how networks are carried;
//! [`dhcp`] schedules networks to DHCP agents, [`schedule`] is how an agent is chosen, [`availability_zone`] where they are;
//! [`ip_availability`] counts addresses; [`pvlan`] is about private networks. The operations that agents' reports cause are in [`agent`] and [`port::provisioning`].
//!
//! Deliberately absent: what hosts are told (`dispatch` projects it from the records); routed segments and several bindings of a port, which are
//! features of their own; and any I/O.

pub mod address_scope;
pub mod agent;
pub mod availability_zone;
mod config;
mod dependents;
pub mod dhcp;
pub mod dns;
pub mod drivers;
mod extensions;
pub mod external_dns;
mod free;
mod heartbeat;
pub mod ip_availability;
pub mod network;
mod place;
pub mod port;
pub mod pvlan;
pub mod schedule;
pub mod segment;
pub mod segment_range;
pub mod subnet;
pub mod subnet_pool;
#[cfg(test)]
mod testing;

pub use config::{Config, VlanRange};
pub(crate) use dependents::dependents;
pub use dependents::{Dependent, Dependents, Lost};
pub use extensions::extensions;
pub use heartbeat::Heartbeats;
