//! The process of this host that watches next hops by BFD.

use crate::own_process::{self, Program};
use crate::server;
use anyhow::{Context, Result};
use bfd::Options;
use routing::bfd::Process;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args, Clone)]
pub struct BfdArgs {
    /// The files that say which next hops there are
    #[arg(long, value_name = "DIR")]
    files: PathBuf,
    /// The directory of the file that says which of them answer
    #[arg(long, value_name = "DIR")]
    states: PathBuf,
    /// Which program this is, for the agent to tell it from another
    #[arg(long, value_name = "TEXT")]
    build: Option<String>,
}

/// The directory of what it says, below the agent's, made where it is not there.
pub fn states(directory: &Path) -> Result<PathBuf> {
    let states = std::path::absolute(directory.join("bfd"))?;
    server::make_private(&states)?;
    Ok(states)
}

/// What the role for routers starts: this very program.
pub fn process(program: Program, states: &Path) -> Result<Process> {
    let states = states.to_str().context("the path of the state directory is not text")?.into();
    Ok(Process { program: vec![program.path, "bfd".into()], build: program.build, states })
}

/// `neutrino bfd`: until SIGTERM or SIGINT.
pub fn run(args: BfdArgs) -> Result<ExitCode> {
    let options = Options { files: args.files, states: args.states };
    own_process::run("next hops for which there are none are tried again", bfd::run(&options))
}
