//! The attributes that all resources share.

use net::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// `description`, `created_at`, `updated_at`, `revision_number`.
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
}

impl Standard {
    /// The attributes of something just made.
    pub fn new(now: Timestamp, description: SmolStr) -> Standard {
        Standard { description, created_at: now, updated_at: now, revision_number: 0 }
    }

    /// Notes a change.
    pub fn touch(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.revision_number += 1;
    }
}
