//! The server: state, identity, API.

use crate::config::Config;
use crate::services::{Missed, Services, with_audience};
use crate::{Auth, CertificateArgs, ServerArgs, registry};
use anyhow::{Context, Result, anyhow, bail, ensure};
use api::{Op, QuotaConfig, Server, ServerOptions, Settings};
use auth::identity::{NoAuth, builtin, clouds_without_auth, keystone};
use auth::{Caller, Identity};
use dispatch::epoch::EpochFile;
use dispatch::pki::issue_agent_certificate;
use dispatch::{Dispatcher, Pki};
use ml2::VlanRange;
use model::NetworkType;
use net::VlanId;
use smol_str::SmolStr;
use std::convert::Infallible;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use world::engines::Sqlite;
use world::{Store, StoreOptions, Tx};

/// `neutrino server`: until SIGTERM or SIGINT.
pub async fn run(args: ServerArgs) -> Result<()> {
    let config = Config::read(&args.state.join("neutrino.toml"))?;
    let server = ServerSide::open(&args, &config)?;
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("listening on {}", args.listen))?;
    let agents = TcpListener::bind(args.agents).await.with_context(|| format!("listening for agents on {}", args.agents))?;
    let pki = Pki::open(&args.state.join("pki"))?;
    let dispatcher = server.dispatcher.clone();
    tokio::spawn(async move {
        if let Err(error) = dispatcher.serve_tls(agents, &pki, std::future::pending()).await {
            tracing::error!(%error, "agents cannot be served");
        }
    });
    tracing::info!("the Networking API answers at http://{}; agents attach at {}", args.listen, args.agents);
    server.serve(listener, ended()).await;
    Ok(())
}

/// `neutrino certificate`: what the agent of a host attaches with.
pub fn certificate(args: &CertificateArgs) -> Result<()> {
    let bundle = issue_agent_certificate(&args.state.join("pki"), &args.host)?;
    println!("{}", bundle.display());
    eprintln!("copy this directory to {} and start there: neutrino agent --bundle DIR --server ADDR:PORT", args.host);
    Ok(())
}

/// The parts of a server.
pub struct ServerSide {
    store: Store,
    settings: Settings,
    api: Server,
    services: Services,
    /// What serves agents.
    pub dispatcher: Dispatcher,
}

impl ServerSide {
    /// Opens the state directory (made when it is not there) and puts the server together; `clouds.yaml` is there afterwards. Needs
    /// a tokio runtime.
    pub fn open(args: &ServerArgs, config: &Config) -> Result<ServerSide> {
        make_private(&args.state)?;
        let mut engine = Sqlite::open(&args.state.join("neutrino.db")).with_context(|| format!("the state in {}", args.state.display()))?;
        let missed = Missed::read(&args.state, config, &mut engine)?;
        let store = Store::open(Box::new(engine), Arc::new(model::schema()), StoreOptions::default())?;
        let identity = identity(args, config)?;
        let policy = policy(&args.state)?;
        let settings = Settings::new()
            .with(Arc::new(ml2_config(config)?))
            .with(Arc::new(ml2::Heartbeats::new()))
            .with(Arc::new(l3_config(config)))
            .with(Arc::new(registry::dependents()))
            .with(Arc::new(registry::shareables()));
        let settings = with_audience(settings, config)?;
        let limits = config.quota.iter().map(|(name, limit)| (name.to_string(), *limit)).collect();
        let registry = registry::api(&QuotaConfig { limits }).preview_extensions(config.api.preview_extensions);
        for (alias, missing) in registry.unenforced().iter() {
            tracing::warn!("preview extension {alias}: {}", missing.what);
        }
        let api = Server::new(store.clone(), registry, policy, identity, settings.clone(), ServerOptions::default());
        let epoch = EpochFile::open(&args.state.join("epoch"), store.world().revision()).context("the epoch file")?;
        let dispatcher = Dispatcher::new(store.clone(), dispatch_config(config)?, Arc::new(settings.clone()), epoch.epoch());
        dispatcher.keep_epoch(epoch);
        let services = Services::start(&store, &args.state, config, settings.get::<ml2::Config>(), missed)?;
        Ok(ServerSide { store, settings, api, services, dispatcher })
    }

