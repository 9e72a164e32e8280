//! Which service, and what of addresses is published the other way round.

use crate::{designate, rfc2136};
use std::time::Duration;

/// Addresses lead to names, too (PTR).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reverse {
    /// Bits of the prefix that a zone of IPv4 addresses is of: 8, 16 or 24.
    pub ipv4_bits: u8,
    /// The same of IPv6 addresses, in steps of 4.
    pub ipv6_bits: u8,
}

impl Default for Reverse {
    fn default() -> Reverse {
        Reverse { ipv4_bits: 24, ipv6_bits: 120 }
    }
}

/// Where records are published.
#[derive(Clone, Debug)]
pub enum Service {
    /// By Designate's API.
    Designate(designate::Config),
    /// By dynamic updates.
    Rfc2136(rfc2136::Config),
}

/// What a [`crate::Publisher`] is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where.
    pub service: Service,
    /// Addresses lead to names, too.
    pub reverse: Option<Reverse>,
    /// Zones that the service has; a domain below one is published there. Without: a domain is a zone.
    pub zones: Vec<String>,
    /// How long a change waits for others to go with it.
    pub window: Duration,
    /// The pauses between attempts grow from the first to the second.
    pub back_off: (Duration, Duration),
}

impl Config {
    /// With the defaults.
    pub fn new(service: Service) -> Config {
        let back_off = (Duration::from_millis(500), Duration::from_secs(60));
        Config { service, reverse: Some(Reverse::default()), zones: Vec::new(), window: Duration::from_millis(100), back_off }
    }
}
