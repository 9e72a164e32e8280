//! A token bucket: whoever takes too much waits.

use std::time::Duration;
use tokio::time::Instant;

pub(crate) struct Limit {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Limit {
    pub(crate) fn new(per_second: u32, now: Instant) -> Limit {
        let per_second = f64::from(per_second.max(1));
        Limit { per_second, burst: per_second * 10.0, tokens: per_second * 10.0, filled: now }
    }

    /// Takes tokens; returns how long to wait before going on. More than a burst at once is paid off by waiting.
    pub(crate) fn take(&mut self, tokens: usize, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst) - tokens as f64;
        Duration::from_secs_f64((-self.tokens / self.per_second).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_too_much_waits() {
        let start = Instant::now();
        let mut limit = Limit::new(100, start);
        assert_eq!(limit.take(1000, start), Duration::ZERO);
        assert_eq!(limit.take(50, start), Duration::from_millis(500));
        assert_eq!(limit.take(0, start + Duration::from_millis(500)), Duration::ZERO);
        // A long silence gives no more than a burst.
        assert_eq!(limit.take(1100, start + Duration::from_secs(3600)), Duration::from_secs(1));
    }
}
