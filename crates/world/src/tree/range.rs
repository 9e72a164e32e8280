//! Walking a tree in key order, from both ends.

use super::Node;

/// Deeper than any tree that fits in memory: all branches but the root have four children or more.
const DEPTH: usize = 16;

/// A place in a tree: an entry, or the end.
struct Cursor<'a, K, V> {
    /// From the root down: the nodes and the position in each.
    path: [(&'a Node<K, V>, usize); DEPTH],
    depth: usize,
    at_end: bool,
}

impl<'a, K, V> Cursor<'a, K, V> {
    fn at_end(root: &'a Node<K, V>) -> Self {
        Cursor { path: [(root, 0); DEPTH], depth: 0, at_end: true }
    }

    fn at_first(root: &'a Node<K, V>, is_in: impl Fn(&K) -> bool) -> Self {
        let mut cursor = Cursor { path: [(root, 0); DEPTH], depth: 0, at_end: false };
        loop {
            let (node, at) = &mut cursor.path[cursor.depth];
            match *node {
                Node::Branch(branch) => {
                    *at = branch.guides.partition_point(|guide| !is_in(guide));
                    let below = &branch.children[*at];
                    cursor.depth += 1;
                    cursor.path[cursor.depth] = (below, 0);
                }
                Node::Leaf(entries) => {
                    *at = entries.partition_point(|(key, _)| !is_in(key));
                    if *at == entries.len() {
                        cursor.next_leaf();
                    }
                    return cursor;
                }
            }
        }
    }

    fn entry(&self) -> Option<&'a (K, V)> {
        match self.path[self.depth] {
            (Node::Leaf(entries), at) if !self.at_end => entries.get(at),
            _ => None,
        }
    }

    fn forward(&mut self) {
        let (node, at) = &mut self.path[self.depth];
        *at += 1;
        if let Node::Leaf(entries) = node
            && *at == entries.len()
        {
            self.next_leaf();
        }
    }

    /// Goes to the first entry behind this leaf.
    fn next_leaf(&mut self) {
        loop {
            if self.depth == 0 {
                self.at_end = true;
                return;
            }
            self.depth -= 1;
            let (node, at) = &mut self.path[self.depth];
            if let Node::Branch(branch) = *node
                && *at + 1 < branch.children.len()
            {
                *at += 1;
                let below = &branch.children[*at];
                self.descend(below, |_| 0);
                return;
            }
        }
    }

    fn descend(&mut self, mut node: &'a Node<K, V>, position: impl Fn(usize) -> usize) {
        loop {
            self.depth += 1;
            match node {
                Node::Leaf(entries) => {
                    self.path[self.depth] = (node, position(entries.len()));
                    return;
                }
                Node::Branch(branch) => {
                    let at = position(branch.children.len());
                    self.path[self.depth] = (node, at);
                    node = &branch.children[at];
                }
            }
        }
    }

    /// Goes to the entry before; there must be one.
    fn backward(&mut self) {
        let last = |len: usize| len - 1;
        if std::mem::replace(&mut self.at_end, false) {
            let (root, _) = self.path[0];
            match root {
                Node::Leaf(entries) => self.path[0] = (root, last(entries.len())),
                Node::Branch(branch) => {
                    let at = last(branch.children.len());
                    self.path[0] = (root, at);
                    self.depth = 0;
                    self.descend(&branch.children[at], last);
                }
            }
            return;
        }
        while self.path[self.depth].1 == 0 {
            self.depth = self.depth.checked_sub(1).expect("there is an entry before this one");
        }
        let (node, at) = &mut self.path[self.depth];
        *at -= 1;
        if let Node::Branch(branch) = *node {
            let below = &branch.children[*at];
            self.descend(below, last);
        }
    }

    fn is_at(&self, other: &Self) -> bool {
        let place = |cursor: &Self| (std::ptr::from_ref(cursor.path[cursor.depth].0), cursor.path[cursor.depth].1);
        // No leaf is twice in one tree.
        if self.at_end || other.at_end { self.at_end && other.at_end } else { place(self) == place(other) }
    }
}

/// Entries in order, from both ends.
pub(crate) struct Range<'a, K, V> {
    front: Cursor<'a, K, V>,
    back: Cursor<'a, K, V>,
}

impl<'a, K, V> Range<'a, K, V> {
    pub(super) fn new(root: &'a Node<K, V>, is_in: impl Fn(&K) -> bool) -> Self {
        Range { front: Cursor::at_first(root, is_in), back: Cursor::at_end(root) }
    }
}

impl<'a, K, V> Iterator for Range<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front.is_at(&self.back) {
            return None;
        }
        let (key, value) = self.front.entry()?;
        self.front.forward();
        Some((key, value))
    }
}

impl<K, V> DoubleEndedIterator for Range<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front.is_at(&self.back) {
            return None;
        }
        self.back.backward();
        let (key, value) = self.back.entry()?;
        Some((key, value))
    }
}
