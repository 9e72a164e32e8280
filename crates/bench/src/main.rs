//! Load bench of a Networking API server: this one or any other, so that ratios come from one program on one machine.
//!
//! The data plane is measured by packets between instances in namespaces of this program's own (`wire`, `l3`, `restart`), and
//! durability by killing the server (`crash`).
//!
//! `api` makes what it needs through the API with an administrator's headers. The client is one thread with raw HTTP/1.1, so
//! that it does not itself eat the machine; its own processor time stands in the table. Process groups are trees whose
//! processor time and memory are charged to the server.

mod api;
mod crash;
mod http;
mod l3;
mod lab;
mod load;
mod probe;
mod process;
mod report;
mod restart;
mod wire;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use lab::machine::isolated;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "bench", about = "Measures a Networking API server and its data plane")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Creates, gets, updates, lists and deletes against a running server.
    Api(Api),
    /// Time from the start of a server to its first answer.
    Coldstart(Coldstart),
    /// From API answers to packets: plug, first ping, `ACTIVE`, rules, members, DHCP. Needs root; runs in namespaces of its own.
    Wire(wire::Wire),
    /// Routers and floating IPs: until a packet passes, how many, how fast. Needs root; runs in namespaces of its own.
    L3(l3::L3),
    /// `kill -9` and restart under traffic. Needs root; runs in namespaces of its own.
    Restart(restart::Restart),
    /// `kill -9` of the server under creates. Needs root; runs in namespaces of its own.
    Crash(crash::Crash),
    /// Writes the tables of result files, and ratios between the first and the second.
    Table {
        /// Result files.
        files: Vec<PathBuf>,
    },
}

/// Where the server is and who asks.
#[derive(Args, Clone)]
struct Target {
    /// Base address, such as `http://127.0.0.1:9696`.
    #[arg(long)]
    url: String,
    /// A header of each request, `Name: value`; may be repeated.
    #[arg(long)]
    header: Vec<String>,
}

#[derive(Args)]
struct Api {
    #[command(flatten)]
    target: Target,
    /// The project that what is made belongs to (its quotas are lifted).
    #[arg(long)]
    project: String,
    /// A header of the requests of a plain member of that project, `Name: value`; may be repeated. Without one a member's lists are not timed.
    #[arg(long)]
    member_header: Vec<String>,
    /// `name=pid[,pid]`: a process tree charged to the server; may be repeated.
    #[arg(long)]
    group: Vec<String>,
    /// Requests in a phase with one connection.
    #[arg(long, default_value_t = 500)]
    one: usize,
    /// Requests in a phase with many connections.
    #[arg(long, default_value_t = 5000)]
    many: usize,
    /// Numbers of ports at which lists are timed.
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000")]
    list: Vec<usize>,
    /// Numbers of ports at which the cost of a create is shown.
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000")]
    flat: Vec<usize>,
    /// A command that makes ports quicker than through the API, with `{network}` and `{count}` in its place.
    #[arg(long)]
    populate: Option<String>,
    /// Name of the run in the results.
    #[arg(long, default_value = "server")]
    label: String,
    /// Where the results go (JSON).
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
struct Coldstart {
    #[command(flatten)]
    target: Target,
    /// Command that starts the server (it may stay in the foreground).
    #[arg(long)]
    start: String,
    /// Command that stops it.
    #[arg(long)]
    stop: String,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Name of the run in the results.
    #[arg(long, default_value = "server")]
    label: String,
    /// Where the results go (JSON).
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Api(options) => on_runtime(api::run(&options)),
        Command::Coldstart(options) => on_runtime(api::cold_start(&options)),
        Command::Wire(options) => isolated(|| wire::run(&options)),
        Command::L3(options) => isolated(|| l3::run(&options)),
        Command::Restart(options) => isolated(|| restart::run(&options)),
        Command::Crash(options) => isolated(|| crash::run(&options)),
        Command::Table { files } => report::tables(&files).map(|()| ExitCode::SUCCESS),
    }
}

fn on_runtime(work: impl Future<Output = Result<()>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)?;
    Ok(ExitCode::SUCCESS)
}
