//! `neutrino instance exec`.

use super::record::{Record, Records};
use super::{Kind, describe, guest};
use anyhow::{Context, Result, bail};
use dataplane::Netns;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

const NONE: Option<&str> = None;

/// Runs a command in an instance. In a namespace it takes this process's place; of a guest the status is passed on.
pub fn exec(record: &Record, records: &Records, command: &[String]) -> Result<ExitCode> {
    let device = record.device().with_context(|| format!("instance {} was not made to its end", record.name))?;
    match record.kind {
        Kind::Netns => {
            let netns = record.netns();
            let drive = describe::directory(&records.files(&record.name)).filter(|drive| drive.exists());
            let error = host::netns::run(&Netns::named(netns.as_str()), || enter(&netns, drive.as_deref(), command))
                .with_context(|| format!("instance {} has no namespace; see `neutrino instance list`", record.name))?;
            Err(error)
        }
        Kind::Qemu => {
            if super::processes::guest(&device)?.is_empty() {
                bail!("the guest of instance {} is not running; see `neutrino instance list`", record.name);
            }
            guest::console::run(&records.files(&record.name), command)
        }
    }
}

/// Becomes the command, with `/sys` and files below `/etc` of the namespace as `ip netns exec` has them. Returns only on failure.
fn enter(netns: &str, drive: Option<&Path>, command: &[String]) -> anyhow::Error {
    if let Err(error) = own_files(netns) {
        return error;
    }
    let mut program = Command::new(&command[0]);
    program.envs(drive.map(|drive| ("CONFIG_DRIVE", drive)));
    let error = program.args(&command[1..]).exec();
    anyhow::Error::new(error).context(format!("running {}", command[0]))
}

fn own_files(netns: &str) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("making a mount namespace")?;
    mount(NONE, "/", NONE, MsFlags::MS_SLAVE | MsFlags::MS_REC, NONE).context("separating mounts")?;
    // Without a /sys of the namespace programs still work, but see other links there.
    let _ = umount2("/sys", MntFlags::MNT_DETACH);
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), NONE).context("mounting /sys")?;
    let Ok(entries) = std::fs::read_dir(Path::new("/etc/netns").join(netns)) else { return Ok(()) };
    for entry in entries.filter_map(Result::ok) {
        let over = Path::new("/etc").join(entry.file_name());
        if over.exists() {
            mount(Some(&entry.path()), &over, NONE, MsFlags::MS_BIND, NONE).with_context(|| format!("mounting {}", over.display()))?;
        }
    }
    Ok(())
}
