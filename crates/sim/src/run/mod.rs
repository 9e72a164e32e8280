//! A run: a cloud with mishaps, then quiet, then judgement. Everything follows from the seed and the list of steps.

mod probe;
mod shrink;
mod step;

pub use shrink::shrink;

use crate::check;
use crate::cloud::{Outcome, Server, runtime};
use crate::node::Node;
use ml2::VlanRange;
use net::{HostName, VlanId};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use smol_str::SmolStr;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use world::World;
use world::engines::memory::{Faults, Locking, Memory};

/// What to play.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Decides everything.
    pub seed: u64,
    /// How many steps before the first quiet.
    pub steps: usize,
    /// How many times to go through trouble and quiet.
    pub rounds: usize,
    /// Packets judged in each quiet.
    pub packets: usize,
    /// Without mishaps: requests, devices and streams only.
    pub calm: bool,
}

/// What a run came to.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Requests done.
    pub done: usize,
    /// Requests refused.
    pub refused: usize,
    /// Revisions in the end.
    pub revision: u64,
    /// Ports that were wired in the quiets.
    pub wired: usize,
    /// Packets judged.
    pub packets: usize,
    /// Of these, those that somebody got.
    pub delivered: usize,
    /// Packets of old connections sent after trouble.
    pub old: usize,
    /// Of these, those that did not get there.
    pub cut: usize,
    /// Agents that died.
    pub crashes: usize,
}

/// Something that must hold did not.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What.
    pub problems: Vec<String>,
    /// What happened until then.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems.iter().take(20).try_for_each(|problem| writeln!(f, "wrong: {problem}"))?;
        writeln!(f, "after {} events:", self.trace.len())?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Rounds of pumping until it must be quiet.
const PATIENCE: usize = 150;
/// Quiet rounds after which nothing comes any more.
const QUIET: usize = 3;

pub(crate) struct Simulation {
    run: Run,
    runtime: Runtime,
    database: Memory,
    /// None: it is down.
    servers: Vec<Option<Server>>,
    nodes: Vec<Node>,
    hosts: Vec<HostName>,
    now: Instant,
    config: ml2::Config,
    starts: u64,
    epoch: u64,
    resume_commits: u64,
    trace: Vec<String>,
    traffic: probe::Traffic,
    summary: Summary,
    problems: Vec<String>,
}

impl Run {
    /// The steps of each round: each is a number that says all of it.
    pub fn salts(&self) -> Vec<Vec<u64>> {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        (0..self.rounds).map(|_| (0..self.steps).map(|_| rng.random()).collect()).collect()
    }

    /// Plays these steps.
    pub fn play(&self, salts: &[Vec<u64>]) -> Result<Summary, Failure> {
        let mut simulation = Simulation::new(*self);
        for round in salts {
            simulation.round(round)?;
        }
        Ok(simulation.summary)
    }
}

impl Simulation {
    fn new(run: Run) -> Simulation {
        let mut rng = SmallRng::seed_from_u64(run.seed ^ 0x5eed);
        let locking = if rng.random_bool(0.5) { Locking::Optimistic } else { Locking::Pessimistic };
        let nodes: Vec<Node> = (1..=rng.random_range(2..=4)).map(|number| Node::new(number, rng.random_bool(0.5))).collect();
        let vlans = [1, 3].map(|id| VlanId::try_from(id).expect("a VLAN"));
        let vlans = VlanRange { physical_network: "physnet1".into(), first: vlans[0], last: vlans[1] };
        let config = ml2::Config { dhcp_agents_per_network: rng.random_range(1..=2), vlan_ranges: vec![vlans], ..ml2::Config::default() };
        let mut simulation = Simulation {
            run,
            runtime: runtime(),
            database: Memory::new(locking, run.seed),
            servers: (0..rng.random_range(1..=2)).map(|_| None).collect(),
            hosts: nodes.iter().map(|node| node.name.clone()).collect(),
            nodes,
            // Ahead of the real time, which then decides nothing.
            now: Instant::now() + Duration::from_secs(1 << 20),
            config,
            starts: run.seed,
            epoch: 7,
            resume_commits: [0, 5, 1024][rng.random_range(0..3)],
            trace: Vec::new(),
            traffic: probe::Traffic::default(),
            summary: Summary::default(),
            problems: Vec::new(),
        };
        (0..simulation.servers.len()).for_each(|index| simulation.start_server(index));
        simulation
    }

    fn round(&mut self, salts: &[u64]) -> Result<(), Failure> {
        for salt in salts {
            self.step(*salt);
            if !self.problems.is_empty() {
                return Err(self.failure());
            }
        }
        self.quiet();
        for node in self.nodes.iter().filter(|_| self.run.calm) {
            // Where nobody meddles, no plan asks for what a kernel refuses.
            let refused = std::mem::take(&mut node.kernel.state().refused);
            self.problems.extend(refused.into_iter().map(|step| line(&node.name, format_args!("refused: {step}"))));
        }
        if self.problems.is_empty() {
            let world = self.newest();
            self.problems = check::problems(&self.nodes, &world, &self.config);
        }
        if self.problems.is_empty() {
            self.judge_old();
        }
        if self.problems.is_empty() {
            self.judge(salts.first().copied().unwrap_or_default());
        }
        if self.problems.is_empty() {
            self.restart_changes_nothing();
        }
        self.nodes.iter_mut().for_each(|node| node.died = false);
        self.summary.revision = self.newest().revision().0;
        if self.problems.is_empty() { Ok(()) } else { Err(self.failure()) }
    }

