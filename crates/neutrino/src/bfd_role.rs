//! The process of this host that watches next hops by BFD.

use crate::server;
use anyhow::{Context, Result};
use bfd::Options;
use routing::bfd::Process;
use smol_str::SmolStr;
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

/// What the role for routers starts: this very program, until another one is installed in its place.
pub fn process(program: Vec<SmolStr>, build: SmolStr, states: &Path) -> Result<Process> {
    let states = states.to_str().context("the path of the state directory is not text")?.into();
    Ok(Process { program, build, states })
}

/// `neutrino bfd`: until SIGTERM or SIGINT.
pub fn run(args: BfdArgs) -> Result<ExitCode> {
    if let Err(error) = host::raise_descriptor_limit() {
        tracing::warn!(%error, "no more descriptors than usual: next hops for which there are none are tried again");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let options = Options { files: args.files, states: args.states };
    runtime.block_on(async {
        tokio::select! {
            result = bfd::run(&options) => Ok(result?),
            () = server::ended() => Ok::<_, anyhow::Error>(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
