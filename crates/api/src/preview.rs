//! Extensions whose API is there before hosts do what it says.
//!
//! Such an extension is declared like any other, as a [`Preview`]. Unless the operator turns previews on, nothing that belongs to it is
//! there: its resources' paths are unknown, its attributes on other resources do not exist, and it is not listed. What belongs to it
//! says so in its declaration ([`crate::Resource::extension`], [`crate::Attribute::of`]); the registry does the rest.

use crate::{Extension, Resource};
use smol_str::SmolStr;
use std::collections::HashSet;
use world::Record;

/// An extension that is accepted and kept, but not enforced yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preview {
    /// As it is listed once it is on.
    pub extension: Extension,
    /// What hosts do not do. None: it asks nothing of hosts itself, but is of use only beside one that does.
    pub missing: Option<Missing>,
}

/// What does not happen on hosts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Who would have to do it.
    pub by: Enforcer,
    /// In words, for the operator's log: "ports have no bandwidth limits".
    pub what: &'static str,
}

/// Who makes true on a host what an extension says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Enforcer {
    /// What carries the packets of ports.
    L2,
    /// What carries routers.
    L3,
}

/// What is accepted though hosts do not enforce it, by alias. It is among the settings of every server, for those who show agents.
#[derive(Clone, Default, Debug)]
pub struct Unenforced(pub(crate) Vec<(&'static str, Missing)>);

impl Unenforced {
    /// Each alias, and what does not happen.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Missing)> {
        self.0.iter().copied()
    }

    /// What one does not enforce who would have to, and says that it enforces these.
    pub fn by(&self, enforcer: Enforcer, enforces: &[SmolStr]) -> Vec<&'static str> {
        let lacking = self.iter().filter(|(alias, missing)| missing.by == enforcer && !enforces.iter().any(|one| one == alias));
        lacking.map(|(alias, _)| alias).collect()
    }
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
