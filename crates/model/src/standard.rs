//! The attributes that all resources share.

use net::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::slice::Iter;

/// `description`, `created_at`, `updated_at`, `revision_number`, `tags`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Standard {
    /// Free text of the owner.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub description: SmolStr,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed by a client or by what belongs to it.
    pub updated_at: Timestamp,
    /// Grows with each change; what `If-Match` compares.
    pub revision_number: u64,
    /// Words that clients hang on it, where the resource is [`Tagged`].
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl Standard {
    /// The attributes of something just made.
    pub fn new(now: Timestamp, description: SmolStr) -> Standard {
        Standard { description, created_at: now, updated_at: now, revision_number: 0, tags: Tags::default() }
    }

    /// Notes a change.
    pub fn touch(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.revision_number += 1;
    }
}

/// The tags of a resource: in order, none twice.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<SmolStr>")]
pub struct Tags(Box<[SmolStr]>);

impl Tags {
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when this is one of them.
    pub fn has(&self, tag: &str) -> bool {
        self.0.binary_search_by(|there| there.as_str().cmp(tag)).is_ok()
    }

    /// All, in order.
    pub fn iter(&self) -> Iter<'_, SmolStr> {
        self.0.iter()
    }
}

impl FromIterator<SmolStr> for Tags {
    fn from_iter<I: IntoIterator<Item = SmolStr>>(tags: I) -> Tags {
        let mut tags: Vec<SmolStr> = tags.into_iter().collect();
        tags.sort_unstable();
        tags.dedup();
        Tags(tags.into())
    }
}

impl From<Vec<SmolStr>> for Tags {
    fn from(tags: Vec<SmolStr>) -> Tags {
        tags.into_iter().collect()
    }
}

impl<'t> IntoIterator for &'t Tags {
    type Item = &'t SmolStr;
    type IntoIter = Iter<'t, SmolStr>;

    fn into_iter(self) -> Iter<'t, SmolStr> {
        self.iter()
    }
}

/// A resource that has tags (extension `standard-attr-tag`).
pub trait Tagged: world::Record {
    /// Its common attributes, the tags among them.
    fn standard(&self) -> &Standard;
    /// The same, to be changed.
    fn standard_mut(&mut self) -> &mut Standard;
}

/// Which resources have tags. A new one is a name here.
macro_rules! tagged {
    ($($record:ident),* $(,)?) => {
        $(impl Tagged for crate::$record {
            fn standard(&self) -> &Standard {
                &self.standard
            }

            fn standard_mut(&mut self) -> &mut Standard {
                &mut self.standard
            }
        })*
    };
}
tagged![Network, Subnet, Port, SecurityGroup, Router, FloatingIp, SubnetPool, QosPolicy, Trunk, SegmentRange];
