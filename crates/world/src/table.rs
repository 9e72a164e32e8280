//! A table: the records of one kind in id order, with their secondary indexes, as persistent maps.

use crate::tree::Tree;
use crate::{Index, Key, Record};
use std::sync::Arc;

/// All records of kind `R` at one revision. Cloning costs a few reference counts.
#[derive(Clone)]
pub struct Table<R: Record> {
    rows: Tree<R::Id, Arc<R>>,
    indexes: Vec<Tree<(Key, R::Id), ()>>,
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        Table { rows: Tree::default(), indexes: vec![Tree::default(); R::INDEXES] }
    }
}

impl<R: Record> Table<R> {
    /// The record with this id.
    pub fn get(&self, id: &R::Id) -> Option<&Arc<R>> {
        self.rows.get(id)
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is no record.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// All records in id order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<R>> {
        self.rows.iter().map(|(_, record)| record)
    }

    /// The records after this id, in id order.
    pub fn after<'a>(&'a self, id: &R::Id) -> impl DoubleEndedIterator<Item = &'a Arc<R>> {
        self.rows.from(|there| there > id).map(|(_, record)| record)
    }

    /// The ids of the records that have this key, in id order.
    pub fn ids<K: Into<Key>>(&self, index: Index<R>, key: K) -> impl Iterator<Item = &R::Id> + use<'_, R, K> {
        let key = key.into();
        let from = self.indexes[index.slot].from(|(k, _)| *k >= key);
        from.map(|(entry, ())| entry).take_while(move |(k, _)| *k == key).map(|(_, id)| id)
    }

    /// The records that have this key, in id order.
    pub fn by<K: Into<Key>>(&self, index: Index<R>, key: K) -> impl Iterator<Item = &Arc<R>> + use<'_, R, K> {
        self.ids(index, key).map(|id| self.rows.get(id).expect("an index names only rows that are there"))
    }

    /// True when some record has this key.
    pub fn has(&self, index: Index<R>, key: impl Into<Key>) -> bool {
        self.ids(index, key).next().is_some()
    }

    /// Number of records that have this key; walks them.
    pub fn count(&self, index: Index<R>, key: impl Into<Key>) -> usize {
        self.ids(index, key).count()
    }

    /// Keys and ids of an index from a key on, in key order: for walking the addresses of a subnet or the VNIs in use.
    pub fn walk<K: Into<Key>>(&self, index: Index<R>, from: K) -> impl Iterator<Item = (&Key, &R::Id)> + use<'_, R, K> {
        let from = from.into();
        self.indexes[index.slot].from(|(key, _)| *key >= from).map(|((key, id), ())| (key, id))
    }

    pub(crate) fn put(&mut self, record: Arc<R>) -> Option<Arc<R>> {
        let id = record.id();
        let before = self.rows.get(&id).cloned();
        let new_keys = keys(&*record);
        let old_keys = before.as_deref().map(keys).unwrap_or_default();
        for entry in old_keys.iter().filter(|entry| !new_keys.contains(entry)) {
            self.indexes[entry.0].remove(&(entry.1.clone(), id.clone()));
        }
        for (slot, key) in new_keys.into_iter().filter(|entry| !old_keys.contains(entry)) {
            self.indexes[slot].insert((key, id.clone()), ());
        }
        self.rows.insert(id, record);
        before
    }

    pub(crate) fn remove(&mut self, id: &R::Id) -> Option<Arc<R>> {
        let before = self.rows.remove(id)?;
        for (slot, key) in keys(&*before) {
            self.indexes[slot].remove(&(key, id.clone()));
        }
        Some(before)
    }
}

fn keys<R: Record>(record: &R) -> Vec<(usize, Key)> {
    let mut keys = Vec::with_capacity(R::INDEXES);
    record.index(&mut |index, key| keys.push((index.slot, key)));
    keys
}
