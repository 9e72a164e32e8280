//! The rows under one key of an index, in id order.

use super::numbers::{Bits, Numbers};
use super::{Row, Table};
use crate::Record;
use crate::map::{Map, Range};
use std::sync::Arc;

/// When there is more than one in this many rows, they are found sooner by walking all ids in order than by sorting.
const SPARSE: usize = 16;

/// Those of all ids, in order, whose rows are wanted.
pub(super) struct Among<'a, I> {
    ids: Range<'a, I, Row>,
    wanted: &'a Bits,
    left: usize,
}

impl<'a, I: Ord + Clone> Among<'a, I> {
    /// None when sorting is quicker than walking all.
    pub(super) fn new(numbers: &'a Map<I, Row>, wanted: &'a Bits) -> Option<Self> {
        let dense = wanted.len().saturating_mul(SPARSE) >= numbers.len();
        dense.then(|| Among { ids: numbers.iter(), wanted, left: wanted.len() })
    }
}

impl<'a, I: Ord + Clone> Iterator for Among<'a, I> {
    type Item = (&'a I, Row);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.ids.find(|(_, number)| self.wanted.contains(**number)).map(|(id, number)| (id, *number))
    }
}

/// Rows in id order.
pub(super) enum Found<'a, R: Record> {
    One(Option<&'a (R::Id, Arc<R>)>),
    Among(&'a Table<R>, Box<Among<'a, R::Id>>),
    Sorted(std::vec::IntoIter<&'a (R::Id, Arc<R>)>),
}

impl<'a, R: Record> Found<'a, R> {
    pub(super) fn new(table: &'a Table<R>, numbers: Option<&'a Numbers>) -> Self {
        match numbers {
            None => Found::One(None),
            Some(Numbers::One(number)) => Found::One(Some(table.row(*number))),
            Some(Numbers::Many(wanted)) => match Among::new(&table.numbers, wanted) {
                Some(among) => Found::Among(table, Box::new(among)),
                None => {
                    let mut rows: Vec<&(R::Id, Arc<R>)> = wanted.iter().map(|number| table.row(number)).collect();
                    rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                    Found::Sorted(rows.into_iter())
                }
            },
        }
    }

    /// The ids alone, which need no look at the rows where all are walked.
    pub(super) fn ids(self) -> impl Iterator<Item = &'a R::Id> {
        let (among, others) = match self {
            Found::Among(_, among) => (Some(among), Found::One(None)),
            others => (None, others),
        };
        among.into_iter().flatten().map(|(id, _)| id).chain(others.map(|(id, _)| id))
    }
}

impl<'a, R: Record> Iterator for Found<'a, R> {
    type Item = &'a (R::Id, Arc<R>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Found::One(row) => row.take(),
            Found::Among(table, among) => among.next().map(|(_, number)| table.row(number)),
            Found::Sorted(rows) => rows.next(),
        }
    }
}
