//! A table: the records of one kind in the order of their making, found by id and by secondary indexes, as persistent maps.
//!
//! New records are all at one end of the map of rows, which is the only one that names records; ids and indexes name rows by number. So
//! what making a record costs does not grow with what memory the others are spread over.

mod found;
mod numbers;

use crate::map::Map;
use crate::{Index, Key, Record};
use found::Found;
use numbers::Numbers;
use std::sync::Arc;

/// The number of a row, from 0 in the order of making; none is given twice.
type Row = u64;

/// All records of kind `R` at one revision. Cloning costs a few reference counts.
#[derive(Clone)]
pub struct Table<R: Record> {
    rows: Map<Row, (R::Id, Arc<R>)>,
    numbers: Map<R::Id, Row>,
    indexes: Vec<Map<Key, Numbers>>,
    next: Row,
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        Table { rows: Map::default(), numbers: Map::default(), indexes: vec![Map::default(); R::INDEXES], next: 0 }
    }
}

impl<R: Record> Table<R> {
    /// The record with this id.
    pub fn get(&self, id: &R::Id) -> Option<&Arc<R>> {
        self.numbers.get(id).map(|number| &self.row(*number).1)
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// True when there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All records in id order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<R>> {
        self.numbers.iter().map(|(_, number)| &self.row(*number).1)
    }

    /// The records after this id, in id order.
    pub fn after<'a>(&'a self, id: &R::Id) -> impl DoubleEndedIterator<Item = &'a Arc<R>> {
        self.numbers.from(|there| there > id).map(|(_, number)| &self.row(*number).1)
    }

    /// The records that have this key, in id order. Where they are few among many the first one costs as much as all: ask
    /// [`Table::has`] whether there is any.
    pub fn by<K: Into<Key>>(&self, index: Index<R>, key: K) -> impl Iterator<Item = &Arc<R>> + use<'_, R, K> {
        Found::new(self, self.under(index, key)).map(|(_, record)| record)
    }

    /// The ids of the records that have this key, likewise.
    pub fn ids<K: Into<Key>>(&self, index: Index<R>, key: K) -> impl Iterator<Item = &R::Id> + use<'_, R, K> {
        Found::new(self, self.under(index, key)).ids()
    }

    /// True when some record has this key.
    pub fn has(&self, index: Index<R>, key: impl Into<Key>) -> bool {
        self.under(index, key).is_some()
    }

    /// Number of records that have this key.
    pub fn count(&self, index: Index<R>, key: impl Into<Key>) -> usize {
        self.under(index, key).map_or(0, Numbers::len)
    }

    /// Keys and ids of an index from a key on, in key order: for walking the addresses of a subnet or the VNIs in use.
    pub fn walk<K: Into<Key>>(&self, index: Index<R>, from: K) -> impl Iterator<Item = (&Key, &R::Id)> + use<'_, R, K> {
        let from = from.into();
        let entries = self.indexes[index.slot].from(|key| *key >= from);
        entries.flat_map(|(key, numbers)| Found::new(self, Some(numbers)).map(move |(id, _)| (key, id)))
    }

    fn under(&self, index: Index<R>, key: impl Into<Key>) -> Option<&Numbers> {
        self.indexes[index.slot].get(&key.into())
    }

    fn row(&self, number: Row) -> &(R::Id, Arc<R>) {
        self.rows.get(&number).expect("only rows that are there are named")
    }

    pub(crate) fn put(&mut self, record: Arc<R>) -> Option<Arc<R>> {
        let id = record.id();
        let known = self.numbers.get(&id).copied();
        let number = known.unwrap_or(self.next);
        let before = known.map(|number| self.row(number).1.clone());
        let new_keys = keys(&*record);
        let old_keys = before.as_deref().map(keys).unwrap_or_default();
        for entry in old_keys.iter().filter(|entry| !new_keys.contains(entry)) {
            take(&mut self.indexes[entry.0], &entry.1, number);
        }
        for (slot, key) in new_keys.into_iter().filter(|entry| !old_keys.contains(entry)) {
            self.indexes[slot].alter(&key, |numbers| Some(numbers.map_or(Numbers::One(number), |numbers| numbers.with(number))));
        }
        if known.is_some() {
            self.rows.replace(number, (id, record));
        } else {
            self.numbers.add(id.clone(), number);
            self.rows.add(number, (id, record));
            self.next += 1;
        }
        before
    }

    pub(crate) fn remove(&mut self, id: &R::Id) -> Option<Arc<R>> {
        let number = self.numbers.remove(id)?;
        let (_, before) = self.rows.remove(&number).expect("only rows that are there are named");
        for (slot, key) in keys(&*before) {
            take(&mut self.indexes[slot], &key, number);
        }
        Some(before)
    }
}

/// Takes a row from an index.
fn take(index: &mut Map<Key, Numbers>, key: &Key, number: Row) {
    index.alter(key, |numbers| numbers?.without(number));
}

fn keys<R: Record>(record: &R) -> Vec<(usize, Key)> {
    let mut keys = Vec::with_capacity(R::INDEXES);
    record.index(&mut |index, key| keys.push((index.slot, key)));
    keys
}
