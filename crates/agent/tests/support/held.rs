//! The host of the kernel, which looks for connections that are cut only when a test lets it: as on a host that has very many.

use super::lab::DEADLINE;
use agent::{Cut, Delegation, Host, HostError, Release, StepResult};
use dataplane::{Actual, Plan, Program};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The host.
pub struct Kernel {
    pub host: host::Host,
    gate: Option<Gate>,
}

/// The agent's side: says that it is about to look, and waits.
pub struct Gate {
    about: Sender<()>,
    open: Receiver<()>,
}

/// The test's side.
pub struct Held {
    about: Receiver<()>,
    open: Sender<()>,
}

/// The two sides.
pub fn gate() -> (Gate, Held) {
    let (about, comes) = channel();
    let (opens, open) = channel();
    (Gate { about, open }, Held { about: comes, open: opens })
}

impl Held {
    /// Waits until the agent is about to look for connections.
    pub fn until_about(&self) {
        self.about.recv_timeout(DEADLINE).expect("the agent looks for connections");
    }

    /// Lets it look.
    pub fn open(&self) {
        self.open.send(()).expect("the agent waits");
    }
}

impl Kernel {
    pub fn new(host: host::Host, gate: Option<Gate>) -> Kernel {
        Kernel { host, gate }
    }
}

impl Host for Kernel {
    fn thread_started(&mut self) {
        self.host.thread_started();
    }

    fn read(&mut self, wanted: &[&Program]) -> Result<Actual, HostError> {
        Host::read(&mut self.host, wanted)
    }

    fn observe(&mut self, program: &Program, actual: &mut Actual) -> Result<(), HostError> {
        Host::observe(&mut self.host, program, actual)
    }

    fn apply(&mut self, plan: &Plan) -> Vec<StepResult> {
        Host::apply(&mut self.host, plan)
    }

    fn cut(&mut self, cuts: &[Cut]) -> Result<(), HostError> {
        if let Some(gate) = &self.gate {
            gate.about.send(()).expect("the test waits");
            gate.open.recv_timeout(DEADLINE).expect("the test lets it look");
        }
        self.host.cut(cuts)
    }

    fn give_back(&mut self, ended: &[Delegation]) -> Result<(), HostError> {
        self.host.give_back(ended)
    }

    fn delegate(&mut self, wanted: &BTreeSet<Delegation>) -> Result<(), HostError> {
        self.host.delegate(wanted)
    }

    fn release(&mut self, releases: &[Release]) -> Result<(), HostError> {
        self.host.release(releases)
    }
}
