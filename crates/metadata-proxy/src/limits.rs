//! How many connections there may be: of one address, in one namespace, and at all. One more is closed at once.

use smol_str::SmolStr;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Of one address: a guest asks one thing after the other.
const OF_A_SOURCE: usize = 16;
/// In one namespace, where a guest without anti-spoofing may have many addresses.
const OF_A_SPACE: usize = 256;
/// At all.
const OF_ALL: usize = 4096;

/// The connections there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    spaces: HashMap<SmolStr, usize>,
    sources: HashMap<(SmolStr, IpAddr), usize>,
}

/// One connection, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Place {
    limits: Limits,
    space: SmolStr,
    source: IpAddr,
}

impl Limits {
    /// A place for a connection, if there is one left.
    pub(crate) fn enter(&self, space: &SmolStr, source: IpAddr) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = counts.sources.get(&(space.clone(), source)).copied().unwrap_or(0);
        let of_space = counts.spaces.get(space).copied().unwrap_or(0);
        if of_source >= OF_A_SOURCE || of_space >= OF_A_SPACE || counts.all >= OF_ALL {
            return None;
        }
        counts.all += 1;
        *counts.spaces.entry(space.clone()).or_default() += 1;
        *counts.sources.entry((space.clone(), source)).or_default() += 1;
        Some(Place { limits: self.clone(), space: space.clone(), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        leave(&mut counts.spaces, &self.space);
        leave(&mut counts.sources, &(self.space.clone(), self.source));
    }
}

/// Nothing is kept of who has no connection.
fn leave<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(number: usize) -> IpAddr {
        IpAddr::from([10, 0, (number / 256) as u8, (number % 256) as u8])
    }

    #[test]
    fn one_takes_its_share_and_no_more() {
        let limits = Limits::default();
        let (here, there) = (SmolStr::new("here"), SmolStr::new("there"));
        let mut taken: Vec<Place> = (0..OF_A_SOURCE).map(|_| limits.enter(&here, source(1)).expect("a place")).collect();
        assert!(limits.enter(&here, source(1)).is_none(), "one too many");
        assert!(limits.enter(&here, source(2)).is_some() && limits.enter(&there, source(1)).is_some(), "others are not concerned");
        taken.pop();
        taken.push(limits.enter(&here, source(1)).expect("one has gone"));
        taken.extend((0..OF_A_SPACE - OF_A_SOURCE).map(|n| limits.enter(&here, source(1000 + n)).expect("a place")));
        assert!(limits.enter(&here, source(3)).is_none(), "however many addresses it has");
        assert!(limits.enter(&there, source(3)).is_some());
        drop(taken);
        let counts = limits.0.lock().expect("whole");
        assert!(counts.all == 0 && counts.spaces.is_empty() && counts.sources.is_empty(), "{counts:?}");
    }
}
