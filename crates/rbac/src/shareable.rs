//! What a slice says about a type of its objects, so that they can be shared.

use api::{Fault, Op};
use model::{RbacAction, RbacPolicy};
use net::ProjectId;
use uuid::Uuid;
use world::World;

/// True when the last holds for one of the projects that use an object in a way that the action allows.
pub type AnyUser = fn(&World, Uuid, RbacAction, &dyn Fn(&ProjectId) -> bool) -> bool;

/// A type of objects that policies can be about. [`Shareable::new`] is the rest of a literal.
#[derive(Clone, Copy)]
pub struct Shareable {
    /// Its name in policies: `network`.
    pub object_type: &'static str,
    /// What policies about it can allow.
    pub actions: &'static [RbacAction],
    /// Its owner; none: it is not there.
    pub owner: for<'w> fn(&'w World, Uuid) -> Option<&'w ProjectId>,
    /// Who uses one.
    pub any_user: AnyUser,
    /// Before a policy is there, or has another target. May refuse.
    pub check: fn(&World, &RbacPolicy) -> Result<(), Fault>,
    /// After policies about the object changed. May refuse.
    pub changed: fn(&mut Op<'_>, Uuid) -> Result<(), Fault>,
}

impl Shareable {
    /// A type that can be shared, without more to it.
    pub const fn new(
        object_type: &'static str,
        owner: for<'w> fn(&'w World, Uuid) -> Option<&'w ProjectId>,
        any_user: AnyUser,
    ) -> Shareable {
        Shareable { object_type, actions: &[RbacAction::Shared], owner, any_user, check: |_, _| Ok(()), changed: |_, _| Ok(()) }
    }
}

/// All types, as the binary lists them in the settings.
#[derive(Clone, Default)]
pub struct Shareables(pub Vec<Shareable>);

impl Shareables {
    /// The type of this name.
    pub fn of_type(&self, object_type: &str) -> Option<Shareable> {
        self.0.iter().find(|shareable| shareable.object_type == object_type).copied()
    }
}
