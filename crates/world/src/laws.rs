//! What the ordered maps of this crate promise: they do what the standard library's does, and their old images stay as they were.

use proptest::prelude::*;
use std::collections::BTreeMap;

type Model = BTreeMap<u32, Value>;

/// Large enough for leaves of few entries, so that a case has several levels of branches.
pub(crate) type Value = [u32; 23];

/// A map under test.
pub(crate) trait Ordered: Clone + Default {
    /// Panics when the inside is not as it should be.
    fn check(&self);
    fn len(&self) -> usize;
    fn get(&self, key: &u32) -> Option<&Value>;
    fn insert(&mut self, key: u32, value: Value) -> Option<Value>;
    fn remove(&mut self, key: &u32) -> Option<Value>;
    fn from(&self, is_in: impl Fn(&u32) -> bool) -> impl DoubleEndedIterator<Item = (&u32, &Value)>;
}

/// The methods of [`Ordered`] that both have under these names.
macro_rules! own {
    () => {
        fn len(&self) -> usize {
            self.len()
        }
        fn get(&self, key: &u32) -> Option<&Value> {
            self.get(key)
        }
        fn from(&self, is_in: impl Fn(&u32) -> bool) -> impl DoubleEndedIterator<Item = (&u32, &Value)> {
            self.from(is_in)
        }
    };
}
pub(crate) use own;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Insert(u32, Value),
    Remove(u32),
    /// Adds or removes many neighbours.
    Fill(u32, u32),
    Clear(u32, u32),
    /// Keeps this image and looks at it again at the end.
    Keep,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..2000u32;
    let step = prop_oneof![
        8 => (key(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, [v; 23])),
        6 => key().prop_map(Step::Remove),
        1 => (key(), 1..400u32).prop_map(|(k, n)| Step::Fill(k, n)),
        1 => (key(), 1..400u32).prop_map(|(k, n)| Step::Clear(k, n)),
        1 => Just(Step::Keep),
    ];
    prop::collection::vec(step, 1..200)
}

struct Pair<M> {
    map: M,
    model: Model,
}

impl<M: Ordered> Pair<M> {
    fn insert(&mut self, key: u32, value: Value) {
        assert_eq!(self.map.insert(key, value), self.model.insert(key, value));
    }

    fn remove(&mut self, key: u32) {
        assert_eq!(self.map.remove(&key), self.model.remove(&key));
    }

    fn assert_same(&self) {
        self.map.check();
        assert_eq!(self.map.len(), self.model.len());
        assert!(self.map.from(|_| true).eq(self.model.iter()));
        assert!(self.map.from(|_| true).rev().eq(self.model.iter().rev()));
    }

    /// From both ends until they meet; the bits say at which to go on.
    fn assert_meet(&self, from: u32, ends: u64) {
        let (mut entries, mut expected) = (self.map.from(|k| *k > from), self.model.range(from + 1..));
        for turn in 0.. {
            let forward = ends >> (turn % 64) & 1 == 0;
            let (entry, expected) = if forward { (entries.next(), expected.next()) } else { (entries.next_back(), expected.next_back()) };
            assert_eq!(entry, expected);
            if entry.is_none() {
                break;
            }
        }
    }
}

/// Failures are not written into files.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Holds a map to the model through these steps.
pub(crate) fn check<M: Ordered>(steps: Vec<Step>, from: u32, ends: u64) {
    let mut pair = Pair { map: M::default(), model: Model::new() };
    let mut kept = Vec::new();
    for step in steps {
        match step {
            Step::Insert(key, value) => pair.insert(key, value),
            Step::Remove(key) => pair.remove(key),
            Step::Fill(key, n) => (key..key + n).for_each(|k| pair.insert(k, [n; 23])),
            Step::Clear(key, n) => (key..key + n).for_each(|k| pair.remove(k)),
            Step::Keep => kept.push(Pair { map: pair.map.clone(), model: pair.model.clone() }),
        }
    }
    kept.push(pair);
    for pair in &kept {
        pair.assert_same();
        assert_eq!(pair.map.get(&from), pair.model.get(&from));
        assert!(pair.map.from(|k| *k >= from).eq(pair.model.range(from..)));
        pair.assert_meet(from, ends);
    }
}
