//! What the frame needs of a host: crate `host` has it of the kernel, tests of a model.

use crate::{Cut, Delegation, Release};
use dataplane::{Actual, Plan, Program};
use std::collections::BTreeSet;

/// Something could not be done on the host; says what and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// How a step of a plan went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// The host has it now.
    Done,
    /// It was refused; says what and why.
    Failed(String),
    /// Not tried, because an earlier step of its unit failed.
    Skipped,
}

/// A host. Calls block; each takes milliseconds.
pub trait Host: Send {
    /// Called first in the thread that makes all other calls.
    fn thread_started(&mut self) {}

    /// What the host has that these programs, or any program of ours before, are about.
    fn read(&mut self, wanted: &[&Program]) -> Result<Actual, HostError>;

    /// Looks afresh at the links of others which a program attaches, and notes them in `actual`.
    fn observe(&mut self, program: &Program, actual: &mut Actual) -> Result<(), HostError>;

    /// Carries out a plan's steps in order; one result for each. Once a step of a unit has failed its further steps are skipped.
    fn apply(&mut self, plan: &Plan) -> Vec<StepResult>;

    /// Forgets tracked connections.
    fn cut(&mut self, cuts: &[Cut]) -> Result<(), HostError>;

    /// Gives back delegated prefixes, while the links by which they came are there; they are wanted no longer.
    fn give_back(&mut self, ended: &[Delegation]) -> Result<(), HostError>;

    /// Has exactly these prefixes delegated from now on; [`crate::Event::Delegated`] tells which they are.
    fn delegate(&mut self, wanted: &BTreeSet<Delegation>) -> Result<(), HostError>;

    /// Ends DHCP leases.
    fn release(&mut self, releases: &[Release]) -> Result<(), HostError>;
}
