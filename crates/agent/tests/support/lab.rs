//! A host of its own in a network and a mount namespace, with a real agent on the real kernel, and instances in namespaces.

use super::build;
use super::held::{Gate, Kernel};
use agent::{Event, Running};
use dataplane::Netns;
use host::plug::{self, Nic};
use intent::wire::{Report, report};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// The link to the physical network `physnet1`, where a test makes one.
pub const PHYSICAL: &str = "phy0";
pub const DEADLINE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce(&mut Inside) + Send>;

/// A thread that is in the host's namespaces.
pub struct Lab {
    jobs: mpsc::Sender<Job>,
    thread: Option<JoinHandle<()>>,
}

/// What that thread has.
pub struct Inside {
    state: tempfile::TempDir,
    local_ip: Option<String>,
    /// The agent takes this kernel for one without VLAN links.
    pub without_vlans: bool,
    /// The next agent looks for connections that are cut only when this lets it.
    pub gate: Option<Gate>,
    running: Option<Running<Kernel>>,
    reports: Option<UnboundedReceiver<Report>>,
    realised: BTreeMap<String, u64>,
    faults: BTreeMap<String, String>,
    revision: u64,
}

const NONE: Option<&str> = None;

fn enter() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_PRIVATE | MsFlags::MS_REC, NONE)?;
    // A namespace's own names: agents of other hosts see none of them.
    std::fs::create_dir_all("/run/netns").map_err(|_| nix::Error::EACCES)?;
    mount(Some("tmpfs"), "/run/netns", Some("tmpfs"), MsFlags::empty(), NONE)?;
    // The kernel's parameters of this namespace.
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), NONE)
}

impl Lab {
    /// None, said loudly, where there is no right to make namespaces.
    pub fn new(local_ip: Option<&str>) -> Option<Lab> {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let (ready, entered) = mpsc::channel();
        let local_ip = local_ip.map(str::to_owned);
        let thread = std::thread::spawn(move || {
            let result = enter();
            ready.send(result).expect("the test waits for it");
            if result.is_err() {
                return;
            }
            sh("ip link set lo up");
            let state = tempfile::tempdir().expect("a directory");
            let mut inside = Inside {
                state,
                local_ip,
                without_vlans: false,
                gate: None,
                running: None,
                reports: None,
                realised: BTreeMap::new(),
                faults: BTreeMap::new(),
                revision: 1,
            };
            for job in receiver {
                job(&mut inside);
            }
        });
        match entered.recv().expect("the thread says whether it could") {
            Ok(()) => Some(Lab { jobs, thread: Some(thread) }),
            Err(error) => {
                println!("SKIPPED: no right to make namespaces: {error}");
                None
            }
        }
    }

    /// Joins two hosts by a cable: a link of the name [`PHYSICAL`] at each end.
    pub fn wire(&self, other: &Lab) {
        let netns = other.run(|_| format!("/proc/{}/task/{}/ns/net", std::process::id(), nix::unistd::gettid()));
        self.run(move |_| {
            sh(&format!("ip link add {PHYSICAL} mtu 1500 type veth peer name {PHYSICAL} mtu 1500 netns {netns}"));
            sh(&format!("ip link set {PHYSICAL} up"));
        });
        other.run(|_| sh(&format!("ip link set {PHYSICAL} up")));
    }

    /// Runs a closure on the host.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Inside) -> T + Send + 'static) -> T {
        let (sender, result) = mpsc::channel();
        let job = move |inside: &mut Inside| sender.send(work(inside)).expect("the test waits for it");
        self.jobs.send(Box::new(job)).expect("the host's thread runs");
        result.recv().expect("the closure has not panicked")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let (closed, _) = mpsc::channel();
        self.jobs = closed;
        if let Some(thread) = self.thread.take() {
            // A panic in it has been seen by the test.
            _ = thread.join();
        }
    }
}

impl Inside {
    /// Starts the agent and attaches a server that tells these units.
    pub fn start(&mut self, units: impl IntoIterator<Item = intent::Unit>) {
        let host = Kernel::new(host::Host::new(self.state.path()).expect("a host"), self.gate.take());
        let vlan_links = has_vlans() && !self.without_vlans;
        let agent = build::agent_with(self.state.path(), host, self.local_ip.as_deref(), |config| {
            (config.bridge_conntrack, config.vlan_links) = (is_native(), vlan_links);
            config.physical_networks = [("physnet1".into(), PHYSICAL.into())].into();
        });
        let states = self.state.path().join("bfd");
        let running = agent.start(|Kernel { host, .. }, events| {
            // Of those who have their next hops watched.
            if states.is_dir() {
                let told = bfd::watch(states, events.clone());
                std::thread::spawn(move || runtime().block_on(told));
            }
            host.delegations().listen(events.clone());
            host::watch_daemons(host.daemons(), events);
        });
        let running = running.expect("a thread");
        let events = running.events();
        std::thread::spawn(move || {
            runtime().block_on(host::watch_links(events)).expect("links can be watched");
        });
        let (reports, receiver) = tokio::sync::mpsc::unbounded_channel();
        self.reports = Some(receiver);
        self.running = Some(running);
        self.send(Event::Attached(reports));
        let revision = self.revision;
        build::snapshot(revision, units).into_iter().for_each(|event| self.send(event));
    }

