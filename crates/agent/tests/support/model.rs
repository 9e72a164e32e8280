//! A host without a kernel: plans are done to an `Actual`, and may fail.

use agent::{Cut, Delegation, Host, HostError, Release, StepResult};
use dataplane::{Actual, ActualLink, LinkKind, Name, Netns, Plan, Program, UnitKey};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Default)]
pub struct State {
    pub actual: Actual,
    /// Steps done since somebody looked.
    pub steps: Vec<String>,
    pub cuts: Vec<Cut>,
    pub releases: Vec<Release>,
    /// Steps fail whose number in the run of this model is a multiple of this.
    pub fail_every: Option<usize>,
    count: usize,
    /// Reads fail.
    pub unreadable: bool,
}

/// Outlives the agents that use it, as a kernel does.
#[derive(Clone, Default)]
pub struct Model(Arc<Mutex<State>>);

impl Model {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the model")
    }

    /// A link that somebody else makes.
    pub fn add_link(&self, name: &str) {
        let link = ActualLink {
            kind: LinkKind::Existing,
            mtu: Some(1500),
            mac: None,
            master: None,
            up: false,
            port: None,
            station: None,
            owner: None,
        };
        self.state().actual.set_link(&Netns::ROOT, &Name::new(name), Some(link));
    }

    pub fn remove_link(&self, name: &str) {
        self.state().actual.set_link(&Netns::ROOT, &Name::new(name), None);
    }

    pub fn link(&self, name: &str) -> Option<ActualLink> {
        self.state().actual.namespaces.get(&Netns::ROOT).and_then(|root| root.links.get(name).cloned())
    }

    /// Steps done since the last call.
    pub fn steps(&self) -> Vec<String> {
        std::mem::take(&mut self.state().steps)
    }
}

impl Host for Model {
    fn read(&mut self, _wanted: &[&Program]) -> Result<Actual, HostError> {
        let state = self.state();
        if state.unreadable { Err(HostError("unreadable".to_owned())) } else { Ok(state.actual.clone()) }
    }

    fn observe(&mut self, program: &Program, actual: &mut Actual) -> Result<(), HostError> {
        let state = self.state();
        for (netns, namespace) in &program.namespaces {
            for (name, _) in namespace.links.iter().filter(|(_, link)| link.kind == LinkKind::Existing) {
                let link = state.actual.namespaces.get(netns).and_then(|space| space.links.get(name));
                actual.set_link(netns, name, link.cloned());
            }
        }
        Ok(())
    }

    fn apply(&mut self, plan: &Plan) -> Vec<StepResult> {
        let mut state = self.state();
        let mut failed: BTreeSet<UnitKey> = BTreeSet::new();
        let mut results = Vec::new();
        for step in &plan.steps {
            if step.unit.as_ref().is_some_and(|unit| failed.contains(unit)) {
                results.push(StepResult::Skipped);
                continue;
            }
            state.count += 1;
            let chance = state.fail_every.is_some_and(|every| state.count.is_multiple_of(every));
            let one = Plan { steps: vec![step.clone()], waiting: Vec::new() };
            let done = if chance { Err("by chance") } else { one.apply_to(&mut state.actual).map_err(|refused| refused.why) };
            results.push(match done {
                Ok(()) => {
                    state.steps.push(step.to_string());
                    StepResult::Done
                }
                Err(why) => {
                    failed.extend(step.unit.clone());
                    StepResult::Failed(format!("{step}: {why}"))
                }
            });
        }
        results
    }

    fn cut(&mut self, cuts: &[Cut]) -> Result<(), HostError> {
        self.state().cuts.extend_from_slice(cuts);
        Ok(())
    }

    fn give_back(&mut self, _ended: &[Delegation]) -> Result<(), HostError> {
        Ok(())
    }

    fn delegate(&mut self, _wanted: &BTreeSet<Delegation>) -> Result<(), HostError> {
        Ok(())
    }

    fn release(&mut self, releases: &[Release]) -> Result<(), HostError> {
        self.state().releases.extend_from_slice(releases);
        Ok(())
    }
}
