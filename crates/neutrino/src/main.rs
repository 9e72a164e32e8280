//! The `neutrino` binary: server, agent, both at once, and instances for one machine.

mod bfd_role;
mod config;
mod host_side;
mod instance;
mod metadata_role;
mod own_process;
mod registry;
mod server;
mod services;
mod up;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use net::HostName;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

/// A world is freed on another thread than made it, which the C library's allocator pays for with a third of the commit loop's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "neutrino", version, about = "OpenStack Networking in one program", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run server and agent in one process, in the foreground
    Up(UpArgs),
    /// Stop what runs with a state directory and remove every kernel object it made, and nothing else
    Down(DownArgs),
    /// Run the server alone, in the foreground
    Server(ServerArgs),
    /// Run the agent of this host alone, in the foreground
    Agent(AgentArgs),
    /// Issue the certificate with which the agent of a host attaches to this server
    Certificate(CertificateArgs),
    /// Answer instances that ask for their metadata; the agent of a host starts it
    #[command(hide = true)]
    MetadataProxy(metadata_role::ProxyArgs),
    /// Watch next hops of routers; the agent of a host starts it
    #[command(hide = true)]
    Bfd(bfd_role::BfdArgs),
    /// Instances for one machine: what a compute service does for networking
    Instance(instance::InstanceArgs),
}

/// How requests are authenticated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Auth {
    /// Users, passwords and tokens in this process, shaped like Keystone v3
    Builtin,
    /// By Keystone, as `[identity]` in neutrino.toml says
    Keystone,
    /// Not at all; only on a loopback address
    None,
}

#[derive(clap::Args, Clone)]
struct ServerArgs {
    /// Where the state is kept
    #[arg(long, value_name = "DIR", env = "NEUTRINO_STATE", default_value = "/var/lib/neutrino")]
    state: PathBuf,
    /// Where the API listens
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9696")]
    listen: SocketAddr,
    /// Who may ask
    #[arg(long, value_enum, default_value = "builtin")]
    auth: Auth,
    /// Where agents of other hosts attach (`neutrino server` only)
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9697")]
    agents: SocketAddr,
}

/// What an agent may be told about its host; the state directory's neutrino.toml has the rest.
#[derive(clap::Args, Clone, Default)]
struct HostArgs {
    /// The host's name, as in binding:host_id; the system's when absent
    #[arg(long, value_name = "NAME")]
    host: Option<HostName>,
    /// The tunnel address; that of the default route's link when absent
    #[arg(long, value_name = "ADDR")]
    local_ip: Option<IpAddr>,
}

#[derive(clap::Args, Clone)]
struct UpArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    host: HostArgs,
}

#[derive(clap::Args, Clone)]
struct DownArgs {
    /// Where the state is kept
    #[arg(long, value_name = "DIR", env = "NEUTRINO_STATE", default_value = "/var/lib/neutrino")]
    state: PathBuf,
}

#[derive(clap::Args, Clone)]
struct AgentArgs {
    /// Where the agent keeps its state
    #[arg(long, value_name = "DIR", env = "NEUTRINO_STATE", default_value = "/var/lib/neutrino")]
    state: PathBuf,
    /// The server's address for agents
    #[arg(long, value_name = "ADDR:PORT")]
    server: String,
    /// What `neutrino certificate` made for this host
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    #[command(flatten)]
    host: HostArgs,
}

#[derive(clap::Args, Clone)]
struct CertificateArgs {
    /// Name of the host
    host: HostName,
    /// Where the server's state is kept
    #[arg(long, value_name = "DIR", env = "NEUTRINO_STATE", default_value = "/var/lib/neutrino")]
    state: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    logs();
    let outcome = match cli.command {
        Command::Up(args) => run(up::run(args)),
        Command::Down(args) => host_side::down(&args).map(|()| ExitCode::SUCCESS),
        Command::Server(args) => run(server::run(args)),
        Command::Agent(args) => run(host_side::run(args)),
        Command::Certificate(args) => server::certificate(&args).map(|()| ExitCode::SUCCESS),
        Command::MetadataProxy(args) => metadata_role::run(args),
        Command::Bfd(args) => bfd_role::run(args),
        Command::Instance(args) => instance::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("neutrino: {error:#}");
        ExitCode::FAILURE
    })
}

fn logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("NEUTRINO_LOG").unwrap_or_else(|_| "warn,neutrino=info,agent=info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).compact().init();
}

/// Runs the work of a process that stays.
fn run(work: impl Future<Output = Result<()>>) -> Result<ExitCode> {
    host::allocator::return_memory_soon();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("starting the runtime")?;
    runtime.block_on(work)?;
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}
