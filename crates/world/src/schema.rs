//! Which kinds of records there are, and the image that holds a table of each.

use crate::{AnyRecord, Change, Record, Table};
use net::Revision;
use smol_str::SmolStr;
use std::any::{Any, TypeId};
use std::sync::Arc;

/// A stored row cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database holds a kind that this server does not know.
    #[error("the database holds a resource of unknown kind '{0}'; it was written by a newer version")]
    UnknownKind(String),
    /// A body cannot be read.
    #[error("{kind} {id} cannot be read from the database: {reason}")]
    BadBody {
        /// Its kind.
        kind: SmolStr,
        /// Its id.
        id: SmolStr,
        /// Why.
        reason: String,
    },
}

struct Kind {
    type_id: TypeId,
    name: &'static str,
    empty: fn() -> Arc<dyn AnyTable>,
    decode: fn(&str, u16, &str) -> Result<Arc<dyn AnyRecord>, SchemaError>,
}

/// The kinds of records, in a fixed order. Made once, from the registry.
#[derive(Default)]
pub struct Schema {
    kinds: Vec<Kind>,
}

impl Schema {
    /// A schema without kinds.
    pub fn new() -> Self {
        Schema::default()
    }

    /// Adds a kind.
    #[must_use]
    pub fn with<R: Record>(mut self) -> Self {
        assert!(self.kinds.iter().all(|kind| kind.name != R::KIND), "kind {} is registered twice", R::KIND);
        self.kinds.push(Kind { type_id: TypeId::of::<R>(), name: R::KIND, empty: || Arc::new(Table::<R>::default()), decode: decode::<R> });
        self
    }

    /// Reads a stored body.
    pub fn decode(&self, kind: &str, id: &str, version: u16, body: &str) -> Result<Arc<dyn AnyRecord>, SchemaError> {
        let kind = self.kinds.iter().find(|k| k.name == kind).ok_or_else(|| SchemaError::UnknownKind(kind.to_owned()))?;
        (kind.decode)(id, version, body)
    }

    fn slot(&self, type_id: TypeId) -> usize {
        self.kinds.iter().position(|kind| kind.type_id == type_id).expect("every kind in use is in the registry")
    }

    fn slot_of_name(&self, name: &str) -> usize {
        self.kinds.iter().position(|kind| kind.name == name).expect("every kind in use is in the registry")
    }
}

fn decode<R: Record>(id: &str, version: u16, body: &str) -> Result<Arc<dyn AnyRecord>, SchemaError> {
    let bad = |reason: String| SchemaError::BadBody { kind: SmolStr::new(R::KIND), id: SmolStr::new(id), reason };
    let record: R = if version == R::VERSION {
        serde_json::from_str(body).map_err(|e| bad(e.to_string()))?
    } else {
        let old = serde_json::from_str(body).map_err(|e| bad(e.to_string()))?;
        serde_json::from_value(R::upgrade(version, old).map_err(bad)?).map_err(|e| bad(e.to_string()))?
    };
    Ok(Arc::new(record))
}

trait AnyTable: Any + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn boxed(&self) -> Arc<dyn AnyTable>;
    fn put(&mut self, record: &dyn AnyRecord);
    fn remove(&mut self, record: &dyn AnyRecord);
}

impl<R: Record> AnyTable for Table<R> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn boxed(&self) -> Arc<dyn AnyTable> {
        Arc::new(self.clone())
    }

    fn put(&mut self, record: &dyn AnyRecord) {
        let record = record.as_any().downcast_ref::<R>().expect("a kind has one type");
        Table::put(self, Arc::new(record.clone()));
    }

    fn remove(&mut self, record: &dyn AnyRecord) {
        let record = record.as_any().downcast_ref::<R>().expect("a kind has one type");
        Table::remove(self, &record.id());
    }
}

/// The state of the network at one revision: a table of each kind. Immutable from outside; a clone is cheap.
#[derive(Clone)]
pub struct World {
    schema: Arc<Schema>,
    revision: Revision,
    tables: Vec<Arc<dyn AnyTable>>,
}

impl World {
    /// The empty world at revision 0.
    pub fn empty(schema: Arc<Schema>) -> World {
        let tables = schema.kinds.iter().map(|kind| (kind.empty)()).collect();
        World { schema, revision: Revision(0), tables }
    }

    /// The kinds it knows.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The newest change it contains.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The table of a kind.
    pub fn table<R: Record>(&self) -> &Table<R> {
        let slot = self.schema.slot(TypeId::of::<R>());
        self.tables[slot].as_any().downcast_ref().expect("a slot has one type")
    }

    /// A record by id.
    pub fn get<R: Record>(&self, id: &R::Id) -> Option<&Arc<R>> {
        self.table::<R>().get(id)
    }

    pub(crate) fn table_mut<R: Record>(&mut self) -> &mut Table<R> {
        let slot = self.schema.slot(TypeId::of::<R>());
        self.any_table_mut(slot).as_any_mut().downcast_mut().expect("a slot has one type")
    }

    fn any_table_mut(&mut self, slot: usize) -> &mut dyn AnyTable {
        let table = &mut self.tables[slot];
        if Arc::get_mut(table).is_none() {
            *table = table.boxed();
        }
        Arc::get_mut(table).expect("just made unique")
    }

    pub(crate) fn set_revision(&mut self, revision: Revision) {
        self.revision = revision;
    }

    /// Puts a record that was read from the database.
    pub(crate) fn load(&mut self, record: &dyn AnyRecord) {
        let slot = self.schema.slot_of_name(record.kind());
        self.any_table_mut(slot).put(record);
    }

    /// The world after a change: what another server's log entry, or a replay, makes of it.
    #[must_use]
    pub fn with_change(&self, revision: Revision, change: &Change) -> World {
        let mut world = self.clone();
        for entry in change.entries() {
            match (entry.after_any(), entry.before_any()) {
                (Some(after), _) => world.load(after.as_ref()),
                (None, Some(before)) => {
                    let slot = world.schema.slot_of_name(before.kind());
                    world.any_table_mut(slot).remove(before.as_ref());
                }
                (None, None) => {}
            }
        }
        world.revision = revision;
        world
    }
}
