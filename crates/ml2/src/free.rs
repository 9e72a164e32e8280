//! Choosing a free number in ranges: an address in allocation pools, a network identifier in its ranges.
//!
//! [`any`] probes at random and, when the ranges are nearly full, walks the numbers in use from the last probe to the first gap. The
//! cost does not depend on how many are in use until hardly any is free; only finding that none is costs a walk over all.

use rand::Rng;

/// Random probes before walking: with three quarters in use one of them hits a free number in nine cases of ten.
const PROBES: usize = 8;

/// Inclusive ranges of numbers, and which of them are in use.
pub(crate) trait Space {
    /// The ranges, not overlapping.
    fn ranges(&self) -> &[(u128, u128)];
    /// True when the number is in use.
    fn is_used(&self, number: u128) -> bool;
    /// The numbers in use from this one on, ascending; may go beyond the ranges.
    fn used_from(&self, number: u128) -> impl Iterator<Item = u128>;
}

/// A free number, any; none when all are in use.
pub(crate) fn any(space: &impl Space, rng: &mut impl Rng) -> Option<u128> {
    let total = space.ranges().iter().fold(0u128, |sum, (first, last)| sum.saturating_add((last - first).saturating_add(1)));
    if total == 0 {
        return None;
    }
    let mut at = 0;
    for _ in 0..PROBES {
        at = rng.random_range(0..total);
        let number = nth(space.ranges(), at)?;
        if !space.is_used(number) {
            return Some(number);
        }
    }
    let from = nth(space.ranges(), at)?;
    gap(space, |range| (range.1 >= from).then(|| (range.0.max(from), range.1)))
        .or_else(|| gap(space, |range| (range.0 < from).then(|| (range.0, range.1.min(from)))))
}

/// The lowest free number; none when all are in use.
pub(crate) fn lowest(space: &impl Space) -> Option<u128> {
    gap(space, Some)
}

/// What of the ranges has these places, counted from 0 at the first number of all.
pub(crate) fn part(ranges: &[(u128, u128)], from: u128, count: u128) -> Vec<(u128, u128)> {
    let end = from.saturating_add(count);
    let mut parts = Vec::with_capacity(ranges.len());
    let mut before = 0u128;
    for (first, last) in ranges {
        let size = (last - first).saturating_add(1);
        let (skipped, through) = (from.saturating_sub(before).min(size), end.saturating_sub(before).min(size));
        if skipped < through {
            parts.push((first + skipped, first + (through - 1)));
        }
        before = before.saturating_add(size);
    }
    parts
}

fn nth(ranges: &[(u128, u128)], mut at: u128) -> Option<u128> {
    for (first, last) in ranges {
        let size = (last - first).saturating_add(1);
        if at < size {
            return Some(first + at);
        }
        at -= size;
    }
    None
}

fn gap(space: &impl Space, part: impl Fn((u128, u128)) -> Option<(u128, u128)>) -> Option<u128> {
    space.ranges().iter().filter_map(|range| part(*range)).find_map(|(first, last)| {
        let mut free = first;
        for used in space.used_from(first) {
            if used > free || used > last {
                break;
            }
            free = used.checked_add(1)?;
        }
        (free <= last).then_some(free)
    })
}

#[cfg(test)]
mod tests {
    use super::{Space, any, lowest, part};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;
    use std::cell::Cell;
    use std::collections::BTreeSet;

    struct Counted {
        ranges: Vec<(u128, u128)>,
        used: BTreeSet<u128>,
        looks: Cell<usize>,
    }

    impl Space for Counted {
        fn ranges(&self) -> &[(u128, u128)] {
            &self.ranges
        }
        fn is_used(&self, number: u128) -> bool {
            self.looks.set(self.looks.get() + 1);
            self.used.contains(&number)
        }
        fn used_from(&self, number: u128) -> impl Iterator<Item = u128> {
            self.used.range(number..).copied().inspect(|_| self.looks.set(self.looks.get() + 1))
        }
    }

    proptest! {
        #[test]
        fn every_number_is_given_exactly_once(
            starts in proptest::collection::vec((0u128..40, 0u128..30), 1..4),
            outside in proptest::collection::btree_set(0u128..400, 0..20),
            seed: u64,
            ordered: bool,
        ) {
            let mut ranges = Vec::new();
            let mut next = 10;
            for (skip, size) in starts {
                ranges.push((next + skip, next + skip + size));
                next += skip + size + 2;
            }
            let within = |n: &u128| ranges.iter().any(|(first, last)| (first..=last).contains(&n));
            let free: usize = ranges.iter().map(|(a, b)| (b - a + 1) as usize).sum::<usize>() - outside.iter().filter(|n| within(n)).count();
            let mut space = Counted { ranges: ranges.clone(), used: outside, looks: Cell::new(0) };
            let mut rng = SmallRng::seed_from_u64(seed);
            for _ in 0..free {
                let number = if ordered { lowest(&space) } else { any(&space, &mut rng) }.expect("one is free");
                prop_assert!(within(&number));
                prop_assert!(space.used.insert(number), "{number} was given twice");
            }
            prop_assert_eq!(any(&space, &mut rng), None);
            prop_assert_eq!(lowest(&space), None);
        }
    }

    proptest! {
        #[test]
        fn a_part_is_what_has_these_places(
            ranges in proptest::collection::vec((1u128..10, 0u128..10), 0..4),
            from in 0u128..40,
            count in 0u128..40,
        ) {
            let mut next = 0;
            let ranges: Vec<(u128, u128)> = ranges.into_iter().map(|(skip, size)| {
                let first = next + skip;
                next = first + size + 1;
                (first, first + size)
            }).collect();
            let numbers = |ranges: &[(u128, u128)]| ranges.iter().flat_map(|(first, last)| *first..=*last).collect::<Vec<_>>();
            let expected: Vec<u128> = numbers(&ranges).into_iter().skip(from as usize).take(count as usize).collect();
            prop_assert_eq!(numbers(&part(&ranges, from, count)), expected);
            prop_assert_eq!(part(&ranges, 0, u128::MAX), ranges);
        }
    }

    #[test]
    fn cost_does_not_grow_with_use() {
        let mut space = Counted { ranges: vec![(2, 65_534)], used: BTreeSet::new(), looks: Cell::new(0) };
        let mut rng = SmallRng::seed_from_u64(7);
        let mut worst_per_thousand = 0;
        for _ in 0..50 {
            space.looks.set(0);
            for _ in 0..1000 {
                let number = any(&space, &mut rng).expect("one is free");
                space.used.insert(number);
            }
            worst_per_thousand = worst_per_thousand.max(space.looks.get());
        }
        assert!(worst_per_thousand < 6 * 1000, "{worst_per_thousand} looks for 1000 numbers at 50,000 in use");
    }

    #[test]
    fn the_ends_of_the_number_line() {
        let full = Counted { ranges: vec![(u128::MAX - 1, u128::MAX)], used: [u128::MAX - 1, u128::MAX].into(), looks: Cell::new(0) };
        assert_eq!(lowest(&full), None);
        let whole = Counted { ranges: vec![(0, u128::MAX)], used: BTreeSet::new(), looks: Cell::new(0) };
        assert_eq!(lowest(&whole), Some(0));
        assert!(any(&whole, &mut SmallRng::seed_from_u64(1)).is_some());
        let none = Counted { ranges: vec![], used: BTreeSet::new(), looks: Cell::new(0) };
        assert_eq!((any(&none, &mut SmallRng::seed_from_u64(1)), lowest(&none)), (None, None));
    }
}
