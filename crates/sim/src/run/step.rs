//! Single steps: requests, devices, streams, time, and everything that goes wrong.

use super::{Simulation, line, shown};
use crate::cloud::{Outcome, request};
use crate::node::Node;
use dataplane::{Actual, Netns};
use model::Port;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::time::Duration;
use world::engines::memory::Faults;

impl Simulation {
    /// What a number says.
    pub(super) fn step(&mut self, salt: u64) {
        let mut rng = SmallRng::seed_from_u64(salt);
        let rng = &mut rng;
        match rng.random_range(0..100) {
            0..=37 => self.ask(rng),
            38..=49 => self.device(rng),
            50..=79 => self.move_on(rng),
            80..=83 => self.reconnect(rng),
            84 | 85 => self.now += Duration::from_secs(rng.random_range(1..70)),
            _ if self.run.calm => self.move_on(rng),
            86..=88 => self.kill(rng),
            89 | 90 => self.fail_steps(rng),
            91 | 92 => self.fail_database(rng),
            93 | 94 => self.restart_server(rng),
            95 | 96 => self.drift(rng),
            97 => self.silence(rng),
            98 => self.isolate_server(rng),
            _ => self.kill(rng),
        }
    }

    fn up(&self, rng: &mut SmallRng) -> Option<usize> {
        let up: Vec<usize> = (0..self.servers.len()).filter(|index| self.servers[*index].is_some()).collect();
        up.choose(rng).copied()
    }

    fn node(&self, rng: &mut SmallRng) -> usize {
        rng.random_range(0..self.nodes.len())
    }

    fn ask(&mut self, rng: &mut SmallRng) {
        let Some(index) = self.up(rng) else { return };
        let Some(server) = &mut self.servers[index] else { return };
        // What it has of others' commits must not depend on how fast its threads are.
        if !server.catch_up(&self.runtime) {
            return;
        }
        let Some(request) = request::random(rng, &server.world(), &self.hosts) else { return };
        let outcome = server.request(&self.runtime, &request);
        match &outcome {
            Outcome::Done => self.summary.done += 1,
            Outcome::Refused(_) => self.summary.refused += 1,
            Outcome::Unknown(_) => {}
            Outcome::Bug(reason) => self.problems.push(format!("{request}: {reason}")),
        }
        self.note(format!("server {index}: {request}: {}", shown(&outcome)));
    }

    /// The device of a port comes or goes, where it should be or (sometimes) elsewhere.
    fn device(&mut self, rng: &mut SmallRng) {
        let Some(server) = self.up(rng).and_then(|index| self.servers[index].as_mut()) else { return };
        if !server.catch_up(&self.runtime) {
            return;
        }
        let world = server.world();
        let mut ports: Vec<_> = world.table::<Port>().iter().filter(|port| port.device_owner != "network:dhcp").cloned().collect();
        if rng.random_bool(0.8) {
            let waits = |node: &Node, port: &Port| port.bound_host() == Some(&node.name) && node.kernel.link(&port.tap_name()).is_none();
            ports.retain(|port| self.nodes.iter().any(|node| waits(node, port)));
        }
        let Some(port) = ports.choose(rng) else { return };
        let own = self.nodes.iter().position(|node| port.bound_host() == Some(&node.name));
        let index = own.filter(|_| rng.random_bool(0.95)).unwrap_or_else(|| self.node(rng));
        let node = &mut self.nodes[index];
        let tap = port.tap_name();
        let there = node.kernel.link(&tap).is_none() || rng.random_bool(0.75);
        if there && node.kernel.link(&tap).is_none() {
            node.kernel.add_link(&tap);
        } else if !there {
            node.kernel.remove_link(&tap);
        }
        node.look();
        // The monitor of links loses something now and then; the timer finds it.
        if rng.random_bool(0.05) {
            node.news.clear();
        }
        let text = line(&node.name, format_args!("{tap} {}", if there { "is there" } else { "goes" }));
        self.note(text);
    }

    fn move_on(&mut self, rng: &mut SmallRng) {
        let index = self.node(rng);
        let orders = [1, 2, usize::MAX][rng.random_range(0..3)];
        if self.nodes[index].stream.is_none() && self.nodes[index].agent.is_some() && rng.random_bool(0.7) {
            let server = rng.random_range(0..self.servers.len());
            self.nodes[index].attach(server);
            let text = line(&self.nodes[index].name, format_args!("attaches to server {server}"));
            self.note(text);
        }
        let read = self.nodes[index].read(orders);
        if rng.random_bool(0.8) {
            self.turn(index);
        }
        let served = if rng.random_bool(0.8) { self.serve(index) } else { 0 };
        if read + served > 0 {
            let text = line(&self.nodes[index].name, format_args!("reads {read}, {served} under way"));
            self.note(text);
        }
    }

