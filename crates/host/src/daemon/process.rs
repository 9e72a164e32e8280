//! One process, held by a descriptor that cannot come to mean another.

use crate::{netns, sys};
use dataplane::Netns;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use smol_str::SmolStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A running, or no longer running, process.
pub(super) struct Process {
    pid: i32,
    start_time: u64,
    pidfd: Arc<OwnedFd>,
}

/// How often it is looked whether a process has its handler.
const HANDLER_POLL: Duration = Duration::from_millis(1);
const LOG: &str = "log";
/// Bytes of the log told with an unexpected end.
const LOG_END: u64 = 500;

impl Process {
    /// Starts a program in a namespace, in a session of its own, its output in the directory's log.
    pub(super) fn start(argv: &[SmolStr], directory: &Path, netns: &Netns) -> io::Result<Process> {
        let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let log = OpenOptions::new().create(true).append(true).open(directory.join(LOG))?;
        let netns = netns::open(netns).map_err(io::Error::other)?;
        let mut command = Command::new(program.as_str());
        command.args(arguments.iter().map(SmolStr::as_str)).current_dir(directory).env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        sys::detach_into(&mut command, netns);
        let pid = command.spawn()?.id() as i32;
        let pidfd = Arc::new(sys::pidfd_open(pid)?);
        let start_time = start_time(pid).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
        Ok(Process { pid, start_time, pidfd })
    }

    /// The process with this id and start time; `None` when it has ended.
    pub(super) fn find(pid: i32, start_time: u64) -> Option<Process> {
        let pidfd = Arc::new(sys::pidfd_open(pid).ok()?);
        // Read after opening: the descriptor holds whatever process this is.
        let process = Process { pid, start_time, pidfd };
        (self::start_time(pid) == Some(start_time) && process.alive()).then_some(process)
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Clock ticks after boot.
    pub(super) fn start_time(&self) -> u64 {
        self.start_time
    }

    pub(super) fn descriptor(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.pidfd)
    }

    pub(super) fn alive(&self) -> bool {
        !self.ended_within(Duration::ZERO)
    }

    fn ended_within(&self, time: Duration) -> bool {
        let mut waiting = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(time.as_millis()).unwrap_or(PollTimeout::MAX);
        poll(&mut waiting, timeout).is_ok_and(|ready| ready > 0)
    }

    pub(super) fn signal(&self, signal: i32) -> io::Result<()> {
        sys::pidfd_signal(&self.pidfd, signal)
    }

    /// Sends a signal that the process has a handler for, once it has it: a process that is still starting would die of it. One that
    /// has none within `patience` gets it all the same.
    pub(super) fn signal_handled(&self, signal: i32, patience: Duration) -> io::Result<()> {
        let deadline = Instant::now() + patience;
        while !handles(self.pid, signal) && Instant::now() < deadline {
            if self.ended_within(HANDLER_POLL) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
        }
        self.signal(signal)
    }

    /// Asks the process to end; after `patience` it is killed.
    pub(super) fn stop(self, patience: Duration) -> io::Result<()> {
        for (signal, patience) in [(libc::SIGTERM, patience), (libc::SIGKILL, Duration::from_secs(10))] {
            match self.signal(signal) {
                Err(error) if error.raw_os_error() != Some(libc::ESRCH) => return Err(error),
                _ => {}
            }
            if self.ended_within(patience) {
                self.reap();
                return Ok(());
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "it does not end even when killed"))
    }

    /// How it ended, if it was a child of this process.
    pub(super) fn reap(&self) -> String {
        match waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => format!("exit status {code}"),
            Ok(WaitStatus::Signaled(_, signal, _)) => format!("killed by {signal}"),
            _ => "ended".to_owned(),
        }
    }
}

/// True when the process catches or ignores a signal (`SigCgt`, `SigIgn` in `/proc/<pid>/status`).
fn handles(pid: i32, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    let caught = mask("SigCgt:").unwrap_or(0) | mask("SigIgn:").unwrap_or(0);
    caught >> (signal - 1) & 1 == 1
}

/// Field 22 of `/proc/<pid>/stat`; the command name before may hold anything but ends with the last parenthesis.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// The last lines a daemon wrote, as a clause.
pub(super) fn log_end(directory: &Path) -> String {
    let read = || {
        let mut log = fs::File::open(directory.join(LOG))?;
        let length = log.metadata()?.len();
        log.seek(SeekFrom::Start(length.saturating_sub(LOG_END)))?;
        let mut bytes = Vec::new();
        log.take(LOG_END).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&bytes).trim().replace('\n', " / "))
    };
    read().ok().filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!("; its log ends: {text}"))
}
