//! The API frame: from one declaration of each resource come its routes, validation, answers, filters, sorting, pages, policy
//! checks, quota and errors.
//!
//! A slice declares [`Resource`]s: an attribute table ([`Attribute`]) and the operations, pure functions on an [`Op`]. The frame does
//! everything that is the same for all resources. Reads work on a snapshot of the world; writes run in its log.
//!
//! What is deliberately absent: any knowledge of a particular resource, and identity (see `auth`).

mod attribute;
mod cell;
mod fault;
mod fields;
mod kind;
mod op;
pub mod python;
mod resource;
mod settings;

pub use attribute::{Attribute, CellOf, Default, Matcher, MatcherOf};
pub use cell::{Cell, ErasedSerialize};
pub use fault::Fault;
pub use fields::Fields;
pub use kind::{Invalid, Kind};
pub use op::{Op, View};
pub use resource::{Prepare, Quota, Resource};
pub use settings::Settings;
