//! What an operation changed: a set of records before and after.

use crate::{AnyRecord, Record, World};
use net::{Revision, Timestamp};
use smol_str::SmolStr;
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

/// What one operation changed, at most one entry for each record, in the order of first touch.
#[derive(Clone, Debug, Default)]
pub struct Change {
    entries: Vec<Entry>,
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
        match self.entries.iter().position(|e| e.kind == entry.kind && e.id == entry.id) {
            Some(at) => self.entries[at].after = entry.after,
            None => self.entries.push(entry),
        }
    }

    /// Forgets records that were made and removed again.
    pub(crate) fn settle(&mut self) {
        self.entries.retain(|e| e.before.is_some() || e.after.is_some());
    }
}

/// A change that is durable, with the world before and after it: what dispatch, watchers and status handling wake up to.
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
