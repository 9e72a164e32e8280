//! The host-side frame: it keeps what the server told ([`Intents`]), has it compiled unit by unit ([`Compile`]), diffs it with
//! what the host has, applies the difference in order, and reports what is in force.
//!
//! [`Agent::on`] takes in what happened; [`Agent::turn`] compiles what that concerns, diffs it with what was applied last, has the
//! [`Host`] apply the difference, and reports. Now and then, at the start, and when something failed, a turn reads the kernel
//! instead of remembering. [`attach`] keeps the stream to a server.
//!
//! What is deliberately absent: any dataplane (the compile crates say what a unit needs) and any access to the kernel
//! (behind the trait that crate `host` and the simulator implement).

mod allocations;
mod client;
mod compile;
mod config;
mod down;
mod event;
mod frame;
mod host;
mod intents;
mod pass;
mod reporter;
mod run;
mod state;

pub use allocations::Allocations;
pub use client::attach;
pub use compile::{CUT_MARK, Compile, Compiled, Complaint, Cut, Delegation, Facts, NextHop, NextHops, Release};
pub use config::Config;
pub use down::down;
pub use event::{Event, Order};
pub use frame::Agent;
pub use host::{Host, HostError, StepResult};
pub use intents::Intents;
pub use run::{Ended, Events, Running};
