//! A thin supervisor: starts daemons with a directory of their own, finds them again after a restart of this process,
//! starts them again when they end unasked, each time after a longer pause.

mod process;
mod record;

pub(crate) use record::write_atomic;

use crate::Error;
use dataplane::{ActualDaemon, Daemon, Name, Netns};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use process::Process;
use record::{Record, Written};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a daemon may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a daemon that starts may take until it can be told to read its files again.
const HANDLER_PATIENCE: Duration = Duration::from_millis(500);
/// The pause before the first new start; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Having run so long a daemon is taken for healthy: the next pause is the first again.
const HEALTHY: Duration = Duration::from_secs(60);
/// Having run so long a daemon that ended before is said to run again: one that refuses its files ends sooner.
const STEADY: Duration = Duration::from_secs(2);

/// A daemon ended unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Where it ran.
    pub netns: Netns,
    /// Its name.
    pub name: Name,
    /// How it ended, in words; with the end of its log.
    pub reason: String,
    /// When it will be started again.
    pub pause: Duration,
}

type Key = (Netns, Name);
type Ended = Box<dyn Fn(Exit) + Send>;
type RunsAgain = Box<dyn Fn(&Netns, &Name) + Send>;

/// Who hears of the daemons.
struct Listener {
    ended: Ended,
    runs_again: RunsAgain,
}

/// The daemons of a host.
pub struct Daemons {
    state: Arc<Mutex<State>>,
    wake: Arc<EventFd>,
}

struct State {
    directory: PathBuf,
    files: PathBuf,
    known: BTreeMap<Key, Known>,
    listener: Option<Listener>,
    closing: bool,
}

struct Known {
    record: Record,
    process: Option<Process>,
    started: Instant,
    /// New starts since it was last healthy, and when the next is due.
    failures: u32,
    due: Option<Instant>,
    /// Its end was told and not yet that it runs again.
    ailing: bool,
}

