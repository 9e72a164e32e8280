//! What is due after a restart: the log says which ports changed since Nova was told last, the state says what they are now.

use crate::event::plugged;
use crate::{Event, Name};
use model::{FloatingIp, Port};
use net::PortId;
use std::collections::{BTreeMap, BTreeSet};
use world::{LoggedChange, Record, World};

/// What the log has that Nova was not told.
#[derive(Debug)]
pub enum Behind {
    /// These changes.
    Changes(Vec<LoggedChange>),
    /// It does not go back that far.
    Unknown,
}

/// The events that are due. When the log does not say, they are those of all ports.
///
/// A port that is gone can be told of when the log has it from before; else Nova finds out by itself when it looks at the server's ports.
pub fn missed(behind: &Behind, world: &World) -> Vec<Event> {
    let Behind::Changes(changes) = behind else {
        return world.table::<Port>().iter().flat_map(|port| state(port)).collect();
    };
    let mut ports: BTreeSet<PortId> = BTreeSet::new();
    let mut last: BTreeMap<PortId, Port> = BTreeMap::new();
    let mut gone = Vec::new();
    for entry in changes.iter().flat_map(|change| &change.entries) {
        if entry.kind == FloatingIp::KIND {
            let row = entry.row.as_ref().and_then(|row| serde_json::from_str::<FloatingIp>(&row.body).ok());
            ports.extend(row.and_then(|floating_ip| floating_ip.port_id));
        }
        let Some(id) = (entry.kind == Port::KIND).then(|| entry.id.parse::<PortId>().ok()).flatten() else { continue };
        ports.insert(id);
        match &entry.row {
            Some(row) => _ = serde_json::from_str::<Port>(&row.body).ok().and_then(|port| last.insert(id, port)),
            None => gone.extend(last.remove(&id).and_then(|port| Event::of(&port, Name::Deleted, None))),
        }
    }
    let there = ports.iter().filter_map(|id| world.get::<Port>(id));
    gone.into_iter().chain(there.flat_map(|port| state(port))).collect()
}

/// What a port is, as events.
fn state(port: &Port) -> impl Iterator<Item = Event> {
    Event::of(port, Name::Changed, None).into_iter().chain(plugged(port))
}
