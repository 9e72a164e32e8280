//! Processes of this host that are this very program: the agent starts them, and others when another program is installed in its place.

use crate::server;
use anyhow::{Context, Result};
use smol_str::{SmolStr, format_smolstr};
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

/// This very program.
#[derive(Clone)]
pub struct Program {
    /// Its path.
    pub path: SmolStr,
    /// What changes when another one is installed in its place.
    pub build: SmolStr,
}

impl Program {
    /// Looks at it.
    pub fn this() -> Result<Program> {
        let program = std::env::current_exe().context("finding this program")?;
        let file = std::fs::metadata(&program).with_context(|| format!("looking at {}", program.display()))?;
        let path = program.to_str().context("the path of this program is not text")?.into();
        Ok(Program { path, build: format_smolstr!("{}-{}-{}", env!("CARGO_PKG_VERSION"), file.size(), file.mtime()) })
    }
}

/// Does such a process' work until SIGTERM or SIGINT. One thread is enough for it, and takes little of the memory of a host. `lacking` says
/// what becomes of what there are no descriptors for.
pub fn run<E: Into<anyhow::Error>>(lacking: &str, work: impl Future<Output = Result<(), E>>) -> Result<ExitCode> {
    if let Err(error) = host::raise_descriptor_limit() {
        tracing::warn!(%error, "no more descriptors than usual: {lacking}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            result = work => result.map_err(E::into),
            () = server::ended() => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
