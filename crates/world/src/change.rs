//! What an operation changed: a set of records before and after.

use crate::{AnyRecord, Record, World};
use net::{Revision, Timestamp};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::Arc;

/// One record before and after. Both absent: made and removed by the same operation.
#[derive(Clone, Debug)]
pub struct Entry {
    kind: &'static str,
    id: SmolStr,
    before: Option<Arc<dyn AnyRecord>>,
    after: Option<Arc<dyn AnyRecord>>,
}

impl Entry {
    pub(crate) fn new(kind: &'static str, id: SmolStr, before: Option<Arc<dyn AnyRecord>>, after: Option<Arc<dyn AnyRecord>>) -> Entry {
        Entry { kind, id, before, after }
    }

    /// [`Record::KIND`].
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The id as text.
    pub fn id(&self) -> &SmolStr {
        &self.id
    }

    /// The record before, when it is an `R` and was there.
    pub fn before<R: Record>(&self) -> Option<&R> {
        self.before.as_ref()?.as_any_ref()
    }

    /// The record after, when it is an `R` and is there.
    pub fn after<R: Record>(&self) -> Option<&R> {
        self.after.as_ref()?.as_any_ref()
    }

    /// The record before, of whatever kind.
    pub fn before_any(&self) -> Option<&Arc<dyn AnyRecord>> {
        self.before.as_ref()
    }

    /// The record after, of whatever kind.
    pub fn after_any(&self) -> Option<&Arc<dyn AnyRecord>> {
        self.after.as_ref()
    }
}

trait Downcast {
    fn as_any_ref<R: Record>(&self) -> Option<&R>;
}

impl Downcast for Arc<dyn AnyRecord> {
    fn as_any_ref<R: Record>(&self) -> Option<&R> {
        AnyRecord::as_any(self.as_ref()).downcast_ref()
    }
}

/// Up to this many entries a plain search finds a record sooner than a map would.
const SEARCHED: usize = 16;

/// What one operation changed, at most one entry for each record, in the order of first touch.
#[derive(Clone, Debug, Default)]
pub struct Change {
    entries: Vec<Entry>,
    positions: HashMap<(&'static str, SmolStr), usize>,
}

impl Change {
    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// True when nothing changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds what happened to a record; a second entry for the same record is joined with the first.
    pub(crate) fn record(&mut self, entry: Entry) {
        match self.position(&entry) {
            Some(at) => self.entries[at].after = entry.after,
            None => {
                if self.entries.len() >= SEARCHED {
                    self.positions.insert((entry.kind, entry.id.clone()), self.entries.len());
                }
                self.entries.push(entry);
            }
        }
    }

    /// The first [`SEARCHED`] entries are searched, the others are in the map.
    fn position(&self, entry: &Entry) -> Option<usize> {
        let first = &self.entries[..self.entries.len().min(SEARCHED)];
        first
            .iter()
            .position(|e| e.id == entry.id && e.kind == entry.kind)
            .or_else(|| (self.entries.len() > SEARCHED).then(|| self.positions.get(&(entry.kind, entry.id.clone())).copied())?)
    }

    /// Forgets records that are as they were before: made and removed again, or changed and changed back.
    pub(crate) fn settle(&mut self) {
        self.entries.retain(|entry| match (&entry.before, &entry.after) {
            (Some(before), Some(after)) => !before.same(after.as_ref()),
            (None, None) => false,
            _ => true,
        });
        self.positions = HashMap::new();
    }

    /// The change that takes this one back.
    pub(crate) fn reversed(&self) -> Change {
        let back = |e: &Entry| Entry { kind: e.kind, id: e.id.clone(), before: e.after.clone(), after: e.before.clone() };
        Change { entries: self.entries.iter().map(back).collect(), positions: HashMap::new() }
    }
}

/// A change that is durable, with the world before and after it: what dispatch, watchers and status handling wake up to.
///
/// Commits come in order and each one's `before` is the one before's `after`. Revisions are consecutive, except when a server fell
/// behind the log's floor and read everything again: then one commit holds all that is different, and revisions were skipped.
/// Holding a commit holds the parts of two worlds that later changes replaced; read what is needed and let it go.
#[derive(Clone)]
pub struct Commit {
    /// Its position in the log.
    pub revision: Revision,
    /// The request that made it.
    pub request_id: SmolStr,
    /// When it was made.
    pub time: Timestamp,
    /// What changed.
    pub change: Arc<Change>,
    /// The world before.
    pub before: World,
    /// The world after.
    pub after: World,
}
