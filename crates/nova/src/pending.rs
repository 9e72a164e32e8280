//! The events that wait to be sent: the last word on each port, in order, and not without end.

use crate::{Event, Name};
use net::{PortId, Revision};
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};

/// Of what an event is the last word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Matter {
    /// Whether the port is plugged.
    Wiring,
    /// What it looks like.
    Looks,
    /// That it was there.
    Life,
}

type Slot = (SmolStr, PortId, Matter);

fn slot(event: &Event) -> Slot {
    let matter = match event.name {
        Name::Plugged | Name::Unplugged => Matter::Wiring,
        Name::Changed => Matter::Looks,
        Name::Deleted => Matter::Life,
    };
    (event.server_uuid.clone(), event.tag, matter)
}

/// An event and the change that it follows from.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) event: Event,
    pub(crate) revision: Revision,
}

#[derive(Debug)]
pub(crate) struct Pending {
    waiting: BTreeMap<u64, Due>,
    places: HashMap<Slot, u64>,
    next: u64,
    most: usize,
    /// What is being sent.
    under_way: Vec<Due>,
    /// All changes up to this one are among the events.
    seen: Revision,
}

impl Pending {
    pub(crate) fn new(seen: Revision, most: usize) -> Pending {
        Pending { waiting: BTreeMap::new(), places: HashMap::new(), next: 0, most, under_way: Vec::new(), seen }
    }

    /// Takes the events of a change; tells how many older ones had to make room.
    pub(crate) fn add(&mut self, revision: Revision, events: Vec<Event>) -> usize {
        for event in events {
            if event.name == Name::Deleted {
                [Matter::Wiring, Matter::Looks].into_iter().for_each(|matter| self.forget(&(event.server_uuid.clone(), event.tag, matter)));
            }
            let slot = slot(&event);
            self.forget(&slot);
            self.waiting.insert(self.next, Due { event, revision });
            self.places.insert(slot, self.next);
            self.next += 1;
        }
        self.seen = self.seen.max(revision);
        let surplus = self.waiting.len().saturating_sub(self.most);
        for _ in 0..surplus {
            self.pop();
        }
        surplus
    }

    fn forget(&mut self, slot: &Slot) {
        if let Some(place) = self.places.remove(slot) {
            self.waiting.remove(&place);
        }
    }

    fn pop(&mut self) -> Option<Due> {
        let (_, due) = self.waiting.pop_first()?;
        self.places.remove(&slot(&due.event));
        Some(due)
    }

    /// Nothing waits and nothing is under way.
    pub(crate) fn is_told(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// The oldest events, to be sent; [`Pending::sent`] or [`Pending::put_back`] follows.
    pub(crate) fn take(&mut self, most: usize) -> Vec<Event> {
        while self.under_way.len() < most
            && let Some(due) = self.pop()
        {
            self.under_way.push(due);
        }
        self.under_way.iter().map(|due| due.event.clone()).collect()
    }

    pub(crate) fn sent(&mut self) {
        self.under_way.clear();
    }

    /// They are sent again before all others, except those on which there is a newer word.
    pub(crate) fn put_back(&mut self) {
        let newer = std::mem::take(&mut self.waiting);
        let overtaken = |due: &Due, places: &HashMap<Slot, u64>| {
            let (server, port, _) = slot(&due.event);
            places.contains_key(&slot(&due.event)) || places.contains_key(&(server, port, Matter::Life))
        };
        let again: Vec<Due> = std::mem::take(&mut self.under_way).into_iter().filter(|due| !overtaken(due, &self.places)).collect();
        self.places.clear();
        for due in again.into_iter().chain(newer.into_values()) {
            self.places.insert(slot(&due.event), self.next);
            self.waiting.insert(self.next, due);
            self.next += 1;
        }
    }

    /// Up to which change all is told.
    pub(crate) fn told(&self) -> Revision {
        let first = self.waiting.values().chain(&self.under_way).map(|due| due.revision).min();
        first.map_or(self.seen, |first| Revision(first.0.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    fn event(name: Name, port: u128) -> Event {
        let status = matches!(name, Name::Plugged | Name::Unplugged).then_some(Status::Completed);
        Event { name, server_uuid: "server".into(), tag: PortId(uuid::Uuid::from_u128(port)), status }
    }

    fn names(events: &[Event]) -> Vec<(Name, u128)> {
        events.iter().map(|event| (event.name, event.tag.0.as_u128())).collect()
    }

    #[test]
    fn the_last_word_on_each_port() {
        let mut pending = Pending::new(Revision(1), 100);
        pending.add(Revision(2), vec![event(Name::Unplugged, 1), event(Name::Changed, 1)]);
        pending.add(Revision(3), vec![event(Name::Changed, 2)]);
        pending.add(Revision(4), vec![event(Name::Plugged, 1)]);
        assert_eq!(pending.told(), Revision(1));
        assert_eq!(names(&pending.take(10)), [(Name::Changed, 1), (Name::Changed, 2), (Name::Plugged, 1)]);
        pending.sent();
        assert_eq!(pending.told(), Revision(4));
        pending.add(Revision(5), vec![event(Name::Plugged, 1), event(Name::Changed, 1)]);
        pending.add(Revision(6), vec![event(Name::Deleted, 1)]);
        assert_eq!(names(&pending.take(10)), [(Name::Deleted, 1)]);
    }

    #[test]
    fn what_was_refused_comes_first_again_unless_overtaken() {
        let mut pending = Pending::new(Revision(0), 100);
        pending.add(Revision(1), vec![event(Name::Plugged, 1), event(Name::Plugged, 2), event(Name::Changed, 3)]);
        assert_eq!(pending.take(2).len(), 2);
        pending.add(Revision(2), vec![event(Name::Unplugged, 2), event(Name::Deleted, 3)]);
        pending.put_back();
        assert_eq!(pending.told(), Revision(0));
        assert_eq!(names(&pending.take(10)), [(Name::Plugged, 1), (Name::Unplugged, 2), (Name::Deleted, 3)]);
        pending.sent();
        assert!(pending.is_told() && pending.told() == Revision(2));
    }

    #[test]
    fn it_has_an_end() {
        let mut pending = Pending::new(Revision(0), 2);
        assert_eq!(pending.add(Revision(1), (1..=5).map(|port| event(Name::Plugged, port)).collect()), 3);
        assert_eq!(names(&pending.take(10)), [(Name::Plugged, 4), (Name::Plugged, 5)]);
    }
}
