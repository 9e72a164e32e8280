//! Bringing the host to what was told: in quick passes over what changed, and in full passes that read the kernel.

use crate::frame::{Agent, Entry};
use crate::{Cut, Host, HostError, StepResult};
use dataplane::{Action, Actual, Netns, Plan, Program, Step, UnitKey, diff};
use intent::UnitId;
use net::{Family, IpNet};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

impl<H: Host> Agent<H> {
    /// Compiles what is dirty; answers the units, with what was in force of each.
    fn compile_dirty(&mut self) -> BTreeMap<UnitKey, Vec<UnitId>> {
        let mut compiled = BTreeMap::new();
        for (unit, role) in std::mem::take(&mut self.dirty) {
            let new = self.compilers[role].compile(&unit, &self.intents, &self.facts);
            let before = if new.is_empty() {
                self.entries.remove(&unit)
            } else {
                let program = Arc::new(new.program.clone());
                self.entries.insert(unit.clone(), Entry { role, program, compiled: new })
            };
            compiled.insert(unit, before.map(|entry| entry.compiled.blamed()).unwrap_or_default());
        }
        compiled
    }

    /// Changes what the dirty units differ in from what was applied last, without a look at more than the links they attach.
    pub(crate) fn quick_pass(&mut self) -> Result<(), HostError> {
        let dirty = self.compile_dirty();
        let units = || dirty.keys();
        let before: Vec<(&UnitKey, &Program)> = units().filter_map(|unit| Some((unit, &**self.applied.get(unit)?))).collect();
        let wanted: Vec<(&UnitKey, &Program)> = units().filter_map(|unit| Some((unit, &*self.entries.get(unit)?.program))).collect();
        let mut actual = Actual::of(before.iter().copied());
        for (_, program) in before.iter().chain(&wanted) {
            if let Err(error) = self.host.observe(program, &mut actual) {
                self.dirty.extend(
                    self.entries.iter().filter(|(unit, _)| dirty.contains_key(*unit)).map(|(unit, entry)| (unit.clone(), entry.role)),
                );
                self.broken.extend(units().map(|unit| (unit.clone(), error.to_string())));
                return Err(error);
            }
        }
        let plan = diff(wanted, &actual);
        let results = if plan.steps.is_empty() { Vec::new() } else { self.host.apply(&plan) };
        self.settle(&dirty, &plan, &results);
        Ok(())
    }

    /// Reads the host and changes what differs, whoever made it differ.
    pub(crate) fn full_pass(&mut self) -> Result<(), HostError> {
        let mut dirty = self.compile_dirty();
        let programs: Vec<&Program> = self.entries.values().map(|entry| &*entry.program).collect();
        let actual = match self.host.read(&programs) {
            Ok(actual) => actual,
            Err(error) => {
                self.broken.extend(dirty.keys().map(|unit| (unit.clone(), error.to_string())));
                return Err(error);
            }
        };
        let links = actual.namespaces.get(&Netns::ROOT).map(|root| root.links.keys().cloned().collect()).unwrap_or_default();
        self.note_devices(links);
        for (unit, before) in self.compile_dirty() {
            dirty.entry(unit).or_insert(before);
        }
        let plan = diff(self.entries.iter().map(|(unit, entry)| (unit, &*entry.program)), &actual);
        for unit in self.entries.keys().chain(self.applied.keys()).chain(self.broken.keys()) {
            if !dirty.contains_key(unit) {
                let before = self.entries.get(unit).map(|entry| entry.compiled.blamed());
                dirty.insert(unit.clone(), before.unwrap_or_default());
            }
        }
        let known = |unit: &UnitKey| self.applied.contains_key(unit);
        for step in plan.steps.iter().filter(|step| step.unit.as_ref().is_some_and(known)) {
            tracing::info!(unit = step.unit.as_ref().map(UnitKey::as_str), %step, "repairing");
        }
        let results = if plan.steps.is_empty() { Vec::new() } else { self.host.apply(&plan) };
        self.settle(&dirty, &plan, &results);
        Ok(())
    }

