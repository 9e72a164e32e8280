//! What a host has: as much of it as is compared with a program.

use crate::nft::{Base, CtHelper, Elements, SetSpec, TableKey};
use crate::{
    Address, BridgePort, DaemonDigest, Digest, FdbEntry, LinkKind, Name, Neighbour, NeighbourProxy, Netns, Owner, Program, Route, RouteKey,
    RouteRule,
};
use net::Mac;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// What the kernel and the unit directories hold. Apart from `links` it contains marked objects only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// By namespace; a named one is here when it is marked as ours.
    pub namespaces: BTreeMap<Netns, ActualNamespace>,
}

/// What one namespace has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActualNamespace {
    /// We made this namespace. False also in an `Actual` that covers only units which do not make it.
    pub made: bool,
    /// The kernel parameters asked for.
    pub sysctls: BTreeMap<SmolStr, SmolStr>,
    /// Links, also unmarked ones: those of others are what [`LinkKind::Existing`] attaches.
    pub links: BTreeMap<Name, ActualLink>,
    /// Links of ours in the group [`crate::UNFILTERED_GROUP`].
    pub unfiltered: BTreeSet<Name>,
    /// Our addresses.
    pub addresses: BTreeSet<Address>,
    /// Our routes.
    pub routes: BTreeMap<RouteKey, Route>,
    /// Our rules that choose routing tables.
    pub route_rules: BTreeSet<RouteRule>,
    /// Forwarding entries of our VXLAN links.
    pub fdb: BTreeSet<FdbEntry>,
    /// Permanent neighbours of our links.
    pub neighbours: BTreeSet<Neighbour>,
    /// Addresses for which our links answer.
    pub proxies: BTreeSet<NeighbourProxy>,
    /// Our nftables tables.
    pub tables: BTreeMap<TableKey, ActualTable>,
    /// Content hashes of the files that daemons watch.
    pub files: BTreeMap<Name, Digest>,
    /// Daemons with a unit directory.
    pub daemons: BTreeMap<Name, ActualDaemon>,
}

/// A link as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActualLink {
    /// What it is. A veth's peer is not read back: `peer` is empty then. Foreign links are [`LinkKind::Existing`].
    pub kind: LinkKind,
    /// The largest packet; `None` when unknown.
    pub mtu: Option<u32>,
    /// Its address; `None` when unknown.
    pub mac: Option<Mac>,
    /// Its bridge.
    pub master: Option<Name>,
    /// Administratively up.
    pub up: bool,
    /// Bridge port behaviour.
    pub port: Option<BridgePort>,
    /// The address its bridge has a static forwarding entry for.
    pub station: Option<Mac>,
    /// Our mark.
    pub owner: Option<Owner>,
}

/// A table as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActualTable {
    /// It exists. False only in an `Actual` that covers units which contribute without making the table.
    pub declared: bool,
    /// Chains.
    pub chains: BTreeMap<Name, ActualChain>,
    /// Conntrack helpers.
    pub helpers: BTreeMap<Name, CtHelper>,
    /// Sets and maps.
    pub sets: BTreeMap<Name, SetSpec>,
    /// Their elements.
    pub elements: BTreeMap<Name, Elements>,
}

/// A chain as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActualChain {
    /// Where it is hooked in.
    pub base: Option<Base>,
    /// Content hashes of its rules in order; `None` for a rule without one, which is not ours.
    pub rules: Vec<Option<Digest>>,
}

/// A daemon as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActualDaemon {
    /// What it runs with.
    pub digest: DaemonDigest,
    /// The process is alive.
    pub running: bool,
}

impl Actual {
    /// What a host has once this program is realised on it. Used for the units whose realised program is known, so that a
    /// change needs no read of the kernel.
    pub fn of<'a>(units: impl IntoIterator<Item = (&'a crate::UnitKey, &'a Program)>) -> Actual {
        let mut actual = Actual::default();
        for (unit, program) in units {
            for (netns, wanted) in &program.namespaces {
                actual.netns(netns).realise(unit, wanted);
            }
        }
        actual
    }

    /// The contents of a namespace, made empty when absent.
    pub fn netns(&mut self, netns: &Netns) -> &mut ActualNamespace {
        self.namespaces.entry(netns.clone()).or_default()
    }

    /// Sets or removes what is known of a link, as seen by a fresh look at the kernel. The station of a link that is still a port of
    /// the same bridge, and still ours, is not looked at: it stays known.
    pub fn set_link(&mut self, netns: &Netns, name: &Name, link: Option<ActualLink>) {
        let links = &mut self.netns(netns).links;
        let before = links.remove(name);
        if let Some(link) = link {
            let same = |before: &ActualLink| before.master == link.master && before.owner == link.owner;
            let station = link.station.or_else(|| before.filter(same)?.station);
            links.insert(name.clone(), ActualLink { station, ..link });
        }
    }
}

impl ActualNamespace {
    fn realise(&mut self, unit: &crate::UnitKey, wanted: &crate::Namespace) {
        self.made |= wanted.create;
        self.sysctls.extend(wanted.sysctls.iter().map(|(key, value)| (key.clone(), value.clone())));
        for (name, link) in &wanted.links {
            let owner = Some(Owner { unit: unit.clone(), role: link.kind.role() });
            let actual = ActualLink {
                kind: link.kind.clone(),
                mtu: link.mtu,
                mac: link.mac,
                master: link.master.clone(),
                up: link.up,
                port: link.port,
                station: link.station,
                owner,
            };
            self.links.insert(name.clone(), actual);
        }
        self.unfiltered.extend(wanted.unfiltered.iter().cloned());
        self.addresses.extend(wanted.addresses.iter().cloned());
        self.routes.extend(wanted.routes.iter().map(|(key, route)| (key.clone(), route.clone())));
        self.route_rules.extend(&wanted.route_rules);
        self.fdb.extend(wanted.fdb.iter().cloned());
        self.neighbours.extend(wanted.neighbours.iter().cloned());
        self.proxies.extend(wanted.proxies.iter().cloned());
        for (key, table) in &wanted.tables {
            let actual = self.tables.entry(key.clone()).or_default();
            actual.declared |= table.declared;
            for (name, chain) in &table.chains {
                let rules = chain.digests().into_iter().map(Some).collect();
                actual.chains.insert(name.clone(), ActualChain { base: chain.base.clone(), rules });
            }
            actual.helpers.extend(table.helpers.iter().map(|(name, helper)| (name.clone(), helper.clone())));
            actual.sets.extend(table.sets.iter().map(|(name, spec)| (name.clone(), spec.clone())));
            for (set, elements) in &table.elements {
                let known = actual.elements.entry(set.clone()).or_default();
                known.extend(elements.iter().map(|(key, data)| (key.canonical(), data.clone())));
            }
        }
        self.files.extend(wanted.files.iter().map(|(name, content)| (name.clone(), crate::file_digest(content))));
        for (name, daemon) in &wanted.daemons {
            self.daemons.insert(name.clone(), ActualDaemon { digest: daemon.digest(), running: true });
        }
    }
}
