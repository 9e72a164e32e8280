//! Layer 2: networks, subnets, ports and the agents that carry them.
//!
//! [`network`], [`subnet`], [`port`] and [`agent`] are the resources; [`drivers`] says how networks are carried and who plugs ports;
//! [`dhcp`] schedules networks to DHCP agents. What hosts must know is read by [`host_view`] and [`project`], and [`affected`] says
//! for a commit which parts of it changed. The operations that agents cause are in [`agent`], [`port::provisioning`] and [`dhcp`].
//!
//! Deliberately absent: subnet pools, address scopes, routed segments, several bindings of a port, RBAC and tags, which are features of
//! their own; and any I/O.

pub mod affected;
pub mod agent;
mod config;
pub mod dhcp;
pub mod drivers;
mod extensions;
mod free;
mod heartbeat;
pub mod host_view;
pub mod network;
pub mod port;
pub mod project;
pub mod subnet;
#[cfg(test)]
mod testing;

pub use config::Config;
pub use extensions::extensions;
pub use heartbeat::Heartbeats;