    /// Notes what a plan came to for the units it was made for; `units` has what was in force of each before.
    fn settle(&mut self, units: &BTreeMap<UnitKey, Vec<UnitId>>, plan: &Plan, results: &[StepResult]) {
        let mut failed: BTreeMap<&UnitKey, String> = BTreeMap::new();
        let mut unowned = None;
        for (step, result) in plan.steps.iter().zip(results) {
            let StepResult::Failed(reason) = result else { continue };
            match &step.unit {
                Some(unit) => _ = failed.entry(unit).or_insert_with(|| reason.clone()),
                None => {
                    tracing::warn!(%step, reason, "cannot remove");
                    unowned = Some(reason);
                }
            }
        }
        self.cuts.extend(left(&plan.steps));
        for step in &plan.steps {
            if let Action::StopDaemon(name) = &step.action {
                self.ailing.remove(&(step.netns.clone(), name.clone()));
            }
        }
        let waiting: BTreeSet<&UnitKey> = plan.waiting.iter().map(|waiting| &waiting.unit).collect();
        let all = units.keys().chain(failed.keys().copied().filter(|unit| !units.contains_key(*unit)));
        let none = Vec::new();
        for unit in all {
            match failed.get(unit) {
                Some(reason) => {
                    self.applied.remove(unit);
                    self.broken.insert(unit.clone(), reason.clone());
                }
                None => {
                    self.broken.remove(unit);
                    match self.entries.get(unit) {
                        Some(entry) => _ = self.applied.insert(unit.clone(), Arc::clone(&entry.program)),
                        None => _ = self.applied.remove(unit),
                    }
                }
            }
            self.report(unit, units.get(unit).unwrap_or(&none), failed.get(unit), waiting.contains(unit));
        }
        // Whose it was is not known: only a full pass can tell whether it is still there.
        if let Some(reason) = unowned {
            self.broken.insert(UnitKey::new("leftovers", "host"), reason.clone());
        }
    }

    fn report(&mut self, unit: &UnitKey, before: &[UnitId], failure: Option<&String>, waiting: bool) {
        let (mut realises, mut faults) = (BTreeSet::new(), BTreeMap::<UnitId, Vec<String>>::new());
        if let Some(entry) = self.entries.get(unit) {
            realises.extend(entry.compiled.realises.iter().copied().filter(|_| failure.is_none() && !waiting));
            for complaint in &entry.compiled.complaints {
                faults.entry(complaint.unit).or_default().push(complaint.reason.clone());
            }
            let others = self.ailments(&entry.program).chain(self.in_vain(unit));
            let reasons: Vec<String> = failure.cloned().into_iter().chain(others).collect();
            if !reasons.is_empty() {
                let blamed = unit.as_str().parse().map_or_else(|_| entry.compiled.realises.clone(), |id| vec![id]);
                blamed.into_iter().for_each(|id| faults.entry(id).or_default().extend(reasons.iter().cloned()));
                if faults.is_empty() {
                    tracing::error!(%unit, reason = reasons.join("; "), "cannot be realised");
                }
            }
        }
        let concerned: BTreeSet<UnitId> = before.iter().copied().chain(realises.iter().copied()).chain(faults.keys().copied()).collect();
        for id in concerned {
            let told = self.told.get(&id).copied();
            match told.filter(|_| realises.contains(&id)) {
                Some(revision) => self.reporter.realised(id, revision),
                None if self.reporter.is_realised(&id) => self.reporter.gone(id, told.is_some()),
                None => {}
            }
            self.reporter.fault(id, faults.get(&id).map(|reasons| reasons.join("; ")).unwrap_or_default(), told.is_some());
        }
    }
}

impl<H> Agent<H> {
    /// What is wrong with the daemons of a program.
    fn ailments(&self, program: &Program) -> impl Iterator<Item = String> {
        let daemons = program.namespaces.iter().flat_map(|(netns, space)| space.daemons.keys().map(move |name| (netns, name)));
        daemons.filter_map(|(netns, name)| {
            let reason = self.ailing.get(&(netns.clone(), name.clone()))?;
            Some(format!("{name} in {netns} ended: {reason}"))
        })
    }

    /// What a router asks for in vain.
    fn in_vain(&self, unit: &UnitKey) -> impl Iterator<Item = String> {
        let router = unit.as_str().parse().ok().and_then(|id| if let UnitId::Router(router) = id { Some(router) } else { None });
        let of_it = self.undelegated.iter().filter(move |((of, _), _)| Some(*of) == router);
        of_it.map(|((_, subnet), reason)| format!("no prefix is delegated for subnet {subnet}: {reason}"))
    }
}

/// The connections of addresses that leave a namespace of ours, also when nobody looked as they were given up: those to them, and
/// those they stood for. One that goes from link to link takes them along.
fn left(steps: &[Step]) -> Vec<Cut> {
    let come = |step: &Step| if let Action::AddAddress(address) = &step.action { Some(address.net.addr()) } else { None };
    let come: BTreeSet<(&Netns, IpAddr)> = steps.iter().filter_map(|step| Some((&step.netns, come(step)?))).collect();
    let gone = steps.iter().filter(|step| !step.netns.is_root()).filter_map(|step| {
        let Action::RemoveAddress(address) = &step.action else { return None };
        Some((&step.netns, address.net.addr()))
    });
    let cuts = |(netns, address): (&Netns, IpAddr)| {
        let all = Cut::all(netns.clone(), 0, Family::of(&address));
        let address = Some(IpNet::from(address));
        [Cut { destination: address, ..all.clone() }, Cut { translated_source: address, ..all }]
    };
    gone.filter(|gone| !come.contains(gone)).flat_map(cuts).collect()
}
