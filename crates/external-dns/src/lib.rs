//! Publishes the names of ports and floating IPs in a DNS service outside: Designate ([`designate`]), or any server that takes dynamic updates
//! ([`rfc2136`]).
//!
//! Which records there should be follows from the state ([`wanted`]). A [`Publisher`] makes it so, never holding up a commit: it notes in a
//! file which record sets it is about to touch, touches them, and notes what they are then. Whatever fails, or was under way in a
//! crash, is set again; record sets that it never wrote are not its own and are left alone.
//!
//! Deliberately absent: whose names are published at all (`ml2::external_dns`), and names inside networks (dnsmasq has them).

mod config;
pub mod designate;
mod journal;
mod publisher;
mod record;
pub mod rfc2136;
mod wanted;

pub use config::{Config, Reverse, Service};
pub use journal::Journal;
pub use publisher::Publisher;
pub use record::{Key, Kind, Records, Values};
pub use wanted::{concerns, wanted};

/// Why a record set could not be set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The service cannot be spoken to: nothing can be set now.
    Service(String),
    /// This one cannot, the others may.
    Record(String),
}
