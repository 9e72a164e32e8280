//! nftables: chains are replaced whole, sets element by element, conntrack helpers made anew.

use super::{Phase, Scene, Steps};
use crate::nft::{Base, Chain, Elements, Key, MapData, Table, TableKey};
use crate::{Action, ActualChain, ActualTable, Name, Owner, Role, TableChange, UnitKey};
use std::collections::BTreeMap;

/// The order within one transaction: nothing is made before what it refers to, nothing removed before what refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Table,
    Flush,
    RemoveElements,
    RemoveChain,
    RemoveSet,
    Set,
    Chain,
    Rules,
    AddElements,
}

impl Scene<'_> {
    pub(super) fn add_tables(&self, steps: &mut Steps, unit: &UnitKey, want: &BTreeMap<TableKey, Table>) {
        let nothing = ActualTable::default();
        for (key, table) in want {
            let is = self.is.tables.get(key).unwrap_or(&nothing);
            TableScene { scene: self, key, is, resets: self.resets(key, is) }.add(steps, unit, table);
        }
    }

    /// A set's type has changed, or what a helper is: as rules may refer to it, all chains known are written anew.
    fn resets(&self, key: &TableKey, is: &ActualTable) -> bool {
        let want = self.all.namespaces.get(self.netns).and_then(|namespace| namespace.tables.get(key));
        want.is_some_and(|want| {
            let set = |(name, spec)| is.sets.get(name).is_some_and(|is| is != spec);
            let helper = |(name, helper)| is.helpers.get(name).is_some_and(|is| is != helper);
            want.sets.iter().any(set) || want.helpers.iter().any(helper)
        })
    }

    pub(super) fn remove_tables(&self, steps: &mut Steps, want: &BTreeMap<TableKey, Table>) {
        let nothing = Table::default();
        for (key, is) in &self.is.tables {
            let table = want.get(key).unwrap_or(&nothing);
            if is.declared && !table.declared {
                let delete = Action::Table(key.clone(), TableChange::Delete);
                steps.push(Phase::TableRemove(Stage::Table), None, self.netns, delete);
            } else {
                TableScene { scene: self, key, is, resets: self.resets(key, is) }.remove(steps, table);
            }
        }
    }
}

struct TableScene<'a> {
    scene: &'a Scene<'a>,
    key: &'a TableKey,
    is: &'a ActualTable,
    resets: bool,
}

