//! The commit loop.

use crate::{Commit, Engine, EngineError, Schema, SchemaError, Tx, World};
use net::Revision;
use smol_str::SmolStr;
use std::sync::Arc;

/// What the store is told at start.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// Seed of the randomness that operations get; none takes one from the system.
    pub seed: Option<u64>,
}

/// The outcome of a committed operation.
#[derive(Clone)]
pub struct Committed<T> {
    /// What the operation returned.
    pub answer: T,
    /// The world that contains the change; serialise the answer from it.
    pub world: World,
    /// The change's position, or the world's when nothing changed.
    pub revision: Revision,
}

/// The log could not take an operation; nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Stored data cannot be read.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The commit loop has ended.
    #[error("the server is shutting down")]
    Closed,
}

/// The log and its newest image. Cheap to clone.
#[derive(Clone)]
pub struct Store;

impl Store {
    /// Loads the state and starts the commit loop on a thread of its own.
    pub fn open(_engine: Box<dyn Engine>, _schema: Arc<Schema>, _options: StoreOptions) -> Result<Store, Error> {
        Err(Error::Closed)
    }

    /// The newest committed image this server has.
    pub fn world(&self) -> World {
        World::empty(Arc::new(Schema::new()))
    }

    /// An image at or above the newest committed revision of all servers.
    pub async fn fresh(&self) -> Result<World, Error> {
        Err(Error::Closed)
    }

    /// Runs an operation in the log: against the newest world, one at a time, durable before this returns. An operation may be run
    /// again when another server was in the way, so it must be a pure function of what `Tx` gives it.
    pub async fn commit<T, E, F>(&self, _request_id: SmolStr, _operation: F) -> Result<Result<Committed<T>, E>, Error>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
    {
        Err(Error::Closed)
    }

    /// All commits from now on, in order.
    pub fn subscribe(&self) -> tokio::sync::mpsc::UnboundedReceiver<Arc<Commit>> {
        tokio::sync::mpsc::unbounded_channel().1
    }
}