    /// A state written before there were RBAC policies gets those that say what its networks say of themselves.
    async fn complete_policies(&self) {
        if ml2::network::lacking(&self.store.world()).is_empty() {
            return;
        }
        let settings = self.settings.clone();
        let complete = move |tx: &mut Tx| -> Result<(), Infallible> {
            ml2::network::complete_policies(&mut Op { tx, caller: &Caller::internal(), settings: &settings });
            Ok(())
        };
        match self.store.commit("start".into(), complete).await {
            Ok(_) => tracing::info!("shared and external networks have their RBAC policies now"),
            Err(error) => tracing::error!(%error, "shared and external networks lack RBAC policies"),
        }
    }

    /// Serves the API until `shutdown`, then ends in order.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        self.complete_policies().await;
        let followed = self.api.frame().commit(&Caller::internal(), |_, op| ml2::segment_range::follow_configuration(op)).await;
        if let Err(error) = followed {
            tracing::warn!(%error, "segment ranges may not be shown as they are configured");
        }
        self.api.serve(listener, shutdown).await;
        self.dispatcher.close();
        self.services.close().await;
        self.store.close().await;
    }
}

/// Ends with SIGTERM or SIGINT.
pub async fn ended() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::error!(%error, "signals cannot be received");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}

/// Makes a directory that only its owner may enter.
pub fn make_private(directory: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.with_context(|| format!("making the state directory {}", directory.display()))
}

