//! The kernel of a simulated host: plans are done to an [`Actual`], and may fail or be cut short by the agent's death.

use crate::packet::track::Track;
use agent::{Cut, Delegation, Host, HostError, Release, StepResult};
use dataplane::{Actual, ActualLink, LinkKind, Name, Netns, Plan, Program, UnitKey};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a host has, and what is about to go wrong.
#[derive(Default)]
pub struct State {
    /// Everything but tracked connections.
    pub actual: Actual,
    /// Tracked connections.
    pub track: Track,
    /// Steps done since somebody looked.
    pub steps: Vec<String>,
    /// Steps that a kernel would have refused although nothing was made to fail.
    pub refused: Vec<String>,
    /// Every so many steps one fails.
    pub fail_every: Option<usize>,
    /// The agent dies when so many further steps are done.
    pub dies_after: Option<usize>,
    /// It has died.
    pub dead: bool,
    count: usize,
}

/// A kernel; it outlives the agents that use it.
#[derive(Clone, Default)]
pub struct Kernel(Arc<Mutex<State>>);

impl Kernel {
    /// Its state.
    ///
    /// # Panics
    /// When something panicked while it held the state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it holds the kernel")
    }

    /// Somebody else makes a link.
    pub fn add_link(&self, name: &str) {
        let link = ActualLink {
            kind: LinkKind::Existing,
            mtu: Some(1500),
            mac: None,
            master: None,
            up: true,
            port: None,
            station: None,
            owner: None,
        };
        self.state().actual.set_link(&Netns::ROOT, &Name::new(name), Some(link));
    }

    /// Somebody else removes it.
    pub fn remove_link(&self, name: &str) {
        self.state().actual.set_link(&Netns::ROOT, &Name::new(name), None);
    }

    /// A link of the agent's namespace.
    pub fn link(&self, name: &str) -> Option<ActualLink> {
        self.state().actual.namespaces.get(&Netns::ROOT).and_then(|root| root.links.get(name).cloned())
    }
}

impl Host for Kernel {
    fn read(&mut self, _wanted: &[&Program]) -> Result<Actual, HostError> {
        let state = self.state();
        if state.dead { Err(HostError("the agent is dead".to_owned())) } else { Ok(state.actual.clone()) }
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
            let done = state.take(&Plan { steps: vec![step.clone()], waiting: Vec::new() });
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
        let mut state = self.state();
        if !state.dead {
            state.track.cut(cuts);
        }
        Ok(())
    }

    fn give_back(&mut self, _ended: &[Delegation]) -> Result<(), HostError> {
        Ok(())
    }

    fn delegate(&mut self, _wanted: &BTreeSet<Delegation>) -> Result<(), HostError> {
        Ok(())
    }

    fn release(&mut self, _releases: &[Release]) -> Result<(), HostError> {
        Ok(())
    }
}

impl State {
    fn take(&mut self, step: &Plan) -> Result<(), String> {
        match &mut self.dies_after {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if self.dead {
            return Err("the agent is dead".to_owned());
        }
        self.count += 1;
        if self.fail_every.is_some_and(|every| self.count.is_multiple_of(every)) {
            return Err("by chance".to_owned());
        }
        step.apply_to(&mut self.actual).map_err(|refused| {
            let text = format!("{}: {}", refused.step, refused.why);
            self.refused.push(text.clone());
            text
        })
    }
}