impl Daemons {
    /// Takes over the daemons whose unit directories are in `directory`; `files` is where those lie that they watch. Those that do not run are left so: what is to
    /// run is for plans to say.
    pub fn new(directory: &Path, files: &Path) -> Result<Daemons, Error> {
        let fault = |error: std::io::Error| Error::io("open daemon directory", directory.display(), error);
        fs::create_dir_all(directory).map_err(fault)?;
        let mut known = BTreeMap::new();
        for (key, record) in record::list(directory).map_err(fault)? {
            let process = Process::find(record.pid, record.start_time);
            known.insert(key, Known { record, process, started: Instant::now(), failures: 0, due: None, ailing: false });
        }
        let state = State { directory: directory.to_owned(), files: files.to_owned(), known, listener: None, closing: false };
        let state = Arc::new(Mutex::new(state));
        let wake = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).map_err(|error| fault(error.into()))?;
        let wake = Arc::new(wake);
        let (watched, woken) = (Arc::clone(&state), Arc::clone(&wake));
        std::thread::Builder::new().name("daemons".to_owned()).spawn(move || watch(&watched, &woken)).map_err(fault)?;
        Ok(Daemons { state, wake })
    }

    /// Calls these, from the supervisor's thread: the one whenever a daemon ends unasked, the other once it has run for a while
    /// after that, as it was or with other files.
    pub fn listen(&self, ended: impl Fn(Exit) + Send + 'static, runs_again: impl Fn(&Netns, &Name) + Send + 'static) {
        self.lock().listener = Some(Listener { ended: Box::new(ended), runs_again: Box::new(runs_again) });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        // A full counter wakes as well.
        _ = self.wake.write(1);
    }

    /// What runs. A daemon about to be started again counts as running, unless it ended with files that somebody else has changed: it
    /// would end again.
    pub fn read(&self) -> BTreeMap<(Netns, Name), ActualDaemon> {
        let state = self.lock();
        let spoilt = |(netns, name): &Key, known: &Known| {
            let directory = record::directory(&state.directory, netns, name);
            known.ailing && known.record.files.iter().any(|file| !file.is_there(&directory))
        };
        let running = |known: &Known| known.due.is_some() || known.process.as_ref().is_some_and(Process::alive);
        let actual = |(key, known): (&Key, &Known)| {
            let running = running(known) && !spoilt(key, known);
            (key.clone(), ActualDaemon { digest: known.record.digest, running })
        };
        state.known.iter().map(actual).collect()
    }

    /// The directory of a daemon, whether it exists or not.
    pub fn directory(&self, netns: &Netns, name: &Name) -> PathBuf {
        record::directory(&self.lock().directory, netns, name)
    }

    /// The process id of a running daemon.
    pub fn pid(&self, netns: &Netns, name: &Name) -> Option<i32> {
        let state = self.lock();
        let known = state.known.get(&(netns.clone(), name.clone()))?;
        known.process.as_ref().filter(|process| process.alive()).map(Process::pid)
    }

    /// Writes the files and starts the process, after ending one that runs.
    pub fn start(&self, netns: &Netns, name: &Name, daemon: &Daemon) -> Result<(), Error> {
        let mut state = self.lock();
        let key = (netns.clone(), name.clone());
        let former = state.known.remove(&key);
        let former_files = former.as_ref().map(|known| known.record.files.clone()).unwrap_or_default();
        let ailing = former.as_ref().is_some_and(|known| known.ailing);
        if let Some(process) = former.and_then(|known| known.process) {
            process.stop(PATIENCE).map_err(|error| Error::io("stop daemon", name, error))?;
        }
        let directory = record::directory(&state.directory, netns, name);
        let expand = |text: &str| expand(text, &directory, &state.files);
        let files = write_files(&directory, daemon, &former_files, expand).map_err(|error| Error::io("write files of", name, error))?;
        let argv = daemon.argv.iter().map(|argument| expand(argument).into()).collect();
        let record = Record { pid: 0, start_time: 0, digest: daemon.digest(), reload_signal: daemon.reload_signal, argv, files };
        let known = launch(&key, record, &directory, 0)?;
        state.known.insert(key, Known { ailing, ..known });
        drop(state);
        self.wake();
        Ok(())
    }

    /// Writes the files and, with `signal`, tells the process to read them.
    pub fn reload(&self, netns: &Netns, name: &Name, daemon: &Daemon, signal: bool) -> Result<(), Error> {
        let mut state = self.lock();
        let directory = record::directory(&state.directory, netns, name);
        let files = state.files.clone();
        let fault = |error: std::io::Error| Error::io("reload daemon", name, error);
        let gone = || fault(std::io::Error::from_raw_os_error(libc::ESRCH));
        let known = state.known.get_mut(&(netns.clone(), name.clone())).ok_or_else(gone)?;
        let written = write_files(&directory, daemon, &known.record.files, |text| expand(text, &directory, &files)).map_err(fault)?;
        if let (true, Some(process)) = (signal, &known.process) {
            process.signal_handled(daemon.reload_signal, HANDLER_PATIENCE).map_err(fault)?;
        }
        known.record.digest = daemon.digest();
        known.record.files = written;
        known.record.write(&directory).map_err(fault)
    }

    /// Ends the process and removes its directory. One that is not there is not an error.
    pub fn stop(&self, netns: &Netns, name: &Name) -> Result<(), Error> {
        let mut state = self.lock();
        let fault = |error: std::io::Error| Error::io("stop daemon", name, error);
        if let Some(process) = state.known.remove(&(netns.clone(), name.clone())).and_then(|known| known.process) {
            process.stop(PATIENCE).map_err(fault)?;
        }
        let directory = record::directory(&state.directory, netns, name);
        drop(state);
        self.wake();
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        // The namespace's directory goes with its last daemon.
        _ = directory.parent().map(fs::remove_dir);
        Ok(())
    }
}

impl Drop for Daemons {
    /// The daemons go on; only the watching ends.
    fn drop(&mut self) {
        self.lock().closing = true;
        self.wake();
    }
}

impl fmt::Debug for Daemons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Daemons").field("known", &self.lock().known.keys().collect::<Vec<_>>()).finish()
    }
}

fn expand(text: &str, directory: &Path, files: &Path) -> String {
    text.replace("{dir}", &directory.to_string_lossy()).replace("{files}", &files.to_string_lossy())
}

