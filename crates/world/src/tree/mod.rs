//! A persistent ordered map, made for what a world does: each change copies one path and keeps the old image.
//!
//! A B+ tree. The keys that guide the way down are shared between a branch and its copies, because a change nearly never alters
//! them; copying a branch copies pointers only, and copying a leaf its few entries. Persistent maps of general use hold whole keys
//! in their branches: with the large keys of an index, most of the cost of a change would go into copying those. A node is one
//! piece of memory: in a large world a change costs above all the pieces that it takes and lets go of.
//!
//! Branches that nobody else holds are changed in place.

mod range;
#[cfg(test)]
mod shape;

pub(crate) use range::Range;
use smallvec::SmallVec;
use std::sync::Arc;

/// Bytes that the entries of a leaf take at most.
const LEAF: usize = 1536;
/// Most children of a branch.
const BRANCH: usize = 16;
/// A node that has only the fourth part of the most, or less, is filled up from a neighbour.
const SMALL: usize = 4;

#[derive(Debug)]
enum Node<K, V> {
    Leaf(Arc<[(K, V)]>),
    Branch(Arc<Branch<K, V>>),
}

#[derive(Debug)]
struct Branch<K, V> {
    /// One less than children: no key below child `n` reaches guide `n`, all below child `n + 1` do.
    guides: Arc<[K]>,
    children: Children<K, V>,
}

/// In the branch itself, one more than the most for the moment before it is split.
type Children<K, V> = SmallVec<[Node<K, V>; BRANCH + 1]>;

impl<K, V> Clone for Branch<K, V> {
    fn clone(&self) -> Self {
        Branch { guides: self.guides.clone(), children: self.children.clone() }
    }
}

impl<K, V> Clone for Node<K, V> {
    fn clone(&self) -> Self {
        match self {
            Node::Leaf(entries) => Node::Leaf(entries.clone()),
            Node::Branch(branch) => Node::Branch(branch.clone()),
        }
    }
}

impl<K: Ord, V> Branch<K, V> {
    /// The child under which a key belongs.
    fn child(&self, key: &K) -> usize {
        self.guides.partition_point(|guide| guide <= key)
    }
}

/// What an insertion leaves: the value that was there, or a right half with its first key where the node has become too large.
struct Inserted<K, V> {
    before: Option<V>,
    split: Option<(K, Node<K, V>)>,
}

/// A leaf's entries with others in the place of a part of them.
fn spliced<K: Clone, V: Clone>(entries: &[(K, V)], from: usize, to: usize, new: Option<(K, V)>) -> Arc<[(K, V)]> {
    entries[..from].iter().cloned().chain(new).chain(entries[to..].iter().cloned()).collect()
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    /// Most entries of a leaf.
    const LEAF: usize = {
        let fit = LEAF / size_of::<(K, V)>();
        if fit < 16 { 16 } else { fit }
    };

    fn len(&self) -> usize {
        match self {
            Node::Leaf(entries) => entries.len(),
            Node::Branch(branch) => branch.children.len(),
        }
    }

    fn most(&self) -> usize {
        match self {
            Node::Leaf(_) => Self::LEAF,
            Node::Branch(_) => BRANCH,
        }
    }

    fn insert(&mut self, key: K, value: V) -> Inserted<K, V> {
        match self {
            Node::Leaf(entries) => match entries.binary_search_by(|(k, _)| k.cmp(&key)) {
                Ok(at) => {
                    let before = entries[at].1.clone();
                    *entries = spliced(entries, at, at + 1, Some((key, value)));
                    Inserted { before: Some(before), split: None }
                }
                Err(at) => {
                    let last = at == entries.len();
                    *entries = spliced(entries, at, at, Some((key, value)));
                    Inserted { before: None, split: self.split(last) }
                }
            },
            Node::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let at = branch.child(&key);
                let Inserted { before, split } = branch.children[at].insert(key, value);
                let Some((guide, right)) = split else { return Inserted { before, split: None } };
                branch.guides = with(&branch.guides, at, guide);
                branch.children.insert(at + 1, right);
                let last = at + 2 == branch.children.len();
                Inserted { before, split: self.split(last) }
            }
        }
    }

    /// Gives away the right half, with the guide that parts the two, when there is too much in it; less than half where entries are added
    /// at the end, as those are that come in the order of their keys: what is on the left stays as it is, and so takes less room.
    fn split(&mut self, last: bool) -> Option<(K, Node<K, V>)> {
        if self.len() <= self.most() {
            return None;
        }
        let at = self.len() - if last { self.most() / SMALL + 1 } else { self.len().div_ceil(2) };
        match self {
            Node::Leaf(entries) => {
                let (left, right) = entries.split_at(at);
                let (guide, right) = (right[0].0.clone(), Node::Leaf(right.into()));
                *entries = left.into();
                Some((guide, right))
            }
            Node::Branch(branch) => {
                let Branch { guides, children } = Arc::make_mut(branch);
                let right = Branch { guides: guides[at..].into(), children: children.drain(at..).collect() };
                let guide = guides[at - 1].clone();
                *guides = guides[..at - 1].into();
                Some((guide, Node::Branch(Arc::new(right))))
            }
        }
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Node::Leaf(entries) => {
                let at = entries.binary_search_by(|(k, _)| k.cmp(key)).ok()?;
                let before = entries[at].1.clone();
                *entries = spliced(entries, at, at + 1, None);
                Some(before)
            }
            Node::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let at = branch.child(key);
                let before = branch.children[at].remove(key)?;
                branch.tidy(at);
                Some(before)
            }
        }
    }

    /// Takes what is in the right neighbour; the guide is what stood between them.
    fn join(&mut self, guide: &K, right: Node<K, V>) {
        match (self, right) {
            (Node::Leaf(left), Node::Leaf(right)) => *left = left.iter().chain(&*right).cloned().collect(),
            (Node::Branch(left), Node::Branch(right)) => {
                let (left, right) = (Arc::make_mut(left), Arc::unwrap_or_clone(right));
                left.guides = left.guides.iter().chain([guide]).chain(right.guides.iter()).cloned().collect();
                left.children.extend(right.children);
            }
            _ => unreachable!("all leaves are equally deep"),
        }
    }
}

