//! Which units of which hosts a commit may have touched.
//!
//! The law: computing again what [`concerned`] names, by [`crate::project::unit`] on the world after the commit, makes of what a
//! host had before exactly what [`crate::project::full`] says. The work is proportional to what changed and to the hosts that
//! it concerns, never to the hosts or ports of the cloud: hosts are found by index. Only when a host's first port
//! of a network or group comes (or its last one goes), all that it must know of that network or group is named.

mod gate;
mod record;
mod router;

use gate::Gate;
use intent::UnitId;
use model::{
    AddressGroup, Agent, ConntrackHelper, FloatingIp, NdpProxy, Network, Port, PortForwarding, Router, SecurityGroup, SecurityGroupRule,
    Subnet, SubnetPool,
};
use net::HostName;
use std::collections::{BTreeMap, BTreeSet};
use world::{Commit, Entry, Record, World};

/// Units by host.
pub type Concerned = BTreeMap<HostName, BTreeSet<UnitId>>;

/// The units that a commit may have touched, on those hosts about which `interested` says yes.
pub fn concerned(commit: &Commit, interested: &dyn Fn(&HostName) -> bool) -> Concerned {
    let mut gather = Gather {
        before: &commit.before,
        after: &commit.after,
        interested,
        found: Concerned::new(),
        gates: BTreeSet::new(),
        member_gates: BTreeSet::new(),
    };
    for entry in commit.change.entries() {
        gather.entry(entry);
    }
    gather.pass_gates();
    gather.found
}

struct Gather<'a> {
    before: &'a World,
    after: &'a World,
    interested: &'a dyn Fn(&HostName) -> bool,
    found: Concerned,
    /// Looked at once all entries are known, each once, however many entries led to it.
    gates: BTreeSet<Gate>,
    member_gates: BTreeSet<gate::MemberGate>,
}

/// A record before and after.
struct Sides<'a, R> {
    before: Option<&'a R>,
    after: Option<&'a R>,
}

impl<'a, R: Record> Sides<'a, R> {
    fn of(entry: &'a Entry) -> Self {
        Sides { before: entry.before(), after: entry.after() }
    }

    /// True when a property is not the same on both sides; absence is a difference.
    fn differ<T: PartialEq>(&self, property: impl Fn(&'a R) -> T) -> bool {
        self.before.map(&property) != self.after.map(&property)
    }

    fn iter(&self) -> impl Iterator<Item = &'a R> + use<'a, R> {
        self.before.into_iter().chain(self.after)
    }
}

impl Gather<'_> {
    fn entry(&mut self, entry: &Entry) {
        match entry.kind() {
            Port::KIND => {
                self.port(&Sides::of(entry));
                self.router_port(&Sides::of(entry));
                self.service_port(&Sides::of(entry));
            }
            Network::KIND => {
                self.network(&Sides::of(entry));
                self.router_network(&Sides::of(entry));
            }
            Subnet::KIND => {
                self.subnet(&Sides::of(entry));
                self.router_subnet(&Sides::of(entry));
            }
            SubnetPool::KIND => self.subnet_pool(&Sides::of(entry)),
            SecurityGroup::KIND => self.security_group(&Sides::of(entry)),
            SecurityGroupRule::KIND => self.rule(&Sides::of(entry)),
            AddressGroup::KIND => self.address_group(&Sides::of(entry)),
            Agent::KIND => self.agent(&Sides::of(entry)),
            Router::KIND => self.router(&Sides::of(entry)),
            FloatingIp::KIND => self.floating_ip(&Sides::of(entry)),
            PortForwarding::KIND => self.port_forwarding(&Sides::of(entry)),
            ConntrackHelper::KIND => self.conntrack_helper(&Sides::of(entry)),
            NdpProxy::KIND => self.ndp_proxy(&Sides::of(entry)),
            // No host is told of other kinds.
            _ => {}
        }
    }

    fn mark(&mut self, host: &HostName, id: UnitId) {
        if let Some(ids) = self.found.get_mut(host) {
            ids.insert(id);
        } else if (self.interested)(host) {
            self.found.insert(host.clone(), BTreeSet::from([id]));
        }
    }

    fn gate(&mut self, gate: Gate) {
        if !(self.interested)(gate.host()) {
            return;
        }
        if let Gate::Dhcp(network, host) = &gate {
            self.gates.insert(Gate::Metadata(*network, host.clone()));
        }
        self.gates.insert(gate);
    }
}