    fn reconnect(&mut self, rng: &mut SmallRng) {
        let index = self.node(rng);
        self.cut(index);
        let text = line(&self.nodes[index].name, "its stream is cut");
        self.note(text);
    }

    /// The agent dies, now or at some step of its next plan; or a dead one starts.
    fn kill(&mut self, rng: &mut SmallRng) {
        let index = self.node(rng);
        if self.nodes[index].agent.is_none() {
            self.nodes[index].start();
            let text = line(&self.nodes[index].name, "the agent starts");
            return self.note(text);
        }
        if rng.random_bool(0.7) {
            let after = rng.random_range(0..12);
            self.nodes[index].kernel.state().dies_after = Some(after);
            let text = line(&self.nodes[index].name, format_args!("the agent will die after {after} steps"));
            return self.note(text);
        }
        self.cut(index);
        self.nodes[index].crash();
        self.summary.crashes += 1;
        let text = line(&self.nodes[index].name, "the agent dies");
        self.note(text);
    }

    fn fail_steps(&mut self, rng: &mut SmallRng) {
        let index = self.node(rng);
        let every = Some(rng.random_range(2..9)).filter(|_| rng.random_bool(0.7));
        self.nodes[index].kernel.state().fail_every = every;
        let text = line(&self.nodes[index].name, format_args!("steps fail: {every:?}"));
        self.note(text);
    }

    /// Only what befalls writes: other calls come from threads whose order nobody decides.
    fn fail_database(&mut self, rng: &mut SmallRng) {
        let faults = if rng.random_bool(0.5) {
            Faults::default()
        } else {
            Faults { conflict: 0.2, unavailable: 0.0, lost_before_commit: 0.15, lost_after_commit: 0.15 }
        };
        self.database.set_faults(faults);
        self.note(format!("the database: {faults:?}"));
    }

    fn restart_server(&mut self, rng: &mut SmallRng) {
        let index = rng.random_range(0..self.servers.len());
        if self.servers[index].is_some() && rng.random_bool(0.5) {
            self.stop_server(index);
            return self.note(format!("server {index} is killed"));
        }
        if rng.random_bool(0.2) {
            self.epoch += 1;
        }
        self.stop_server(index);
        self.start_server(index);
        self.note(format!("server {index} starts, epoch {}", self.epoch));
    }

    fn isolate_server(&mut self, rng: &mut SmallRng) {
        let cut_off = rng.random_bool(0.5);
        let Some(index) = self.up(rng) else { return };
        if let Some(server) = &self.servers[index] {
            server.memory.cut_off(cut_off);
        }
        self.note(format!("server {index} {} the database", if cut_off { "does not reach" } else { "reaches" }));
    }

    /// A host is not heard for too long.
    fn silence(&mut self, rng: &mut SmallRng) {
        let name = self.nodes[self.node(rng)].name.clone();
        let Some(index) = self.up(rng) else { return };
        let Some(server) = self.servers[index].as_mut().filter(|server| !server.has(&name)) else { return };
        let outcome = server.silence(&self.runtime, &name);
        self.note(line(&name, format_args!("counts as dead: {}", shown(&outcome))));
    }

    /// Somebody changes what is ours.
    fn drift(&mut self, rng: &mut SmallRng) {
        let index = self.node(rng);
        let node = &self.nodes[index];
        let what = meddle(&mut node.kernel.state().actual, rng);
        let text = line(&node.name, format_args!("somebody {what}"));
        self.note(text);
    }
}

fn meddle(actual: &mut Actual, rng: &mut SmallRng) -> &'static str {
    let root = actual.netns(&Netns::ROOT);
    let at = rng.random_range(0..4);
    match rng.random_range(0..6) {
        0 => {
            root.links.values_mut().filter(|link| link.owner.is_some()).skip(at).take(1).for_each(|link| link.up = false);
            "takes a link down"
        }
        1 => {
            root.links.values_mut().filter(|link| link.owner.is_some()).skip(at).take(1).for_each(|link| link.master = None);
            "takes a link out of its bridge"
        }
        2 => {
            root.fdb.pop_first();
            "removes a forwarding entry"
        }
        3 => {
            let chains = root.tables.values_mut().flat_map(|table| table.chains.values_mut());
            chains.filter(|chain| chain.base.is_none()).skip(at).take(1).for_each(|chain| _ = chain.rules.pop());
            "removes a rule"
        }
        4 => {
            let elements = root.tables.values_mut().flat_map(|table| table.elements.values_mut());
            elements.filter(|elements| !elements.is_empty()).skip(at).take(1).for_each(|elements| _ = elements.pop_last());
            "removes an element"
        }
        _ => {
            root.tables.clear();
            "flushes the ruleset"
        }
    }
}
