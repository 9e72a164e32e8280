//! Walking both layers of a map at once, in key order, from both ends.

use super::settled::Entries;
use crate::tree;

/// What of an iterator comes next, at either end, before it is taken.
struct Ends<I: Iterator> {
    between: I,
    first: Option<I::Item>,
    last: Option<I::Item>,
}

impl<I: DoubleEndedIterator<Item: Copy>> Ends<I> {
    fn new(between: I) -> Self {
        Ends { between, first: None, last: None }
    }

    fn first(&mut self) -> Option<I::Item> {
        if self.first.is_none() {
            self.first = self.between.next().or_else(|| self.last.take());
        }
        self.first
    }

    fn last(&mut self) -> Option<I::Item> {
        if self.last.is_none() {
            self.last = self.between.next_back().or_else(|| self.first.take());
        }
        self.last
    }
}

/// Entries in order, from both ends.
pub(crate) struct Range<'a, K, V> {
    settled: Ends<Entries<'a, K, V>>,
    recent: Ends<tree::Range<'a, K, Option<V>>>,
}

impl<'a, K, V> Range<'a, K, V> {
    pub(super) fn new(settled: Entries<'a, K, V>, recent: tree::Range<'a, K, Option<V>>) -> Self {
        Range { settled: Ends::new(settled), recent: Ends::new(recent) }
    }
}

impl<'a, K: Ord, V> Iterator for Range<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (settled, recent) = (self.settled.first(), self.recent.first());
            let is_settled = settled.filter(|(key, _)| recent.is_none_or(|(changed, _)| key < changed));
            if let Some((key, value)) = is_settled {
                self.settled.first = None;
                return Some((key, value));
            }
            let (key, value) = recent?;
            if settled.is_some_and(|(there, _)| there == key) {
                self.settled.first = None;
            }
            self.recent.first = None;
            if let Some(value) = value {
                return Some((key, value));
            }
        }
    }
}

impl<K: Ord, V> DoubleEndedIterator for Range<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            let (settled, recent) = (self.settled.last(), self.recent.last());
            let is_settled = settled.filter(|(key, _)| recent.is_none_or(|(changed, _)| key > changed));
            if let Some((key, value)) = is_settled {
                self.settled.last = None;
                return Some((key, value));
            }
            let (key, value) = recent?;
            if settled.is_some_and(|(there, _)| there == key) {
                self.settled.last = None;
            }
            self.recent.last = None;
            if let Some(value) = value {
                return Some((key, value));
            }
        }
    }
}
