//! What the server has been told of this host.

use intent::UnitId;
use intent::wire::{self, Report, report};
use net::{IpNet, RouterId, SubnetId};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::UnboundedSender;

/// Keys in one message at most.
const KEYS: usize = 1000;

/// Keeps what is in force and what is not, and tells the server what is new about it.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    out: Option<UnboundedSender<Report>>,
    /// In force, with the revision of the unit that was told of.
    realised: BTreeMap<UnitId, u64>,
    faults: BTreeMap<UnitId, String>,
    new_realised: BTreeSet<UnitId>,
    new_gone: BTreeSet<UnitId>,
    new_faults: BTreeSet<UnitId>,
    /// Prefixes delegated, as they were told last.
    delegated: BTreeMap<SubnetId, wire::Delegated>,
    /// A new stream was not yet told what is not in force.
    repeating: bool,
}

impl Reporter {
    /// A new stream: everything is told again once [`Reporter::repeat`] is called.
    pub(crate) fn attach(&mut self, out: UnboundedSender<Report>, hello: wire::Hello) {
        self.out = Some(out);
        self.send(report::Report::Hello(hello));
    }

    /// Tells all of it again, what is not in force included: it may have gone while nobody listened, or while no agent ran.
    pub(crate) fn repeat(&mut self) {
        self.repeating = true;
        self.new_realised.extend(self.realised.keys().copied());
        self.new_faults.extend(self.faults.keys().copied());
        for delegated in self.delegated.values().cloned().collect::<Vec<_>>() {
            self.send(report::Report::Delegated(delegated));
        }
    }

    /// A subnet was delegated a prefix, or lost it. What was told before is told again by a new stream only.
    pub(crate) fn delegated(&mut self, router: RouterId, subnet: SubnetId, prefix: Option<IpNet>) {
        let prefix = prefix.map(|prefix| prefix.to_string()).unwrap_or_default();
        let delegated = wire::Delegated { router_id: router.to_string(), subnet_id: subnet.to_string(), prefix };
        if self.delegated.insert(subnet, delegated.clone()).as_ref() != Some(&delegated) {
            tracing::info!(%router, %subnet, prefix = delegated.prefix, "delegated");
            self.send(report::Report::Delegated(delegated));
        }
    }

    /// Nobody wants to hear of a subnet's prefix from here any more.
    pub(crate) fn undelegated(&mut self, subnet: SubnetId) {
        self.delegated.remove(&subnet);
    }

    pub(crate) fn realised(&mut self, unit: UnitId, revision: u64) {
        if self.realised.insert(unit, revision) != Some(revision) {
            self.new_realised.insert(unit);
        }
        self.new_gone.remove(&unit);
    }

    /// No longer in force; `tell` when the server still wants it.
    pub(crate) fn gone(&mut self, unit: UnitId, tell: bool) {
        if self.realised.remove(&unit).is_some() && tell {
            self.new_gone.insert(unit);
        }
        self.new_realised.remove(&unit);
    }

    /// What is wrong with a unit now; nothing: an empty text. A unit nobody wants any more has no faults to tell.
    pub(crate) fn fault(&mut self, unit: UnitId, message: String, wanted: bool) {
        let before = if message.is_empty() { self.faults.remove(&unit) } else { self.faults.insert(unit, message.clone()) };
        if wanted && before.as_deref().unwrap_or_default() != message {
            match message.as_str() {
                "" => tracing::info!(%unit, "mended"),
                message => tracing::warn!(%unit, message, "cannot be realised"),
            }
            self.new_faults.insert(unit);
        }
    }

    pub(crate) fn is_realised(&self, unit: &UnitId) -> bool {
        self.realised.contains_key(unit)
    }

    /// Sends what is new. `seen`: the host could be read, so what is not in force is known to be missing.
    pub(crate) fn flush(&mut self, revision: u64, told: &BTreeMap<UnitId, u64>, seen: bool) {
        if seen && std::mem::take(&mut self.repeating) {
            let missing = |unit: &&UnitId| !self.realised.contains_key(*unit) && !self.faults.contains_key(*unit);
            self.new_gone.extend(told.keys().filter(missing));
        }
        let keys = |units: BTreeSet<UnitId>| -> Vec<String> { units.iter().map(ToString::to_string).collect() };
        if !self.new_realised.is_empty() || !self.new_gone.is_empty() {
            tracing::debug!(revision, realised = ?self.new_realised, gone = ?self.new_gone, "reporting");
        }
        for keys in keys(std::mem::take(&mut self.new_gone)).chunks(KEYS) {
            self.send(report::Report::Gone(wire::Gone { keys: keys.to_vec() }));
        }
        for keys in keys(std::mem::take(&mut self.new_realised)).chunks(KEYS) {
            self.send(report::Report::Realised(wire::Realised { revision, keys: keys.to_vec() }));
        }
        for unit in std::mem::take(&mut self.new_faults) {
            let message = self.faults.get(&unit).cloned().unwrap_or_default();
            let revision = told.get(&unit).copied().unwrap_or(revision);
            self.send(report::Report::Faulted(wire::Faulted { key: unit.to_string(), revision, message }));
        }
    }

    pub(crate) fn heartbeat(&mut self, roles: Vec<wire::Role>) {
        self.send(report::Report::Heartbeat(wire::Heartbeat { roles }));
    }

    /// Without a stream nothing is sent: a new one begins with all.
    fn send(&mut self, report: report::Report) {
        let report = Report { report: Some(report) };
        if self.out.as_ref().is_some_and(|out| out.send(report).is_err()) {
            self.out = None;
        }
    }
}
