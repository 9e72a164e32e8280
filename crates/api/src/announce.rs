//! Who hears of what clients do: before it is tried and once it is done.

use auth::Caller;
use serde_json::Value;
use std::sync::Arc;

/// Before or after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Asked for, and not looked at yet.
    Start,
    /// Done.
    End,
}

/// What a client does.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// The resource: `network`.
    pub resource: &'a str,
    /// `create`, `update`, `delete`, or an action's name: `add_router_interface`.
    pub action: &'a str,
    /// Before or after.
    pub phase: Phase,
    /// The body asked with, then that of the answer; of a delete, what was removed. With the id where it is not in it.
    pub payload: Value,
}

/// Hears of it. It must not take long: the request waits.
pub trait Audience: Send + Sync {
    /// Somebody does something.
    fn hear(&self, caller: &Caller, notice: Notice<'_>);
}

/// Among the settings when there is an audience.
pub struct Announcer(pub Arc<dyn Audience>);
