//! A database in memory that several stores may share, with faults that a seed decides: for the simulator and for tests.
//!
//! It keeps what a database would have on its disk. To crash a server, drop its store; to start it again, open one on the same
//! [`Memory`].

use crate::{Engine, EngineError, EngineErrorKind, LoggedChange, Reader, RowRef, StoredRow};
use net::Revision;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How often what goes wrong: probabilities from 0 to 1 for each call that it can befall.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Faults {
    /// Beginning, appending or committing fails because another writer was in the way.
    pub conflict: f64,
    /// Any call fails because the database cannot be reached.
    pub unavailable: f64,
    /// Committing fails and nothing was written, but the caller is not told so.
    pub lost_before_commit: f64,
    /// Committing fails although everything was written.
    pub lost_after_commit: f64,
}

/// How writers are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locking {
    /// `begin` waits until the other writer is done, as with `SELECT … FOR UPDATE`.
    Pessimistic,
    /// Whoever commits second has a conflict, as with Galera's certification.
    Optimistic,
}

struct Data {
    rows: BTreeMap<(SmolStr, SmolStr), StoredRow>,
    changes: Vec<LoggedChange>,
    head: Revision,
    floor: Revision,
    /// The handle that holds the writers' lock.
    writer: Option<u64>,
    next_handle: u64,
    faults: Faults,
    rng: SmallRng,
}

struct Shared {
    data: Mutex<Data>,
    changed: Condvar,
    locking: Locking,
}

/// The database as one server reaches it. A clone is the same server's.
#[derive(Clone)]
pub struct Memory(Link);

#[derive(Clone)]
struct Link {
    shared: Arc<Shared>,
    /// False while this server is cut off from the database.
    reachable: Arc<AtomicBool>,
}

impl Link {
    fn reach(&self, operation: &'static str) -> Result<MutexGuard<'_, Data>, EngineError> {
        let mut data = self.shared.lock();
        let unavailable = data.faults.unavailable;
        if !self.reachable.load(Relaxed) || data.happens(unavailable) {
            return Err(fault(EngineErrorKind::Unavailable, operation));
        }
        Ok(data)
    }

    fn reach_for_write(&self, operation: &'static str) -> Result<MutexGuard<'_, Data>, EngineError> {
        let mut data = self.reach(operation)?;
        let conflict = data.faults.conflict;
        if data.happens(conflict) { Err(fault(EngineErrorKind::Conflict, operation)) } else { Ok(data) }
    }
}

impl Memory {
    /// An empty database whose faults come in the order that the seed decides.
    pub fn new(locking: Locking, seed: u64) -> Memory {
        let data = Data {
            rows: BTreeMap::new(),
            changes: Vec::new(),
            head: Revision(0),
            floor: Revision(0),
            writer: None,
            next_handle: 0,
            faults: Faults::default(),
            rng: SmallRng::seed_from_u64(seed),
        };
        let shared = Arc::new(Shared { data: Mutex::new(data), changed: Condvar::new(), locking });
        Memory(Link { shared, reachable: Arc::new(AtomicBool::new(true)) })
    }

    /// The same database as another server reaches it.
    #[must_use]
    pub fn another_server(&self) -> Memory {
        Memory(Link { shared: self.0.shared.clone(), reachable: Arc::new(AtomicBool::new(true)) })
    }

    /// From now on this server does not reach the database, or does again.
    pub fn cut_off(&self, cut_off: bool) {
        self.0.reachable.store(!cut_off, Relaxed);
    }

    /// A handle for one server.
    pub fn engine(&self) -> Box<dyn Engine> {
        Box::new(self.handle())
    }

    /// From now on these things go wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.0.shared.lock().faults = faults;
    }

    /// The log as far as it is kept.
    pub fn log(&self) -> Vec<LoggedChange> {
        self.0.shared.lock().changes.clone()
    }

    fn handle(&self) -> Handle {
        let mut data = self.0.shared.lock();
        data.next_handle += 1;
        Handle { link: self.0.clone(), handle: data.next_handle, pending: None }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().expect("nothing panics while it holds this lock")
    }
}

impl Data {
    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.random_bool(probability)
    }

    fn apply(&mut self, changes: Vec<LoggedChange>) {
        for change in changes {
            for entry in &change.entries {
                let key = (entry.kind.clone(), entry.id.clone());
                match &entry.row {
                    Some(row) => drop(self.rows.insert(key, row.clone())),
                    None => drop(self.rows.remove(&key)),
                }
            }
            self.head = change.revision;
            self.changes.push(change);
        }
    }
}

