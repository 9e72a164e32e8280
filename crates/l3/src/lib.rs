//! Layer 3: routers, floating IPs and their port forwardings.
//!
//! [`router`], [`floating_ip`], [`port_forwarding`], [`ndp_proxy`], [`conntrack_helper`] and [`auto_allocate`] are the resources; [`schedule`] gives routers to L3 agents. Ports of routers and
//! floating IPs are ordinary ports of `ml2`; what has to happen here when such a port or an agent changes is [`dependent`].
//!
//! Routers are centralised: one L3 agent carries a router with all its ports, also one that an administrator wants distributed or highly
//! available, which is a preview like [`local_ip`]. Deliberately absent: what hosts are told (`dispatch` projects
//! it from the records).

pub mod auto_allocate;
mod config;
pub mod conntrack_helper;
mod dependent;
mod extensions;
pub mod floating_ip;
pub mod floating_ip_pool;
pub mod local_ip;
pub mod ndp_proxy;
pub mod port_forwarding;
pub mod router;
pub mod schedule;
#[cfg(test)]
mod testing;

pub use config::Config;
pub use dependent::dependent;
pub use extensions::{extensions, previews};
