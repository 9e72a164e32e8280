//! The ordered steps that make a host have what a program wants.

use crate::nft::{Base, CtHelper, Elements, Rule, SetSpec, TableKey};
use crate::{
    Address, Bridge, BridgePort, Daemon, FdbEntry, Link, Name, Namespace, Neighbour, NeighbourProxy, Netns, Owner, Program, Route,
    RouteKey, RouteRule, UnitKey,
};
use net::Mac;
use smol_str::SmolStr;
use std::fmt;

/// Steps in the order they are to be taken, and links that have to appear first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be done.
    pub steps: Vec<Step>,
    /// Links of others which the programs want to attach and which are not there.
    pub waiting: Vec<Waiting>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The unit it is for; `None` removes something no unit wants and whose mark names none.
    pub unit: Option<UnitKey>,
    /// Where.
    pub netns: Netns,
    /// What.
    pub action: Action,
}

/// A link that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// The unit that wants it.
    pub unit: UnitKey,
    /// Where it is to appear.
    pub netns: Netns,
    /// Its name.
    pub link: Name,
}

/// What a step does. Apart from `Create…` an action that finds its result already there succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make the namespace, marked, with its loopback link up.
    CreateNetns(Owner),
    /// Remove the namespace with all in it.
    DeleteNetns,
    /// Set a kernel parameter.
    SetSysctl(SmolStr, SmolStr),
    /// Change a table. Successive changes of a namespace are one transaction.
    Table(TableKey, TableChange),
    /// Make a link with its mark and all that is wanted of it, but down.
    CreateLink(Name, Link, Owner),
    /// Change a link.
    ChangeLink(Name, LinkChange),
    /// Delete a link we made.
    DeleteLink(Name),
    /// Take a link that is not ours out of its bridge and remove our mark.
    ReleaseLink(Name),
    /// Put a link into the group [`crate::UNFILTERED_GROUP`].
    JoinUnfiltered(Name),
    /// Take it out of it.
    LeaveUnfiltered(Name),
    /// Give a link an address, or one that it has another metric.
    AddAddress(Address),
    /// Take it away.
    RemoveAddress(Address),
    /// Add or replace a route.
    SetRoute(RouteKey, Route),
    /// Remove it.
    RemoveRoute(RouteKey, Route),
    /// Let marked packets be routed by a table.
    AddRouteRule(RouteRule),
    /// No longer.
    RemoveRouteRule(RouteRule),
    /// Add a forwarding entry.
    AddFdb(FdbEntry),
    /// Remove it.
    RemoveFdb(FdbEntry),
    /// Add or replace a neighbour.
    SetNeighbour(Neighbour),
    /// Remove it.
    RemoveNeighbour(Neighbour),
    /// Let a link answer for an address.
    AddProxy(NeighbourProxy),
    /// No longer.
    RemoveProxy(NeighbourProxy),
    /// Write a file that a daemon watches.
    WriteFile(Name, String),
    /// Remove it.
    RemoveFile(Name),
    /// Write the files and start the process, after stopping one that runs.
    StartDaemon(Name, Daemon),
    /// Write the files and, when `signal`, send the reload signal.
    ReloadDaemon {
        /// The daemon.
        name: Name,
        /// What it is to run with.
        daemon: Daemon,
        /// A file it must be told of has changed.
        signal: bool,
    },
    /// Stop the process and remove its directory.
    StopDaemon(Name),
}

/// What is to change of a link; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// The mark.
    pub owner: Option<Owner>,
    /// The largest packet.
    pub mtu: Option<u32>,
    /// The address.
    pub mac: Option<Mac>,
    /// The bridge to join; `Some(None)` leaves any.
    pub master: Option<Option<Name>>,
    /// Bridge port behaviour, set after joining.
    pub port: Option<BridgePort>,
    /// The station behind this bridge port, set after joining.
    pub station: Option<Mac>,
    /// The former station, whose forwarding entry goes.
    pub former_station: Option<Mac>,
    /// What the link is like as a bridge.
    pub bridge: Option<Bridge>,
    /// Administrative state.
    pub up: Option<bool>,
}

impl LinkChange {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == LinkChange::default()
    }
}

/// A change of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChange {
    /// Make it, marked.
    Create(Owner),
    /// Remove it with all in it.
    Delete,
    /// Make a conntrack helper.
    CreateHelper(Name, CtHelper),
    /// Remove it.
    DeleteHelper(Name),
    /// Make a set or map.
    CreateSet(Name, SetSpec),
    /// Remove it.
    DeleteSet(Name),
    /// Make a chain, or change the policy of a base chain.
    CreateChain(Name, Option<Base>),
    /// Remove an empty chain nothing refers to.
    DeleteChain(Name),
    /// Replace all rules of a chain.
    SetRules(Name, Vec<Rule>),
    /// Take elements out of a set or map.
    RemoveElements(Name, Elements),
    /// Put elements in.
    AddElements(Name, Elements),
}

