//! The seam to the database: few tables, one writer at a time, an ordered log.
//!
//! An engine is driven by one thread and may block. A write is: [`Engine::begin`] (locks the head and tells it), then
//! [`Engine::changes_since`] to catch up with other servers, then [`Engine::append`], then [`Engine::commit`], which
//! returns when the data is durable. A failure with kind [`EngineErrorKind::Conflict`] at any of these means: roll back and run the
//! batch again (deadlock, serialization failure, Galera certification). On an embedded engine nobody else writes, so
//! `changes_since` is empty; on PostgreSQL `begin` is `SELECT … FOR UPDATE` of the head row and `wait` listens for a notification.

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
#[derive(Debug, thiserror::Error)]
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

/// The state at a revision.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Loaded {
    /// The newest change.
    pub head: Revision,
    /// All resources.
    pub rows: Vec<StoredRow>,
}

/// A database that holds the log. See the module's text for the order of calls.
pub trait Engine: Send {
    /// Makes the tables if they are not there, checks the schema's version, and reads everything, consistently at one revision.
    fn load(&mut self) -> Result<Loaded, EngineError>;

    /// Starts a write: takes the writers' lock and returns the newest revision.
    fn begin(&mut self) -> Result<Revision, EngineError>;

    /// The changes after a revision, in order, as far as they are committed (and, inside a write, up to the locked head).
    fn changes_since(&mut self, revision: Revision) -> Result<Vec<LoggedChange>, EngineError>;

    /// Writes changes inside the write that was begun: the log, the resources and the head.
    fn append(&mut self, changes: &[LoggedChange]) -> Result<(), EngineError>;

    /// Makes the write durable and ends it.
    fn commit(&mut self) -> Result<(), EngineError>;

    /// Ends the write without a trace. Harmless when none was begun.
    fn rollback(&mut self);

    /// The newest committed revision, outside a write.
    fn head(&mut self) -> Result<Revision, EngineError>;

    /// Waits until there may be changes after `revision` by another server, at most `timeout`. An engine that has no other
    /// writers returns false at once.
    fn wait(&mut self, revision: Revision, timeout: Duration) -> Result<bool, EngineError>;

    /// Removes changes at or before a revision from the log; the resources stay.
    fn compact(&mut self, through: Revision) -> Result<(), EngineError>;
}
