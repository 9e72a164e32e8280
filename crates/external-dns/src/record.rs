//! Record sets.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// The type of a record (RFC 1035, RFC 3596).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A name.
    Ptr,
}

impl Kind {
    /// As zone files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
            Kind::Ptr => "PTR",
        }
    }
}

/// Which record set. Names are whole, with a final dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Key {
    /// The zone that it is in.
    pub zone: SmolStr,
    /// Whose.
    pub name: SmolStr,
    /// Of which type.
    pub kind: Kind,
}

/// Addresses or names, as text; none: no such record set.
pub type Values = BTreeSet<SmolStr>;

/// Record sets and their values.
pub type Records = BTreeMap<Key, Values>;
