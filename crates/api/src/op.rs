//! What an operation and an attribute may look at.

use crate::Settings;
use auth::Caller;
use world::{Tx, World};

/// A record as a caller sees it in one world: what attributes are computed from.
pub struct View<'a, R> {
    /// The snapshot.
    pub world: &'a World,
    /// Who asks.
    pub caller: &'a Caller,
    /// Configuration and soft state.
    pub settings: &'a Settings,
    /// The record.
    pub record: &'a R,
}

/// A write in progress: a pure function of what this gives it.
pub struct Op<'a> {
    /// The newest world, with this operation's changes.
    pub tx: &'a mut Tx,
    /// Who asks.
    pub caller: &'a Caller,
    /// Configuration and soft state.
    pub settings: &'a Settings,
}
