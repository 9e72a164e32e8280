//! The store: the log, its newest image, and the way to change it.
//!
//! `commit_loop` writes, `image` holds the newest world and those who follow it, `tail` takes over what other servers wrote.

mod commit_loop;
mod image;
mod operation;
mod options;
mod stats;
mod tail;

use crate::{Commit, Engine, EngineError, EngineErrorKind, Schema, SchemaError, Tx, World};
use commit_loop::{CommitLoop, Message};
use image::Newest;
use net::Revision;
use operation::Queued;
pub use options::{Clock, StoreOptions};
use smol_str::SmolStr;
pub use stats::Stats;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tail::HeadQuestion;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

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

/// The log could not take an operation. Nothing of it was kept, except that after `Unavailable` it is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Stored data cannot be read.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The operation panicked, which is a bug in it.
    #[error("the operation failed inside: {0}")]
    Panicked(String),
    /// The commit loop has ended.
    #[error("the server is shutting down")]
    Closed,
}

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Try again later, perhaps at another server.
    Retry,
    /// Nothing: somebody has to look at it.
    Bug,
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Engine(error) if error.kind == EngineErrorKind::Corrupt => ErrorKind::Bug,
            Error::Engine(_) | Error::Closed => ErrorKind::Retry,
            Error::Schema(_) | Error::Panicked(_) => ErrorKind::Bug,
        }
    }
}

/// The log and its newest image. Cheap to clone. Dropping the last one finishes what is queued.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    newest: Arc<Newest>,
    /// Absent only while dropping.
    queue: Option<Sender<Message>>,
    commit_loop: Mutex<Option<JoinHandle<()>>>,
    /// Absent when nobody else writes to the database.
    head: Option<Sender<HeadQuestion>>,
    fresh_timeout: Duration,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.newest.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.queue = None;
        let commit_loop = self.commit_loop.get_mut().ok().and_then(Option::take);
        // An operation may own the last store, and is dropped by the loop itself.
        if let Some(commit_loop) = commit_loop.filter(|commit_loop| commit_loop.thread().id() != thread::current().id()) {
            let _ = commit_loop.join();
        }
    }
}

impl Store {
    /// Loads the state and starts the commit loop on a thread of its own; blocks while loading.
    pub fn open(mut engine: Box<dyn Engine>, schema: Arc<Schema>, options: StoreOptions) -> Result<Store, Error> {
        let kinds: Vec<&'static str> = schema.kinds().collect();
        engine.kinds(&kinds)?;
        let world = image::load(engine.as_mut(), &schema)?;
        let newest = Arc::new(Newest::new(world, options.clock.clone(), options.recent));
        let head = match engine.reader()? {
            None => None,
            Some(reader) => {
                let followed = newest.clone();
                spawn("tail", move || tail::follow(reader, &followed, &schema))?;
                let (sender, questions) = channel();
                let reader = engine.reader()?.ok_or(Error::Closed)?;
                spawn("head", move || tail::tell_head(reader, &questions))?;
                Some(sender)
            }
        };
        let (queue, operations) = channel();
        let fresh_timeout = options.fresh_timeout;
        let commit_loop = CommitLoop::new(engine, newest.clone(), operations, options);
        let commit_loop = Mutex::new(Some(spawn("commit", move || commit_loop.run())?));
        Ok(Store { inner: Arc::new(Inner { newest, queue: Some(queue), commit_loop, head, fresh_timeout }) })
    }

    /// The newest committed image this server has.
    pub fn world(&self) -> World {
        self.inner.newest.world()
    }

    /// An image at or above the newest committed revision of all servers at the time of the call. Needs a tokio runtime with time
    /// when other servers write to the database. Fails with `Unavailable` when the image cannot be brought up to date in time.
    pub async fn fresh(&self) -> Result<World, Error> {
        let Some(questions) = &self.inner.head else { return Ok(self.world()) };
        let caught_up = async {
            let (question, answer) = oneshot::channel();
            questions.send(question).map_err(|_| Error::Closed)?;
            let head = answer.await.map_err(|_| Error::Closed)??;
            let mut here = self.inner.newest.revision.subscribe();
            here.wait_for(|here| *here >= head).await.map_err(|_| Error::Closed)?;
            Ok(self.world())
        };
        tokio::time::timeout(self.inner.fresh_timeout, caught_up).await.unwrap_or_else(|_| {
            let reason = "other servers' changes could not be followed in time".to_owned();
            Err(EngineError { kind: EngineErrorKind::Unavailable, operation: "catching up", reason }.into())
        })
    }

    /// Runs an operation in the log: against the newest world, one at a time, durable before this returns. An operation may be run
    /// again when another server was in the way, so it must be a pure function of what `Tx` gives it. One that panics or
    /// fails leaves no trace; one that changes nothing takes no revision.
    pub async fn commit<T, E, F>(&self, request_id: SmolStr, operation: F) -> Result<Result<Committed<T>, E>, Error>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let queued = Box::new(Queued::new(request_id, operation, caller));
        let queue = self.inner.queue.as_ref().ok_or(Error::Closed)?;
        queue.send(Message::Run(queued)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// The newest image and all commits after it, in order, without gap or repetition. The channel has no bound: read it.
    pub fn subscribe(&self) -> (World, UnboundedReceiver<Arc<Commit>>) {
        self.inner.newest.subscribe()
    }

    /// The commits after a revision up to [`Store::world`], as long as this server still has them in memory; none when it has
    /// not, or when the revision is ahead of it: start from the world then.
    pub fn recent(&self, after: Revision) -> Option<Vec<Arc<Commit>>> {
        self.inner.newest.recent(after)
    }

    /// What the commit loop has done so far.
    pub fn stats(&self) -> Stats {
        self.inner.newest.counters.read()
    }

    /// Finishes what is queued, lets go of the database and returns then. Operations queued later get [`Error::Closed`].
    pub async fn close(&self) {
        let mut ended = self.inner.newest.ended.subscribe();
        if let Some(queue) = &self.inner.queue {
            // It fails when the loop has ended already.
            let _ = queue.send(Message::Close);
        }
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new().name(format!("world-{name}")).spawn(body).map_err(|error| {
        EngineError { kind: EngineErrorKind::Unavailable, operation: "starting a thread", reason: error.to_string() }.into()
    })
}
