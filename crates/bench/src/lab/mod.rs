//! The private machine that data plane measurements run in: namespaces, instances, the server under test, kernel events.
//!
//! It speaks rtnetlink by itself, so that what is measured and what measures share no code.

pub mod api;
pub mod events;
pub mod instance;
pub mod machine;
pub mod namespace;
pub mod objects;
pub mod rtnl;
pub mod server;
