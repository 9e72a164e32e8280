//! The image of the network at one revision: a table of each kind.

use crate::change::Entry;
use crate::engine::{LoggedChange, RowRef};
use crate::schema::decode;
use crate::{AnyRecord, Change, Record, Schema, SchemaError, Table};
use net::Revision;
use smol_str::SmolStr;
use std::any::{Any, TypeId};
use std::sync::Arc;

/// A table whose type is known only at run time.
pub(crate) trait AnyTable: Any + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn copied(&self) -> Arc<dyn AnyTable>;
    fn find(&self, id: &str) -> Option<Arc<dyn AnyRecord>>;
    fn put(&mut self, record: Arc<dyn AnyRecord>);
    fn remove(&mut self, record: &dyn AnyRecord);
    fn load(&mut self, row: RowRef<'_>) -> Result<(), SchemaError>;
    fn difference(&self, newer: &dyn AnyTable, change: &mut Change);
}

impl<R: Record> AnyTable for Table<R> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn copied(&self) -> Arc<dyn AnyTable> {
        Arc::new(self.clone())
    }

    fn find(&self, id: &str) -> Option<Arc<dyn AnyRecord>> {
        let id = id.parse().ok()?;
        Some(self.get(&id)?.clone())
    }

    fn put(&mut self, record: Arc<dyn AnyRecord>) {
        let record = record.into_any().downcast::<R>().expect("a kind has one type");
        Table::put(self, record);
    }

    fn remove(&mut self, record: &dyn AnyRecord) {
        let record = record.as_any().downcast_ref::<R>().expect("a kind has one type");
        Table::remove(self, &record.id());
    }

    fn load(&mut self, row: RowRef<'_>) -> Result<(), SchemaError> {
        let record = decode::<R>(row.id, row.version, row.body)?;
        Table::put(self, Arc::new(record));
        Ok(())
    }

    fn difference(&self, newer: &dyn AnyTable, change: &mut Change) {
        let newer = newer.as_any().downcast_ref::<Table<R>>().expect("a slot has one type");
        let entry = |before: Option<&Arc<R>>, after: Option<&Arc<R>>| {
            let id = before.or(after).expect("one of them is there").id_text();
            Entry::new(R::KIND, id, before.map(|r| r.clone() as _), after.map(|r| r.clone() as _))
        };
        for before in self.iter() {
            let after = newer.get(&before.id());
            if after != Some(before) {
                change.record(entry(Some(before), after));
            }
        }
        for after in newer.iter().filter(|after| self.get(&after.id()).is_none()) {
            change.record(entry(None, Some(after)));
        }
    }
}

/// The state of the network at one revision. Immutable from outside; a clone costs one reference count.
#[derive(Clone)]
pub struct World(pub(crate) Arc<Image>);

#[derive(Clone)]
pub(crate) struct Image {
    schema: Arc<Schema>,
    revision: Revision,
    tables: Vec<Arc<dyn AnyTable>>,
}

impl World {
    /// The empty world at revision 0.
    pub fn empty(schema: Arc<Schema>) -> World {
        let tables = schema.empty_tables();
        World(Arc::new(Image { schema, revision: Revision(0), tables }))
    }

    /// The kinds it knows.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// The newest change it contains.
    pub fn revision(&self) -> Revision {
        self.0.revision
    }

    /// The table of a kind.
    pub fn table<R: Record>(&self) -> &Table<R> {
        let slot = self.0.schema.slot(TypeId::of::<R>());
        self.0.tables[slot].as_any().downcast_ref().expect("a slot has one type")
    }

    /// A record by id.
    pub fn get<R: Record>(&self, id: &R::Id) -> Option<&Arc<R>> {
        self.table::<R>().get(id)
    }

    pub(crate) fn table_mut<R: Record>(&mut self) -> &mut Table<R> {
        let slot = self.0.schema.slot(TypeId::of::<R>());
        self.any_table_mut(slot).as_any_mut().downcast_mut().expect("a slot has one type")
    }

    fn any_table_mut(&mut self, slot: usize) -> &mut dyn AnyTable {
        let table = &mut Arc::make_mut(&mut self.0).tables[slot];
        if Arc::get_mut(table).is_none() {
            *table = table.copied();
        }
        Arc::get_mut(table).expect("just made unique")
    }

    pub(crate) fn set_revision(&mut self, revision: Revision) {
        Arc::make_mut(&mut self.0).revision = revision;
    }

    /// Puts a row that was read from the database.
    pub(crate) fn load(&mut self, row: RowRef<'_>) -> Result<(), SchemaError> {
        let slot = self.0.schema.slot_of_name(row.kind)?;
        self.any_table_mut(slot).load(row)
    }

    /// What another server's change, written on top of this world, is in terms of records.
    pub(crate) fn read_change(&self, logged: &LoggedChange) -> Result<Change, SchemaError> {
        let mut change = Change::default();
        for entry in &logged.entries {
            let slot = self.0.schema.slot_of_name(&entry.kind)?;
            let before = self.0.tables[slot].find(&entry.id);
            let after = match &entry.row {
                Some(row) => Some(self.0.schema.decode(&entry.kind, &entry.id, row.version, &row.body)?),
                None => None,
            };
            change.record(Entry::new(self.0.schema.name(slot), SmolStr::clone(&entry.id), before, after));
        }
        change.settle();
        Ok(change)
    }

    /// What is different in a newer world of the same schema.
    pub(crate) fn difference(&self, newer: &World) -> Change {
        let mut change = Change::default();
        for (old, new) in self.0.tables.iter().zip(&newer.0.tables).filter(|(old, new)| !Arc::ptr_eq(old, new)) {
            old.difference(new.as_ref(), &mut change);
        }
        change
    }

    /// The world after a change: what another server's log entry, or a replay, makes of it.
    #[must_use]
    pub fn with_change(&self, revision: Revision, change: &Change) -> World {
        let mut world = self.clone();
        for entry in change.entries() {
            let Some(record) = entry.after_any().or(entry.before_any()) else { continue };
            let slot = world.0.schema.slot_of_name(record.kind()).expect("a world's records are of its schema");
            let table = world.any_table_mut(slot);
            match entry.after_any() {
                Some(after) => table.put(after.clone()),
                None => table.remove(record.as_ref()),
            }
        }
        world.set_revision(revision);
        world
    }
}
