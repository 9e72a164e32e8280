//! Tokens that were found valid, so that a request does not verify its token anew.

use crate::Principal;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

const SHARDS: usize = 16;
/// Tokens kept per shard; a full shard is emptied of what no longer counts, and of everything if all of it does.
const SHARD_CAPACITY: usize = 1024;

#[derive(Debug)]
struct Entry {
    principal: Arc<Principal>,
    expires_us: i64,
    generation: u64,
}

/// A bounded map from token to principal. An entry counts until its token expires or the generation moves on.
#[derive(Debug, Default)]
pub(super) struct Cache {
    shards: [RwLock<HashMap<Box<str>, Entry>>; SHARDS],
}

impl Cache {
    /// The last characters of a token belong to its seal and are evenly distributed.
    fn shard(&self, token: &str) -> &RwLock<HashMap<Box<str>, Entry>> {
        let last = token.as_bytes().iter().rev().nth(1).copied().unwrap_or_default();
        &self.shards[usize::from(last) % SHARDS]
    }

    pub(super) fn get(&self, token: &str, generation: u64, now_us: i64) -> Option<Arc<Principal>> {
        let shard = self.shard(token).read().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.get(token)?;
        (entry.generation == generation && now_us < entry.expires_us).then(|| entry.principal.clone())
    }

    /// `generation` is the one that was current before the token was verified.
    pub(super) fn put(&self, token: &str, principal: Arc<Principal>, expires_us: i64, generation: u64, now_us: i64) {
        let mut shard = self.shard(token).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= SHARD_CAPACITY {
            shard.retain(|_, entry| entry.generation == generation && now_us < entry.expires_us);
        }
        if shard.len() >= SHARD_CAPACITY {
            shard.clear();
        }
        shard.insert(token.into(), Entry { principal, expires_us, generation });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_end_with_their_token_or_generation() {
        let cache = Cache::default();
        cache.put("token", Arc::default(), 100, 1, 0);
        assert!(cache.get("token", 1, 99).is_some());
        assert!(cache.get("token", 1, 100).is_none());
        assert!(cache.get("token", 2, 0).is_none());
        assert!(cache.get("other", 1, 0).is_none());
    }

    #[test]
    fn the_size_is_bounded() {
        let cache = Cache::default();
        for index in 0..3 * SHARDS * SHARD_CAPACITY {
            cache.put(&format!("{index:08}"), Arc::default(), 100, 1, 0);
        }
        let total: usize = cache.shards.iter().map(|shard| shard.read().expect("not poisoned").len()).sum();
        assert!(total <= SHARDS * SHARD_CAPACITY, "{total}");
    }
}
