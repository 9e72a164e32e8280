//! What all steps start from: running processes, a network, an open group, and one instance that is wired.

use crate::lab::api::{Api, id};
use crate::lab::events::Events;
use crate::lab::instance::{Instance, Nic, plug, plug_many};
use crate::lab::rtnl::{self, Rtnl};
use crate::lab::server::{Lab, Program, Role};
use crate::probe::{Engine, Pace, Probe};
use crate::process::Groups;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

/// How the stage is set.
#[derive(Args, Clone)]
pub struct StageOptions {
    /// Server and agent in two processes (`neutrino server`, `neutrino agent`).
    #[arg(long)]
    pub apart: bool,
    /// Let instances find each other by ARP; otherwise neighbours are set by hand, so that ARP is not part of what is measured.
    #[arg(long)]
    pub arp: bool,
}

/// The stage.
pub struct Stage {
    /// The processes.
    pub lab: Lab,
    /// An administrator's connection.
    pub api: Api,
    /// Links of the host.
    pub host: Rtnl,
    /// Name of the host.
    pub host_name: String,
    /// The network.
    pub network: String,
    /// A group that lets everything in over IPv4.
    pub open_group: String,
    /// The instance that is probed, or probes.
    pub reference: Instance,
    /// Its NIC.
    pub reference_nic: Nic,
    /// The probes.
    pub engine: Engine,
    /// The process with the agent's role.
    pub agent: Role,
    arp: bool,
}

impl Stage {
    /// Starts everything and waits until the first instance answers.
    pub fn set(program: &Program, options: &StageOptions) -> Result<Stage> {
        let mut lab = Lab::new(program)?;
        let agent = if options.apart { Role::Agent } else { Role::Up };
        let started = lab.start(if options.apart { Role::Server } else { Role::Up })?;
        let answered = lab.answers()?;
        eprintln!("  first answer {:.1} ms after the start", (answered - started).as_secs_f64() * 1000.0);
        if options.apart {
            lab.start(Role::Agent)?;
        }
        let mut api = lab.connect()?;
        let host_name = lab.agent_host(&mut api)?;
        let network = api.create("networks", json!({"name": "wire"}))?;
        lift_quotas(&mut api, &network)?;
        let network = id(&network)?;
        let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.20.0.0/16", "gateway_ip": "10.20.0.1"});
        api.create("subnets", subnet)?;
        let open_group = group(&mut api, "open")?;
        let rule = json!({"security_group_id": open_group, "direction": "ingress", "ethertype": "IPv4"});
        api.create("security-group-rules", rule)?;
        let attributes = port_attributes(&network, &host_name, &[&open_group]);
        let reference_nic = Nic::of(&api.create("ports", attributes)?)?;
        let mut host = Rtnl::open()?;
        let mut reference = Instance::new()?;
        plug(&mut host, &reference, &reference_nic)?;
        reference.configure(&reference_nic, &[])?;
        let engine = Engine::start_thread()?;
        let mut stage = Stage { lab, api, host, host_name, network, open_group, reference, reference_nic, engine, agent, arp: options.arp };
        stage.wait_active(&stage.reference_nic.port.clone())?;
        eprintln!("  the reference instance is wired");
        Ok(stage)
    }

    /// Attributes of a port bound to this host, in these groups.
    pub fn port(&self, groups: &[&str]) -> Value {
        port_attributes(&self.network, &self.host_name, groups)
    }

    /// The process with the agent, for its processor time.
    pub fn agent_group(&self) -> Groups {
        self.lab.group(self.agent)
    }

