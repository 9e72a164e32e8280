//! Where each resource lies in the table.
//!
//! A unique index in the file would have to be changed with every resource that is made, on a page of its own each time, because ids are
//! random: with many resources, half of what is written would be that. Nobody else writes to the file, so the numbers of the rows are
//! kept here, and making a resource touches the end of the table only.

use smol_str::SmolStr;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Rows of the table `resources` by kind and id.
#[derive(Default)]
pub(super) struct Rows {
    kinds: HashMap<SmolStr, HashMap<SmolStr, i64>>,
    /// All rows of the table are here.
    pub(super) complete: bool,
    /// What the write that was begun has changed: what was there before, oldest first.
    undo: Vec<(SmolStr, SmolStr, Option<i64>)>,
}

impl Rows {
    pub(super) fn get(&self, kind: &str, id: &str) -> Option<i64> {
        self.kinds.get(kind)?.get(id).copied()
    }

    /// Notes a row that was read from the table; false when the resource has one already.
    pub(super) fn read(&mut self, kind: &str, id: &str, row: i64) -> bool {
        if !self.kinds.contains_key(kind) {
            self.kinds.insert(SmolStr::new(kind), HashMap::new());
        }
        match self.kinds.get_mut(kind).map(|ids| ids.entry(SmolStr::new(id))) {
            Some(Entry::Vacant(vacant)) => {
                vacant.insert(row);
                true
            }
            _ => false,
        }
    }

    /// Notes what the write that was begun does.
    pub(super) fn set(&mut self, kind: &SmolStr, id: &SmolStr, row: Option<i64>) {
        let before = self.put(kind, id, row);
        self.undo.push((kind.clone(), id.clone(), before));
    }

    fn put(&mut self, kind: &SmolStr, id: &SmolStr, row: Option<i64>) -> Option<i64> {
        let ids = self.kinds.entry(kind.clone()).or_default();
        match row {
            Some(row) => ids.insert(id.clone(), row),
            None => ids.remove(id),
        }
    }

    pub(super) fn committed(&mut self) {
        self.complete = true;
        self.undo.clear();
    }

    pub(super) fn rolled_back(&mut self) {
        while let Some((kind, id, before)) = self.undo.pop() {
            self.put(&kind, &id, before);
        }
    }
}
