//! What another slice adds to a resource: a network's QoS policy, a port's trunk.
//!
//! The binary joins the two where it lists its resources: `ml2::port::resource().with(qos::of_port())`. The resource knows nothing of it.

use crate::{Attribute, Fault, Fields, Op, Resource};
use model::Tagged;
use net::Timestamp;
use std::sync::Arc;
use world::Record;

/// Takes what a client's create or update says of the added attributes into the record. It is given the record as it was before an
/// update (none: a create) and as the resource's own operation has left it; it may refuse.
pub type Set<R> = fn(&mut Op<'_>, Option<&R>, &mut R, &Fields) -> Result<(), Fault>;

/// What has to happen before a client's delete of a record takes effect. May refuse.
pub type BeforeDelete<R> = fn(&mut Op<'_>, &R) -> Result<(), Fault>;

/// Attributes of another slice, and what is done with them. They are declared as the resource's own are, each [`Attribute::of`] its
/// extension. One that the resource has already is that one's wider form: where the extension is there, its type and value hold in place of
/// the resource's own.
pub struct Addition<R: Record> {
    attributes: Vec<Attribute<R>>,
    set: Option<Set<R>>,
    before_delete: Option<BeforeDelete<R>>,
}

impl<R: Record> Addition<R> {
    /// Attributes that are computed.
    pub fn new(attributes: Vec<Attribute<R>>) -> Addition<R> {
        Addition { attributes, set: None, before_delete: None }
    }

    /// Runs after the resource's own create or update, in the same operation.
    #[must_use]
    pub fn set(mut self, set: Set<R>) -> Addition<R> {
        self.set = Some(set);
        self
    }

    /// Runs before the resource's own delete, in the same operation.
    #[must_use]
    pub fn before_delete(mut self, before_delete: BeforeDelete<R>) -> Addition<R> {
        self.before_delete = Some(before_delete);
        self
    }
}

/// The same, as the resource keeps it.
pub struct Added<R> {
    set: Set<R>,
    touch: fn(&mut R, Timestamp),
}

impl<R: Tagged> Resource<R> {
    /// Adds what another slice has for this resource. A record that only the addition changes counts as changed.
    #[must_use]
    pub fn with(mut self, addition: Addition<R>) -> Resource<R> {
        for attribute in addition.attributes {
            match self.attributes.iter_mut().find(|own| own.name == attribute.name) {
                Some(own) => own.widened_by(&attribute),
                None => self.attributes.push(attribute),
            }
        }
        self.before_delete.extend(addition.before_delete);
        self.added.extend(addition.set.map(|set| Added { set, touch: |record, now| record.standard_mut().touch(now) }));
        self
    }
}

impl<R: Record> Added<R> {
    /// Lets all additions see a record that was just created (`before`: none) or updated.
    pub(crate) fn run(added: &[Added<R>], op: &mut Op<'_>, before: Option<&Arc<R>>, id: &R::Id, fields: &Fields) -> Result<(), Fault> {
        for addition in added {
            let Some(there) = op.tx.get::<R>(id).cloned() else { return Ok(()) };
            let mut new = R::clone(&there);
            (addition.set)(op, before.map(Arc::as_ref), &mut new, fields)?;
            if new != *there {
                if before == Some(&there) {
                    (addition.touch)(&mut new, op.tx.context.now);
                }
                op.tx.put(new);
            }
        }
        Ok(())
    }
}
