//! Who asks, and may they: callers, policy rules, and the identity that turns tokens into callers.
//!
//! [`Caller`] is the answer to "who asks"; [`policy`] holds the oslo.policy rule language with the default rules of the
//! Networking API and the operator's overrides; [`identity`] checks the credentials of a request (built-in identity or
//! none). Deliberately absent: HTTP serving (the `api` crate mounts [`identity`]'s pure request handler) and any
//! knowledge of what a network or port is (resources present themselves to a rule as a [`policy::Target`]).

pub mod caller;
pub mod identity;
pub mod policy;

pub use caller::{Caller, Principal, Roles};
pub use identity::{Identity, Unauthorized};
pub use policy::{Decision, Denied, Policy, Requirement, RuleId, Target, Value};
