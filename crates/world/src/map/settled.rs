//! The part of a map that changes as a whole.

use crate::tree::Tree;
use std::sync::Arc;

/// Entries of a piece: enough that few pieces have to be looked at to find one, few enough that old and new images share most of them
/// where changes are close together.
const PIECE: usize = if cfg!(test) { 8 } else { 64 };

type Piece<K, V> = Arc<[(K, V)]>;

/// Sorted entries in pieces.
pub(super) struct Settled<K, V> {
    /// None is empty.
    pieces: Box<[Piece<K, V>]>,
    /// The first key of each piece.
    firsts: Box<[K]>,
    len: usize,
}

impl<K, V> Default for Settled<K, V> {
    fn default() -> Self {
        Settled { pieces: Box::new([]), firsts: Box::new([]), len: 0 }
    }
}

/// The entries of some pieces.
type Rest<'a, K, V> = std::iter::FlatMap<std::slice::Iter<'a, Piece<K, V>>, &'a [(K, V)], fn(&'a Piece<K, V>) -> &'a [(K, V)]>;
/// The entries from a place on, from both ends.
pub(super) type Entries<'a, K, V> = std::iter::Chain<std::slice::Iter<'a, (K, V)>, Rest<'a, K, V>>;

impl<K: Ord + Clone, V: Clone> Settled<K, V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let piece = &self.pieces[self.firsts.partition_point(|first| first <= key).checked_sub(1)?];
        let at = piece.binary_search_by(|(there, _)| there.cmp(key)).ok()?;
        Some(&piece[at].1)
    }

    /// The entries from the first on for which this holds.
    pub(super) fn from(&self, is_in: impl Fn(&K) -> bool) -> Entries<'_, K, V> {
        // The first one may be in the piece before that which begins within.
        let piece = self.firsts.partition_point(|first| !is_in(first)).saturating_sub(1);
        let (begun, rest) = match &self.pieces[piece..] {
            [begun, rest @ ..] => (&begun[begun.partition_point(|(key, _)| !is_in(key))..], rest),
            [] => (&[][..], &[][..]),
        };
        begun.iter().chain(rest.iter().flat_map((|piece| &**piece) as fn(&Piece<K, V>) -> &[(K, V)]))
    }

    /// This with changes; pieces that no change concerns are shared.
    pub(super) fn with(&self, changes: &Tree<K, Option<V>>) -> Settled<K, V> {
        let mut changes = changes.iter().peekable();
        let mut builder = Builder { pieces: Vec::with_capacity(self.pieces.len() + 1), open: Vec::with_capacity(2 * PIECE), len: 0 };
        for (at, piece) in self.pieces.iter().enumerate() {
            let end = self.firsts.get(at + 1);
            let is_here = |key: &K| end.is_none_or(|end| key < end);
            if !changes.peek().is_some_and(|(key, _)| is_here(key)) {
                builder.share(piece);
                continue;
            }
            for (key, value) in piece.iter() {
                while let Some((new, changed)) = changes.next_if(|(new, _)| *new < key) {
                    builder.add(new, changed.as_ref());
                }
                match changes.next_if(|(new, _)| *new == key) {
                    Some((_, changed)) => builder.add(key, changed.as_ref()),
                    None => builder.add(key, Some(value)),
                }
            }
            while let Some((new, changed)) = changes.next_if(|(new, _)| is_here(new)) {
                builder.add(new, changed.as_ref());
            }
        }
        changes.for_each(|(new, changed)| builder.add(new, changed.as_ref()));
        builder.finish()
    }
}

/// Takes entries in order and makes pieces of them that are at least half full, all but the last.
struct Builder<K, V> {
    pieces: Vec<Piece<K, V>>,
    open: Vec<(K, V)>,
    len: usize,
}

impl<K: Clone, V: Clone> Builder<K, V> {
    fn add(&mut self, key: &K, value: Option<&V>) {
        let Some(value) = value else { return };
        if self.open.len() == PIECE {
            self.close();
        }
        self.open.push((key.clone(), value.clone()));
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.len += self.open.len();
            self.pieces.push(self.open.drain(..).collect());
        }
    }

    /// Takes a piece as it is, unless that would leave a small one before it.
    fn share(&mut self, piece: &Piece<K, V>) {
        if (1..PIECE / 2).contains(&self.open.len()) {
            self.open.extend(piece.iter().cloned());
            if self.open.len() > PIECE {
                let second = self.open.split_off(self.open.len() / 2);
                self.close();
                self.open = second;
            }
            return self.close();
        }
        self.close();
        self.len += piece.len();
        self.pieces.push(piece.clone());
    }

    fn finish(mut self) -> Settled<K, V> {
        self.close();
        let firsts = self.pieces.iter().map(|piece| piece[0].0.clone()).collect();
        Settled { pieces: self.pieces.into(), firsts, len: self.len }
    }
}

#[cfg(test)]
impl<K: Ord + std::fmt::Debug, V> Settled<K, V> {
    /// Panics when a piece is empty, too large, or too small and not the last, or when the order is not right.
    pub(super) fn check(&self) {
        let keys: Vec<&K> = self.pieces.iter().flat_map(|piece| piece.iter().map(|(key, _)| key)).collect();
        assert!(keys.is_sorted_by(|one, other| one < other));
        assert_eq!(keys.len(), self.len);
        assert!(self.firsts.iter().eq(self.pieces.iter().map(|piece| &piece[0].0)));
        if let [all @ .., last] = &self.pieces[..] {
            assert!(all.iter().all(|piece| (PIECE / 2..=PIECE).contains(&piece.len())));
            assert!((1..=PIECE).contains(&last.len()));
        }
    }

    /// Pieces that are the same memory in both.
    pub(super) fn shared_with(&self, other: &Self) -> usize {
        self.pieces.iter().filter(|piece| other.pieces.iter().any(|there| Arc::ptr_eq(piece, there))).count()
    }
}
