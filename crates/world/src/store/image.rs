//! The newest image of a server and those who follow it.
//!
//! Both the commit loop and the thread that follows other servers bring changes here. One lock orders them, and a revision is
//! taken once: whoever comes second with it is passed over.

use super::stats::Counters;
use super::{Clock, Error};
use crate::world::Image;
use crate::{Change, Commit, EngineError, EngineErrorKind, LoggedChange, Reader, Schema, SchemaError, World};
use arc_swap::ArcSwap;
use net::{Revision, Timestamp};
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

pub(super) struct Newest {
    image: ArcSwap<Image>,
    followers: Mutex<Followers>,
    own_commit_ended: Condvar,
    pub(super) revision: watch::Sender<Revision>,
    pub(super) ended: watch::Sender<bool>,
    pub(super) stop: AtomicBool,
    pub(super) counters: Counters,
    clock: Clock,
    keep: usize,
}

struct Followers {
    subscribers: Vec<UnboundedSender<Arc<Commit>>>,
    recent: VecDeque<Recent>,
    /// The commit loop is making changes durable which it will bring itself.
    own_commit: bool,
}

/// A commit without its worlds, which would hold all that was replaced since.
#[derive(Clone)]
struct Recent {
    revision: Revision,
    request_id: SmolStr,
    time: Timestamp,
    change: Arc<Change>,
}

impl Newest {
    pub(super) fn new(world: World, clock: Clock, keep: usize) -> Newest {
        Newest {
            revision: watch::Sender::new(world.revision()),
            image: ArcSwap::new(world.0),
            followers: Mutex::new(Followers { subscribers: Vec::new(), recent: VecDeque::new(), own_commit: false }),
            own_commit_ended: Condvar::new(),
            ended: watch::Sender::new(false),
            stop: AtomicBool::new(false),
            counters: Counters::default(),
            clock,
            keep,
        }
    }

    pub(super) fn world(&self) -> World {
        World(self.image.load_full())
    }

