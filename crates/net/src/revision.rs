//! Positions in the change log, and points in time as the API shows them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Position in the log of changes; the state of the network at a revision is immutable. Starts at 0 (empty).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision after this one.
    pub fn next(self) -> Revision {
        Revision(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A point in time in whole seconds since the Unix epoch, UTC; the API shows `YYYY-MM-DDTHH:MM:SSZ`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    fn parts(self) -> jiff::civil::DateTime {
        jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(jiff::tz::TimeZone::UTC).datetime()
    }

    /// `YYYY-MM-DD HH:MM:SS`, the form that agents' timestamps have in the API.
    pub fn with_space(self) -> String {
        self.parts().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.parts();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.year(), t.month(), t.day(), t.hour(), t.minute(), t.second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_as_the_api_shows_them() {
        assert_eq!(Timestamp(1_795_223_501).to_string(), "2026-11-21T01:11:41Z");
        assert_eq!(Timestamp(1_795_223_501).with_space(), "2026-11-21 01:11:41");
    }
}
