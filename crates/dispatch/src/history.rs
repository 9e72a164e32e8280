//! Since which revision things are where they are, as far back as it matters for reports that are on their way.
//!
//! A report says of which revision it is. A host that reports for what was taken from it speaks of the past and is not listened to; one
//! that reports although it has been told is lying.

use model::{FloatingIp, Network, Port};
use net::{FloatingIpId, NetworkId, PortId, Revision};
use std::collections::{HashMap, VecDeque};
use world::{Change, Entry, Record};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Fact {
    /// To which host the port is bound.
    Bound(PortId),
    /// On which hosts the port is prepared.
    Prepared(PortId),
    /// That DHCP is waited for.
    DhcpAwaited(PortId),
    /// Which DHCP agents serve the network.
    Served(NetworkId),
    /// Where the floating IP leads.
    Leads(FloatingIpId),
}

pub(crate) struct History {
    since: HashMap<Fact, Revision>,
    order: VecDeque<(Fact, Revision)>,
    keep: usize,
    /// Facts that are not noted are at most this new.
    floor: Revision,
}

impl History {
    pub(crate) fn new(start: Revision, keep: usize) -> History {
        History { since: HashMap::new(), order: VecDeque::new(), keep, floor: start }
    }

    /// Since when it has been so; when that is forgotten, the latest it can have been.
    pub(crate) fn since(&self, fact: Fact) -> Revision {
        self.since.get(&fact).copied().unwrap_or(self.floor)
    }

    pub(crate) fn note(&mut self, revision: Revision, change: &Change) {
        for entry in change.entries() {
            for fact in facts(entry).into_iter().flatten() {
                self.since.insert(fact, revision);
                self.order.push_back((fact, revision));
            }
        }
        while self.order.len() > self.keep {
            let Some((fact, revision)) = self.order.pop_front() else { break };
            self.floor = self.floor.max(revision);
            if self.since.get(&fact) == Some(&revision) {
                self.since.remove(&fact);
            }
        }
    }
}

fn facts(entry: &Entry) -> [Option<Fact>; 3] {
    if entry.kind() == Port::KIND {
        let (before, after) = (entry.before::<Port>(), entry.after::<Port>());
        let Some(after) = after else { return [None, None, None] };
        let moved = before.and_then(Port::bound_host) != after.bound_host();
        let awaited = after.provisioning.dhcp && !before.is_some_and(|before| before.provisioning.dhcp);
        let prepared = before.is_some_and(|before| !before.standby_hosts().eq(after.standby_hosts()));
        [
            moved.then_some(Fact::Bound(after.id)),
            awaited.then_some(Fact::DhcpAwaited(after.id)),
            prepared.then_some(Fact::Prepared(after.id)),
        ]
    } else if entry.kind() == Network::KIND {
        let agents = |network: Option<&Network>| network.map(|network| network.dhcp_agents.clone()).unwrap_or_default();
        let id = entry.after::<Network>().map(|network| network.id);
        let changed = agents(entry.before()) != agents(entry.after());
        [id.filter(|_| changed).map(Fact::Served), None, None]
    } else if entry.kind() == FloatingIp::KIND {
        let leads = |floating_ip: Option<&FloatingIp>| floating_ip.map(|f| (f.router_id, f.fixed_ip_address));
        let id = entry.after::<FloatingIp>().map(|floating_ip| floating_ip.id);
        let changed = leads(entry.before()) != leads(entry.after());
        [id.filter(|_| changed).map(Fact::Leads), None, None]
    } else {
        [None, None, None]
    }
}