    fn lock(&self) -> MutexGuard<'_, Followers> {
        self.followers.lock().expect("nothing panics while it holds this lock")
    }

    pub(super) fn subscribe(&self) -> (World, UnboundedReceiver<Arc<Commit>>) {
        let (sender, receiver) = unbounded_channel();
        let mut followers = self.lock();
        if !*self.ended.borrow() {
            followers.subscribers.push(sender);
        }
        (self.world(), receiver)
    }

    /// No subscriber gets anything after this.
    pub(super) fn end(&self) {
        self.stop.store(true, Relaxed);
        let mut followers = self.lock();
        followers.subscribers.clear();
        self.ended.send_replace(true);
    }

    /// From now until [`Newest::publish_own`], changes that appear in the log are probably the commit loop's own.
    pub(super) fn own_commit_begins(&self) {
        self.lock().own_commit = true;
    }

    /// Waits a moment for the commit loop to bring its own changes, which are cheaper than those read back from the log.
    pub(super) fn let_own_commit_end(&self, patience: Duration) {
        let followers = self.lock();
        let waited = self.own_commit_ended.wait_timeout_while(followers, patience, |followers| followers.own_commit);
        drop(waited.expect("nothing panics while it holds this lock"));
    }

    /// Ends the commit loop's own commit; the commits are empty when it failed.
    pub(super) fn publish_own(&self, commits: Vec<Arc<Commit>>) {
        let mut followers = self.lock();
        followers.own_commit = false;
        self.publish(&mut followers, commits);
        drop(followers);
        self.own_commit_ended.notify_all();
    }

    /// Takes over what other servers wrote. Fails with `Compacted` when something is missing before it.
    pub(super) fn follow(&self, changes: &[LoggedChange]) -> Result<(), Error> {
        let mut followers = self.lock();
        let mut world = self.world();
        let mut commits = Vec::new();
        let mut outcome = Ok(());
        for logged in changes {
            if logged.revision <= world.revision() {
                continue;
            }
            if logged.revision != world.revision().next() {
                outcome = Err(gap(world.revision(), logged.revision).into());
                break;
            }
            match read(&world, logged) {
                Ok(commit) => {
                    world = commit.after.clone();
                    commits.push(Arc::new(commit));
                }
                Err(error) => {
                    outcome = Err(error.into());
                    break;
                }
            }
        }
        self.counters.followed.fetch_add(commits.len() as u64, Relaxed);
        self.publish(&mut followers, commits);
        outcome
    }

    /// Takes over a world that was read anew, as one commit of all that is different.
    pub(super) fn replace(&self, world: World) {
        let mut followers = self.lock();
        let before = self.world();
        if world.revision() <= before.revision() {
            return;
        }
        self.counters.reloads.fetch_add(1, Relaxed);
        let commit = Commit {
            revision: world.revision(),
            request_id: SmolStr::new_static("reload"),
            time: self.clock.now(),
            change: Arc::new(before.difference(&world)),
            before,
            after: world,
        };
        self.publish(&mut followers, vec![Arc::new(commit)]);
        followers.recent.clear();
    }

    fn publish(&self, followers: &mut Followers, commits: Vec<Arc<Commit>>) {
        let here = *self.revision.borrow();
        let commits: Vec<_> = commits.into_iter().filter(|commit| commit.revision > here).collect();
        let Some(newest) = commits.last().cloned() else { return };
        // Before anybody hears of the commits: who does must not find an older world.
        self.image.store(newest.after.0.clone());
        for commit in commits {
            let Commit { revision, request_id, time, change, .. } = &*commit;
            let (revision, time) = (*revision, *time);
            followers.recent.push_back(Recent { revision, request_id: request_id.clone(), time, change: change.clone() });
            followers.subscribers.retain(|subscriber| subscriber.send(commit.clone()).is_ok());
        }
        let surplus = followers.recent.len().saturating_sub(self.keep);
        followers.recent.drain(..surplus);
        self.revision.send_replace(newest.revision);
    }

    /// The commits after a revision; none when some are not kept any more.
    pub(super) fn recent(&self, after: Revision) -> Option<Vec<Arc<Commit>>> {
        let (mut world, recent) = {
            let followers = self.lock();
            let world = self.world();
            let missing = usize::try_from(world.revision().0.checked_sub(after.0)?).ok()?;
            let first = followers.recent.len().checked_sub(missing)?;
            (world, followers.recent.range(first..).cloned().collect::<Vec<_>>())
        };
        let mut commits = Vec::with_capacity(recent.len());
        for Recent { revision, request_id, time, change } in recent.into_iter().rev() {
            let before = world.with_change(Revision(revision.0 - 1), &change.reversed());
            let after = std::mem::replace(&mut world, before.clone());
            commits.push(Arc::new(Commit { revision, request_id, time, change, before, after }));
        }
        commits.reverse();
        Some(commits)
    }
}

fn read(world: &World, logged: &LoggedChange) -> Result<Commit, SchemaError> {
    let change = world.read_change(logged)?;
    Ok(Commit {
        revision: logged.revision,
        request_id: logged.request_id.clone(),
        time: logged.time,
        before: world.clone(),
        after: world.with_change(logged.revision, &change),
        change: Arc::new(change),
    })
}

fn gap(here: Revision, next: Revision) -> EngineError {
    let reason = format!("the log goes on at revision {next}, this server is at {here}");
    EngineError { kind: EngineErrorKind::Compacted, operation: "following the log", reason }
}

/// Reads everything.
pub(super) fn load<R: Reader + ?Sized>(reader: &mut R, schema: &Arc<Schema>) -> Result<World, Error> {
    let mut world = World::empty(schema.clone());
    let mut unreadable = None;
    let head = reader.load(&mut |row| match world.load(row) {
        Ok(()) => true,
        Err(error) => {
            unreadable = Some(error);
            false
        }
    });
    if let Some(error) = unreadable {
        return Err(error.into());
    }
    world.set_revision(head?);
    Ok(world)
}
