//! `bench wire`: from an API answer to packets, judged by packets.

mod dhcp;
mod member;
mod one;
mod rule;
pub mod stage;
mod storm;

use stage::{Stage, StageOptions};

use crate::lab::server::Program;
use crate::report;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// A part of the measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Step {
    /// One port: answer, plug, first ping, `ACTIVE`.
    One,
    /// Many ports at once, and the same plugged by hand.
    Storm,
    /// A rule of a group of many ports comes and goes.
    Rule,
    /// A member of a remote group comes and goes.
    Member,
    /// A DHCP client: plug to lease.
    Dhcp,
}

/// Options of `bench wire`.
#[derive(Args)]
pub struct Wire {
    #[command(flatten)]
    pub program: Program,
    #[command(flatten)]
    pub stage: StageOptions,
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "one,storm,rule,member,dhcp")]
    pub steps: Vec<Step>,
    /// Rounds of the step `one`.
    #[arg(long, default_value_t = 30)]
    pub rounds: usize,
    /// Rounds of the step `storm`, and of plugging by hand.
    #[arg(long, default_value_t = 3)]
    pub storms: usize,
    /// Ports of the step `storm`.
    #[arg(long, default_value_t = 200)]
    pub ports: usize,
    /// Ports of the group whose rules and members change.
    #[arg(long, default_value_t = 100)]
    pub members: usize,
    /// Rounds of the steps `rule` (for each protocol), `member` and `dhcp`.
    #[arg(long, default_value_t = 10)]
    pub changes: usize,
    /// Fail when a goal is missed.
    #[arg(long)]
    pub strict: bool,
    /// Name of the run in the results.
    #[arg(long, default_value = "neutrino")]
    pub label: String,
    /// Where the results go (JSON).
    #[arg(long, default_value = "wire.json")]
    pub out: PathBuf,
}

/// All steps; each one's figures are kept as soon as they are there.
pub fn run(options: &Wire) -> Result<ExitCode> {
    let mut stage = Stage::set(&options.program, &options.stage)?;
    let mut missed = Vec::new();
    for step in &options.steps {
        eprintln!("{step:?}");
        let figures = match step {
            Step::One => one::run(&mut stage, options.rounds)?,
            Step::Storm => storm::run(&mut stage, options.ports, options.storms)?,
            Step::Rule => rule::run(&mut stage, options.members, options.changes)?,
            Step::Member => member::run(&mut stage, options.members, options.changes)?,
            Step::Dhcp => dhcp::run(&mut stage, options.changes)?,
        };
        missed.extend(report::figures(&options.out, &options.label, figures)?);
    }
    if options.strict && !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Milliseconds from one time to another; negative when it was before.
pub fn ms_between(from: Instant, to: Instant) -> f64 {
    if to >= from { (to - from).as_secs_f64() * 1000.0 } else { (from - to).as_secs_f64() * -1000.0 }
}