fn fault(kind: EngineErrorKind, operation: &'static str) -> EngineError {
    EngineError { kind, operation, reason: "an injected fault".to_owned() }
}

/// A write that was begun.
struct Pending {
    base: Revision,
    changes: Vec<LoggedChange>,
}

struct Handle {
    link: Link,
    handle: u64,
    pending: Option<Pending>,
}

impl Handle {
    /// Takes back the write that was begun and gives the writers' lock back.
    fn end(&mut self) -> Option<Pending> {
        let pending = self.pending.take()?;
        let mut data = self.link.shared.lock();
        if data.writer == Some(self.handle) {
            data.writer = None;
            self.link.shared.changed.notify_all();
        }
        Some(pending)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

impl Reader for Handle {
    fn load(&mut self, row: &mut dyn FnMut(RowRef<'_>) -> bool) -> Result<Revision, EngineError> {
        let data = self.link.reach("reading the resources")?;
        for StoredRow { kind, id, version, body, .. } in data.rows.values() {
            if !row(RowRef { kind, id, version: *version, body }) {
                break;
            }
        }
        Ok(data.head)
    }

    fn changes_since(&mut self, revision: Revision) -> Result<Vec<LoggedChange>, EngineError> {
        let data = self.link.reach("reading the log")?;
        if revision < data.floor {
            return Err(fault(EngineErrorKind::Compacted, "reading the log"));
        }
        let first = data.changes.partition_point(|change| change.revision <= revision);
        Ok(data.changes[first..].to_vec())
    }

    fn head(&mut self) -> Result<Revision, EngineError> {
        let data = self.link.reach("reading the head")?;
        Ok(data.head)
    }

    fn wait(&mut self, revision: Revision, timeout: Duration) -> Result<bool, EngineError> {
        let data = self.link.reach("waiting for changes")?;
        let waited = self.link.shared.changed.wait_timeout_while(data, timeout, |data| data.head <= revision);
        let (data, _) = waited.expect("nothing panics while it holds this lock");
        Ok(data.head > revision)
    }
}

impl Engine for Handle {
    fn reader(&mut self) -> Result<Option<Box<dyn Reader>>, EngineError> {
        Ok(Some(Box::new(Memory(self.link.clone()).handle())))
    }

    fn begin(&mut self) -> Result<Revision, EngineError> {
        let mut data = self.link.reach_for_write("beginning a write")?;
        if self.link.shared.locking == Locking::Pessimistic {
            let waited = self.link.shared.changed.wait_while(data, |data| data.writer.is_some());
            data = waited.expect("nothing panics while it holds this lock");
            data.writer = Some(self.handle);
        }
        self.pending = Some(Pending { base: data.head, changes: Vec::new() });
        Ok(data.head)
    }

    fn append(&mut self, changes: &[LoggedChange]) -> Result<(), EngineError> {
        drop(self.link.reach_for_write("writing changes")?);
        let pending = self.pending.as_mut().expect("a write was begun");
        pending.changes.extend_from_slice(changes);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        let operation = "committing";
        let mut data = self.link.reach_for_write(operation)?;
        let faults = data.faults;
        if data.happens(faults.lost_before_commit) {
            return Err(fault(EngineErrorKind::Unavailable, operation));
        }
        let pending = self.pending.take().expect("a write was begun");
        if data.writer == Some(self.handle) {
            data.writer = None;
        }
        let base_is_newest = data.head == pending.base;
        let lost = data.happens(faults.lost_after_commit);
        if base_is_newest {
            data.apply(pending.changes);
        }
        drop(data);
        self.link.shared.changed.notify_all();
        match (base_is_newest, lost) {
            (false, _) => Err(EngineError { kind: EngineErrorKind::Conflict, operation, reason: "another server was first".to_owned() }),
            (true, true) => Err(fault(EngineErrorKind::Unavailable, operation)),
            (true, false) => Ok(()),
        }
    }

    fn rollback(&mut self) {
        self.end();
    }

    fn compact(&mut self, through: Revision) -> Result<(), EngineError> {
        let mut data = self.link.reach("compacting the log")?;
        let through = through.min(data.head);
        data.floor = data.floor.max(through);
        data.changes.retain(|change| change.revision > through);
        Ok(())
    }
}
