//! Counters of the commit loop.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What the commit loop has done since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Operations run and answered.
    pub operations: u64,
    /// Changes written.
    pub changes: u64,
    /// Transactions that wrote something.
    pub batches: u64,
    /// Times a batch was run again because another server was in the way.
    pub conflicts: u64,
    /// Batches whose callers were told that the database failed.
    pub failures: u64,
    /// Changes taken over from other servers.
    pub followed: u64,
    /// Times everything was read again.
    pub reloads: u64,
    /// Time spent making writes durable, all batches together.
    pub commit_time: Duration,
    /// The longest time one batch took to become durable.
    pub longest_commit: Duration,
}

impl Stats {
    /// Changes in a transaction on average.
    pub fn mean_batch(&self) -> f64 {
        if self.batches == 0 { 0.0 } else { self.changes as f64 / self.batches as f64 }
    }

    /// Time a transaction took to become durable on average.
    pub fn mean_commit(&self) -> Duration {
        self.commit_time.checked_div(u32::try_from(self.batches).unwrap_or(u32::MAX)).unwrap_or_default()
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) operations: AtomicU64,
    pub(super) changes: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) conflicts: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) followed: AtomicU64,
    pub(super) reloads: AtomicU64,
    commit_ns: AtomicU64,
    longest_commit_ns: AtomicU64,
}

impl Counters {
    pub(super) fn count_batch(&self, changes: usize, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.batches.fetch_add(1, Relaxed);
        self.changes.fetch_add(changes as u64, Relaxed);
        self.commit_ns.fetch_add(ns, Relaxed);
        self.longest_commit_ns.fetch_max(ns, Relaxed);
    }

    pub(super) fn read(&self) -> Stats {
        Stats {
            operations: self.operations.load(Relaxed),
            changes: self.changes.load(Relaxed),
            batches: self.batches.load(Relaxed),
            conflicts: self.conflicts.load(Relaxed),
            failures: self.failures.load(Relaxed),
            followed: self.followed.load(Relaxed),
            reloads: self.reloads.load(Relaxed),
            commit_time: Duration::from_nanos(self.commit_ns.load(Relaxed)),
            longest_commit: Duration::from_nanos(self.longest_commit_ns.load(Relaxed)),
        }
    }
}
