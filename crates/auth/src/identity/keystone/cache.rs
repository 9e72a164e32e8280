//! What Keystone said of tokens. Tokens themselves are not kept, only their hashes.

use crate::Principal;
use ring::digest::{SHA256, digest};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Answers kept; when there are more, those that no longer count go, and everything if all of them do.
const CAPACITY: usize = 16_384;

/// Names a question: the token, and whether it may have expired.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32], bool);

impl Key {
    pub(super) fn of(token: &str, allow_expired: bool) -> Key {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Key(bytes, allow_expired)
    }

    /// One of this many slots, the same for the same token.
    pub(super) fn slot(&self, slots: usize) -> usize {
        usize::from(self.0[0]) % slots
    }
}

#[derive(Debug)]
struct Entry {
    principal: Option<Arc<Principal>>,
    until: Instant,
}

/// A bounded map from questions to answers.
pub(super) struct Cache(RwLock<HashMap<Key, Entry>>);

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    pub(super) fn new() -> Cache {
        Cache(RwLock::default())
    }

    /// The answer that still counts; `Some(None)`: the token is known not to be valid.
    pub(super) fn get(&self, key: &Key) -> Option<Option<Arc<Principal>>> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|entry| Instant::now() < entry.until).map(|entry| entry.principal.clone())
    }

    pub(super) fn put(&self, key: Key, principal: Option<Arc<Principal>>, lasts: Duration) {
        let now = Instant::now();
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| now < entry.until);
        }
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, Entry { principal, until: now + lasts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_its_question_and_time() {
        let cache = Cache::new();
        let long = Duration::from_secs(60);
        cache.put(Key::of("a", false), Some(Arc::default()), long);
        cache.put(Key::of("b", false), None, long);
        cache.put(Key::of("c", false), None, Duration::ZERO);
        assert!(matches!(cache.get(&Key::of("a", false)), Some(Some(_))));
        assert!(cache.get(&Key::of("a", true)).is_none(), "another question");
        assert!(matches!(cache.get(&Key::of("b", false)), Some(None)));
        assert!(cache.get(&Key::of("c", false)).is_none(), "its time is over");
    }

    #[test]
    fn the_size_is_bounded() {
        let cache = Cache::new();
        for index in 0..3 * CAPACITY {
            cache.put(Key::of(&index.to_string(), false), None, Duration::from_secs(60));
        }
        assert!(cache.0.read().expect("not poisoned").len() <= CAPACITY);
    }
}
