//! The seam to the database: few tables, one writer at a time, an ordered log.
//!
//! A server has one [`Engine`], driven by its commit thread, which may block for as long as a commit takes. Where other servers write
//! to the same database, [`Engine::reader`] gives further handles, each on a connection of its own, for the threads that follow
//! the log and ask for its head; they are never behind a commit.
//!
//! A write is: [`Engine::begin`] (locks the head and tells it), then [`Reader::changes_since`] to catch up with other servers, then
//! [`Engine::append`], then [`Engine::commit`], which returns when the data is durable. A failure with kind
//! [`EngineErrorKind::Conflict`] at any of these means: roll back and run the batch again (deadlock, serialization failure, Galera
//! certification). On an embedded engine nobody else writes, so `begin` tells what is known already; on PostgreSQL it is
//! `SELECT … FOR UPDATE` of the head row and `wait` listens for a notification; on Galera the lock holds on one node only and
//! `commit` may still answer with a conflict.
//!
//! An engine connects again by itself: after `Unavailable`, the next call tries anew.

use net::{Revision, Timestamp};
use smol_str::SmolStr;
use std::time::Duration;

/// What the caller can do about a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EngineErrorKind {
    /// Run the batch again: another writer was in the way.
    Conflict,
    /// The database cannot be reached or has no space; try later. Nothing was written, or it is not known.
    Unavailable,
    /// The stored data is not what this server can read.
    Corrupt,
    /// The changes asked for were compacted away: load everything again.
    Compacted,
}

/// A failure of the database.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation}: {reason}")]
pub struct EngineError {
    /// What can be done about it.
    pub kind: EngineErrorKind,
    /// What was being done.
    pub operation: &'static str,
    /// The database's words.
    pub reason: String,
}

/// A row of the resources table.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredRow {
    /// The kind: `port`.
    pub kind: SmolStr,
    /// The id.
    pub id: SmolStr,
    /// The owner, if there is one.
    pub project_id: Option<SmolStr>,
    /// The change that wrote it.
    pub revision: Revision,
    /// Version of the body's form.
    pub version: u16,
    /// JSON.
    pub body: String,
}

/// What happened to one resource in a logged change; `row` is absent when it was removed.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedEntry {
    /// The kind: `port`.
    pub kind: SmolStr,
    /// The id.
    pub id: SmolStr,
    /// The new state.
    pub row: Option<StoredRow>,
}

/// One change of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedChange {
    /// Its position.
    pub revision: Revision,
    /// The request that made it.
    pub request_id: SmolStr,
    /// When.
    pub time: Timestamp,
    /// What changed.
    pub entries: Vec<LoggedEntry>,
}

/// A row of the resources table while it is being read.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    /// The kind: `port`.
    pub kind: &'a str,
    /// The id.
    pub id: &'a str,
    /// Version of the body's form.
    pub version: u16,
    /// JSON.
    pub body: &'a str,
}

/// What reading may be done on the log, on a connection of its own. See the module's text.
pub trait Reader: Send {
    /// Reads all resources, consistently at one revision, which is returned. When `row` answers false the rest is skipped.
    fn load(&mut self, row: &mut dyn FnMut(RowRef<'_>) -> bool) -> Result<Revision, EngineError>;

    /// The changes after a revision, in order, as far as they are committed (and, inside a write, up to the locked head).
    fn changes_since(&mut self, revision: Revision) -> Result<Vec<LoggedChange>, EngineError>;

    /// The newest committed revision.
    fn head(&mut self) -> Result<Revision, EngineError>;

    /// Waits until there may be changes after `revision`, at most `timeout`; tells whether there may be.
    fn wait(&mut self, revision: Revision, timeout: Duration) -> Result<bool, EngineError>;
}

/// A database that holds the log. See the module's text for the order of calls. Dropping it ends a write that was begun.
pub trait Engine: Reader {
    /// Told once, before the first write, which kinds of resources there are: an engine may make a view for each.
    fn kinds(&mut self, kinds: &[&'static str]) -> Result<(), EngineError> {
        let _ = kinds;
        Ok(())
    }

    /// A further handle for following other servers; none when this engine has no other writers.
    fn reader(&mut self) -> Result<Option<Box<dyn Reader>>, EngineError>;

    /// Starts a write: takes the writers' lock and returns the newest revision.
    fn begin(&mut self) -> Result<Revision, EngineError>;

    /// Writes changes inside the write that was begun: the log, the resources and the head.
    fn append(&mut self, changes: &[LoggedChange]) -> Result<(), EngineError>;

    /// Makes the write durable and ends it. After any failure it is not known whether the write happened; `begin` will tell.
    fn commit(&mut self) -> Result<(), EngineError>;

    /// Ends the write without a trace. Harmless when none was begun.
    fn rollback(&mut self);

    /// Removes changes at or before a revision from the log, outside a write; the resources stay.
    fn compact(&mut self, through: Revision) -> Result<(), EngineError>;
}
