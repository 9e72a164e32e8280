//! RBAC policies: objects that projects share with each other.
//!
//! [`access`] answers who may use what, and is what slices ask wherever a request names an object by its id; [`policy`] is the resource
//! `rbac-policies`; [`Shareable`] is what a slice says about a type of its objects, so that they can be shared. A new type is one such
//! value, and a line in the binary's list of them.
//!
//! Deliberately absent: what an object's slice makes of being shared (`shared` of networks, `router:external`).

pub mod access;
mod extensions;
pub mod policy;
mod shareable;

pub use extensions::extensions;
pub use shareable::{Shareable, Shareables};
