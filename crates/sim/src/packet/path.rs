//! The way of a packet through hosts as they are: bridges, tunnels, and the chains of nft at each hook.
//!
//! Bridges have learned where the ports of their network are; a frame to a MAC that nobody has is flooded. The order at a hook is the
//! kernel's: on hosts that track connections in the bridge family conntrack comes at -200 of the bridge's prerouting, on the others
//! IP packets leave the bridge hooks for the inet family at 0 (prerouting) and -1 (forward), where the bridge is their link.

use super::filter::{Meta, Tables, passes, priorities};
use super::track::Track;
use super::{Body, Packet, Place};
use dataplane::nft::{Family, Hook};
use dataplane::{ActualLink, FdbEntry, LinkKind, Name, Vlan, Vxlan};
use net::{HostName, Mac};
use std::collections::{BTreeMap, BTreeSet};

const CONNTRACK: i32 = -200;
/// Where `br_netfilter` sits in the bridge's hooks.
const INET_PREROUTING: i32 = 0;
const INET_FORWARD: i32 = -1;

/// A host as packets meet it.
pub struct Machine {
    /// Its nft tables.
    pub tables: Tables,
    /// Its links.
    pub links: BTreeMap<Name, ActualLink>,
    /// Forwarding entries of its VXLAN links.
    pub fdb: BTreeSet<FdbEntry>,
    /// Where its bridges have seen MACs.
    pub learned: BTreeMap<(Name, Mac), Name>,
    /// What it tracks.
    pub track: Track,
    /// Connections are tracked in the bridge family.
    pub native: bool,
    /// The link to the wire that all hosts share.
    pub physical: Name,
}

/// Hosts and what connects them.
#[derive(Default)]
pub struct Fabric {
    /// By name.
    pub machines: BTreeMap<HostName, Machine>,
}

impl Fabric {
    /// Sends a frame by a link of a host, as the instance behind it does. Answers the links by which it reached somebody.
    pub fn send(&mut self, from: &Place, packet: &Packet) -> BTreeSet<Place> {
        let mut arrived = BTreeSet::new();
        let mut under_way = vec![from.clone()];
        while let Some((host, link)) = under_way.pop() {
            let left = self.machines.get_mut(&host).map(|machine| machine.bridge(&link, packet)).unwrap_or_default();
            for left_by in left {
                let machine = &self.machines[&host];
                match &machine.links[&left_by].kind {
                    LinkKind::Vxlan(vxlan) => under_way.extend(far_ends(&self.machines, &host, &left_by, vxlan, packet)),
                    LinkKind::Vlan(vlan) => under_way.extend(same_vlan(&self.machines, &host, vlan)),
                    _ if left_by == machine.physical => under_way.extend(wire(&self.machines, &host)),
                    _ => _ = arrived.insert((host.clone(), left_by)),
                }
            }
        }
        arrived
    }
}

fn far_ends(machines: &BTreeMap<HostName, Machine>, host: &HostName, link: &Name, near: &Vxlan, packet: &Packet) -> Vec<Place> {
    let entries = |mac: Mac| machines[host].fdb.iter().filter(move |entry| entry.link == *link && entry.mac == mac);
    let known: Vec<_> = entries(packet.destination).collect();
    let towards = if known.is_empty() { entries(Mac::MIN).collect() } else { known };
    let mut ends = Vec::new();
    for entry in towards {
        for (other, machine) in machines {
            let far = machine.links.iter().filter(|(_, link)| match &link.kind {
                LinkKind::Vxlan(far) => far.vni == near.vni && far.local == Some(entry.remote) && link.up,
                _ => false,
            });
            ends.extend(far.map(|(name, _)| (other.clone(), name.clone())));
        }
    }
    ends
}

/// Where a frame with a tag comes out of the wire.
fn same_vlan(machines: &BTreeMap<HostName, Machine>, host: &HostName, vlan: &Vlan) -> Vec<Place> {
    let others = machines.iter().filter(|(other, _)| *other != host);
    let ends = others.flat_map(|(other, machine)| machine.links.iter().map(move |(name, link)| (other, name, link)));
    ends.filter(|(_, _, link)| link.kind == LinkKind::Vlan(vlan.clone()) && link.up)
        .map(|(other, name, _)| (other.clone(), name.clone()))
        .collect()
}

fn wire(machines: &BTreeMap<HostName, Machine>, host: &HostName) -> Vec<Place> {
    machines.iter().filter(|(other, _)| *other != host).map(|(other, machine)| (other.clone(), machine.physical.clone())).collect()
}

