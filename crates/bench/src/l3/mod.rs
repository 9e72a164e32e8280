//! `bench l3`: routers and floating IPs, judged by packets from outside: how soon a floating IP answers, what many routers cost, and
//! how fast routed packets are beside a path made by hand.

mod by_hand;
mod floating;
mod routers;
mod scene;
mod throughput;

use crate::lab::server::Program;
use crate::report;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use scene::Scene;
use std::path::PathBuf;
use std::process::ExitCode;

/// A part of the measurement, on a host with nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Step {
    /// A floating IP is associated: request to first reply; then with many others on its router.
    Floating,
    /// TCP routed, with SNAT and by a floating IP, beside the same by hand.
    Throughput,
    /// Many routers: from nothing, restart, processes, memory.
    Routers,
}

/// Options of `bench l3`.
#[derive(Args)]
pub struct L3 {
    #[command(flatten)]
    pub program: Program,
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "floating,throughput,routers")]
    pub steps: Vec<Step>,
    /// Rounds of the step `floating`, with few and with many.
    #[arg(long, default_value_t = 50)]
    pub rounds: usize,
    /// Floating IPs that are there already when there are many.
    #[arg(long, default_value_t = 1000)]
    pub floating: usize,
    /// Routers of the step `routers`.
    #[arg(long, default_value_t = 500)]
    pub routers: usize,
    /// Restarts of the step `routers`.
    #[arg(long, default_value_t = 3)]
    pub restarts: usize,
    /// Pairs of streams of the step `throughput`, for each kind of path.
    #[arg(long, default_value_t = 25)]
    pub streams: usize,
    /// Milliseconds of a stream that count.
    #[arg(long, default_value_t = 500)]
    pub stream_ms: u64,
    /// Fail when a goal is missed.
    #[arg(long)]
    pub strict: bool,
    /// Name of the run in the results.
    #[arg(long, default_value = "neutrino")]
    pub label: String,
    /// Where the results go (JSON).
    #[arg(long, default_value = "l3.json")]
    pub out: PathBuf,
}

/// All steps; each one's figures are kept as soon as they are there.
pub fn run(options: &L3) -> Result<ExitCode> {
    let mut missed = Vec::new();
    for step in &options.steps {
        eprintln!("{step:?}");
        let mut scene = Scene::set(&options.program)?;
        let figures = match step {
            Step::Floating => floating::run(&mut scene, options.rounds, options.floating)?,
            Step::Throughput => throughput::run(&mut scene, options.streams, options.stream_ms)?,
            Step::Routers => routers::run(&mut scene, options.routers, options.restarts)?,
        };
        scene.clear()?;
        missed.extend(report::figures(&options.out, &options.label, figures)?);
    }
    if options.strict && !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    Ok(ExitCode::SUCCESS)
}