    /// Whom an instance knows before it asks by ARP.
    pub fn known<'a>(&self, peers: Vec<&'a Nic>) -> Vec<&'a Nic> {
        if self.arp { Vec::new() } else { peers }
    }

    /// Creates, plugs and configures instances that know the reference instance and are known by it, and waits until all are `ACTIVE`.
    pub fn instances(&mut self, count: usize, groups: &[&str]) -> Result<(Vec<Instance>, Vec<Nic>)> {
        let ports = self.api.create_ports(count, &self.port(groups))?;
        let nics = ports.iter().map(Nic::of).collect::<Result<Vec<_>>>()?;
        let mut instances = Instance::many(count)?;
        self.reference.learn(&self.known(nics.iter().collect()))?;
        let reference = self.known(vec![&self.reference_nic]);
        plug_many(&mut self.host, &mut instances, &nics, |_| reference.clone())?;
        let end = Instant::now() + LONG;
        while down(&mut self.api, &self.network)? > 0 {
            ensure!(Instant::now() < end, "not all of {count} ports are ACTIVE");
            sleep(Duration::from_millis(5));
        }
        Ok((instances, nics))
    }

    /// Waits until the kernel has nothing to tell any more of what was made (carriers, address detection).
    pub fn settle(&self) -> Result<()> {
        let mut events = Events::listen()?;
        let end = Instant::now() + LONG;
        loop {
            sleep(Duration::from_millis(1500));
            if events.take()?.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < end, "the host does not come to rest");
        }
    }

    /// Takes instances away again: links first, then ports.
    pub fn remove(&mut self, instances: Vec<Instance>, nics: &[Nic]) -> Result<()> {
        drop(instances);
        let end = Instant::now() + LONG;
        for nic in nics {
            while self.host.index(&nic.device).ok().flatten().is_some() {
                ensure!(Instant::now() < end, "{} does not go with its namespace", nic.device);
                sleep(Duration::from_millis(1));
            }
        }
        nics.iter().try_for_each(|nic| self.api.delete("ports", &nic.port).map(drop))
    }

    /// Deletes a NIC, as an instance that stops does.
    pub fn unplug(&mut self, nic: &Nic) -> Result<()> {
        self.host.batch(&mut [rtnl::delete(&nic.device)])
    }

    /// Waits for a port to be `ACTIVE`; the time of the answer that says so.
    pub fn wait_active(&mut self, port: &str) -> Result<Instant> {
        watch_active(&mut self.api, port, &AtomicBool::new(false))
    }
}

/// Asks for a port's status every millisecond until it is `ACTIVE`; the time of the answer.
pub fn watch_active(api: &mut Api, port: &str, give_up: &AtomicBool) -> Result<Instant> {
    let path = format!("ports/{port}?fields=status");
    let end = Instant::now() + LONG;
    loop {
        let (answer, at) = api.timed("GET", &path, None)?;
        if answer["port"]["status"] == "ACTIVE" {
            return Ok(at);
        }
        ensure!(at < end && !give_up.load(Ordering::Relaxed), "port {port} is {} and not ACTIVE", answer["port"]["status"]);
        sleep(Duration::from_millis(1));
    }
}

/// How many ports of the network with an instance are not `ACTIVE`.
pub fn down(api: &mut Api, network: &str) -> Result<usize> {
    let list = |api: &mut Api, status: &str| {
        let path = format!("ports?network_id={network}&device_owner=compute:nova&status={status}&fields=id");
        Ok::<_, anyhow::Error>(api.get(&path)?["ports"].as_array().context("a list of ports")?.len())
    };
    Ok(list(api, "DOWN")? + list(api, "BUILD")?)
}

/// A security group without ingress rules.
pub fn group(api: &mut Api, name: &str) -> Result<String> {
    let group = api.create("security-groups", json!({"name": name}))?;
    let rules = group["security_group_rules"].as_array().context("a group without rules")?;
    for rule in rules.iter().filter(|rule| rule["direction"] == "ingress") {
        api.delete("security-group-rules", &id(rule)?)?;
    }
    id(&group)
}

/// Pairs each instance with its NIC.
pub fn pairs<'a>(instances: &'a [Instance], nics: &'a [Nic]) -> impl Iterator<Item = (&'a Instance, &'a Nic)> {
    instances.iter().zip(nics)
}

/// Echo probes from each instance to an address.
pub fn echoes(engine: &mut Engine, instances: &[Instance], to: impl Fn(usize) -> std::net::Ipv4Addr) -> Result<Vec<usize>> {
    instances.iter().enumerate().map(|(at, instance)| engine.add(Probe::echo(instance, to(at))?)).collect()
}

/// Starts probes and returns when all had an arrival.
pub fn all_pass(engine: &Engine, probes: &[usize]) -> Result<()> {
    engine.start(probes, Pace::first_of(probes.len()))?;
    engine.all_arrived(probes, LONG).context("not all probes pass").map(drop)
}

fn port_attributes(network: &str, host: &str, groups: &[&str]) -> Value {
    json!({"network_id": network, "device_owner": "compute:nova", "device_id": "bench", "binding:host_id": host, "security_groups": groups})
}

fn lift_quotas(api: &mut Api, network: &Value) -> Result<()> {
    let project = network["project_id"].as_str().context("a network without project")?;
    let quota = json!({"quota": {"network": -1, "subnet": -1, "port": -1, "security_group": -1, "security_group_rule": -1}});
    api.timed("PUT", &format!("quotas/{project}"), Some(&quota)).map(drop)
}
