//! Sets of prefixes: sorted, disjoint, as few as possible ("compact").

use net::{IpNet, first_address};

/// The compact set of these prefixes.
pub(super) fn compact(prefixes: &[IpNet]) -> Vec<IpNet> {
    IpNet::aggregate(&prefixes.to_vec())
}

/// True when one prefix of a compact set contains this one.
pub(super) fn covers(set: &[IpNet], prefix: &IpNet) -> bool {
    let after = set.partition_point(|there| there.addr() <= first_address(prefix));
    after.checked_sub(1).is_some_and(|at| set[at].contains(prefix))
}

/// True when two compact sets have an address in common. Of two prefixes that overlap one contains the other.
pub(super) fn overlap(a: &[IpNet], b: &[IpNet]) -> bool {
    a.iter().any(|prefix| covers(b, prefix)) || b.iter().any(|prefix| covers(a, prefix))
}

/// A compact set without the addresses of another.
pub(super) fn difference(set: &[IpNet], without: &[IpNet]) -> Vec<IpNet> {
    let mut left = Vec::new();
    for prefix in set {
        let within: Vec<IpNet> = without.iter().filter(|other| prefix.contains(*other) || other.contains(prefix)).copied().collect();
        cut(*prefix, &within, &mut left);
    }
    left
}

/// Halves a prefix until each half is gone or untouched; `without` has only what overlaps it.
fn cut(prefix: IpNet, without: &[IpNet], left: &mut Vec<IpNet>) {
    if without.is_empty() {
        left.push(prefix);
        return;
    }
    if without.iter().any(|other| other.contains(&prefix)) {
        return;
    }
    let Ok(halves) = prefix.subnets(prefix.prefix_len() + 1) else { return };
    for half in halves {
        let within: Vec<IpNet> = without.iter().filter(|other| half.contains(*other) || other.contains(&half)).copied().collect();
        cut(half, &within, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::{Family, address, addresses, last_address};
    use proptest::prelude::*;

    fn set(texts: &[&str]) -> Vec<IpNet> {
        compact(&texts.iter().map(|text| text.parse().expect("a prefix")).collect::<Vec<_>>())
    }

    #[test]
    fn sets_are_compact() {
        assert_eq!(set(&["10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25"]), set(&["10.0.0.0/23"]));
        assert!(overlap(&set(&["10.0.0.0/8"]), &set(&["9.0.0.0/8", "10.1.1.0/24"])));
        assert!(!overlap(&set(&["10.0.0.0/8"]), &set(&["9.0.0.0/8", "11.1.1.0/24"])));
        assert_eq!(difference(&set(&["10.0.0.0/22"]), &set(&["10.0.1.0/24"])), set(&["10.0.0.0/24", "10.0.2.0/23"]));
        assert!(difference(&set(&["::/0"]), &set(&["::/1", "8000::/1"])).is_empty());
    }

    fn prefixes() -> impl Strategy<Value = Vec<IpNet>> {
        let prefix = (0u128..256, 24u8..=32).prop_map(|(n, length)| {
            let address = address(Family::V4, n + (10 << 24)).expect("an address");
            IpNet::new(address, length).expect("a length").trunc()
        });
        proptest::collection::vec(prefix, 0..8).prop_map(|prefixes| compact(&prefixes))
    }

    fn has(set: &[IpNet], n: u128) -> bool {
        let address = address(Family::V4, n + (10 << 24)).expect("an address");
        set.iter().any(|prefix| prefix.contains(&address))
    }

    proptest! {
        #[test]
        fn sets_are_what_their_addresses_are(a in prefixes(), b in prefixes()) {
            let left = difference(&a, &b);
            for n in 0..256 {
                prop_assert_eq!(has(&left, n), has(&a, n) && !has(&b, n));
            }
            prop_assert_eq!(&compact(&left), &left);
            let size = |set: &[IpNet]| set.iter().map(|p| addresses(&first_address(p), &last_address(p))).sum::<u128>();
            prop_assert_eq!(overlap(&a, &b), size(&left) < size(&a));
            for prefix in &b {
                prop_assert_eq!(covers(&a, prefix), difference(&[*prefix], &a).is_empty());
            }
        }
    }
}
