//! The only crate that touches the kernel and processes: it carries out plans and reads back what is there.
//!
//! Modules have the names of those in `dataplane`. [`Host`] makes no choices: what is done was decided by a plan. It is
//! synchronous; every call but daemon stops takes milliseconds. Deliberately absent: any knowledge of networks or ports.

mod address;
pub mod allocator;
mod announce;
pub mod conntrack;
mod daemon;
mod delegation;
mod error;
mod file;
mod frame;
mod kernel;
mod link;
mod listen;
mod monitor;
mod neigh;
mod netlink;
pub mod netns;
mod nft;
pub mod plug;
mod probe;
mod route;
mod route_rule;
mod sys;
mod sysctl;
mod watch;

pub use daemon::{Daemons, Exit};
pub use delegation::Delegations;
pub use error::{Cause, Error, ErrorKind};
pub use frame::{watch_daemons, watch_links};
pub use kernel::{Host, Interest, Outcome, StepReport};
pub use listen::{datagrams, link_name, listen, raise_descriptor_limit};
pub use monitor::{LinkEvent, LinkInfo, LinkMonitor};
pub use probe::{Capabilities, Finding, probe};
pub use watch::Watch;
