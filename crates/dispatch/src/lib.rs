//! From commits to hosts and back.
pub mod concern;
pub mod project;