    fn failure(&mut self) -> Failure {
        Failure { problems: std::mem::take(&mut self.problems), trace: std::mem::take(&mut self.trace) }
    }

    fn note(&mut self, line: impl Into<String>) {
        self.trace.push(line.into());
    }

    fn start_server(&mut self, index: usize) {
        self.starts = self.starts.wrapping_add(1);
        let memory = self.database.another_server();
        let server = Server::start(memory, self.starts, self.epoch, self.config.clone(), self.resume_commits);
        self.servers[index] = Some(server);
    }

    fn stop_server(&mut self, index: usize) {
        self.servers[index] = None;
        for node in &mut self.nodes {
            node.stream.take_if(|stream| stream.server == index);
        }
    }

    /// The newest world of those servers that are up.
    fn newest(&self) -> World {
        let worlds = self.servers.iter().flatten().map(Server::world);
        worlds.max_by_key(|world| world.revision()).expect("a server is up when it is asked")
    }

    fn cut(&mut self, index: usize) {
        let Some(stream) = self.nodes[index].stream.take() else { return };
        if let Some(server) = &mut self.servers[stream.server] {
            server.detach(&self.nodes[index].name);
        }
    }

    /// Streams move: the server takes reports and says what is to be said. Answers how much happened, heartbeats aside.
    fn serve(&mut self, index: usize) -> usize {
        let name = self.nodes[index].name.clone();
        let Some(stream) = &mut self.nodes[index].stream else { return 0 };
        let Some(server) = &mut self.servers[stream.server] else { return 0 };
        let mut happened = 0;
        while let Ok(report) = stream.reports.try_recv() {
            use intent::wire::report::Report;
            let taken = match &report.report {
                Some(Report::Hello(hello)) => match server.attach(&self.runtime, hello) {
                    Some(told) => {
                        stream.orders.extend(told);
                        Ok(())
                    }
                    None => Err(None),
                },
                _ => server.report(&name, report.clone()).map_err(Some),
            };
            happened += usize::from(!matches!(report.report, Some(Report::Heartbeat(_))));
            if let Err(reason) = taken {
                if let Some(reason) = reason {
                    self.problems.push(format!("an honest agent's stream was ended: {reason}"));
                }
                self.cut(index);
                return happened;
            }
        }
        server.commit_reports(&self.runtime, &name);
        if server.catch_up(&self.runtime) {
            let told = server.tell(&name);
            happened += told.len();
            stream.orders.extend(told);
        }
        self.problems.append(&mut server.indiscretions);
        happened
    }

    fn turn(&mut self, index: usize) {
        self.now += Duration::from_millis(50);
        if !self.nodes[index].turn(self.now) {
            self.summary.crashes += 1;
            let name = self.nodes[index].name.clone();
            self.note(format!("{name}: the agent dies at work"));
            self.servers.iter_mut().flatten().for_each(|server| server.detach(&name));
        }
    }

    /// Nothing goes wrong any more, until nothing happens any more.
    fn quiet(&mut self) {
        self.note("quiet");
        self.database.set_faults(Faults::default());
        for index in 0..self.servers.len() {
            if self.servers[index].is_none() {
                self.start_server(index);
            }
        }
        for node in &mut self.nodes {
            {
                let mut kernel = node.kernel.state();
                (kernel.fail_every, kernel.dies_after) = (None, None);
            }
            node.start();
        }
        for server in self.servers.iter_mut().flatten() {
            server.memory.cut_off(false);
            if !server.catch_up(&self.runtime) {
                self.problems.push("a server does not catch up".to_owned());
            }
        }
        let mut quiet_rounds = 0;
        for _ in 0..PATIENCE {
            self.now += Duration::from_secs(61);
            let mut happened = 0;
            for index in 0..self.nodes.len() {
                if self.nodes[index].stream.is_none() {
                    self.nodes[index].attach(index % self.servers.len());
                }
                happened += self.nodes[index].read(usize::MAX);
                self.turn(index);
                happened += self.nodes[index].news.len();
                happened += self.serve(index);
                happened += self.nodes[index].agent.as_ref().map_or(1, |agent| usize::from(!agent.is_settled()));
            }
            quiet_rounds = if happened == 0 { quiet_rounds + 1 } else { 0 };
            if quiet_rounds == QUIET || !self.problems.is_empty() {
                return;
            }
        }
        self.problems.push("it does not come to rest".to_owned());
    }

    /// An agent that is restarted finds all as it should be, and touches nothing.
    fn restart_changes_nothing(&mut self) {
        for index in 0..self.nodes.len() {
            self.cut(index);
            let node = &mut self.nodes[index];
            node.crash();
            node.start();
            node.kernel.state().steps.clear();
        }
        self.quiet();
        for node in &self.nodes {
            for step in std::mem::take(&mut node.kernel.state().steps) {
                self.problems.push(format!("{}: a restart does {step}", node.name));
            }
        }
    }
}

/// A host's name and a reason, as a line of the trace.
fn line(host: &HostName, what: impl fmt::Display) -> String {
    format!("{host}: {what}")
}

pub(crate) fn shown(outcome: &Outcome) -> SmolStr {
    match outcome {
        Outcome::Done => SmolStr::new_static("done"),
        Outcome::Refused(fault) => smol_str::format_smolstr!("refused: {}", fault.kind),
        Outcome::Unknown(reason) => smol_str::format_smolstr!("unknown: {reason}"),
        Outcome::Bug(reason) => smol_str::format_smolstr!("BUG: {reason}"),
    }
}
