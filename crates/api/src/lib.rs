//! The API frame: from one declaration of each resource come its routes, validation, answers, filters, sorting, pages, policy
//! checks, quota and errors.
//!
//! A slice declares [`Resource`]s: an attribute table ([`Attribute`]) and the operations, pure functions on an [`Op`]. The frame does
//! everything that is the same for all resources. Reads work on a snapshot of the world; writes run in its log. The binary lists
//! what there is in a [`Registry`] and makes a [`Server`] of it.
//!
//! What is deliberately absent: any knowledge of a particular resource, and identity (see `auth`).

mod addition;
mod announce;
mod answer;
mod associations;
mod attribute;
mod body;
mod cell;
mod child;
mod columns;
mod connection;
mod discovery;
mod endpoint;
mod etag;
mod fault;
mod fields;
mod filter;
mod frame;
pub mod json;
mod kind;
mod links;
mod listed;
mod op;
mod openapi;
mod page;
mod preview;
pub mod python;
mod query;
mod quota;
mod registry;
mod resource;
mod route;
pub mod rows;
pub mod schema;
mod server;
mod settings;
mod tags;
mod target;

pub use addition::{Added, Addition, BeforeDelete, Set};
pub use announce::{Announcer, Audience, Notice, Phase};
pub use answer::{Answer, Answering, Collection, Reading, Request};
pub use associations::{Associate, Associations, Dissociate, Given};
pub use attribute::{Attribute, CellOf, Default, Matcher, MatcherOf};
pub use body::{object, refuse_unknown, unwrap};
pub use cell::{Cell, ErasedSerialize};
pub use child::Parent;
pub use etag::Constraint;
pub use fault::Fault;
pub use fields::Fields;
pub use frame::Frame;
pub use kind::{Invalid, Kind};
pub use links::{Links, Tie, Tied};
pub use listed::{Listed, One};
pub use op::{Op, View};
pub use preview::{Enforcer, Missing, Preview, Unenforced};
pub use query::{Query, decode};
pub use quota::QuotaConfig;
pub use registry::{Extension, Mount, Registry, Responding};
pub use resource::{Act, Action, Concerning, Create, Delete, Look, Narrow, Outcome, Prepare, Quota, References, Resource, Update};
pub use route::{Parameter, Route, listed};
pub use server::{Server, ServerOptions};
pub use settings::Settings;
pub use tags::Tagging;
pub use target::{OfParent, OfProject};
