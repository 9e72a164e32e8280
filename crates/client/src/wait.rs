//! Waiting for a condition: tests and commands look at state, they never sleep for a fixed time.

use std::fmt;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Why a wait ended without its condition.
#[derive(Debug)]
pub enum WaitError<E> {
    /// The look itself failed.
    Failed(E),
    /// Time ran out.
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
    },
}

impl<E: fmt::Display> fmt::Display for WaitError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::Failed(error) => error.fmt(f),
            WaitError::Timeout { what, waited } => write!(f, "waited {:.1} s in vain for {what}", waited.as_secs_f64()),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for WaitError<E> {}

/// Looks until there is something to return, at growing intervals from 5 to 100 ms. `what` completes "waited in vain for …".
pub fn wait_until<T, E>(what: &str, within: Duration, mut look: impl FnMut() -> Result<Option<T>, E>) -> Result<T, WaitError<E>> {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(found) = look().map_err(WaitError::Failed)? {
            return Ok(found);
        }
        let waited = start.elapsed();
        if waited >= within {
            return Err(WaitError::Timeout { what: what.to_owned(), waited });
        }
        std::thread::sleep(pause.min(within.saturating_sub(waited)).max(Duration::from_millis(1)));
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_what_is_found() {
        let mut looks = 0;
        let found = wait_until("the third look", Duration::from_secs(5), || {
            looks += 1;
            Ok::<_, String>((looks == 3).then_some(looks))
        });
        assert_eq!(found.unwrap(), 3);
    }

    #[test]
    fn says_what_did_not_come() {
        let error = wait_until("rain", Duration::from_millis(20), || Ok::<Option<()>, String>(None)).unwrap_err();
        assert!(error.to_string().ends_with("in vain for rain"), "{error}");
        let error = wait_until("rain", Duration::from_secs(5), || Err::<Option<()>, _>("broken".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "broken");
    }
}
