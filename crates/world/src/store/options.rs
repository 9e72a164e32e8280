//! What a store is told at start.

use net::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells operations the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
        })
    }

    /// A clock of one's own, for tests and the simulator.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// What the store is told at start.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Seed of the randomness that operations get; none takes one from the system.
    pub seed: Option<u64>,
    /// The time that operations get.
    pub clock: Clock,
    /// Most operations in one transaction.
    pub batch: usize,
    /// Changes kept in the log; older ones are removed in the background.
    pub keep_changes: u64,
    /// Changes kept in memory for [`crate::Store::recent`].
    pub recent: usize,
    /// How long [`crate::Store::fresh`] waits for other servers' changes before it fails.
    pub fresh_timeout: Duration,
    /// How often a batch is run again when other servers are in the way, before its callers are told.
    pub attempts: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            seed: None,
            clock: Clock::system(),
            batch: 512,
            keep_changes: 100_000,
            recent: 4096,
            fresh_timeout: Duration::from_secs(10),
            attempts: 20,
        }
    }
}
