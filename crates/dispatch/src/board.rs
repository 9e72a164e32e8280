//! The board: who is attached, what each still has to be told, and when each was last heard.
//!
//! One lock covers it, so that the world on it and the units that wait for each host always fit together. A unit that waits is a key and
//! nothing more; its content is computed from the newest world when the agent is ready to read.

use crate::concern::concerned;
use crate::history::History;
use intent::UnitId;
use net::{HostName, Revision};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tonic::Status;
use world::{Commit, World};

/// How many facts the history keeps.
const HISTORY: usize = 1 << 16;

/// An attached agent, shared by its stream and the board.
pub(crate) struct Session {
    pub(crate) host: HostName,
    id: u64,
    pub(crate) wake: Notify,
    end: watch::Sender<Option<Status>>,
    /// Reports of older revisions are of a past that this server does not know.
    pub(crate) base: AtomicU64,
    /// The newest revision told.
    pub(crate) sent: AtomicU64,
}

impl Session {
    /// Ends the stream with a status; the first one counts.
    pub(crate) fn end(&self, status: Status) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(status);
            }
            first
        });
    }

    /// Waits until somebody ended it.
    pub(crate) async fn ended(&self) -> Status {
        let mut end = self.end.subscribe();
        let status = end.wait_for(Option::is_some).await.ok().and_then(|status| status.clone());
        status.unwrap_or_else(|| Status::internal("the session is gone"))
    }

    /// True when the agent was told this revision on this stream, or had it when it came.
    pub(crate) fn was_told(&self, revision: Revision) -> bool {
        (self.base.load(Ordering::Acquire)..=self.sent.load(Ordering::Acquire)).contains(&revision.0)
    }
}

/// What a host cannot realise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitFault {
    /// As of which revision.
    pub revision: Revision,
    /// The agent's words.
    pub message: String,
}

struct Attached {
    session: Arc<Session>,
    waiting: BTreeSet<UnitId>,
}

struct HostState {
    attached: Option<Attached>,
    heard: Instant,
    faults: BTreeMap<UnitId, UnitFault>,
}

impl HostState {
    fn new(now: Instant) -> HostState {
        HostState { attached: None, heard: now, faults: BTreeMap::new() }
    }
}

struct State {
    world: World,
    hosts: HashMap<HostName, HostState>,
    history: History,
    next_id: u64,
}

pub(crate) struct Board {
    state: Mutex<State>,
    /// The world's.
    pub(crate) revision: watch::Sender<Revision>,
    waiting_units: usize,
}

/// Faults kept of one host.
const FAULTS: usize = 10_000;

impl Board {
    pub(crate) fn new(world: World, waiting_units: usize) -> Board {
        let history = History::new(world.revision(), HISTORY);
        let revision = watch::Sender::new(world.revision());
        Board { state: Mutex::new(State { world, hosts: HashMap::new(), history, next_id: 0 }), revision, waiting_units }
    }

    /// The state is whole after every statement that could panic, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over a commit: notes what each attached host has to be told.
    pub(crate) fn commit(&self, commit: &Commit) {
        let mut state = self.lock();
        let State { world, hosts, history, .. } = &mut *state;
        history.note(commit.revision, &commit.change);
        let found = concerned(commit, &|host| hosts.get(host).is_some_and(|host| host.attached.is_some()));
        *world = commit.after.clone();
        for (host, ids) in found {
            let Some(Attached { session, waiting }) = hosts.get_mut(&host).and_then(|host| host.attached.as_mut()) else { continue };
            waiting.extend(ids);
            if waiting.len() > self.waiting_units {
                // Whoever takes what waits sees the end first, so that nothing is told as whole that is not.
                session.end(Status::aborted("the agent is too slow: too many changes wait for it"));
                waiting.clear();
            }
            session.wake.notify_one();
        }
        drop(state);
        self.revision.send_replace(commit.revision);
    }

    /// Attaches a host; an older session of it ends. The world is the one from which on changes are noted.
    pub(crate) fn attach(&self, host: &HostName) -> (Arc<Session>, World) {
        let mut state = self.lock();
        state.next_id += 1;
        let session = Arc::new(Session {
            host: host.clone(),
            id: state.next_id,
            wake: Notify::new(),
            end: watch::Sender::new(None),
            base: AtomicU64::new(u64::MAX),
            sent: AtomicU64::new(0),
        });
        let attached = Attached { session: session.clone(), waiting: BTreeSet::new() };
        let there = state.hosts.entry(host.clone()).or_insert_with(|| HostState::new(Instant::now()));
        // The agent says again what it cannot realise.
        there.faults.clear();
        if let Some(older) = there.attached.replace(attached) {
            older.session.end(Status::aborted(format!("replaced by a newer stream of host {host}")));
        }
        (session, state.world.clone())
    }

    /// Detaches a session, unless a newer one has taken its place.
    pub(crate) fn detach(&self, session: &Session) {
        let mut state = self.lock();
        if let Some(host) = state.hosts.get_mut(&session.host)
            && host.attached.as_ref().is_some_and(|attached| attached.session.id == session.id)
        {
            host.attached = None;
        }
    }

    /// What waits for a session, and the world to compute it from; none when the session has ended.
    pub(crate) fn take(&self, session: &Session) -> Option<(BTreeSet<UnitId>, World)> {
        let mut state = self.lock();
        let attached = state.hosts.get_mut(&session.host)?.attached.as_mut()?;
        if attached.session.id != session.id || session.end.borrow().is_some() {
            return None;
        }
        let waiting = std::mem::take(&mut attached.waiting);
        Some((waiting, state.world.clone()))
    }

    /// Reads the world and the history together.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&World, &History) -> T) -> T {
        let state = self.lock();
        read(&state.world, &state.history)
    }

    /// Notes that a host was heard.
    pub(crate) fn heard(&self, host: &HostName, now: Instant) {
        let mut state = self.lock();
        state.hosts.entry(host.clone()).or_insert_with(|| HostState::new(now)).heard = now;
    }

    /// True when a host has been silent for this long. A host never heard is silent since it was first asked about.
    pub(crate) fn is_silent(&self, host: &HostName, now: Instant, after: Duration) -> bool {
        let mut state = self.lock();
        let heard = state.hosts.entry(host.clone()).or_insert_with(|| HostState::new(now)).heard;
        now.saturating_duration_since(heard) >= after
    }

    /// Notes or takes back a fault.
    pub(crate) fn fault(&self, host: &HostName, id: UnitId, fault: Option<UnitFault>) {
        let mut state = self.lock();
        let Some(there) = state.hosts.get_mut(host) else { return };
        match fault {
            None => _ = there.faults.remove(&id),
            Some(fault) if there.faults.len() < FAULTS || there.faults.contains_key(&id) => _ = there.faults.insert(id, fault),
            Some(_) => {}
        }
    }

    pub(crate) fn faults(&self, host: &HostName) -> (BTreeMap<UnitId, UnitFault>, World) {
        let state = self.lock();
        (state.hosts.get(host).map(|host| host.faults.clone()).unwrap_or_default(), state.world.clone())
    }

    /// The attached hosts, in order.
    pub(crate) fn attached(&self) -> Vec<HostName> {
        let state = self.lock();
        let mut hosts: Vec<_> = state.hosts.iter().filter(|(_, host)| host.attached.is_some()).map(|(name, _)| name.clone()).collect();
        hosts.sort_unstable();
        hosts
    }

    pub(crate) fn end_all(&self, status: &Status) {
        for host in self.lock().hosts.values() {
            if let Some(attached) = &host.attached {
                attached.session.end(status.clone());
            }
        }
    }
}