impl fmt::Display for Step {
    /// One line, for logs and fault reports: what is done to which object, and where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)?;
        if self.netns.is_root() { Ok(()) } else { write!(f, " in {}", self.netns) }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::CreateNetns(_) => write!(f, "create namespace"),
            Action::DeleteNetns => write!(f, "delete namespace"),
            Action::SetSysctl(key, value) => write!(f, "set {key} = {value}"),
            Action::Table(table, change) => write!(f, "table {table}: {change}"),
            Action::CreateLink(name, ..) => write!(f, "create link {name}"),
            Action::ChangeLink(name, change) => write!(f, "change link {name}:{}", ChangeText(change)),
            Action::DeleteLink(name) => write!(f, "delete link {name}"),
            Action::ReleaseLink(name) => write!(f, "release link {name}"),
            Action::AddAddress(address) => write!(f, "add address {address}"),
            Action::RemoveAddress(address) => write!(f, "remove address {address}"),
            Action::SetRoute(key, _) => write!(f, "set route {key}"),
            Action::RemoveRoute(key, _) => write!(f, "remove route {key}"),
            Action::AddRouteRule(rule) => write!(f, "add route rule {rule}"),
            Action::RemoveRouteRule(rule) => write!(f, "remove route rule {rule}"),
            Action::AddFdb(entry) => write!(f, "add fdb {entry}"),
            Action::RemoveFdb(entry) => write!(f, "remove fdb {entry}"),
            Action::SetNeighbour(entry) => write!(f, "set neighbour {entry}"),
            Action::RemoveNeighbour(entry) => write!(f, "remove neighbour {entry}"),
            Action::JoinUnfiltered(name) => write!(f, "put link {name} into the group of the unfiltered"),
            Action::LeaveUnfiltered(name) => write!(f, "take link {name} out of the group of the unfiltered"),
            Action::AddProxy(entry) => write!(f, "add neighbour proxy {entry}"),
            Action::RemoveProxy(entry) => write!(f, "remove neighbour proxy {entry}"),
            Action::WriteFile(name, _) => write!(f, "write file {name}"),
            Action::RemoveFile(name) => write!(f, "remove file {name}"),
            Action::StartDaemon(name, _) => write!(f, "start {name}"),
            Action::ReloadDaemon { name, .. } => write!(f, "reload {name}"),
            Action::StopDaemon(name) => write!(f, "stop {name}"),
        }
    }
}

struct ChangeText<'a>(&'a LinkChange);

impl fmt::Display for ChangeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LinkChange { owner, mtu, mac, master, port, station, former_station, bridge, up } = self.0;
        if let Some(owner) = owner {
            write!(f, " alias \"{owner}\"")?;
        }
        if let Some(mtu) = mtu {
            write!(f, " mtu {mtu}")?;
        }
        if let Some(mac) = mac {
            write!(f, " address {mac}")?;
        }
        match master {
            Some(Some(bridge)) => write!(f, " master {bridge}")?,
            Some(None) => f.write_str(" nomaster")?,
            None => {}
        }
        if port.is_some() {
            f.write_str(" port")?;
        }
        if let Some(former) = former_station {
            write!(f, " without station {former}")?;
        }
        if let Some(station) = station {
            write!(f, " station {station}")?;
        }
        if let Some(Bridge { ageing_s, nf_call }) = bridge {
            if let Some(ageing_s) = ageing_s {
                write!(f, " ageing {ageing_s}s")?;
            }
            f.write_str(if *nf_call { " nf_call" } else { " without nf_call" })?;
        }
        match up {
            Some(true) => f.write_str(" up"),
            Some(false) => f.write_str(" down"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TableChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableChange::Create(_) => write!(f, "create"),
            TableChange::Delete => write!(f, "delete"),
            TableChange::CreateHelper(name, _) => write!(f, "create helper {name}"),
            TableChange::DeleteHelper(name) => write!(f, "delete helper {name}"),
            TableChange::CreateSet(name, _) => write!(f, "create set {name}"),
            TableChange::DeleteSet(name) => write!(f, "delete set {name}"),
            TableChange::CreateChain(name, _) => write!(f, "create chain {name}"),
            TableChange::DeleteChain(name) => write!(f, "delete chain {name}"),
            TableChange::SetRules(name, rules) => write!(f, "set {} rules of {name}", rules.len()),
            TableChange::RemoveElements(name, elements) => write!(f, "remove {} elements of {name}", elements.len()),
            TableChange::AddElements(name, elements) => write!(f, "add {} elements to {name}", elements.len()),
        }
    }
}

impl Plan {
    /// Names the unit of each removal that has none: the one whose former program had the object.
    pub fn attribute<'a>(&mut self, former: impl IntoIterator<Item = (&'a UnitKey, &'a Program)>) {
        let former: Vec<(&UnitKey, &Program)> = former.into_iter().collect();
        for step in self.steps.iter_mut().filter(|step| step.unit.is_none()) {
            let had = |program: &Program| program.namespaces.get(&step.netns).is_some_and(|had| removes_from(&step.action, had));
            step.unit = former.iter().find(|(_, program)| had(program)).map(|(unit, _)| (*unit).clone());
        }
    }
}

fn removes_from(action: &Action, had: &Namespace) -> bool {
    match action {
        Action::DeleteNetns => had.create,
        Action::LeaveUnfiltered(name) => had.unfiltered.contains(name),
        Action::RemoveAddress(address) => had.addresses.contains(address),
        Action::RemoveRoute(key, _) => had.routes.contains_key(key),
        Action::RemoveRouteRule(rule) => had.route_rules.contains(rule),
        Action::RemoveFdb(entry) => had.fdb.contains(entry),
        Action::RemoveNeighbour(entry) => had.neighbours.contains(entry),
        Action::RemoveProxy(entry) => had.proxies.contains(entry),
        Action::StopDaemon(name) => had.daemons.contains_key(name),
        Action::DeleteLink(name) | Action::ReleaseLink(name) => had.links.contains_key(name),
        Action::Table(key, change) => had.tables.get(key).is_some_and(|table| match change {
            TableChange::Delete => table.declared,
            TableChange::DeleteHelper(name) => table.helpers.contains_key(name),
            TableChange::DeleteSet(name) => table.sets.contains_key(name),
            TableChange::DeleteChain(name) | TableChange::SetRules(name, _) => table.chains.contains_key(name),
            TableChange::RemoveElements(set, gone) => {
                table.elements.get(set).is_some_and(|had| gone.keys().any(|key| had.contains_key(key)))
            }
            _ => false,
        }),
        _ => false,
    }
}