fn identity(args: &ServerArgs, config: &Config) -> Result<Identity> {
    let base = format!("http://{}", args.listen);
    match args.auth {
        Auth::Builtin => Ok(Identity::Builtin(Arc::new(builtin::Builtin::open(builtin::Config::new(&args.state, base))?))),
        Auth::Keystone => {
            let keystone =
                keystone::Keystone::new(config.identity.keystone()?).map_err(|reason| anyhow!("[identity] in neutrino.toml: {reason}"))?;
            Ok(Identity::Keystone(Arc::new(keystone)))
        }
        Auth::None => {
            ensure!(
                args.listen.ip().is_loopback(),
                "--auth none is for loopback addresses only: anybody who reaches {} could do anything",
                args.listen
            );
            write_private(&args.state.join("clouds.yaml"), &clouds_without_auth(&base))?;
            Ok(Identity::None(NoAuth::default()))
        }
    }
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    let new = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

fn policy(state: &Path) -> Result<auth::Policy> {
    let overrides = state.join("policy.yaml");
    if !overrides.exists() {
        return Ok(auth::Policy::defaults());
    }
    let policy = auth::Policy::load(&overrides)?;
    for warning in policy.warnings() {
        tracing::warn!("{}: {warning}", overrides.display());
    }
    Ok(policy)
}

fn ml2_config(config: &Config) -> Result<ml2::Config> {
    let mut ml2 = ml2::Config::default();
    let given = &config.ml2;
    if let Some(types) = &given.tenant_network_types {
        let parse =
            |word: &SmolStr| NetworkType::from_word(word).with_context(|| format!("tenant_network_types: '{word}' is not a network type"));
        ml2.project_network_types = types.iter().map(parse).collect::<Result<_>>()?;
    }
    if let Some(ranges) = &given.vni_ranges {
        ml2.vni_ranges = ranges.iter().map(|range| vni_range(range)).collect::<Result<_>>()?;
    }
    if let Some(ranges) = &given.network_vlan_ranges {
        ml2.vlan_ranges = ranges.iter().map(|range| vlan_range(range)).collect::<Result<_>>()?;
    }
    if let Some(flat) = &given.flat_networks {
        ml2.flat_networks.clone_from(flat);
    }
    if let Some(mtu) = given.global_physnet_mtu {
        ml2.global_physnet_mtu = mtu;
    }
    ml2.physical_network_mtus.clone_from(&given.physical_network_mtus);
    let scheduler = &config.scheduler;
    if let Some(number) = scheduler.dhcp_agents_per_network {
        ensure!(number > 0, "dhcp_agents_per_network: 0 agents serve nobody; turn DHCP off in subnets");
        ml2.dhcp_agents_per_network = number;
    }
    ml2.default_availability_zones.clone_from(&scheduler.default_availability_zones);
    ml2.dhcp_failover = scheduler.dhcp_failover.unwrap_or(ml2.dhcp_failover);
    if let Some(domain) = &given.dns_domain {
        let whole = format!("{}.", domain.trim_end_matches('.'));
        let fine = domain.is_empty() || ml2::dns::DOMAIN.check(whole.into()).is_ok();
        ensure!(fine, "dns_domain: '{domain}' is not a domain");
        ml2.dns_domain = domain.to_lowercase().into();
    }
    ml2.external_dns = config.external_dns.is_some();
    ml2.ipv6_pd_enabled = given.ipv6_pd_enabled;
    ml2.vif_type_bridge = match given.linuxbridge_vif_type.as_deref() {
        None | Some("tap") => false,
        Some("bridge") => true,
        Some(other) => bail!("linuxbridge_vif_type: '{other}' is neither tap nor bridge"),
    };
    Ok(ml2)
}

fn l3_config(config: &Config) -> l3::Config {
    let mut l3 = l3::Config::default();
    l3.router_failover = config.scheduler.router_failover.unwrap_or(l3.router_failover);
    l3.enable_default_route_ecmp = config.l3.enable_default_route_ecmp;
    l3.enable_default_route_bfd = config.l3.enable_default_route_bfd;
    l3.has_modes = config.api.preview_extensions;
    l3
}

fn dispatch_config(config: &Config) -> Result<dispatch::Config> {
    let mut dispatch = dispatch::Config::default();
    if let Some(seconds) = config.scheduler.agent_down_time {
        ensure!(seconds > 0, "agent_down_time: agents need some time between two words");
        dispatch.agent_down_time = Duration::from_secs(seconds);
    }
    Ok(dispatch)
}

fn vni_range(text: &str) -> Result<(u32, u32)> {
    let range = text.split_once(':').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match range {
        Some((first, last)) if 1 <= first && first <= last && last <= net::Vni::MAX => Ok((first, last)),
        _ => bail!("vni_ranges: '{text}' is not FIRST:LAST within 1 to {}", net::Vni::MAX),
    }
}

fn vlan_range(text: &str) -> Result<VlanRange> {
    let id = |text: &str| VlanId::try_from(text.trim().parse::<u32>().ok()?).ok();
    let all = [VlanId::MIN, VlanId::MAX].map(|id| VlanId::try_from(id).ok());
    let (network, [first, last]) = match text.split(':').collect::<Vec<_>>()[..] {
        [network] => (network, all),
        [network, first, last] => (network, [id(first), id(last)]),
        _ => ("", [None; 2]),
    };
    match (first, last) {
        (Some(first), Some(last)) if first <= last && !network.trim().is_empty() => {
            Ok(VlanRange { physical_network: network.trim().into(), first, last })
        }
        _ => bail!("network_vlan_ranges: '{text}' is neither NETWORK:FIRST:LAST within 1 to {} nor NETWORK", VlanId::MAX),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranges_of_vlans() {
        let read = |text: &str| {
            let range = super::vlan_range(text).ok()?;
            Some((range.physical_network.to_string(), range.first.get(), range.last.get()))
        };
        assert_eq!(read("physnet1:100:199"), Some(("physnet1".to_owned(), 100, 199)));
        assert_eq!(read(" physnet1 : 7 : 7 "), Some(("physnet1".to_owned(), 7, 7)));
        assert_eq!(read("physnet1"), Some(("physnet1".to_owned(), 1, 4094)));
        for wrong in ["", ":1:2", "a:1", "a:0:5", "a:5:4095", "a:9:8", "a:1:2:3", "a:x:5", "a:-1:5"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
