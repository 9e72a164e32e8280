//! Processor time and memory of process trees, from `/proc`.

use anyhow::{Context, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// Process trees charged to the server, by name.
#[derive(Clone, Default)]
pub struct Groups {
    roots: BTreeMap<String, Vec<u32>>,
}

impl Groups {
    /// From `name=pid[,pid]` texts.
    pub fn parse(texts: &[String]) -> Result<Groups> {
        let mut roots = BTreeMap::new();
        for text in texts {
            let (name, pids) = text.split_once('=').context("a group is name=pid[,pid]")?;
            let pids: Vec<u32> = pids.split(',').map(str::parse).collect::<Result<_, _>>().with_context(|| format!("pids in '{text}'"))?;
            roots.insert(name.to_owned(), pids);
        }
        Ok(Groups { roots })
    }

    /// The tree of one process.
    pub fn of(name: &str, pid: u32) -> Groups {
        Groups { roots: BTreeMap::from([(name.to_owned(), vec![pid])]) }
    }

    /// Processor time of all groups so far.
    pub fn cpu(&self) -> Duration {
        self.pids().into_iter().map(cpu_of).sum()
    }

    /// Resident memory of all groups in KiB, and the number of processes.
    pub fn memory(&self) -> (u64, usize) {
        let pids = self.pids();
        (pids.iter().map(|pid| rss_kib(*pid)).sum(), pids.len())
    }

    fn pids(&self) -> Vec<u32> {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for pid in all_pids() {
            if let Some(fields) = stat(pid) {
                children.entry(fields.1).or_default().push(pid);
            }
        }
        let mut todo: Vec<u32> = self.roots.values().flatten().copied().collect();
        let mut seen = Vec::new();
        while let Some(pid) = todo.pop() {
            if !seen.contains(&pid) {
                seen.push(pid);
                todo.extend(children.get(&pid).into_iter().flatten());
            }
        }
        seen
    }
}

/// Processor time of the groups, of this process and of others between two moments.
pub struct Meter {
    groups: Groups,
    cpu: Duration,
    own: Duration,
    busy: Duration,
    start: Instant,
}

impl Meter {
    /// From now on.
    pub fn start(groups: Groups) -> Meter {
        Meter { cpu: groups.cpu(), groups, own: own_cpu(), busy: machine_busy(), start: Instant::now() }
    }

    /// Milliseconds of the groups, and the share of all cores (percent) that neither they nor this process took.
    pub fn read(&self) -> (f64, f64) {
        let cpu = self.groups.cpu().saturating_sub(self.cpu);
        let own = own_cpu().saturating_sub(self.own);
        let busy = machine_busy().saturating_sub(self.busy);
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get()) as f64;
        let foreign = busy.saturating_sub(cpu).saturating_sub(own).as_secs_f64() / (self.start.elapsed().as_secs_f64() * cores);
        (cpu.as_secs_f64() * 1000.0, foreign * 100.0)
    }
}

/// Processor time of this process so far.
pub fn own_cpu() -> Duration {
    cpu_of(std::process::id())
}

/// Busy time of all cores since boot.
pub fn machine_busy() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> = text.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    let idle = fields.get(3).copied().unwrap_or(0) + fields.get(4).copied().unwrap_or(0);
    ticks(fields.iter().take(8).sum::<u64>() - idle)
}

/// Memory of the machine that is left, in KiB.
pub fn available_kib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// All processes that are seen from here.
pub fn all_pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Processor time and parent of a process.
fn stat(pid: u32) -> Option<(Duration, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok());
    Some((ticks(number(11)? + number(12)?), number(1)? as u32))
}

/// Time run by all threads, those that ended included, from the process's clock (nanoseconds), else from the clock ticks.
fn cpu_of(pid: u32) -> Duration {
    let clock = clock_getcpuclockid(Pid::from_raw(pid as i32)).and_then(clock_gettime);
    clock.map(Duration::from).ok().or_else(|| stat(pid).map(|fields| fields.0)).unwrap_or_default()
}

fn rss_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 10)
}
