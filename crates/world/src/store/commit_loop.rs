//! The commit loop: the queued operations, one after another, in as few transactions as their number allows.
//!
//! There is no timer that gathers operations: while one transaction becomes durable, the next ones queue up.

use super::image::{Newest, load};
use super::operation::Operation;
use super::{Error, StoreOptions};
use crate::{Change, Commit, Context, Engine, EngineError, EngineErrorKind, LoggedChange, LoggedEntry, StoredRow, Tx, World};
use net::Revision;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

pub(super) enum Message {
    Run(Box<dyn Operation>),
    Close,
}

pub(super) struct CommitLoop {
    engine: Box<dyn Engine>,
    newest: Arc<Newest>,
    queue: Receiver<Message>,
    options: StoreOptions,
    rng: SmallRng,
    closing: bool,
    compacted: Revision,
}

/// Changes removed from the log at once: few enough not to be felt by those who wait.
const COMPACTED_AT_ONCE: u64 = 1024;
const FIRST_BACK_OFF: Duration = Duration::from_millis(1);
const LONGEST_BACK_OFF: Duration = Duration::from_millis(100);

impl CommitLoop {
    pub(super) fn new(engine: Box<dyn Engine>, newest: Arc<Newest>, queue: Receiver<Message>, options: StoreOptions) -> Self {
        let rng = options.seed.map_or_else(SmallRng::from_os_rng, SmallRng::seed_from_u64);
        CommitLoop { engine, newest, queue, options, rng, closing: false, compacted: Revision(0) }
    }

    /// Runs until the store is closed, and all that was queued by then is answered.
    pub(super) fn run(mut self) {
        struct End(Arc<Newest>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.end();
            }
        }
        let end = End(self.newest.clone());
        while let Some(batch) = self.next_batch() {
            self.commit(batch);
            self.compact();
        }
        // The database is let go of before anybody is told that the loop has ended.
        drop(self);
        drop(end);
    }

    fn next_batch(&mut self) -> Option<Vec<Box<dyn Operation>>> {
        if self.closing {
            return None;
        }
        let mut batch = match self.queue.recv() {
            Ok(Message::Run(operation)) => vec![operation],
            Ok(Message::Close) | Err(_) => return None,
        };
        while batch.len() < self.options.batch {
            match self.queue.try_recv() {
                Ok(Message::Run(operation)) => batch.push(operation),
                Ok(Message::Close) => {
                    self.closing = true;
                    break;
                }
                Err(_) => break,
            }
        }
        Some(batch)
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Operation>>) {
        let counters = &self.newest.clone().counters;
        let mut back_off = FIRST_BACK_OFF;
        for attempt in 1.. {
            let Err(error) = self.try_commit(&mut batch) else { break };
            self.engine.rollback();
            let conflict = matches!(&error, Error::Engine(error) if error.kind == EngineErrorKind::Conflict);
            if conflict && attempt < self.options.attempts {
                counters.conflicts.fetch_add(1, Relaxed);
                thread::sleep(back_off.mul_f64(self.rng.random_range(0.5..1.0)));
                back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                continue;
            }
            tracing::error!(%error, operations = batch.len(), "the database did not take a batch");
            counters.failures.fetch_add(1, Relaxed);
            batch.into_iter().for_each(|operation| operation.fail(error.clone()));
            return;
        }
        counters.operations.fetch_add(batch.len() as u64, Relaxed);
        batch.into_iter().for_each(|operation| operation.answer());
    }

    fn try_commit(&mut self, batch: &mut [Box<dyn Operation>]) -> Result<(), Error> {
        let head = self.engine.begin()?;
        let base = self.catch_up(head)?;
        let commits = self.run_all(base, batch);
        if commits.is_empty() {
            self.engine.rollback();
            return Ok(());
        }
        let begun = Instant::now();
        let logged: Vec<LoggedChange> = commits.iter().map(|commit| logged(commit)).collect();
        self.engine.append(&logged)?;
        self.newest.own_commit_begins();
        let outcome = self.engine.commit();
        let count = commits.len();
        self.newest.publish_own(if outcome.is_ok() { commits } else { Vec::new() });
        outcome?;
        self.newest.counters.count_batch(count, begun.elapsed());
        Ok(())
    }

    /// The world at the locked head.
    fn catch_up(&mut self, head: Revision) -> Result<World, Error> {
        let here = self.newest.world();
        if here.revision() == head {
            return Ok(here);
        }
        match self.engine.changes_since(here.revision()).map_err(Error::from).and_then(|changes| self.newest.follow(&changes)) {
            Err(Error::Engine(error)) if error.kind == EngineErrorKind::Compacted => {
                tracing::warn!(revision = %here.revision(), head = %head, "too far behind the log; reading everything again");
                self.newest.replace(load(self.engine.as_mut(), here.schema())?);
            }
            followed => followed?,
        }
        let here = self.newest.world();
        if here.revision() == head {
            return Ok(here);
        }
        let reason = format!("the database's newest change is {head}, this server has {}", here.revision());
        Err(EngineError { kind: EngineErrorKind::Conflict, operation: "catching up", reason }.into())
    }

    /// Runs each operation on what the one before it left.
    fn run_all(&mut self, mut world: World, batch: &mut [Box<dyn Operation>]) -> Vec<Arc<Commit>> {
        let mut commits = Vec::with_capacity(batch.len());
        for operation in batch {
            let time = self.options.clock.now();
            let context = Context::drawn_from(time, operation.request_id().clone(), &mut self.rng);
            if let Some((mut after, change)) = operation.run(Tx::new(world.clone(), context))
                && !change.is_empty()
            {
                let revision = world.revision().next();
                after.set_revision(revision);
                let request_id = operation.request_id().clone();
                let before = std::mem::replace(&mut world, after.clone());
                commits.push(Arc::new(Commit { revision, request_id, time, change: Arc::new(change), before, after }));
            }
            operation.settle(world.clone());
        }
        commits
    }

    /// Removes old changes from the log, a few at a time.
    fn compact(&mut self) {
        let head = self.newest.world().revision().0;
        let surplus = head.saturating_sub(self.options.keep_changes).saturating_sub(self.compacted.0);
        if surplus < COMPACTED_AT_ONCE {
            return;
        }
        let through = Revision(self.compacted.0 + COMPACTED_AT_ONCE);
        match self.engine.compact(through) {
            Ok(()) => self.compacted = through,
            Err(error) => tracing::warn!(%error, "old changes could not be removed from the log"),
        }
    }
}

fn logged(commit: &Commit) -> LoggedChange {
    let Commit { revision, request_id, time, change, .. } = commit;
    LoggedChange { revision: *revision, request_id: request_id.clone(), time: *time, entries: entries(change, *revision) }
}

fn entries(change: &Change, revision: Revision) -> Vec<LoggedEntry> {
    let entry = |entry: &crate::Entry| {
        let (kind, id) = (SmolStr::new_static(entry.kind()), entry.id().clone());
        let row = entry.after_any().map(|record| StoredRow {
            kind: kind.clone(),
            id: id.clone(),
            project_id: record.owner().map(|project| project.0.clone()),
            revision,
            version: record.version(),
            body: record.body(),
        });
        LoggedEntry { kind, id, row }
    };
    change.entries().iter().map(entry).collect()
}
