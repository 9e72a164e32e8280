//! The program of a host or of one unit: its namespaces and what each should contain.

use crate::nft::{Table, TableKey};
use crate::{Address, Daemon, FdbEntry, Files, Link, Name, Neighbour, NeighbourProxy, Route, RouteKey, RouteRule};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A network namespace: the one the agent runs in, or one named under `/run/netns`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Netns(Option<Name>);

impl Netns {
    /// The namespace the agent itself runs in.
    pub const ROOT: Netns = Netns(None);

    /// The namespace with this name under `/run/netns`.
    pub fn named(name: impl Into<Name>) -> Netns {
        Netns(Some(name.into()))
    }

    /// The name; `None` for the agent's own namespace.
    pub fn name(&self) -> Option<&Name> {
        self.0.as_ref()
    }

    /// True for the agent's own namespace.
    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Netns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("root"))
    }
}

/// Names a unit: the smallest thing recomputed, applied and reported as a whole, as `<kind>/<id>`. It is the owner mark
/// on the unit's kernel objects, so it is printable ASCII without spaces, at most 200 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitKey(SmolStr);

impl UnitKey {
    /// `<kind>/<id>`; `kind` is a lower-case word such as `network` or `port`.
    pub fn new(kind: &str, id: impl fmt::Display) -> UnitKey {
        UnitKey(smol_str::format_smolstr!("{kind}/{id}"))
    }

    /// The key whose text an owner mark holds.
    pub fn from_text(text: impl Into<SmolStr>) -> UnitKey {
        UnitKey(text.into())
    }

    /// The text `<kind>/<id>`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first slash.
    pub fn kind(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The part after the first slash; empty without one.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for UnitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Kernel objects and daemons wanted, by namespace.
///
/// Two units never want the same object. What units share is declared by one of them: a namespace in which several units
/// have objects has `create` set in one only, and an nft table has `declared` set in one only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// What each namespace contains.
    pub namespaces: BTreeMap<Netns, Namespace>,
}

/// What one namespace contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// This unit makes the namespace and removes it. Never set for [`Netns::ROOT`]. The loopback link comes up with it.
    pub create: bool,
    /// Kernel parameters, by key with dots (`net.ipv6.conf.all.forwarding`); a slash stands for a dot inside a link's
    /// name. They are set, never reset.
    pub sysctls: BTreeMap<SmolStr, SmolStr>,
    /// Network devices by name.
    pub links: BTreeMap<Name, Link>,
    /// Links in the group [`crate::UNFILTERED_GROUP`], whoever makes them; they are there.
    pub unfiltered: BTreeSet<Name>,
    /// Addresses on links.
    pub addresses: BTreeSet<Address>,
    /// Routes by what the kernel tells them apart by.
    pub routes: BTreeMap<RouteKey, Route>,
    /// Which packets are routed by another table than `main`.
    pub route_rules: BTreeSet<RouteRule>,
    /// Forwarding entries of VXLAN links.
    pub fdb: BTreeSet<FdbEntry>,
    /// Permanent neighbour entries, from which a VXLAN link with `proxy` answers ARP and ND.
    pub neighbours: BTreeSet<Neighbour>,
    /// Addresses for which links answer neighbour solicitations.
    pub proxies: BTreeSet<NeighbourProxy>,
    /// nftables tables, or this unit's share of them.
    pub tables: BTreeMap<TableKey, Table>,
    /// Files that daemons watch.
    pub files: Files,
    /// Long-running processes by name.
    pub daemons: BTreeMap<Name, Daemon>,
}

impl Program {
    /// The contents of a namespace, made empty when absent.
    pub fn netns(&mut self, netns: &Netns) -> &mut Namespace {
        self.namespaces.entry(netns.clone()).or_default()
    }

    /// The contents of the agent's own namespace.
    pub fn root(&mut self) -> &mut Namespace {
        self.netns(&Netns::ROOT)
    }

    /// True when nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.namespaces.values().all(|namespace| *namespace == Namespace::default())
    }

    /// Adds everything of `other`. An object in both keeps the form it has in `other`; rules of a chain are not joined.
    pub fn merge(&mut self, other: &Program) {
        for (netns, theirs) in &other.namespaces {
            let ours = self.netns(netns);
            ours.create |= theirs.create;
            extend(&mut ours.sysctls, &theirs.sysctls);
            extend(&mut ours.links, &theirs.links);
            extend(&mut ours.routes, &theirs.routes);
            extend(&mut ours.files, &theirs.files);
            extend(&mut ours.daemons, &theirs.daemons);
            ours.unfiltered.extend(theirs.unfiltered.iter().cloned());
            ours.addresses.extend(theirs.addresses.iter().cloned());
            ours.route_rules.extend(&theirs.route_rules);
            ours.fdb.extend(theirs.fdb.iter().cloned());
            ours.neighbours.extend(theirs.neighbours.iter().cloned());
            ours.proxies.extend(theirs.proxies.iter().cloned());
            for (key, table) in &theirs.tables {
                ours.tables.entry(key.clone()).or_default().merge(table);
            }
        }
    }
}

fn extend<K: Ord + Clone, V: Clone>(ours: &mut BTreeMap<K, V>, theirs: &BTreeMap<K, V>) {
    ours.extend(theirs.iter().map(|(key, value)| (key.clone(), value.clone())));
}
