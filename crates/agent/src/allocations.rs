//! Small numbers given to things that need one on this host.

use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Who has which number: a conntrack zone for a network, a mark for a port. A number stays with its owner, also over
/// restarts: the frame keeps them in the agent's state directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    numbers: BTreeMap<Owner, u32>,
    used: BTreeSet<(SmolStr, u32)>,
    /// Those of a former run, until it is known who still is there.
    recalled: BTreeMap<Owner, u32>,
    reserved: BTreeSet<(SmolStr, u32)>,
    changes: u64,
}

/// Space and owner.
type Owner = (SmolStr, SmolStr);

impl Allocations {
    /// Numbers of a former run: an owner that asks again gets its own, and nobody else does until [`Allocations::settle`].
    pub fn recall(former: impl IntoIterator<Item = (SmolStr, SmolStr, u32)>) -> Allocations {
        let mut allocations = Allocations::default();
        for (space, owner, number) in former {
            if allocations.reserved.insert((space.clone(), number)) {
                allocations.recalled.insert((space, owner), number);
            }
        }
        allocations
    }

    /// All who are there have asked: the numbers of the others are free. Answers those.
    pub fn settle(&mut self) -> Vec<(SmolStr, u32)> {
        self.reserved.clear();
        std::mem::take(&mut self.recalled).into_iter().map(|((space, _), number)| (space, number)).collect()
    }

    /// The number of an owner in a space (`zone`, `mark`), if it has one.
    pub fn get(&self, space: &str, owner: &str) -> Option<u32> {
        self.numbers.get(&(SmolStr::new(space), SmolStr::new(owner))).copied()
    }

    /// The number of an owner, given now if it has none: its former one or the lowest free from 1 to `last`. None: the space is full.
    pub fn give(&mut self, space: &str, owner: &str, last: u32) -> Option<u32> {
        if let Some(number) = self.get(space, owner) {
            return Some(number);
        }
        let owner = (SmolStr::new(space), SmolStr::new(owner));
        let free = |number: &u32| {
            let number = (owner.0.clone(), *number);
            !self.used.contains(&number) && !self.reserved.contains(&number)
        };
        let former = self.recalled.remove(&owner).filter(|number| (1..=last).contains(number));
        let number = match former {
            Some(number) => number,
            None => (1..=last).find(free)?,
        };
        self.used.insert((owner.0.clone(), number));
        self.numbers.insert(owner, number);
        self.changes += 1;
        Some(number)
    }

    /// Takes a number back.
    pub fn release(&mut self, space: &str, owner: &str) {
        let space = SmolStr::new(space);
        if let Some(number) = self.numbers.remove(&(space.clone(), SmolStr::new(owner))) {
            self.used.remove(&(space, number));
            self.changes += 1;
        }
    }

    /// How often something was given or taken back: what was saved at the same count is still right.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// All of them: space, owner, number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        self.numbers.iter().map(|((space, owner), number)| (space.as_str(), owner.as_str(), *number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_keeps_its_number_over_a_restart() {
        let mut first = Allocations::default();
        assert_eq!((first.give("zone", "a", 9), first.give("zone", "b", 9), first.give("mark", "a", 9)), (Some(1), Some(2), Some(1)));
        let former: Vec<_> = first.iter().map(|(space, owner, number)| (space.into(), owner.into(), number)).collect();
        let mut second = Allocations::recall(former);
        assert_eq!(second.give("zone", "c", 9), Some(3), "1 and 2 may be asked for yet");
        assert_eq!(second.give("zone", "b", 9), Some(2));
        assert_eq!(second.settle(), [("mark".into(), 1), ("zone".into(), 1)]);
        assert_eq!(second.give("zone", "d", 9), Some(1));
    }

    #[test]
    fn a_space_ends() {
        let mut allocations = Allocations::default();
        assert_eq!((allocations.give("zone", "a", 1), allocations.give("zone", "b", 1)), (Some(1), None));
        allocations.release("zone", "a");
        assert_eq!(allocations.give("zone", "b", 1), Some(1));
    }
}
