//! Quality of service: policies, their rules, and what uses them.
//!
//! [`policy`] and [`rule`] are the resources, [`rule_type`] says which rules there are; [`attach`] adds the policy to networks, ports,
//! floating IPs and routers' gateways, and what a port asks of Placement. [`drivers`] says which ports can have which rules.
//!
//! Deliberately absent: what hosts are told, and talking to Placement. A port that has an allocation there keeps its guarantees.

pub mod attach;
pub mod drivers;
mod extensions;
pub mod policy;
pub mod rule;
pub mod rule_type;
#[cfg(test)]
mod testing;

pub use extensions::previews;
