//! The rows that an index has under one key, as numbers.

use crate::tree::Tree;
use std::sync::Arc;

/// Mostly one: an address, a device. Where there are many (a project, a network) they are bits, 64 to a word: rows are numbered in the
/// order of their making, so that those of a key are close together and adding one touches the last word, whatever their number.
#[derive(Clone)]
pub(super) enum Numbers {
    One(u64),
    Many(Arc<Bits>),
}

/// Numbers as bits of words that are not 0.
#[derive(Clone, Default)]
pub(super) struct Bits {
    words: Tree<u64, u64>,
    len: usize,
}

const fn place(number: u64) -> (u64, u64) {
    (number / 64, 1 << (number % 64))
}

impl Bits {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.words.get(&word).is_some_and(|bits| bits & bit != 0)
    }

    /// Ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + use<'_> {
        self.words.iter().flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
    }

    fn insert(&mut self, number: u64) {
        let (word, bit) = place(number);
        let bits = self.words.get(&word).copied().unwrap_or(0);
        if bits & bit == 0 {
            self.words.insert(word, bits | bit);
            self.len += 1;
        }
    }

    fn remove(&mut self, number: u64) {
        let (word, bit) = place(number);
        let bits = self.words.get(&word).copied().unwrap_or(0);
        if bits & bit == 0 {
            return;
        }
        self.len -= 1;
        match bits & !bit {
            0 => drop(self.words.remove(&word)),
            left => drop(self.words.insert(word, left)),
        }
    }
}

impl Numbers {
    #[must_use]
    pub(super) fn with(&self, number: u64) -> Numbers {
        let mut bits = match self {
            Numbers::One(there) if *there == number => return self.clone(),
            Numbers::One(there) => {
                let mut bits = Bits::default();
                bits.insert(*there);
                bits
            }
            Numbers::Many(bits) => Bits::clone(bits),
        };
        bits.insert(number);
        Numbers::Many(Arc::new(bits))
    }

    /// None when nothing is left.
    pub(super) fn without(&self, number: u64) -> Option<Numbers> {
        let mut bits = match self {
            Numbers::One(there) => return (*there != number).then(|| self.clone()),
            Numbers::Many(bits) => Bits::clone(bits),
        };
        bits.remove(number);
        let only = bits.iter().next().filter(|_| bits.len() == 1);
        Some(only.map_or_else(|| Numbers::Many(Arc::new(bits)), Numbers::One))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Numbers::One(_) => 1,
            Numbers::Many(bits) => bits.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn all(numbers: Option<&Numbers>) -> Vec<u64> {
        match numbers {
            None => Vec::new(),
            Some(Numbers::One(one)) => vec![*one],
            Some(Numbers::Many(bits)) => bits.iter().collect(),
        }
    }

    proptest! {
        #[test]
        fn they_are_a_set(steps in proptest::collection::vec((any::<bool>(), 0..200u64), 1..300)) {
            let (mut numbers, mut model) = (None::<Numbers>, BTreeSet::new());
            for (adds, number) in steps {
                let before = numbers.clone();
                numbers = match (&numbers, adds) {
                    (None, true) => Some(Numbers::One(number)),
                    (Some(numbers), true) => Some(numbers.with(number)),
                    (numbers, false) => numbers.as_ref().and_then(|numbers| numbers.without(number)),
                };
                prop_assert!(all(before.as_ref()).iter().eq(model.iter()), "the old image stays");
                if adds { model.insert(number) } else { model.remove(&number) };
                prop_assert_eq!(numbers.as_ref().map_or(0, Numbers::len), model.len());
                prop_assert!(all(numbers.as_ref()).iter().eq(model.iter()));
                prop_assert_eq!(matches!(numbers, Some(Numbers::Many(_))), model.len() > 1);
                if let Some(Numbers::Many(bits)) = &numbers {
                    prop_assert!((0..200).all(|number| bits.contains(number) == model.contains(&number)));
                }
            }
        }
    }
}
