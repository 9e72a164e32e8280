//! `neutrino instance`: what a compute service does for networking, for one machine, tests and demonstrations.
//!
//! An instance is a network namespace or a small QEMU guest. Its port is created and bound as Nova does it, what
//! `binding:vif_type` says is plugged, and the address comes by DHCP. Nothing here knows how the network is made: the agent
//! finds the tap as it would find Nova's. Deliberately absent: images, volumes, scheduling.

mod add;
mod describe;
mod exec;
mod guest;
mod lease;
mod list;
mod port;
mod processes;
mod progress;
mod record;
mod remove;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use client::Cloud;
use record::Records;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// `neutrino instance …`
#[derive(Args, Debug)]
pub struct InstanceArgs {
    #[command(subcommand)]
    command: InstanceCommand,
    /// State directory of the server; instances are kept in `DIR/instances`
    #[arg(long, global = true, value_name = "DIR", env = "NEUTRINO_STATE", default_value = "/var/lib/neutrino")]
    state: PathBuf,
    /// Which cloud of `DIR/clouds.yaml` asks for ports; it must be an administrator's
    #[arg(long, global = true, value_name = "NAME", default_value = "neutrino")]
    cloud: String,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum InstanceCommand {
    /// Create an instance with one port
    Add(AddArgs),
    /// List the instances and whether they are whole
    List,
    /// Run a command inside an instance; its exit status is passed on
    Exec {
        /// Name of the instance
        name: String,
        /// Command and arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<String>,
    },
    /// Fetch now what QEMU guests boot, so that none has to wait for it or needs the network
    Image {
        /// Where to put it; `DIR/guest` of the state directory when absent
        #[arg(long, value_name = "DIR")]
        guest_image: Option<PathBuf>,
    },
    /// Remove an instance and its port
    Rm {
        /// Names of instances
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Args, Debug)]
struct AddArgs {
    /// Name of the instance and of its port
    name: String,
    /// Name or id of the network
    #[arg(long, required_unless_present = "port")]
    network: Option<String>,
    /// What the instance is
    #[arg(long, value_enum, default_value = "netns")]
    kind: Kind,
    /// Name or id of a security group, instead of the project's default; may be repeated
    #[arg(long = "security-group", value_name = "SG", conflicts_with = "port")]
    security_groups: Vec<String>,
    /// Address of the port, instead of a free one
    #[arg(long, value_name = "ADDRESS", conflicts_with = "port")]
    fixed_ip: Option<IpAddr>,
    /// Id of an existing port to use; it outlives the instance
    #[arg(long, value_name = "ID")]
    port: Option<String>,
    /// Project of the port; the network's when absent
    #[arg(long, conflicts_with = "port")]
    project: Option<String>,
    /// Name of this host as its agent reports it; needed only when several agents run
    #[arg(long)]
    host: Option<String>,
    /// Set the address at once instead of asking DHCP
    #[arg(long)]
    no_dhcp: bool,
    /// What the instance is given at its creation, from a file: it reads it as user data
    #[arg(long, value_name = "FILE")]
    user_data: Option<PathBuf>,
    /// A public key in the form of OpenSSH that the instance is told, named after its file; may be repeated
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Give the instance what the metadata service would tell it: a guest as a disk labelled config-2, a namespace as a directory, whose
    /// path `instance exec` has in CONFIG_DRIVE
    #[arg(long)]
    config_drive: bool,
    /// How long to wait for each step, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    timeout: u64,
    /// Where the kernel and the initial file system of QEMU guests are kept; `DIR/guest` when absent
    #[arg(long, value_name = "DIR")]
    guest_image: Option<PathBuf>,
}

/// What an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// A network namespace `neutrino-<name>` with the NIC `eth0`.
    Netns,
    /// A QEMU guest without hardware acceleration, 96 MB, with a busybox system.
    Qemu,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Netns => "netns",
            Kind::Qemu => "qemu",
        })
    }
}

/// Runs the command.
pub fn run(args: &InstanceArgs) -> Result<ExitCode> {
    let records = Records::at(&args.state);
    match &args.command {
        InstanceCommand::Add(options) => {
            add::add(&connect(&args.state, &args.cloud)?, &records, &args.state, options, args.json)?;
        }
        InstanceCommand::List => list::list(connect(&args.state, &args.cloud).ok().as_ref(), &records, args.json)?,
        InstanceCommand::Exec { name, command } => return exec::exec(&records.read(name)?, &records, command),
        InstanceCommand::Image { guest_image } => {
            let image = guest::image::prepare(&image_directory(&args.state, guest_image.as_deref()))?;
            println!("{}\n{}", image.kernel.display(), image.initramfs.display());
        }
        InstanceCommand::Rm { names } => {
            let cloud = connect(&args.state, &args.cloud)?;
            for name in names {
                remove::remove(&cloud, &records, name)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends all instances of a state directory: processes, namespaces, taps. Ports stay, and the records with them, so that
/// `rm` can delete the ports when the server runs again. Answers with how many there were.
pub fn stop_all(state: &Path) -> Result<usize> {
    let records = Records::at(state);
    let all = records.all()?;
    for record in &all {
        remove::dismantle(record, &records).with_context(|| format!("stopping instance {}", record.name))?;
    }
    Ok(all.len())
}

fn image_directory(state: &Path, given: Option<&Path>) -> PathBuf {
    given.map_or_else(|| state.join("guest"), Path::to_owned)
}

fn connect(state: &Path, name: &str) -> Result<Cloud> {
    Ok(Cloud::from_file(&state.join("clouds.yaml"), name)?)
}

impl AddArgs {
    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
