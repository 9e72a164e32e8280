//! Extensions whose API is there before hosts do what it says.
//!
//! Such an extension is declared like any other, as a [`Preview`]. Unless the operator turns previews on, nothing that belongs to it is
//! there: its resources' paths are unknown, its attributes on other resources do not exist, and it is not listed. What belongs to it
//! says so in its declaration ([`crate::Resource::extension`], [`crate::Attribute::of`]); the registry does the rest.

use crate::{Extension, Resource};
use std::collections::HashSet;
use world::Record;

/// An extension that is accepted and kept, but not enforced yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preview {
    /// As it is listed once it is on.
    pub extension: Extension,
    /// What hosts do not do, for the operator's log: "ports have no bandwidth limits". None: it asks nothing of hosts itself, but is of
    /// use only beside one that does.
    pub missing: Option<&'static str>,
}

/// The aliases that are off.
#[derive(Default)]
pub(crate) struct Off(pub(crate) HashSet<&'static str>);

impl Off {
    /// True when what belongs to this extension is not there; what belongs to none always is.
    pub(crate) fn has(&self, extension: Option<&'static str>) -> bool {
        extension.is_some_and(|alias| self.0.contains(alias))
    }

    /// The resource without the attributes that are off.
    pub(crate) fn strip<R: Record>(&self, mut resource: Resource<R>) -> Resource<R> {
        resource.attributes.retain(|attribute| !self.has(attribute.extension));
        for attribute in &mut resource.attributes {
            let widens = attribute.wider.as_ref().is_some_and(|wider| !self.has(Some(wider.extension)));
            if widens {
                attribute.widen();
            }
        }
        resource
    }
}
