//! The metadata role of this host, and the process that answers for it.

use crate::config::MetadataConfig;
use crate::own_process::{self, Program};
use crate::registry;
use anyhow::{Result, bail, ensure};
use metadata::{Config, Metadata, Nova};
use metadata_proxy::Options;
use smol_str::SmolStr;
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

/// The role: this very program is the proxy.
pub fn role(state: &Path, config: &MetadataConfig, program: Program) -> Result<Metadata> {
    let nova = match (&config.nova_url, &config.shared_secret) {
        (None, None) => None,
        (Some(url), Some(secret)) => Some(nova(url, secret)?),
        _ => bail!("[metadata]: nova_url and shared_secret go together"),
    };
    Ok(Metadata {
        program: vec![program.path, "metadata-proxy".into()],
        build: program.build,
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
    let options = Options { config: args.config, files: args.files };
    own_process::run("networks at which nobody can listen are tried again", metadata_proxy::run(&options))
}
