//! What slices above this one do when something here changes: routers when a port goes or an agent dies.
//!
//! The binary lists them in the settings as [`Dependents`]; they run in the operation that causes them, so that nothing between
//! the two is ever seen. Without any, this crate is whole by itself.

use api::{Fault, Op};
use model::{Agent, Network, Port};

/// Why an agent can no longer be counted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// It is not heard any more, and may come back.
    Silent,
    /// It was disabled: it keeps what is scheduled to it and carries none of it.
    Disabled,
    /// It was deleted.
    Deleted,
}

/// What one slice does. [`Dependent::NOTHING`] is the rest of a literal.
#[derive(Clone, Copy)]
pub struct Dependent {
    /// Before a client's new port is there. May refuse.
    pub port_create: fn(&mut Op<'_>, &Port) -> Result<(), Fault>,
    /// Before a client's update of a port takes effect: the port as it is and as it would be. May refuse.
    pub port_update: fn(&mut Op<'_>, &Port, &Port) -> Result<(), Fault>,
    /// Before a client's delete of a port takes effect. May refuse.
    pub port_delete: fn(&mut Op<'_>, &Port) -> Result<(), Fault>,
    /// Before a client's delete of a network is judged: what goes with it.
    pub network_delete: fn(&mut Op<'_>, &Network),
    /// An agent has come, come back, or was enabled.
    pub agent_able: fn(&mut Op<'_>, &Agent),
    /// An agent was lost or disabled; deleted ones are not in the world any more.
    pub agent_lost: fn(&mut Op<'_>, &Agent, Lost),
}

impl Dependent {
    /// Does nothing.
    pub const NOTHING: Dependent = Dependent {
        port_create: |_, _| Ok(()),
        port_update: |_, _, _| Ok(()),
        port_delete: |_, _| Ok(()),
        network_delete: |_, _| {},
        agent_able: |_, _| {},
        agent_lost: |_, _, _| {},
    };
}

/// All slices that depend on this one, in the order in which they are asked.
#[derive(Clone, Default)]
pub struct Dependents(pub Vec<Dependent>);

/// Copied, because they are given the operation whose settings hold them.
pub(crate) fn dependents(op: &Op<'_>) -> Vec<Dependent> {
    op.settings.find::<Dependents>().map(|dependents| dependents.0.clone()).unwrap_or_default()
}
