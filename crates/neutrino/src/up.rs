//! Server and agent in one process.

use crate::UpArgs;
use crate::config::Config;
use crate::host_side;
use crate::server::{ServerSide, ended};
use anyhow::{Context, Result};
use tokio::net::TcpListener;

/// `neutrino up`: until SIGTERM or SIGINT. The dataplane carries packets afterwards as before.
pub async fn run(args: UpArgs) -> Result<()> {
    let config = Config::read(&args.server.state.join("neutrino.toml"))?;
    let server = ServerSide::open(&args.server, &config)?;
    let listener = TcpListener::bind(args.server.listen).await.with_context(|| format!("listening on {}", args.server.listen))?;
    let name = host_side::host_name(&args.host, &config.agent)?;
    let channel = server.dispatcher.attach_local(&name);
    let host = host_side::start(&args.server.state, &name, &args.host, &config, channel)?;
    tracing::info!("the Networking API answers at http://{}; this host is {name}", args.server.listen);
    let clouds = args.server.state.join("clouds.yaml");
    if clouds.exists() {
        tracing::info!("clients: export OS_CLIENT_CONFIG_FILE={}, then --os-cloud neutrino", clouds.display());
    }
    server.serve(listener, ended()).await;
    host.stop();
    Ok(())
}
