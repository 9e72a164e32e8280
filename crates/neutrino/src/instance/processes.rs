//! Processes of instances, found by where they run, so that nothing has to be remembered.

use anyhow::{Context, Result};
use client::wait_until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(2);

fn all() -> Result<Vec<i32>> {
    let entries = fs::read_dir("/proc").context("reading /proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// Those in the network namespace with this name.
pub fn inside(netns: &str) -> Result<Vec<i32>> {
    let Ok(namespace) = fs::metadata(Path::new("/run/netns").join(netns)) else { return Ok(Vec::new()) };
    let is_inside = |pid: &i32| {
        fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|own| (own.dev(), own.ino()) == (namespace.dev(), namespace.ino()))
    };
    Ok(all()?.into_iter().filter(is_inside).collect())
}

/// The QEMU whose NIC is this tap.
pub fn guest(device: &str) -> Result<Vec<i32>> {
    let marker = format!("ifname={device},");
    running(|arguments| arguments[0].contains("qemu-system") && arguments.iter().any(|argument| argument.contains(&marker)))
}

/// DHCP clients that run a script below this directory. They outlive the name of their namespace.
pub fn clients(files: &Path) -> Result<Vec<i32>> {
    let Ok(files) = files.canonicalize() else { return Ok(Vec::new()) };
    let is_client = |program: &str| program.ends_with("busybox") || program.ends_with("dhclient");
    running(|arguments| is_client(&arguments[0]) && arguments.iter().any(|argument| Path::new(argument).starts_with(&files)))
}

fn running(wanted: impl Fn(&[String]) -> bool) -> Result<Vec<i32>> {
    let is_wanted = |pid: &i32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments: Vec<String> =
            command.split(|byte| *byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect();
        wanted(&arguments)
    };
    Ok(all()?.into_iter().filter(is_wanted).collect())
}

/// Ends processes and waits until they are gone. `find` is asked again, for those that were just starting.
pub fn end(find: impl Fn() -> Result<Vec<i32>>) -> Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let found = find()?;
        if found.is_empty() {
            return Ok(());
        }
        for pid in found {
            // One that ended by itself is as good.
            let _ = kill(Pid::from_raw(pid), signal);
        }
        if wait_until("processes to end", GRACE, || find().map(|left| left.is_empty().then_some(()))).is_ok() {
            return Ok(());
        }
    }
    anyhow::bail!("processes {:?} do not end although they were killed", find()?)
}
