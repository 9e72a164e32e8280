//! The shape that a tree keeps.

use super::{Node, SMALL, Tree};
use crate::laws::{Ordered, Value};

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

impl Ordered for Tree<u32, Value> {
    fn check(&self) {
        let (_, keys) = check(&self.root, true, None, None);
        assert_eq!(self.len, keys);
    }

    fn insert(&mut self, key: u32, value: Value) -> Option<Value> {
        self.insert(key, value)
    }

    fn remove(&mut self, key: &u32) -> Option<Value> {
        self.remove(key)
    }

    crate::laws::own!();
}

proptest::proptest! {
    #![proptest_config(crate::laws::config())]
    #[test]
    fn does_what_a_btree_map_does(steps in crate::laws::steps(), from in 0..2000u32, ends: u64) {
        crate::laws::check::<Tree<u32, Value>>(steps, from, ends);
    }
}