impl TableScene<'_> {
    fn push(&self, steps: &mut Steps, phase: Phase, unit: Option<&UnitKey>, change: TableChange) {
        steps.push(phase, unit, self.scene.netns, Action::Table(self.key.clone(), change));
    }

    fn add(&self, steps: &mut Steps, unit: &UnitKey, table: &Table) {
        let some = Some(unit);
        if table.declared && !self.is.declared {
            let owner = Owner { unit: unit.clone(), role: Role::Made };
            self.push(steps, Phase::Table(Stage::Table), some, TableChange::Create(owner));
        }
        for (name, helper) in &table.helpers {
            match self.is.helpers.get(name) {
                Some(is) if is == helper => continue,
                Some(_) => self.push(steps, Phase::Table(Stage::RemoveSet), some, TableChange::DeleteHelper(name.clone())),
                None => {}
            }
            self.push(steps, Phase::Table(Stage::Set), some, TableChange::CreateHelper(name.clone(), helper.clone()));
        }
        for (name, spec) in &table.sets {
            match self.is.sets.get(name) {
                Some(is) if is == spec => continue,
                Some(_) => self.push(steps, Phase::Table(Stage::RemoveSet), some, TableChange::DeleteSet(name.clone())),
                None => {}
            }
            self.push(steps, Phase::Table(Stage::Set), some, TableChange::CreateSet(name.clone(), spec.clone()));
        }
        for (name, chain) in &table.chains {
            self.add_chain(steps, unit, name, chain);
        }
        for (name, elements) in &table.elements {
            self.add_elements(steps, unit, name, elements);
        }
    }

    fn add_chain(&self, steps: &mut Steps, unit: &UnitKey, name: &Name, chain: &Chain) {
        let some = Some(unit);
        let digests: Vec<_> = chain.digests().into_iter().map(Some).collect();
        let create = TableChange::CreateChain(name.clone(), chain.base.clone());
        let mut is = self.is.chains.get(name);
        if is.is_some_and(|is| !same_hook(is.base.as_ref(), chain.base.as_ref())) {
            self.push(steps, Phase::Table(Stage::Flush), some, TableChange::SetRules(name.clone(), Vec::new()));
            self.push(steps, Phase::Table(Stage::RemoveChain), some, TableChange::DeleteChain(name.clone()));
            is = None;
        }
        if is.is_none_or(|is| is.base != chain.base) {
            self.push(steps, Phase::Table(Stage::Chain), some, create);
        }
        let right = |is: &ActualChain| is.rules == digests && !self.resets;
        let rules = || TableChange::SetRules(name.clone(), chain.rules.clone());
        match is {
            Some(is) if right(is) => {}
            None if chain.rules.is_empty() => {}
            _ => {
                if self.resets && is.is_some() {
                    self.push(steps, Phase::Table(Stage::Flush), some, TableChange::SetRules(name.clone(), Vec::new()));
                }
                self.push(steps, Phase::Table(Stage::Rules), some, rules());
            }
        }
    }

    /// A unit's elements are few among those of a shared set: they are looked up, not compared with all of them.
    fn add_elements(&self, steps: &mut Steps, unit: &UnitKey, set: &Name, want: &Elements) {
        let nothing = Elements::new();
        let is = self.known_elements(set).unwrap_or(&nothing);
        let want = canonical(want);
        let differing = want.iter().filter_map(|(key, data)| is.get_key_value(key).filter(|(_, is)| *is != data));
        let stale: Elements = differing.map(own).collect();
        let missing: Elements = want.iter().filter(|(key, data)| is.get(*key) != Some(data)).map(own).collect();
        if !stale.is_empty() {
            self.push(steps, Phase::Table(Stage::RemoveElements), Some(unit), TableChange::RemoveElements(set.clone(), stale));
        }
        if !missing.is_empty() {
            self.push(steps, Phase::Table(Stage::AddElements), Some(unit), TableChange::AddElements(set.clone(), missing));
        }
    }

    /// The elements there, unless the set is made anew.
    fn known_elements(&self, set: &Name) -> Option<&Elements> {
        let want = self.scene.all.namespaces.get(self.scene.netns).and_then(|namespace| namespace.tables.get(self.key));
        let spec = want.and_then(|want| want.sets.get(set));
        let remade = spec.is_some_and(|spec| self.is.sets.get(set).is_some_and(|is| is != spec));
        self.is.elements.get(set).filter(|_| !remade)
    }

    fn remove(&self, steps: &mut Steps, want: &Table) {
        let none = Elements::new();
        for set in self.is.elements.keys() {
            let vanishing = self.is.sets.get(set).filter(|_| !want.sets.contains_key(set));
            // Chains to which elements lead go before sets do.
            if vanishing.is_some_and(|spec| spec.data != Some(MapData::Verdict)) {
                continue;
            }
            let wanted = canonical(want.elements.get(set).unwrap_or(&none));
            let is = self.known_elements(set).unwrap_or(&none);
            let stale: Elements = is.iter().filter(|(key, _)| !wanted.contains_key(*key)).map(own).collect();
            let grows = wanted.iter().any(|(key, data)| is.get(key) != Some(data));
            if !stale.is_empty() {
                // New intervals may overlap old ones: both change in one transaction.
                let phase = if grows { Phase::Table(Stage::RemoveElements) } else { Phase::TableRemove(Stage::RemoveElements) };
                self.push(steps, phase, None, TableChange::RemoveElements(set.clone(), stale));
            }
        }
        for name in self.is.chains.keys().filter(|name| !want.chains.contains_key(*name)) {
            self.push(steps, Phase::TableRemove(Stage::Flush), None, TableChange::SetRules(name.clone(), Vec::new()));
            self.push(steps, Phase::TableRemove(Stage::RemoveChain), None, TableChange::DeleteChain(name.clone()));
        }
        for name in self.is.helpers.keys().filter(|name| !want.helpers.contains_key(*name)) {
            self.push(steps, Phase::TableRemove(Stage::RemoveSet), None, TableChange::DeleteHelper(name.clone()));
        }
        for name in self.is.sets.keys().filter(|name| !want.sets.contains_key(*name)) {
            self.push(steps, Phase::TableRemove(Stage::RemoveSet), None, TableChange::DeleteSet(name.clone()));
        }
    }
}

fn same_hook(is: Option<&Base>, want: Option<&Base>) -> bool {
    match (is, want) {
        (None, None) => true,
        (Some(is), Some(want)) => Base { policy: want.policy, ..is.clone() } == *want,
        _ => false,
    }
}

fn own((key, data): (&Key, &Option<crate::nft::Data>)) -> (Key, Option<crate::nft::Data>) {
    (key.clone(), data.clone())
}

fn canonical(elements: &Elements) -> Elements {
    elements.iter().map(|(element, data)| (element.canonical(), data.clone())).collect()
}
