//! The agent of this host, and taking everything of ours off it.

use crate::config::{AgentConfig, Config};
use crate::own_process::Program;
use crate::{AgentArgs, DownArgs, HostArgs, bfd_role, instance, metadata_role, registry, server};
use agent::{Agent, Running};
use anyhow::{Context, Result, ensure};
use dispatch::AgentCredentials;
use net::HostName;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::sys::utsname::uname;
use nix::unistd::Pid;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};
use tonic::transport::Channel;

/// How long `down` waits for a running agent to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// `neutrino agent`: until SIGTERM or SIGINT.
pub async fn run(args: AgentArgs) -> Result<()> {
    let config = Config::read(&args.state.join("neutrino.toml"))?;
    let credentials = AgentCredentials::read(&args.bundle)?;
    let channel = credentials.channel(&args.server)?;
    let running = start(&args.state, &credentials.host, &args.host, &config, channel)?;
    tracing::info!("the agent of {} attaches to {}", credentials.host, args.server);
    server::ended().await;
    running.stop();
    Ok(())
}

/// An agent that runs and the lock that keeps a second one out.
pub struct HostSide {
    running: Running<host::Host>,
    _lock: Flock<File>,
}

impl HostSide {
    /// Ends the agent and leaves everything on the host as it is.
    pub fn stop(self) {
        drop(self.running.stop());
    }
}

/// Starts the agent of this host with all its roles. Needs a tokio runtime.
pub fn start(state: &Path, name: &HostName, args: &HostArgs, config: &Config, channel: Channel) -> Result<HostSide> {
    let directory = state.join("agent");
    let lock = lock(&directory)?;
    let capabilities = host::probe().context("finding out what the kernel can do (the agent needs root)")?;
    for (name, finding) in capabilities.findings() {
        tracing::debug!("{name}: {} ({})", if finding.works { "works" } else { "missing" }, finding.reason);
    }
    let mut options = agent::Config::new(name.clone(), &directory);
    options.local_ip = Some(args.local_ip.or(config.agent.local_ip).unwrap_or_else(underlay_address));
    options.physical_networks.clone_from(&config.agent.physical_networks);
    if let Some(seconds) = config.agent.report_interval {
        ensure!(seconds > 0, "report_interval: an agent that always speaks does nothing else");
        options.heartbeat = Duration::from_secs(seconds);
    }
    if let Some(zone) = &config.agent.availability_zone {
        options.availability_zone = zone.clone();
    }
    options.vlan_links = capabilities.vlan.works;
    options.br_netfilter = capabilities.br_netfilter.works;
    options.bridge_conntrack = capabilities.bridge_conntrack.works && capabilities.bridge_meta.works;
    let kernel = host::Host::new(&directory).context("opening the kernel's interfaces")?;
    let states = bfd_role::states(&directory)?;
    let program = Program::this()?;
    let bfd = bfd_role::process(program.clone(), &states)?;
    let roles = registry::roles(config.agent.dns_servers.clone(), bfd, metadata_role::role(state, &config.metadata, program)?);
    let agent = Agent::new(options, roles, kernel).with_context(|| format!("the agent's state in {}", directory.display()))?;
    let running = agent.start(|kernel, events| {
        host::watch_daemons(kernel.daemons(), events.clone());
        kernel.delegations().listen(events.clone());
        let next_hops = bfd::watch(states, events.clone());
        tokio::spawn(async move {
            if let Err(error) = next_hops.await {
                tracing::error!(%error, "next hops cannot be watched");
            }
        });
        tokio::spawn(async move {
            if let Err(error) = host::watch_links(events).await {
                tracing::error!(%error, "links cannot be watched; new taps are seen at the next resync only");
            }
        });
    })?;
    tokio::spawn(agent::attach(channel, running.events()));
    Ok(HostSide { running, _lock: lock })
}

/// The host's name: as told, as configured, or the system's.
pub fn host_name(args: &HostArgs, config: &AgentConfig) -> Result<HostName> {
    if let Some(name) = args.host.as_ref().or(config.host.as_ref()) {
        return Ok(name.clone());
    }
    let system = uname().context("the name of the host")?;
    let name = system.nodename().to_str().context("the name of the host is not text: say --host NAME")?;
    Ok(HostName::from(name))
}

/// The address with which this host would reach others; without any, loopback: the networks stay on this host.
fn underlay_address() -> IpAddr {
    let towards = |address: &str| -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        // Connecting a datagram socket sends nothing; it makes the kernel choose the source address.
        socket.connect(address)?;
        Ok(socket.local_addr()?.ip())
    };
    towards("192.0.2.1:9").unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn lock(directory: &Path) -> Result<Flock<File>> {
    server::make_private(directory)?;
    let path = directory.join("lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            lock.set_len(0)?;
            lock.rewind()?;
            write!(lock, "{}", std::process::id())?;
            Ok(lock)
        }
        Err((_, error)) => Err(error).with_context(|| format!("another agent runs with {}", directory.display())),
    }
}

/// `neutrino down`: ends what runs with this state and removes every kernel object and process it made, and nothing else.
pub fn down(args: &DownArgs) -> Result<()> {
    let directory = args.state.join("agent");
    end_running(&directory.join("lock"))?;
    let instances = instance::stop_all(&args.state)?;
    let mut kernel = host::Host::new(&directory).context("opening the kernel's interfaces (this needs root)")?;
    let failures = agent::down(&mut kernel)?;
    ensure!(failures.is_empty(), "not everything could be removed; running it again may help:\n  {}", failures.join("\n  "));
    eprintln!(
        "everything is removed ({instances} instances among it); networks and ports stay in the state and come back with the next start"
    );
    Ok(())
}

/// Asks the agent that holds the lock to end, and waits for it.
fn end_running(path: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut asked = false;
    loop {
        let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { return Ok(()) };
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        if Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok() {
            return Ok(());
        }
        let pid = text.trim().parse().with_context(|| format!("{} does not name a process", path.display()))?;
        if !asked {
            kill(Pid::from_raw(pid), Signal::SIGTERM).with_context(|| format!("asking process {pid} to end"))?;
            asked = true;
        }
        ensure!(Instant::now() < deadline, "process {pid} runs with this state and does not end: stop it, then run this again");
        std::thread::sleep(Duration::from_millis(20));
    }
}
