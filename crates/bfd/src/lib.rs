//! The BFD process (RFC 5880, RFC 5881): one for a host, which watches the next hops of routers in their namespaces and says which of them
//! answer.
//!
//! A process, not a task of the agent: sessions end within a second of silence, and an agent that is restarted or upgraded is to bring none
//! down. Which next hops there are lies in files that the agent writes and this process watches; what becomes of them, in one that the agent
//! watches ([`states`]). Who may send it packets, and that they have come over one link only, is the business of the router's filter (crate
//! `routing`); what comes through is read here, outside of the process that programs the host.

mod packet;
mod session;
mod states;
mod watcher;

pub use states::{States, watch, write};

use routing::bfd::{FILES, Watched};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How often it is looked whether namespaces are still those in which it is.
const AGAIN: Duration = Duration::from_secs(1);
/// Sessions of a host at most: the agent's list is not to exhaust it.
const MOST: usize = 4096;

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the files to watch.
    pub files: PathBuf,
    /// The directory of the file that says what became of the next hops.
    pub states: PathBuf,
}

/// A next hop, and the namespace as it is now: another of the same name is another.
type Key = (Watched, Option<u64>);

/// Watches until it is dropped. Needs a tokio runtime.
pub async fn run(options: &Options) -> Result<(), host::Error> {
    let mut files = host::Watch::open(&options.files)?;
    let (news, mut came) = mpsc::unbounded_channel();
    let mut sessions = Sessions { tasks: BTreeMap::new(), known: States::new(), news };
    let mut written = None;
    sessions.follow(wanted(&options.files));
    loop {
        if written.as_ref() != Some(&sessions.known) {
            match write(&options.states, &sessions.known) {
                Ok(()) => written = Some(sessions.known.clone()),
                Err(error) => tracing::error!(%error, "cannot say which next hops answer"),
            }
        }
        tokio::select! {
            Some(first) = came.recv() => {
                sessions.note(first);
                while let Ok(next) = came.try_recv() {
                    sessions.note(next);
                }
            }
            changed = files.changed() => {
                changed?;
                sessions.follow(wanted(&options.files));
            }
            () = tokio::time::sleep(AGAIN) => sessions.follow(wanted(&options.files)),
        }
    }
}

/// What a session says of its next hop: why it does not answer, or none.
type News = (Watched, Option<SmolStr>);

/// The sessions, and what is known of their next hops.
struct Sessions {
    tasks: BTreeMap<Key, JoinHandle<()>>,
    known: States,
    news: mpsc::UnboundedSender<News>,
}

impl Sessions {
    /// Ends those that are not wanted any more, and begins those that are.
    fn follow(&mut self, wanted: BTreeSet<Key>) {
        for (_, task) in self.tasks.extract_if(.., |key, _| !wanted.contains(key)) {
            task.abort();
        }
        let names: BTreeSet<&Watched> = wanted.iter().map(|(watched, _)| watched).collect();
        self.known.retain(|watched, _| names.contains(watched));
        for key in wanted {
            self.tasks.entry(key).or_insert_with_key(|(watched, _)| {
                self.known.insert(watched.clone(), Some(SmolStr::new_static(session::UNHEARD)));
                tokio::spawn(watcher::watch(watched.clone(), self.news.clone()))
            });
        }
    }

    fn note(&mut self, (watched, reason): News) {
        if let Some(state) = self.known.get_mut(&watched) {
            tracing::info!(%watched, "{}", reason.as_deref().unwrap_or("it answers"));
            *state = reason;
        }
    }
}

/// The next hops that the files name. What cannot be read is as if it were not there.
fn wanted(directory: &Path) -> BTreeSet<Key> {
    let Ok(entries) = std::fs::read_dir(directory) else { return BTreeSet::new() };
    let named = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(FILES)));
    let texts = named.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    let watched = texts.flat_map(|text| Watched::read(&text)).take(MOST);
    watched
        .map(|watched| {
            let inode = host::netns::inode(&watched.netns);
            (watched, inode)
        })
        .collect()
}
