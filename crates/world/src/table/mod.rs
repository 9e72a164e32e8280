//! A table: the records of one kind in id order, with their secondary indexes, as persistent maps.

mod ids;

use crate::tree::Tree;
use crate::{Index, Key, Record};
use ids::Ids;
use std::sync::Arc;

/// All records of kind `R` at one revision. Cloning costs a few reference counts.
#[derive(Clone)]
pub struct Table<R: Record> {
    rows: Tree<R::Id, Arc<R>>,
    indexes: Vec<Tree<Key, Ids<R::Id>>>,
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
        self.indexes[index.slot].get(&key.into()).into_iter().flat_map(Ids::iter)
    }

    /// The records that have this key, in id order.
    pub fn by<K: Into<Key>>(&self, index: Index<R>, key: K) -> impl Iterator<Item = &Arc<R>> + use<'_, R, K> {
        self.ids(index, key).map(|id| self.rows.get(id).expect("an index names only rows that are there"))
    }

    /// True when some record has this key.
    pub fn has(&self, index: Index<R>, key: impl Into<Key>) -> bool {
        self.indexes[index.slot].get(&key.into()).is_some()
    }

    /// Number of records that have this key.
    pub fn count(&self, index: Index<R>, key: impl Into<Key>) -> usize {
        self.indexes[index.slot].get(&key.into()).map_or(0, Ids::len)
    }

    /// Keys and ids of an index from a key on, in key order: for walking the addresses of a subnet or the VNIs in use.
    pub fn walk<K: Into<Key>>(&self, index: Index<R>, from: K) -> impl Iterator<Item = (&Key, &R::Id)> + use<'_, R, K> {
        let from = from.into();
        self.indexes[index.slot].from(|key| *key >= from).flat_map(|(key, ids)| ids.iter().map(move |id| (key, id)))
    }

    pub(crate) fn put(&mut self, record: Arc<R>) -> Option<Arc<R>> {
        let id = record.id();
        let before = self.rows.get(&id).cloned();
        let new_keys = keys(&*record);
        let old_keys = before.as_deref().map(keys).unwrap_or_default();
        for entry in old_keys.iter().filter(|entry| !new_keys.contains(entry)) {
            take(&mut self.indexes[entry.0], &entry.1, &id);
        }
        for (slot, key) in new_keys.into_iter().filter(|entry| !old_keys.contains(entry)) {
            let index = &mut self.indexes[slot];
            let ids = index.get(&key).map_or_else(|| Ids::One(id.clone()), |ids| ids.with(id.clone()));
            index.insert(key, ids);
        }
        self.rows.insert(id, record);
        before
    }

    pub(crate) fn remove(&mut self, id: &R::Id) -> Option<Arc<R>> {
        let before = self.rows.remove(id)?;
        for (slot, key) in keys(&*before) {
            take(&mut self.indexes[slot], &key, id);
        }
        Some(before)
    }
}

/// Takes an id from an index.
fn take<I: Ord + Clone>(index: &mut Tree<Key, Ids<I>>, key: &Key, id: &I) {
    match index.get(key).and_then(|ids| ids.without(id)) {
        Some(left) => drop(index.insert(key.clone(), left)),
        None => drop(index.remove(key)),
    }
}

fn keys<R: Record>(record: &R) -> Vec<(usize, Key)> {
    let mut keys = Vec::with_capacity(R::INDEXES);
    record.index(&mut |index, key| keys.push((index.slot, key)));
    keys
}
