//! The ids that an index has under one key.

use crate::tree::{Range, Tree};

/// Mostly one: an address, a device. Where there are many (a project, a network) they are a tree of ids alone, which is small,
/// cheap to copy and knows their number.
#[derive(Clone)]
pub(super) enum Ids<I> {
    One(I),
    Many(Tree<I, ()>),
}

impl<I: Ord + Clone> Ids<I> {
    #[must_use]
    pub(super) fn with(&self, id: I) -> Ids<I> {
        let mut ids = match self {
            Ids::One(there) if *there == id => return self.clone(),
            Ids::One(there) => {
                let mut ids = Tree::default();
                ids.insert(there.clone(), ());
                ids
            }
            Ids::Many(ids) => ids.clone(),
        };
        ids.insert(id, ());
        Ids::Many(ids)
    }

    /// None when nothing is left.
    pub(super) fn without(&self, id: &I) -> Option<Ids<I>> {
        let mut ids = match self {
            Ids::One(there) => return (there != id).then(|| self.clone()),
            Ids::Many(ids) => ids.clone(),
        };
        ids.remove(id);
        match ids.iter().next() {
            Some((only, ())) if ids.len() == 1 => Some(Ids::One(only.clone())),
            _ => Some(Ids::Many(ids)),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Ids::One(_) => 1,
            Ids::Many(ids) => ids.len(),
        }
    }

    pub(super) fn iter(&self) -> Iter<'_, I> {
        match self {
            Ids::One(id) => Iter { one: Some(id), many: None },
            Ids::Many(ids) => Iter { one: None, many: Some(ids.iter()) },
        }
    }
}

/// In order.
pub(super) struct Iter<'a, I> {
    one: Option<&'a I>,
    many: Option<Range<'a, I, ()>>,
}

impl<'a, I> Iterator for Iter<'a, I> {
    type Item = &'a I;

    fn next(&mut self) -> Option<&'a I> {
        self.one.take().or_else(|| self.many.as_mut()?.next().map(|(id, ())| id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn they_are_a_set_in_order(steps in proptest::collection::vec((any::<bool>(), 0..40u8), 1..200)) {
            let (mut ids, mut model) = (None::<Ids<u8>>, BTreeSet::new());
            for (adds, id) in steps {
                let before = ids.clone();
                ids = match (&ids, adds) {
                    (None, true) => Some(Ids::One(id)),
                    (Some(ids), true) => Some(ids.with(id)),
                    (ids, false) => ids.as_ref().and_then(|ids| ids.without(&id)),
                };
                let there: Vec<u8> = before.iter().flat_map(Ids::iter).copied().collect();
                prop_assert!(there.iter().eq(model.iter()), "the old image stays");
                if adds { model.insert(id) } else { model.remove(&id) };
                prop_assert_eq!(ids.as_ref().map_or(0, Ids::len), model.len());
                prop_assert!(ids.iter().flat_map(Ids::iter).eq(model.iter()));
                prop_assert_eq!(matches!(ids, Some(Ids::Many(_))), model.len() > 1);
            }
        }
    }
}