impl Machine {
    /// The links by which a frame that came in by a link leaves again.
    fn bridge(&mut self, from: &Name, packet: &Packet) -> Vec<Name> {
        let Some(bridge) = self.links.get(from).filter(|link| link.up).and_then(|link| link.master.clone()) else { return Vec::new() };
        if !self.links.get(&bridge).is_some_and(|bridge| bridge.up) {
            return Vec::new();
        }
        let mut meta = Meta { iif: Some(from.clone()), bridge: Some(bridge.clone()), ..Meta::default() };
        let goes_on = self.prerouting(packet, &mut meta);
        self.track.mark(&meta.seen);
        if !goes_on {
            return Vec::new();
        }
        let is_port = |(name, link): &(&Name, &ActualLink)| link.master.as_ref() == Some(&bridge) && link.up && *name != from;
        let learned = self.learned.get(&(bridge.clone(), packet.destination));
        let ports = self.links.iter().filter(is_port).map(|(name, _)| name);
        let towards: Vec<Name> = ports.filter(|name| learned.is_none_or(|learned| learned == *name)).cloned().collect();
        let mut left = Vec::new();
        for to in towards {
            let mut copy = Meta { oif: Some(to.clone()), ..meta.clone() };
            if self.forward(packet, &mut copy) {
                self.track.pass(&copy.seen);
                left.push(to);
            }
            self.track.mark(&copy.seen);
            meta.seen.mark = copy.seen.mark;
        }
        left
    }

    fn prerouting(&mut self, packet: &Packet, meta: &mut Meta) -> bool {
        let inet = self.goes_through_inet(packet, meta.bridge.as_ref());
        let mut stops = priorities(&self.tables, Family::Bridge, Hook::Prerouting);
        stops.extend([CONNTRACK, INET_PREROUTING]);
        stops.sort_unstable();
        stops.dedup();
        stops.into_iter().all(|priority| {
            let chains = passes(&self.tables, Family::Bridge, Hook::Prerouting, priority, packet, meta);
            if chains && priority == CONNTRACK && self.native {
                self.see(packet, meta);
            }
            chains && (priority != INET_PREROUTING || !inet || self.inet_prerouting(packet, meta))
        })
    }

    fn inet_prerouting(&mut self, packet: &Packet, meta: &mut Meta) -> bool {
        let mut inner = Meta { iif: meta.bridge.clone(), bridge: None, ..meta.clone() };
        let mut stops = priorities(&self.tables, Family::Inet, Hook::Prerouting);
        stops.push(CONNTRACK);
        stops.sort_unstable();
        stops.dedup();
        let passes = stops.into_iter().all(|priority| {
            let chains = passes(&self.tables, Family::Inet, Hook::Prerouting, priority, packet, &mut inner);
            if chains && priority == CONNTRACK && !self.native {
                self.see(packet, &mut inner);
            }
            chains
        });
        (meta.mark, meta.zone, meta.seen) = (inner.mark, inner.zone, inner.seen);
        passes
    }

    fn see(&mut self, packet: &Packet, meta: &mut Meta) {
        if matches!(packet.body, Body::Ip { .. }) {
            meta.seen = self.track.see(meta.zone, packet);
        }
    }

    /// What follows once a frame's way out is known.
    fn forward(&self, packet: &Packet, meta: &mut Meta) -> bool {
        self.forward_hook(packet, meta) && {
            let stops = priorities(&self.tables, Family::Bridge, Hook::Postrouting);
            stops.into_iter().all(|priority| passes(&self.tables, Family::Bridge, Hook::Postrouting, priority, packet, meta))
        }
    }

    fn forward_hook(&self, packet: &Packet, meta: &mut Meta) -> bool {
        let mut stops = priorities(&self.tables, Family::Bridge, Hook::Forward);
        stops.push(INET_FORWARD);
        stops.sort_unstable();
        stops.into_iter().all(|priority| {
            if priority == INET_FORWARD && self.goes_through_inet(packet, meta.bridge.as_ref()) {
                let mut inner = Meta { iif: meta.bridge.clone(), oif: meta.bridge.clone(), bridge: None, ..meta.clone() };
                let stops = priorities(&self.tables, Family::Inet, Hook::Forward);
                let through = stops.into_iter().all(|at| passes(&self.tables, Family::Inet, Hook::Forward, at, packet, &mut inner));
                (meta.mark, meta.seen) = (inner.mark, inner.seen);
                return through;
            }
            passes(&self.tables, Family::Bridge, Hook::Forward, priority, packet, meta)
        })
    }

    /// `br_netfilter` takes the packets of the bridges that ask for it, where connections are not tracked in the bridge family.
    fn goes_through_inet(&self, packet: &Packet, bridge: Option<&Name>) -> bool {
        let asks = bridge.and_then(|bridge| self.links.get(bridge)).is_some_and(|link| match &link.kind {
            LinkKind::Bridge(bridge) => bridge.nf_call,
            _ => false,
        });
        asks && !self.native && matches!(packet.body, Body::Ip { .. })
    }
}
