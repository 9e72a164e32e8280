//! Unnamed network namespaces and threads that work inside one.

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;

/// A network namespace; it vanishes with this value and the sockets opened inside.
pub struct Netns(File);

impl Netns {
    /// A new one. Kernel parameters are set for what probes need: ping sockets, no IPv6 chatter.
    pub fn new() -> Result<Netns> {
        in_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).context("new network namespace")?;
            for (key, value) in [
                ("net/ipv4/ping_group_range", "0 2147483647"),
                ("net/ipv6/conf/all/disable_ipv6", "1"),
                ("net/ipv6/conf/default/disable_ipv6", "1"),
            ] {
                set(key, value)?;
            }
            Ok(Netns(File::open("/proc/thread-self/ns/net")?))
        })
    }

    /// The one of this path.
    pub fn at(path: &Path) -> Result<Netns> {
        Ok(Netns(File::open(path).with_context(|| path.display().to_string())?))
    }

    /// Makes ARP on the NIC ask again after 10 ms, not after a second.
    pub fn insist_on_arp(&self) -> Result<()> {
        self.enter(|| {
            set("net/ipv4/neigh/eth0/retrans_time_ms", "10")?;
            set("net/ipv4/neigh/eth0/mcast_solicit", "200")
        })
    }

    /// Runs a closure in a thread inside.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        in_thread(|| {
            setns(&self.0, CloneFlags::CLONE_NEWNET).context("enter a network namespace")?;
            work()
        })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Netns {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn set(key: &str, value: &str) -> Result<()> {
    std::fs::write(Path::new("/proc/sys").join(key), value).with_context(|| format!("kernel parameter {key}"))
}

fn in_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
