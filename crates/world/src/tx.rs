//! The scratch image on which one operation works.

use crate::change::Entry;
use crate::{AnyRecord, Change, Record, Table, World};
use net::Timestamp;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use smol_str::SmolStr;
use std::sync::Arc;
use uuid::Uuid;

/// What an operation may know besides the world: time, randomness, and whose request it is. Deterministic under a seed.
pub struct Context {
    /// The time of the operation.
    pub now: Timestamp,
    /// The request that asked for it (`req-…`).
    pub request_id: SmolStr,
    /// Source of ids, MACs and addresses.
    pub rng: SmallRng,
}

impl Context {
    /// A context with this time and seed.
    pub fn new(now: Timestamp, request_id: SmolStr, seed: u64) -> Context {
        Context { now, request_id, rng: SmallRng::seed_from_u64(seed) }
    }

    pub(crate) fn drawn_from(now: Timestamp, request_id: SmolStr, rng: &mut SmallRng) -> Context {
        Context { now, request_id, rng: SmallRng::from_rng(rng) }
    }

    /// A fresh random (version 4) UUID.
    pub fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }
}

/// An operation's view: the newest world with the operation's own changes in it. Dropped when the operation fails.
pub struct Tx {
    world: World,
    change: Change,
    /// Time, randomness and request.
    pub context: Context,
}

impl Tx {
    /// A transaction on top of a world.
    pub fn new(world: World, context: Context) -> Tx {
        Tx { world, change: Change::default(), context }
    }

    /// The world as this operation has left it so far.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A table as this operation has left it so far.
    pub fn table<R: Record>(&self) -> &Table<R> {
        self.world.table()
    }

    /// A record by id.
    pub fn get<R: Record>(&self, id: &R::Id) -> Option<&Arc<R>> {
        self.world.get(id)
    }

    /// Creates or replaces a record. Putting what is already there changes nothing.
    pub fn put<R: Record>(&mut self, record: R) {
        let id = record.id();
        if self.world.get::<R>(&id).is_some_and(|there| **there == record) {
            return;
        }
        let record = Arc::new(record);
        let before = self.world.table_mut::<R>().put(record.clone());
        let before = before.map(|b| b as Arc<dyn AnyRecord>);
        self.change.record(Entry::new(R::KIND, record.id_text(), before, Some(record)));
    }

    /// Removes a record and returns it.
    pub fn remove<R: Record>(&mut self, id: &R::Id) -> Option<Arc<R>> {
        let before = self.world.table_mut::<R>().remove(id)?;
        self.change.record(Entry::new(R::KIND, before.id_text(), Some(before.clone()), None));
        Some(before)
    }

    /// Changes a record in place; returns false when it is not there.
    pub fn update<R: Record>(&mut self, id: &R::Id, with: impl FnOnce(&mut R)) -> bool {
        let Some(record) = self.world.get::<R>(id) else { return false };
        let mut record = R::clone(record);
        with(&mut record);
        debug_assert!(record.id() == *id, "an update keeps the id");
        self.put(record);
        true
    }

    /// The end of the operation: the world and what was changed in it.
    pub fn finish(mut self) -> (World, Change) {
        self.change.settle();
        (self.world, self.change)
    }
}