    pub fn send(&self, event: Event) {
        self.running.as_ref().expect("started").events().send(event).expect("it runs");
    }

    /// Tells a change; answers its revision.
    pub fn tell(&mut self, put: impl IntoIterator<Item = intent::Unit>, remove: impl IntoIterator<Item = intent::UnitId>) -> u64 {
        self.revision += 1;
        self.send(build::delta(self.revision, put, remove));
        self.send(build::synced(self.revision));
        self.revision
    }

    /// Tells a change of one unit and waits until it is in force.
    pub fn change(&mut self, unit: intent::Unit) {
        let key = unit.id().to_string();
        let revision = self.tell([unit], []);
        self.wait(&key, revision);
    }

    /// The agent's process ends; the host stays as it is.
    pub fn kill(&mut self) {
        let running = self.running.take().expect("started");
        drop(running.stop());
        self.realised.clear();
    }

    /// Takes everything down; answers what could not be.
    pub fn end(&mut self) -> Result<Vec<String>, agent::HostError> {
        self.running.take().map_or(Ok(Vec::new()), |running| agent::down(running.stop().host()))
    }

    fn listen(&mut self) {
        let reports = self.reports.as_mut().expect("started");
        while let Ok(report) = reports.try_recv() {
            match report.report {
                Some(report::Report::Realised(realised)) => {
                    self.realised.extend(realised.keys.into_iter().map(|key| (key, realised.revision)));
                }
                Some(report::Report::Gone(gone)) => gone.keys.iter().for_each(|key| _ = self.realised.remove(key)),
                Some(report::Report::Faulted(fault)) => _ = self.faults.insert(fault.key, fault.message),
                _ => {}
            }
        }
    }

    /// Waits until a unit is reported in force at a revision or later.
    pub fn wait(&mut self, key: &str, revision: u64) {
        let end = Instant::now() + DEADLINE;
        loop {
            self.listen();
            if self.realised.get(key).is_some_and(|at| *at >= revision) {
                return;
            }
            assert!(Instant::now() < end, "{key} is not realised at {revision}; faults: {:#?}; realised: {:?}", self.faults, self.realised);
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub fn faults(&mut self) -> BTreeMap<String, String> {
        self.listen();
        self.faults.iter().filter(|(_, message)| !message.is_empty()).map(|(key, message)| (key.clone(), message.clone())).collect()
    }

    /// The agent's state directory.
    pub fn state(&self) -> &std::path::Path {
        self.state.path()
    }

    pub fn is_realised(&mut self, key: &str) -> bool {
        self.listen();
        self.realised.contains_key(key)
    }

    /// Plugs an instance's NIC, as Nova would, in a namespace of that name.
    pub fn plug(&self, name: &str, port: u8, addresses: &[&str]) {
        let nic = Nic {
            device: build::tap(port).into(),
            netns: name.into(),
            mac: build::mac(port),
            mtu: 1450,
            addresses: addresses.iter().map(|text| build::net(text)).collect(),
            routes: vec![],
        };
        plug::plug(&nic).expect("plugged");
    }

    pub fn wait_port(&mut self, port: u8) {
        let key = format!("port/{}", build::port_id(port));
        self.wait(&key, 0);
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Also when a test failed between an agent's end and the next one's start.
        if self.running.is_none() && !std::thread::panicking() {
            return;
        }
        if std::thread::panicking() {
            // Which rules have dropped something.
            println!("{}", try_sh("nft list ruleset | grep -v 'packets 0 ' | grep packets; conntrack -L 2>&1 | tail -5").1);
        }
        let ended = match self.running.take() {
            Some(running) => agent::down(running.stop().host()),
            None => host::Host::new(self.state.path()).map_or(Ok(Vec::new()), |mut host| agent::down(&mut host)),
        };
        if !std::thread::panicking() {
            assert_eq!(ended, Ok(vec![]));
        }
    }
}

/// This kernel tracks connections in the bridge family.
pub fn is_native() -> bool {
    let capabilities = host::probe().expect("the kernel can be asked");
    capabilities.bridge_conntrack.works && capabilities.bridge_meta.works
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// This kernel has VLAN links.
pub fn has_vlans() -> bool {
    host::probe().expect("the kernel can be asked").vlan.works
}

/// Runs a closure in an instance.
pub fn inside<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> T {
    host::netns::run(&Netns::named(name), work).expect("the instance is there")
}

/// Runs a command here; answers whether it succeeded and what it said.
pub fn try_sh(command: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", command]).output().expect("there is a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

pub fn sh(command: &str) -> String {
    let (done, text) = try_sh(command);
    assert!(done, "{command}: {text}");
    text
}

pub fn sh_in(name: &str, command: &str) -> String {
    inside(name, || sh(command))
}

/// Pings are answered, if not the first: a busy machine may be late.
pub fn pings(name: &str, options: &str) -> bool {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        if !silent(name, options) {
            return true;
        }
    }
    false
}

/// A ping is not answered within a second.
pub fn silent(name: &str, options: &str) -> bool {
    !inside(name, || try_sh(&format!("ping -c 1 -W 1 {options}"))).0
}

/// Waits for a condition.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
