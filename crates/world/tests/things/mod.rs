//! A kind of record with indexes, and both engines, for the tests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part; a test fails by panicking")]

use net::{ProjectId, Revision};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;
use world::engines::memory::Locking;
use world::engines::{Memory, Sqlite};
use world::{Commit, Engine, EngineError, Index, Key, LoggedChange, Reader, Record, RowRef, Schema, Store, StoreOptions, World};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Thing {
    pub id: Uuid,
    pub project_id: ProjectId,
    pub name: SmolStr,
    pub count: u64,
    pub tags: Vec<u64>,
}

pub const OWNER: Index<Thing> = Index::new(0);
pub const NAME: Index<Thing> = Index::new(1);
pub const COUNT: Index<Thing> = Index::new(2);
pub const TAG: Index<Thing> = Index::new(3);

impl Thing {
    pub fn id_of(number: u64) -> Uuid {
        Uuid::from_u64_pair(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number)
    }

    pub fn new(number: u64, name: &str) -> Thing {
        let project_id = ProjectId(SmolStr::new("demo"));
        Thing { id: Thing::id_of(number), project_id, name: SmolStr::new(name), count: 0, tags: Vec::new() }
    }

    pub fn counting(mut self, count: u64) -> Thing {
        self.count = count;
        self
    }
}

impl Record for Thing {
    type Id = Uuid;
    const KIND: &'static str = "thing";
    const INDEXES: usize = 4;

    fn id(&self) -> Uuid {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(OWNER, (&self.project_id).into());
        put(NAME, self.name.as_str().into());
        if self.count > 0 {
            put(COUNT, self.count.into());
        }
        for tag in &self.tags {
            put(TAG, (*tag).into());
        }
    }
}

pub fn schema() -> Arc<Schema> {
    Arc::new(Schema::new().with::<Thing>())
}

pub fn request() -> SmolStr {
    SmolStr::new_static("req-1")
}

/// A database that can be opened again.
pub enum Engines {
    Memory(Memory),
    Sqlite(TempDir),
}

impl Engines {
    pub fn all() -> [Engines; 2] {
        [Engines::Memory(Memory::new(Locking::Pessimistic, 1)), Engines::Sqlite(tempfile::tempdir().unwrap())]
    }

    pub fn file(&self) -> PathBuf {
        match self {
            Engines::Memory(_) => panic!("it has no file"),
            Engines::Sqlite(directory) => directory.path().join("neutrino.db"),
        }
    }

    pub fn engine(&self) -> Box<dyn Engine> {
        match self {
            Engines::Memory(memory) => memory.engine(),
            Engines::Sqlite(_) => Box::new(Sqlite::open(&self.file()).unwrap()),
        }
    }
}

pub fn open(engines: &Engines, options: StoreOptions) -> Store {
    Store::open(engines.engine(), schema(), options).unwrap()
}

/// A world and what comes after it.
pub type Subscription = (World, tokio::sync::mpsc::UnboundedReceiver<Arc<Commit>>);

/// An engine whose store does not follow other servers between its own writes.
pub struct WithoutReader(pub Box<dyn Engine>);

impl Reader for WithoutReader {
    fn load(&mut self, row: &mut dyn FnMut(RowRef<'_>) -> bool) -> Result<Revision, EngineError> {
        self.0.load(row)
    }

    fn changes_since(&mut self, revision: Revision) -> Result<Vec<LoggedChange>, EngineError> {
        self.0.changes_since(revision)
    }

    fn head(&mut self) -> Result<Revision, EngineError> {
        self.0.head()
    }

    fn wait(&mut self, revision: Revision, timeout: Duration) -> Result<bool, EngineError> {
        self.0.wait(revision, timeout)
    }
}

impl Engine for WithoutReader {
    fn reader(&mut self) -> Result<Option<Box<dyn Reader>>, EngineError> {
        Ok(None)
    }

    fn begin(&mut self) -> Result<Revision, EngineError> {
        self.0.begin()
    }

    fn append(&mut self, changes: &[LoggedChange]) -> Result<(), EngineError> {
        self.0.append(changes)
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        self.0.commit()
    }

    fn rollback(&mut self) {
        self.0.rollback();
    }

    fn compact(&mut self, through: Revision) -> Result<(), EngineError> {
        self.0.compact(through)
    }
}

/// The operation that puts a thing.
pub fn putting(thing: Thing) -> impl Fn(&mut world::Tx) -> Result<(), String> {
    move |tx| {
        tx.put(thing.clone());
        Ok(())
    }
}

/// The world that a log makes, from the bodies in it and nothing else.
pub fn replay(log: &[LoggedChange]) -> World {
    let mut tx = world::Tx::new(World::empty(schema()), world::Context::new(net::Timestamp(0), request(), 0));
    for entry in log.iter().flat_map(|change| &change.entries) {
        match &entry.row {
            Some(row) => tx.put(serde_json::from_str::<Thing>(&row.body).unwrap()),
            None => drop(tx.remove::<Thing>(&entry.id.parse().unwrap())),
        }
    }
    let (world, _) = tx.finish();
    world
}

/// Says what is different between two worlds, whatever their revisions.
pub fn same(one: &World, other: &World) -> Result<(), String> {
    let things = |world: &World| world.table::<Thing>().iter().cloned().collect::<Vec<_>>();
    if things(one) == things(other) { Ok(()) } else { Err(format!("{:?} is not {:?}", things(one), things(other))) }
}

/// Compares the indexes with what the records say.
pub fn check_indexes(world: &World) -> Result<(), String> {
    let table = world.table::<Thing>();
    let mut said: [Vec<(Key, Uuid)>; Thing::INDEXES] = Default::default();
    for thing in table.iter() {
        for (slot, index) in [OWNER, NAME, COUNT, TAG].into_iter().enumerate() {
            thing.index(&mut |at, key| {
                if at.slot() == index.slot() {
                    said[slot].push((key, thing.id));
                }
            });
        }
    }
    for (slot, index) in [OWNER, NAME, COUNT, TAG].into_iter().enumerate() {
        said[slot].sort();
        said[slot].dedup();
        let lowest = Key::Number(0);
        let found: Vec<_> = table.walk(index, lowest).map(|(key, id)| (key.clone(), *id)).collect();
        if found != said[slot] {
            return Err(format!("index {slot} has {found:?}, the records say {:?}", said[slot]));
        }
    }
    Ok(())
}
