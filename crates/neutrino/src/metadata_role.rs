//! The metadata role of this host, and the process that answers for it.

use crate::config::MetadataConfig;
use crate::{registry, server};
use anyhow::{Context, Result, bail, ensure};
use metadata::{Config, Metadata, Nova};
use metadata_proxy::Options;
use smol_str::{SmolStr, format_smolstr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;

#[derive(clap::Args, Clone)]
pub struct ProxyArgs {
    /// Its configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The files that say who asks
    #[arg(long, value_name = "DIR")]
    files: PathBuf,
    /// Which program this is, for the agent to tell it from another
    #[arg(long, value_name = "TEXT")]
    build: Option<String>,
}

/// Where `neutrino instance` describes instances, below a state directory.
pub fn descriptions(state: &Path) -> PathBuf {
    state.join("instances").join("metadata")
}

/// The path of this very program, and what changes when another one is installed in its place.
pub fn program() -> Result<(SmolStr, SmolStr)> {
    let program = std::env::current_exe().context("finding this program")?;
    let file = std::fs::metadata(&program).with_context(|| format!("looking at {}", program.display()))?;
    let path = program.to_str().context("the path of this program is not text")?;
    Ok((path.into(), format_smolstr!("{}-{}-{}", env!("CARGO_PKG_VERSION"), file.size(), file.mtime())))
}

/// The role: this very program is the proxy.
pub fn role(state: &Path, config: &MetadataConfig) -> Result<Metadata> {
    let (path, build) = program()?;
    let nova = match (&config.nova_url, &config.shared_secret) {
        (None, None) => None,
        (Some(url), Some(secret)) => Some(nova(url, secret)?),
        _ => bail!("[metadata]: nova_url and shared_secret go together"),
    };
    Ok(Metadata {
        program: vec![path, "metadata-proxy".into()],
        build,
        config: Config { nova, instances: absolute(descriptions(state))? },
        places: registry::PLACES,
    })
}

fn nova(url: &SmolStr, secret: &SmolStr) -> Result<Nova> {
    let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let host = host.filter(|host| !host.is_empty() && !host.contains('/'));
    ensure!(host.is_some() && !secret.is_empty(), "[metadata]: nova_url is like http://192.0.2.1:8775, and shared_secret is not empty");
    Ok(Nova { url: url.clone(), shared_secret: secret.clone() })
}

/// `neutrino metadata-proxy`: until SIGTERM or SIGINT.
pub fn run(args: ProxyArgs) -> Result<ExitCode> {
    if let Err(error) = host::raise_descriptor_limit() {
        tracing::warn!(%error, "no more descriptors than usual: networks at which nobody can listen are tried again");
    }
    // One thread is enough for what instances ask at their start, and takes little of the memory of a host.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let options = Options { config: args.config, files: args.files };
    runtime.block_on(async {
        tokio::select! {
            result = metadata_proxy::run(&options) => Ok(result?),
            () = server::ended() => Ok::<_, anyhow::Error>(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
