//! What every request has in common: the log, the policy, the settings.

use crate::quota::Counted;
use crate::{Fault, Op, Settings};
use auth::{Caller, Policy};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use world::{Committed, Store, World};

/// Shared by all requests.
pub struct Frame {
    /// The log and its newest image.
    pub store: Store,
    /// The policy rules.
    pub policy: Policy,
    /// Configuration and soft state.
    pub settings: Settings,
    /// The largest page of a list; none: no limit.
    pub largest_page: Option<usize>,
    pub(crate) counted: Vec<Counted>,
    /// True when no rule is the operator's.
    pub(crate) is_default_policy: bool,
}

impl Frame {
    /// A world that contains everything answered before this call.
    pub async fn fresh(&self) -> Result<World, Fault> {
        self.store.fresh().await.map_err(|error| unavailable(&error))
    }

    /// Runs an operation in the log and answers when it is durable. A fault leaves no trace; a panic is a fault.
    pub async fn commit<T, F>(self: &Arc<Self>, caller: &Caller, operation: F) -> Result<Committed<T>, Fault>
    where
        T: Send + 'static,
        F: Fn(&Frame, &mut Op<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (frame, caller, request_id) = (Arc::clone(self), caller.clone(), caller.request_id.clone());
        let run = move |tx: &mut world::Tx| {
            let mut op = Op { tx, caller: &caller, settings: &frame.settings };
            catch_unwind(AssertUnwindSafe(|| operation(&frame, &mut op))).unwrap_or_else(|_| {
                tracing::error!(request_id = %caller.request_id, "an operation panicked");
                Err(Fault::internal())
            })
        };
        self.store.commit(request_id, run).await.map_err(|error| unavailable(&error))?
    }
}

/// The log could not be read or written: 503 for the client, the reason for the operator.
fn unavailable(error: &world::Error) -> Fault {
    tracing::error!(%error, "the store failed");
    Fault::unavailable()
}
