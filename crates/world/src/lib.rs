//! The state of the network: an immutable image at a revision ([`World`]), the log that makes it, and the commit loop.
//!
//! A [`World`] holds typed tables of [`Record`]s with secondary indexes; cloning one is cheap, so every read, projection and
//! explanation works on a snapshot. A change is made by running an operation, a pure function, against a [`Tx`];
//! the [`Store`] runs the queued operations one after another, writes what they changed in one transaction of an
//! [`Engine`] and only then answers.
//!
//! What is deliberately absent: any knowledge of networks or ports (see `model`), HTTP, and retries outside the log.

mod change;
mod engine;
pub mod engines;
mod key;
#[cfg(test)]
mod laws;
mod map;
mod record;
mod schema;
mod store;
mod table;
mod tree;
mod tx;
mod world;

pub use change::{Change, Commit, Entry};
pub use engine::{Engine, EngineError, EngineErrorKind, LoggedChange, LoggedEntry, Reader, RowRef, StoredRow};
pub use key::{Index, Key};
pub use record::{AnyRecord, Record, RecordId};
pub use schema::{Schema, SchemaError};
pub use store::{Clock, Committed, Error, ErrorKind, Stats, Store, StoreOptions};
pub use table::Table;
pub use tx::{Context, Tx};
pub use world::World;
