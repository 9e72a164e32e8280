//! An ordered map of which old images are kept and whose changes cost the same whatever its size.
//!
//! What was changed lately is in a tree that is small enough to stay in the processor's caches; all else is settled: sorted pieces, without
//! room between the entries, which no change touches. A search looks at the one, then at the other. When the tree has grown to a part
//! of the whole ([`Map::settle`]) the two become one, at the cost of a walk over the whole: for each change as much as copying a few entries.
//! In a tree alone a change among keys without order (ids, MACs) goes through memory that nobody has touched for long, and copies nodes
//! on each level: with 50,000 ports that took twice the time that it takes with 1,000.

mod range;
mod settled;

use crate::tree::Tree;
pub(crate) use range::Range;
use settled::Settled;
use std::sync::Arc;

/// Entries of the tree that it may have in any case.
const RECENT: usize = if cfg!(test) { 24 } else { 1024 };
/// The tree may have one entry for this many settled ones.
const SHARE: usize = 16;

/// The map. A clone costs two reference counts and shares everything.
pub(crate) struct Map<K, V> {
    settled: Arc<Settled<K, V>>,
    /// What is different from what is settled; none: taken away.
    recent: Tree<K, Option<V>>,
    len: usize,
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Map { settled: self.settled.clone(), recent: self.recent.clone(), len: self.len }
    }
}

impl<K: Ord + Clone, V: Clone> Default for Map<K, V> {
    fn default() -> Self {
        Map { settled: Arc::default(), recent: Tree::default(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.recent.get(key) {
            Some(changed) => changed.as_ref(),
            None => self.settled.get(key),
        }
    }

    /// Adds a key that is not there.
    pub(crate) fn add(&mut self, key: K, value: V) {
        self.len += 1;
        self.write(key, Some(value));
    }

    /// Gives a key that is there another value.
    pub(crate) fn replace(&mut self, key: K, value: V) {
        self.write(key, Some(value));
    }

    /// Makes of a key's value, or of none, another one or none.
    pub(crate) fn alter(&mut self, key: &K, with: impl FnOnce(Option<&V>) -> Option<V>) {
        let before = self.get(key);
        let is_there = before.is_some();
        match with(before) {
            Some(value) if is_there => self.replace(key.clone(), value),
            Some(value) => self.add(key.clone(), value),
            None if is_there => self.take(key),
            None => {}
        }
    }

    /// Returns the value that was there.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let before = self.get(key)?.clone();
        self.take(key);
        Some(before)
    }

    /// Takes a key away that is there.
    fn take(&mut self, key: &K) {
        self.len -= 1;
        if self.settled.get(key).is_some() {
            self.write(key.clone(), None);
        } else {
            self.recent.remove(key);
        }
    }

    fn write(&mut self, key: K, changed: Option<V>) {
        self.recent.insert(key, changed);
        self.settle();
    }

    /// Makes the two layers one when enough has changed that the walk is worth it.
    fn settle(&mut self) {
        if self.recent.len() > RECENT.max(self.settled.len() / SHARE) {
            self.settled = Arc::new(self.settled.with(&self.recent));
            self.recent = Tree::default();
        }
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> Range<'_, K, V> {
        self.from(|_| true)
    }

    /// The entries from the first on for which this holds; it holds for all behind one for which it holds.
    pub(crate) fn from(&self, is_in: impl Fn(&K) -> bool) -> Range<'_, K, V> {
        Range::new(self.settled.from(&is_in), self.recent.from(&is_in))
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, RECENT, SHARE};
    use crate::laws::{self, Ordered, Value};

    impl Ordered for Map<u32, Value> {
        fn check(&self) {
            self.settled.check();
            assert!(self.recent.len() <= RECENT.max(self.settled.len() / SHARE));
            let taken = self.recent.iter().filter(|(_, changed)| changed.is_none());
            assert!(taken.map(|(key, _)| key).all(|key| self.settled.get(key).is_some()), "only what is settled is noted as taken away");
        }

        fn insert(&mut self, key: u32, value: Value) -> Option<Value> {
            let before = self.get(&key).copied();
            match before {
                // As in a table: often it is known what is there.
                Some(_) if key.is_multiple_of(2) => self.replace(key, value),
                None if key.is_multiple_of(2) => self.add(key, value),
                _ => self.alter(&key, |there| {
                    assert_eq!(there, before.as_ref());
                    Some(value)
                }),
            }
            before
        }

        fn remove(&mut self, key: &u32) -> Option<Value> {
            if key.is_multiple_of(2) {
                return self.remove(key);
            }
            let mut before = None;
            self.alter(key, |there| {
                before = there.copied();
                None
            });
            before
        }

        laws::own!();
    }

    proptest::proptest! {
        #![proptest_config(laws::config())]
        #[test]
        fn does_what_a_btree_map_does(steps in laws::steps(), from in 0..2000u32, ends: u64) {
            laws::check::<Map<u32, Value>>(steps, from, ends);
        }
    }

    #[test]
    fn pieces_that_no_change_concerns_are_shared() {
        let mut map = Map::default();
        for key in 0..1000u32 {
            map.add(2 * key, key);
        }
        let old = map.clone();
        for key in 0..=2 * u32::try_from(RECENT).expect("small") {
            map.alter(&(1000 + key), |_| Some(key));
        }
        let shared = map.settled.shared_with(&old.settled);
        assert!(shared > 80, "{shared} pieces are shared");
    }
}
