//! What unit tests of this crate share.

pub(crate) use apikit::{Bench, refused};

use api::Settings;
use auth::Caller;

/// A world that a member of the project `p1` changes.
pub(crate) fn lab() -> Bench {
    Bench::new(Settings::new(), Caller::member("p1"))
}
