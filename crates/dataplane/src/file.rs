//! Files that a daemon of another unit watches: what it answers from, a file for each thing, so that a change is one small file.

use crate::{Digest, Name};
use std::collections::BTreeMap;

/// Contents by name (no slashes). All of a host lie in one directory, which the command line and the files of a daemon call
/// `{files}`; each is replaced at once. Wanted of [`crate::Netns::ROOT`] only.
pub type Files = BTreeMap<Name, String>;

/// The content hash that tells whether a file is right.
pub fn file_digest(content: &str) -> Digest {
    Digest::default().text(content)
}
