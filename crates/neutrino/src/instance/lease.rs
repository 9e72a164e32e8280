//! DHCP clients of instances that are namespaces: busybox's for IPv4, ISC's for stateful IPv6.
//!
//! Both go to the background when they have a lease and renew it; they end with the namespace's other processes.

use anyhow::{Context, Result, bail};
use client::wait_until;
use dataplane::Netns;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const SCRIPT: &str = include_str!("lease.sh");
const SCRIPT_V6: &str = include_str!("lease6.sh");

/// Where programs run by `ip netns exec` find their own version of files below `/etc`.
fn etc(netns: &str) -> PathBuf {
    Path::new("/etc/netns").join(netns)
}

fn install(files: &Path, name: &str, script: &str) -> Result<PathBuf> {
    let path = files.join(name);
    let write = || {
        fs::create_dir_all(files)?;
        fs::write(&path, script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
    };
    write().with_context(|| format!("writing {}", path.display()))?;
    // The client runs the script from its own working directory.
    path.canonicalize().with_context(|| format!("finding {}", path.display()))
}

/// Gets an IPv4 lease (RFC 2131) and leaves the client running. Answers with the lease in words.
pub fn acquire(netns: &str, files: &Path, hostname: &str, within: Duration) -> Result<String> {
    let script = install(files, "lease.sh", SCRIPT)?;
    let (log, lease) = (files.join("udhcpc.log"), files.join("lease"));
    let mut command = Command::new("busybox");
    command.args(["udhcpc", "-i", host::plug::INSIDE, "-n", "-T", "1", "-O", "mtu", "-O", "staticroutes", "-O", "search"]);
    command.args(["-t", &within.as_secs().max(1).to_string(), "-x", &format!("hostname:{hostname}"), "-s"]).arg(&script);
    command.env("ETC", etc(netns)).env("LEASE", files.canonicalize()?.join("lease")).current_dir("/");
    let status = inside(netns, &mut command, &log).context("running udhcpc (package busybox-static)")?;
    if !status {
        let said = fs::read_to_string(&log).unwrap_or_default();
        bail!(
            "no DHCP lease: {}; is the DHCP agent alive, and the port's subnet enabled for DHCP?",
            said.lines().last().unwrap_or("no answer")
        );
    }
    Ok(fs::read_to_string(&lease).with_context(|| format!("reading {}", lease.display()))?.trim().to_owned())
}

/// Gets a stateful IPv6 lease (RFC 8415) and leaves the client running. Returns when the address is set.
pub fn acquire_v6(netns: &str, files: &Path, address: IpAddr, within: Duration) -> Result<()> {
    let script = install(files, "lease6.sh", SCRIPT_V6)?;
    let files = files.canonicalize()?;
    let log = files.join("dhclient6.log");
    let mut command = Command::new("dhclient");
    command.args(["-6", "-nw", "-cf", "/dev/null", "-sf"]).arg(&script);
    command.arg("-pf").arg(files.join("dhclient6.pid")).arg("-lf").arg(files.join("dhclient6.leases"));
    command.args(["-e", &format!("ETC={}", etc(netns).display()), host::plug::INSIDE]).current_dir("/");
    if !inside(netns, &mut command, &log).context("running dhclient (package isc-dhcp-client)")? {
        let said = fs::read_to_string(&log).unwrap_or_default();
        bail!("dhclient failed: {}", said.lines().last().unwrap_or("no reason given"));
    }
    let wanted = address.to_string();
    wait_until(&format!("{wanted} by DHCPv6"), within, || {
        let show = || Command::new("ip").args(["-6", "-o", "addr", "show", "dev", host::plug::INSIDE, "-tentative"]).output();
        let shown = host::netns::run(&Netns::named(netns), show)??;
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        Ok::<_, anyhow::Error>(shown.contains(&format!(" {wanted}/")).then_some(()))
    })?;
    Ok(())
}

/// Runs a program that goes to the background by itself; `true` when it says that all is well.
fn inside(netns: &str, command: &mut Command, log: &Path) -> Result<bool> {
    let file = fs::File::create(log).with_context(|| format!("creating {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = host::netns::run(&Netns::named(netns), || command.status())??;
    Ok(status.success())
}

/// Removes what leases left outside the namespace.
pub fn clear(netns: &str) -> Result<()> {
    match fs::remove_dir_all(etc(netns)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("removing the instance's resolv.conf"),
        _ => Ok(()),
    }
}
