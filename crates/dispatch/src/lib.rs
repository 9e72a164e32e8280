//! From commits to hosts, and from hosts back to the log.
//!
//! For each commit, [`concern`] tells which units of which hosts it may have touched; [`project`] computes those units from
//! the world; the stream of each host carries what is different. Agents attach over mutual TLS ([`Dispatcher::serve_tls`]) or inside
//! the process ([`Dispatcher::attach_local`]); an agent that comes back says what it has and gets the difference.
//!
//! What agents may rely on, besides the contract in `intent`:
//! - After a Snapshot and after each put of a unit, also when its body is the same as before, the server wants to hear by Realised when the
//!   unit is in force: it puts a unit again when a report of it may have been lost.
//! - A Realised carries the revision of the last Synced (or Delta) that the state in force includes; reports of revisions that were
//!   not told on this stream, and are not the one the agent resumed from, are left aside.
//! - Faults are forgotten when a stream ends; an agent says them again after it has attached.
//! - A stream ends with a status: `INVALID_ARGUMENT` and `RESOURCE_EXHAUSTED` for what cannot be read, `PERMISSION_DENIED` for what is
//!   another host's, `FAILED_PRECONDITION` for another version of the contract, `ABORTED` when a newer stream of the host took over or the
//!   agent is too slow, `UNAVAILABLE` when the server cannot serve now. After the last two an agent comes back.
//!
//! Deliberately absent: what the operations on agents and ports do (`ml2`), and sharing of heartbeats between servers.

mod board;
mod client;
pub mod concern;
mod config;
pub mod epoch;
mod hello;
mod history;
mod limit;
mod listen;
mod peer;
pub mod pki;
pub mod project;
mod server;
mod tell;
mod transport;

pub use board::UnitFault;
pub use client::{AgentCredentials, CredentialsError};
pub use config::Config;
pub use hello::{PROTOCOL, is_host_name};
pub use pki::Pki;
pub use server::{Dispatcher, Orders};
