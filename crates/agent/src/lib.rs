//! The host-side frame: it keeps what the server told ([`Intents`]), has it compiled unit by unit ([`Compile`]), diffs it with
//! what the host has, applies the difference in order, and reports what is in force.
//!
//! What is deliberately absent: any dataplane (the compile crates say what a unit needs) and any access to the kernel
//! (behind the trait that crate `host` and the simulator implement).

mod allocations;
mod compile;
mod intents;

pub use allocations::Allocations;
pub use compile::{Compile, Compiled, Complaint, Cut, Facts, Release};
pub use intents::Intents;
