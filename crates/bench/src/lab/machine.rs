//! Isolation: the program starts itself again in process, network and mount namespaces of its own.
//!
//! Whatever the server starts (daemons that outlive it included) ends with the namespace, however the measurement ends.

use crate::lab::rtnl::{Rtnl, up};
use anyhow::{Context, Result, ensure};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use std::fs;
use std::process::{Command, ExitCode};

const MARK: &str = "BENCH_ISOLATED";
const NONE: Option<&str> = None;

/// Runs `work` inside the namespaces: in the outer process this starts the inner one and hands on its exit code.
pub fn isolated(work: impl FnOnce() -> Result<ExitCode>) -> Result<ExitCode> {
    if std::env::var_os(MARK).is_some() {
        settle()?;
        return work();
    }
    ensure!(nix::unistd::geteuid().is_root(), "this measurement makes network namespaces and must be run by root");
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).context("new namespaces")?;
    let program = std::env::current_exe().context("the path of this program")?;
    let status = Command::new(program).args(std::env::args_os().skip(1)).env(MARK, "1").status().context("the inner process")?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// As `ip netns exec` does, and with an empty directory of named namespaces; ends with the outer process.
fn settle() -> Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context("end with the outer process")?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).context("private mounts")?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), NONE).context("/proc of the new namespace")?;
    match umount2("/sys", MntFlags::MNT_DETACH) {
        Ok(()) | Err(nix::Error::EINVAL) => {}
        Err(error) => return Err(error).context("/sys of the former namespace"),
    }
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), NONE).context("/sys of the new namespace")?;
    fs::create_dir_all("/run/netns")?;
    mount(Some("tmpfs"), "/run/netns", Some("tmpfs"), MsFlags::empty(), NONE).context("an empty /run/netns")?;
    Rtnl::open()?.batch(&mut [up("lo")]).context("loopback up")
}
