//! The tree does what the standard library's ordered map does, and its old images stay as they were.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Model = BTreeMap<u32, Value>;

/// Large enough for leaves of few entries, so that a case has several levels of branches.
type Value = [u32; 23];

/// Checks the shape: order, guides, even depth, and that no node but the root is nearly empty. Returns depth and keys.
fn check(node: &Node<u32, Value>, is_root: bool, low: Option<u32>, high: Option<u32>) -> (usize, usize) {
    let least = if is_root { 0 } else { node.most() / SMALL };
    assert!((least..=node.most()).contains(&node.len()), "{} in a node", node.len());
    match node {
        Node::Leaf(entries) => {
            assert!(entries.is_sorted_by(|a, b| a.0 < b.0));
            assert!(entries.iter().all(|(k, _)| low.is_none_or(|low| low <= *k) && high.is_none_or(|high| *k < high)));
            (1, entries.len())
        }
        Node::Branch(branch) => {
            assert_eq!(branch.guides.len() + 1, branch.children.len());
            assert!(branch.children.len() > 1);
            let mut below = Vec::new();
            for (at, child) in branch.children.iter().enumerate() {
                let low = at.checked_sub(1).map(|at| branch.guides[at]).or(low);
                let high = branch.guides.get(at).copied().or(high);
                below.push(check(child, false, low, high));
            }
            assert!(below.iter().all(|(depth, _)| *depth == below[0].0), "all leaves are equally deep");
            (below[0].0 + 1, below.iter().map(|(_, keys)| keys).sum())
        }
    }
}

fn assert_same(tree: &Tree<u32, Value>, model: &Model) {
    let (_, keys) = check(&tree.root, true, None, None);
    assert_eq!((tree.len(), keys), (model.len(), model.len()));
    assert!(tree.iter().eq(model.iter()));
    assert!(tree.iter().rev().eq(model.iter().rev()));
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u32, Value),
    Remove(u32),
    /// Adds or removes many neighbours.
    Fill(u32, u32),
    Clear(u32, u32),
    /// Keeps this image and looks at it again at the end.
    Keep,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..2000u32;
    prop_oneof![
        8 => (key(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, [v; 23])),
        6 => key().prop_map(Step::Remove),
        1 => (key(), 1..400u32).prop_map(|(k, n)| Step::Fill(k, n)),
        1 => (key(), 1..400u32).prop_map(|(k, n)| Step::Clear(k, n)),
        1 => Just(Step::Keep),
    ]
}

fn insert(tree: &mut Tree<u32, Value>, model: &mut Model, key: u32, value: Value) {
    assert_eq!(tree.insert(key, value), model.insert(key, value));
}

fn remove(tree: &mut Tree<u32, Value>, model: &mut Model, key: u32) {
    assert_eq!(tree.remove(&key), model.remove(&key));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn does_what_a_btree_map_does(steps in prop::collection::vec(step(), 1..200), from in 0..2000u32, ends in any::<u64>()) {
        let (mut tree, mut model) = (Tree::default(), Model::new());
        let mut kept = Vec::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => insert(&mut tree, &mut model, key, value),
                Step::Remove(key) => remove(&mut tree, &mut model, key),
                Step::Fill(key, n) => (key..key + n).for_each(|k| insert(&mut tree, &mut model, k, [n; 23])),
                Step::Clear(key, n) => (key..key + n).for_each(|k| remove(&mut tree, &mut model, k)),
                Step::Keep => kept.push((tree.clone(), model.clone())),
            }
        }
        kept.push((tree, model));
        for (tree, model) in &kept {
            assert_same(tree, model);
            prop_assert_eq!(tree.get(&from), model.get(&from));
            prop_assert!(tree.from(|k| *k >= from).eq(model.range(from..)));
            // From both ends until they meet.
            let (mut entries, mut expected) = (tree.from(|k| *k > from), model.range(from + 1..));
            for turn in 0.. {
                let forward = ends >> (turn % 64) & 1 == 0;
                let (entry, expected) = if forward { (entries.next(), expected.next()) } else { (entries.next_back(), expected.next_back()) };
                prop_assert_eq!(entry, expected);
                if entry.is_none() {
                    break;
                }
            }
        }
    }
}
