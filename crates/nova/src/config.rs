//! Where Nova is and how it is spoken to.

use auth::identity::keystone::Credentials;
use std::time::Duration;

/// Where the Compute API is.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// `http://host:8774/v2.1`.
    Url(String),
    /// As the catalog says.
    Catalog {
        /// `public`, `internal` or `admin`.
        interface: String,
        /// When there are several.
        region: Option<String>,
    },
}

/// What a [`crate::Courier`] is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// As whom Nova is spoken to; the role service or admin is needed.
    pub user: Credentials,
    /// Where Nova is.
    pub endpoint: Endpoint,
    /// How long an event waits for others to go with it.
    pub window: Duration,
    /// Most events in one request.
    pub batch: usize,
    /// Most events that wait; of more the oldest are forgotten.
    pub waiting: usize,
    /// The pauses between attempts grow from the first to the second.
    pub back_off: (Duration, Duration),
}

impl Config {
    /// With the defaults. A request of 500 events stays below the 112 KiB that Nova reads.
    pub fn new(user: Credentials) -> Config {
        Config {
            user,
            endpoint: Endpoint::Catalog { interface: "public".to_owned(), region: None },
            window: Duration::from_millis(20),
            batch: 500,
            waiting: 100_000,
            back_off: (Duration::from_millis(250), Duration::from_secs(15)),
        }
    }
}
