//! The difference between what is wanted and what is, as ordered steps.

mod inet;
mod link;
mod nft;

use crate::{Action, Actual, ActualNamespace, Daemon, DaemonDigest, Name, Namespace, Netns, Owner, Plan, Program, Role, Step, UnitKey};
use std::collections::{BTreeMap, BTreeSet};

/// The steps that turn `actual` into what the units want.
///
/// `actual` must cover exactly these units: read from the kernel for all units of a host, or [`Actual::of`] their former
/// programs (with [`Actual::set_link`] for the links of others). What it has and no unit wants is removed. Order: filter
/// before link up, sets before rules, tunnels before routes; removal reversed, and after what is added.
pub fn diff<'a>(wanted: impl IntoIterator<Item = (&'a UnitKey, &'a Program)>, actual: &Actual) -> Plan {
    let wanted: Vec<(&UnitKey, &Program)> = wanted.into_iter().collect();
    let mut all = Program::default();
    for (_, program) in &wanted {
        all.merge(program);
    }
    let nothing = ActualNamespace::default();
    let gone = link::gone(&all, actual);
    let mut steps = Steps::default();
    for (unit, program) in &wanted {
        for (netns, namespace) in &program.namespaces {
            let is = actual.namespaces.get(netns).unwrap_or(&nothing);
            Scene { netns, is, gone: &gone, all: &all, actual }.add(&mut steps, unit, namespace);
        }
    }
    for (netns, is) in &actual.namespaces {
        let none = Namespace::default();
        let want = all.namespaces.get(netns).unwrap_or(&none);
        Scene { netns, is, gone: &gone, all: &all, actual }.remove(&mut steps, want);
    }
    steps.into_plan()
}

/// When a step is taken; steps of one phase keep the order they were found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Netns,
    Sysctl,
    Table(nft::Stage),
    LinkRemake,
    LinkMake(u8),
    LinkChange,
    LinkSysctl,
    Address,
    LinkUp,
    Neighbour,
    Route,
    File,
    Daemon,
    DaemonStop,
    FileRemove,
    RouteRemove,
    NeighbourRemove,
    AddressRemove,
    LinkRelease,
    LinkRemove,
    TableRemove(nft::Stage),
    NetnsRemove,
}

#[derive(Default)]
struct Steps {
    found: Vec<(Phase, Step)>,
    waiting: BTreeSet<crate::Waiting>,
}

impl Steps {
    fn push(&mut self, phase: Phase, unit: Option<&UnitKey>, netns: &Netns, action: Action) {
        self.found.push((phase, Step { unit: unit.cloned(), netns: netns.clone(), action }));
    }

    fn into_plan(mut self) -> Plan {
        self.found.sort_by(|(a, left), (b, right)| (a, &left.netns).cmp(&(b, &right.netns)));
        Plan { steps: self.found.into_iter().map(|(_, step)| step).collect(), waiting: self.waiting.into_iter().collect() }
    }
}

/// One namespace as it is, and what is needed of the rest to judge it.
struct Scene<'a> {
    netns: &'a Netns,
    is: &'a ActualNamespace,
    /// Links that vanish or are made anew, with all that is on them.
    gone: &'a BTreeSet<(Netns, Name)>,
    all: &'a Program,
    actual: &'a Actual,
}

impl Scene<'_> {
    fn add(&self, steps: &mut Steps, unit: &UnitKey, want: &Namespace) {
        if want.create && !self.is.made {
            let owner = Owner { unit: unit.clone(), role: Role::Made };
            steps.push(Phase::Netns, Some(unit), self.netns, Action::CreateNetns(owner));
        }
        for (key, value) in want.sysctls.iter().filter(|(key, value)| self.is.sysctls.get(*key) != Some(value)) {
            let phase = if of_a_link(key) { Phase::LinkSysctl } else { Phase::Sysctl };
            steps.push(phase, Some(unit), self.netns, Action::SetSysctl(key.clone(), value.clone()));
        }
        self.add_tables(steps, unit, &want.tables);
        let absent = self.add_links(steps, unit, &want.links);
        self.add_inet(steps, unit, want, &absent);
        for (name, content) in want.files.iter().filter(|(name, content)| self.is.files.get(*name) != Some(&crate::file_digest(content))) {
            steps.push(Phase::File, Some(unit), self.netns, Action::WriteFile(name.clone(), content.clone()));
        }
        self.add_daemons(steps, unit, &want.daemons);
    }

    fn add_daemons(&self, steps: &mut Steps, unit: &UnitKey, want: &BTreeMap<Name, Daemon>) {
        for (name, daemon) in want {
            let DaemonDigest { start, reload, watched } = daemon.digest();
            let action = match self.is.daemons.get(name).filter(|is| is.running && is.digest.start == start) {
                None => Action::StartDaemon(name.clone(), daemon.clone()),
                Some(is) if is.digest.reload == reload && is.digest.watched == watched => continue,
                Some(is) => Action::ReloadDaemon { name: name.clone(), daemon: daemon.clone(), signal: is.digest.reload != reload },
            };
            steps.push(Phase::Daemon, Some(unit), self.netns, action);
        }
    }

    fn remove(&self, steps: &mut Steps, want: &Namespace) {
        for name in self.is.daemons.keys().filter(|name| !want.daemons.contains_key(*name)) {
            steps.push(Phase::DaemonStop, None, self.netns, Action::StopDaemon(name.clone()));
        }
        for name in self.is.files.keys().filter(|name| !want.files.contains_key(*name)) {
            steps.push(Phase::FileRemove, None, self.netns, Action::RemoveFile(name.clone()));
        }
        if self.is.made && !want.create {
            steps.push(Phase::NetnsRemove, None, self.netns, Action::DeleteNetns);
            return;
        }
        self.remove_inet(steps, want);
        self.remove_links(steps, want);
        self.remove_tables(steps, &want.tables);
    }
}

/// `net.ipv4.conf.<link>.…` and its like, but not `all` and `default`.
fn of_a_link(key: &str) -> bool {
    let mut parts = key.split('.');
    let per_link = matches!((parts.next(), parts.next(), parts.next()), (Some("net"), Some("ipv4" | "ipv6"), Some("conf" | "neigh")));
    per_link && !matches!(parts.next(), Some("all" | "default") | None)
}
