//! What an operator may configure; filled once by the binary.

use std::time::Duration;
use world::Clock;

/// Options of this crate.
#[derive(Clone, Debug)]
pub struct Config {
    /// The time that heartbeats are noted with.
    pub clock: Clock,
    /// How long after an agent was last heard it counts as dead (`agent_down_time`).
    pub agent_down_time: Duration,
    /// How far behind, in commits, an agent may come back and get the difference; further back a snapshot is cheaper.
    pub resume_commits: u64,
    /// How long an agent may leave an order unread before its stream ends.
    pub write_timeout: Duration,
    /// How long a stream may stay without its Hello.
    pub hello_timeout: Duration,
    /// Bytes of units in one Delta at most, unless a single unit is larger.
    pub delta_bytes: usize,
    /// Bytes of one report at most; a larger one ends its stream.
    pub report_bytes: usize,
    /// Keys and messages that an agent may report in a second on average; further ones are read later. A burst may be ten times it.
    pub reports_per_second: u32,
    /// Units that may wait for a slow agent; when there are more its stream ends, and it gets a snapshot when it comes back.
    pub waiting_units: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            clock: Clock::system(),
            agent_down_time: Duration::from_secs(75),
            resume_commits: 1024,
            write_timeout: Duration::from_secs(30),
            hello_timeout: Duration::from_secs(10),
            delta_bytes: 1 << 20,
            report_bytes: 1 << 20,
            reports_per_second: 10_000,
            waiting_units: 200_000,
        }
    }
}
