//! A kind of record with indexes, and both engines, for the tests.
#![allow(dead_code, reason = "each test binary uses a part")]

use net::ProjectId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;
use world::engines::memory::Locking;
use world::engines::{Memory, Sqlite};
use world::{Engine, Index, Key, Record, Schema, Store, StoreOptions};

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