/// Files that changed are replaced at once; those of a former configuration are removed, what the daemon wrote stays.
fn write_files(directory: &Path, daemon: &Daemon, former: &[Written], expand: impl Fn(&str) -> String) -> std::io::Result<Vec<Written>> {
    fs::create_dir_all(directory)?;
    let mut written = Vec::new();
    for (name, file) in &daemon.files {
        let content = expand(&file.content);
        write_atomic(&directory.join(name.as_str()), content.as_bytes())?;
        written.push(Written::new(name.clone(), &content));
    }
    for file in former.iter().filter(|file| !daemon.files.contains_key(&file.name)) {
        match fs::remove_file(directory.join(file.name.as_str())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(written)
}

fn launch(key: &Key, mut record: Record, directory: &Path, failures: u32) -> Result<Known, Error> {
    let (netns, name) = key;
    let process = Process::start(&record.argv, directory, netns).map_err(|error| Error::io("start daemon", name, error))?;
    (record.pid, record.start_time) = (process.pid(), process.start_time());
    if let Err(error) = record.write(directory) {
        // Without a record nobody would find it again.
        process.stop(PATIENCE).map_err(|error| Error::io("stop daemon", name, error))?;
        return Err(Error::io("record daemon", name, error));
    }
    Ok(Known { record, process: Some(process), started: Instant::now(), failures, due: None, ailing: false })
}

/// Waits for ends and for the time of new starts, until the supervisor is dropped.
fn watch(state: &Mutex<State>, wake: &EventFd) {
    loop {
        let (descriptors, timeout) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.closing {
                return;
            }
            state.attend();
            state.sleep()
        };
        let mut waiting = vec![PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
        waiting.extend(descriptors.iter().map(|fd: &Arc<OwnedFd>| PollFd::new(fd.as_fd(), PollFlags::POLLIN)));
        // An interrupted wait is a short one.
        _ = poll(&mut waiting, timeout);
        _ = wake.read();
    }
}

impl State {
    /// Notes processes that have ended and starts those whose time has come.
    fn attend(&mut self) {
        let now = Instant::now();
        for (key, known) in &mut self.known {
            let directory = record::directory(&self.directory, &key.0, &key.1);
            if let Some(process) = known.process.take_if(|process| !process.alive()) {
                known.failures = if known.started.elapsed() >= HEALTHY { 0 } else { known.failures };
                let pause = FIRST_PAUSE.saturating_mul(1 << known.failures.min(12)).min(LONGEST_PAUSE);
                known.due = Some(now + pause);
                let reason = format!("{}{}", process.reap(), process::log_end(&directory));
                known.ailing = true;
                self.listener.iter().for_each(|listener| {
                    (listener.ended)(Exit { netns: key.0.clone(), name: key.1.clone(), reason: reason.clone(), pause });
                });
            }
            if known.ailing && known.process.is_some() && known.started.elapsed() >= STEADY {
                known.ailing = false;
                self.listener.iter().for_each(|listener| (listener.runs_again)(&key.0, &key.1));
            }
            if known.due.is_some_and(|due| due <= now) {
                let failures = known.failures.saturating_add(1);
                match launch(key, known.record.clone(), &directory, failures) {
                    Ok(fresh) => *known = Known { ailing: known.ailing, ..fresh },
                    Err(error) => {
                        let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(12)).min(LONGEST_PAUSE);
                        (known.failures, known.due) = (failures, Some(now + pause));
                        tracing::warn!(daemon = %key.1, netns = %key.0, %error, "cannot start again");
                    }
                }
            }
        }
    }

    /// What to wait for and how long.
    fn sleep(&self) -> (Vec<Arc<OwnedFd>>, PollTimeout) {
        let descriptors = self.known.values().filter_map(|known| known.process.as_ref().map(Process::descriptor)).collect();
        let steady = |known: &Known| (known.ailing && known.process.is_some()).then(|| known.started + STEADY);
        let due = self.known.values().flat_map(|known| [known.due, steady(known)]).flatten().min();
        let millis = due.map(|due| due.saturating_duration_since(Instant::now()).as_millis() + 1);
        let timeout = millis.map_or(PollTimeout::NONE, |millis| PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX));
        (descriptors, timeout)
    }
}