impl<K: Ord + Clone, V: Clone> Branch<K, V> {
    /// Joins child `at`, when it has become small, with a neighbour, and parts them again evenly when that is too much for one.
    fn tidy(&mut self, at: usize) {
        let child = &self.children[at];
        if self.children.len() < 2 || child.len() > child.most() / SMALL {
            return;
        }
        let left = at.saturating_sub(1);
        let right = self.children.remove(left + 1);
        let joined = &mut self.children[left];
        joined.join(&self.guides[left], right);
        let mut guides = self.guides.to_vec();
        match joined.split(false) {
            Some((guide, right)) => {
                guides[left] = guide;
                self.children.insert(left + 1, right);
            }
            None => drop(guides.remove(left)),
        }
        self.guides = guides.into();
    }
}

fn with<K: Clone>(guides: &[K], at: usize, guide: K) -> Arc<[K]> {
    let mut guides = guides.to_vec();
    guides.insert(at, guide);
    guides.into()
}

/// The map. A clone costs one reference count and shares everything.
#[derive(Debug)]
pub(crate) struct Tree<K, V> {
    root: Node<K, V>,
    len: usize,
}

impl<K, V> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        Tree { root: self.root.clone(), len: self.len }
    }
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Tree { root: Node::Leaf(Arc::new([])), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let mut node = &self.root;
        loop {
            match node {
                Node::Branch(branch) => node = &branch.children[branch.child(key)],
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(k, _)| k.cmp(key)).ok()?;
                    return Some(&entries[at].1);
                }
            }
        }
    }

    /// Returns the value that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Inserted { before, split } = self.root.insert(key, value);
        if let Some((guide, right)) = split {
            let left = self.root.clone();
            self.root = Node::Branch(Arc::new(Branch { guides: [guide].into(), children: Children::from_iter([left, right]) }));
        }
        self.len += usize::from(before.is_none());
        before
    }

    /// Returns the value that was there.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        // Without this a path would be copied for nothing.
        self.get(key)?;
        let before = self.root.remove(key)?;
        self.len -= 1;
        while let Node::Branch(branch) = &self.root
            && let [only] = &branch.children[..]
        {
            self.root = only.clone();
        }
        Some(before)
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> Range<'_, K, V> {
        self.from(|_| true)
    }

    /// The entries from the first on for which this holds; it holds for all behind one for which it holds.
    pub(crate) fn from(&self, is_in: impl Fn(&K) -> bool) -> Range<'_, K, V> {
        Range::new(&self.root, is_in)
    }
}
