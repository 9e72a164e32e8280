//! An operation on its way through the commit loop.

use super::{Committed, Error};
use crate::{Change, Tx, World};
use smol_str::SmolStr;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

pub(super) type Answer<T, E> = Result<Result<Committed<T>, E>, Error>;

/// A queued operation whose types are known only to its caller.
pub(super) trait Operation: Send {
    fn request_id(&self) -> &SmolStr;

    /// Runs it; returns the world it leaves and what it changed, nothing when it failed. May be called again.
    fn run(&mut self, tx: Tx) -> Option<(World, Change)>;

    /// Says which world its answer is to be made from.
    fn settle(&mut self, world: World);

    /// Tells the caller the outcome of the last run.
    fn answer(self: Box<Self>);

    /// Tells the caller that the log did not take it.
    fn fail(self: Box<Self>, error: Error);
}

enum Outcome<T, E> {
    Waiting,
    Failed(E),
    Panicked(String),
    Done(T, Option<World>),
}

pub(super) struct Queued<T, E, F> {
    request_id: SmolStr,
    operation: F,
    outcome: Outcome<T, E>,
    caller: oneshot::Sender<Answer<T, E>>,
}

impl<T, E, F> Queued<T, E, F> {
    pub(super) fn new(request_id: SmolStr, operation: F, caller: oneshot::Sender<Answer<T, E>>) -> Self {
        Queued { request_id, operation, outcome: Outcome::Waiting, caller }
    }
}

impl<T, E, F> Operation for Queued<T, E, F>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
{
    fn request_id(&self) -> &SmolStr {
        &self.request_id
    }

    fn run(&mut self, mut tx: Tx) -> Option<(World, Change)> {
        // The transaction is dropped when the operation panics, so nothing half made is seen afterwards.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let answer = (self.operation)(&mut tx)?;
            Ok((answer, tx.finish()))
        }));
        match ran {
            Ok(Ok((answer, end))) => {
                self.outcome = Outcome::Done(answer, None);
                Some(end)
            }
            Ok(Err(error)) => {
                self.outcome = Outcome::Failed(error);
                None
            }
            Err(panic) => {
                let words = words(panic.as_ref());
                tracing::error!(request_id = %self.request_id, panic = words, "an operation panicked; nothing of it was kept");
                self.outcome = Outcome::Panicked(words.to_owned());
                None
            }
        }
    }

    fn settle(&mut self, newest: World) {
        if let Outcome::Done(_, world) = &mut self.outcome {
            *world = Some(newest);
        }
    }

    fn answer(self: Box<Self>) {
        let answer = match self.outcome {
            Outcome::Done(answer, Some(world)) => Ok(Ok(Committed { answer, revision: world.revision(), world })),
            Outcome::Failed(error) => Ok(Err(error)),
            Outcome::Panicked(words) => Err(Error::Panicked(words)),
            Outcome::Waiting | Outcome::Done(_, None) => Err(Error::Closed),
        };
        // A caller that has gone away needs no answer.
        let _ = self.caller.send(answer);
    }

    fn fail(self: Box<Self>, error: Error) {
        let _ = self.caller.send(Err(error));
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
