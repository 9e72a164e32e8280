//! Tells Nova what it waits for: that the ports of its servers are wired, have changed or are gone (`os-server-external-events` of the
//! Compute API).
//!
//! What is told follows from the log: [`events`] is a plain function of a change. A [`Courier`] sends it, many events at once, and
//! never holds up a commit: what Nova does not take is kept, the last word on each port, and tried again. How far the log was told is noted in
//! a [`Cursor`]; after a restart whatever changed since is told again, from the state as it is then. An event may thus come twice, which is
//! nothing to Nova, and one that counts is not lost.
//!
//! Deliberately absent: when a port is `ACTIVE` (see `ml2::port::provisioning`), and Placement.

mod client;
mod config;
mod courier;
mod cursor;
mod event;
mod missed;
mod pending;

pub use client::{Nova, Outcome};
pub use config::{Config, Endpoint};
pub use courier::Courier;
pub use cursor::Cursor;
pub use event::{Event, Name, Status, events};
pub use missed::{Behind, missed};
