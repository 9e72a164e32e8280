//! The sessions of agents: what each has been told and still has to be, and what its reports change.
//!
//! The bookkeeping is that of `dispatch`: keys wait and content is computed when it is told; an agent that comes back gets the difference
//! to the revision it has, when that is of the same history and not too long ago.

use super::{Outcome, Server};
use crate::check::is_of;
use dispatch::project;
use intent::wire::{self, order, report};
use intent::{Unit, UnitId};
use ml2::agent::{AgentReport, agent_down, report_agent};
use ml2::port::provisioning::{dhcp_ready, port_failed, port_unwired, port_wired};
use model::{Agent, AgentType, Network, Port};
use net::{HostName, NetworkId, PortId, Revision, Timestamp};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;
use world::{Commit, Record, World};

/// Orders for an agent, in their wire form.
pub type Told = Vec<wire::Order>;

/// Bytes of units in one delta: little, so that changes come in parts.
const DELTA_BYTES: usize = 1500;

/// What reports are judged by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fact {
    Bound(PortId),
    DhcpAwaited(PortId),
    Served(NetworkId),
}

/// What was said of a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    Wired,
    Gone,
    Failed,
}

/// An attached agent.
#[derive(Default)]
pub(super) struct Session {
    pub(super) waiting: BTreeSet<UnitId>,
    base: u64,
    sent: u64,
    roles: Vec<AgentReport>,
    ports: BTreeMap<PortId, Word>,
    ready: BTreeSet<PortId>,
    report_roles: bool,
}

impl Server {
    /// Attaches an agent by its Hello. None: the server cannot serve now.
    pub fn attach(&mut self, runtime: &Runtime, hello: &wire::Hello) -> Option<Told> {
        let host = HostName::from(hello.host.as_str());
        let roles = roles(&host, &hello.roles);
        let given = roles.clone();
        let registered = self.operate(runtime, move |op| {
            given.iter().for_each(|role| _ = report_agent(op, role.clone()));
            Ok(())
        });
        if !matches!(registered, Outcome::Done) || !self.catch_up(runtime) {
            return None;
        }
        let world = self.world.clone();
        let revision = world.revision().0;
        let past = Some(hello.revision).filter(|_| hello.epoch == self.epoch).and_then(|known| self.past(&world, known));
        let base = if past.is_some() { hello.revision } else { revision };
        let mut told = Vec::new();
        match past {
            Some(past) => {
                let units = self.difference(&past, &world, &host);
                self.units(&world, &host, units, &mut told);
            }
            None => {
                told.push(wire::Order { order: Some(order::Order::Snapshot(wire::Snapshot {})) });
                let units = project::full(self.config(), &world, &host).into_iter().map(|(id, unit)| (id, Some(unit))).collect();
                self.units(&world, &host, units, &mut told);
            }
        }
        told.push(self.synced(revision));
        self.sessions.insert(host, Session { base, sent: revision, roles, ..Session::default() });
        Some(told)
    }

    /// The stream of a host ended.
    pub fn detach(&mut self, host: &HostName) {
        self.sessions.remove(host);
    }

    /// What a host has to be told now.
    pub fn tell(&mut self, host: &HostName) -> Told {
        let world = self.world.clone();
        let revision = world.revision().0;
        let mut told = Vec::new();
        let Some(session) = self.sessions.get_mut(host).filter(|session| session.sent != revision) else { return told };
        session.sent = revision;
        let waiting = std::mem::take(&mut session.waiting);
        let units = waiting.into_iter().map(|id| (id, project::unit(self.config(), &world, host, &id))).collect();
        self.units(&world, host, units, &mut told);
        told.push(self.synced(revision));
        told
    }

    fn synced(&self, revision: u64) -> wire::Order {
        wire::Order { order: Some(order::Order::Synced(wire::Synced { revision, epoch: self.epoch })) }
    }

    fn units(&mut self, world: &World, host: &HostName, units: Vec<(UnitId, Option<Unit>)>, told: &mut Told) {
        let revision = world.revision().0;
        let empty = || wire::Delta { revision, ..wire::Delta::default() };
        let (mut delta, mut bytes) = (empty(), 0);
        for (id, unit) in units {
            match unit {
                Some(unit) => {
                    if !is_of(world, host, &unit) {
                        self.indiscretions.push(format!("{host} was told {unit:?}"));
                    }
                    let body = unit.encode();
                    bytes += body.len();
                    delta.put.push(wire::Unit { key: id.to_string(), revision, body });
                }
                None => delta.remove.push(id.to_string()),
            }
            if bytes > DELTA_BYTES {
                told.push(wire::Order { order: Some(order::Order::Delta(std::mem::replace(&mut delta, empty()))) });
                bytes = 0;
            }
        }
        if delta != empty() {
            told.push(wire::Order { order: Some(order::Order::Delta(delta)) });
        }
    }

    fn past(&self, world: &World, known: u64) -> Option<World> {
        match world.revision().0.checked_sub(known)? {
            0 => Some(world.clone()),
            behind if behind > self.resume_commits => None,
            _ => self.store.recent(Revision(known))?.first().map(|commit| commit.before.clone()).filter(|past| past.revision().0 == known),
        }
    }

    fn difference(&self, past: &World, world: &World, host: &HostName) -> Vec<(UnitId, Option<Unit>)> {
        let then = project::full(self.config(), past, host);
        let mut now = project::full(self.config(), world, host);
        let gone: Vec<_> = then.keys().filter(|id| !now.contains_key(id)).map(|id| (*id, None)).collect();
        let is_awaited = |id: &UnitId| match id {
            UnitId::Port(port) => world.get::<Port>(port).is_some_and(|port| port.provisioning.l2),
            UnitId::DhcpHost(_, port) => world.get::<Port>(port).is_some_and(|port| port.provisioning.dhcp),
            _ => false,
        };
        now.retain(|id, unit| is_awaited(id) || then.get(id) != Some(unit));
        gone.into_iter().chain(now.into_iter().map(|(id, unit)| (id, Some(unit)))).collect()
    }

    /// Takes a report of an attached agent. An error ends its stream.
    pub fn report(&mut self, host: &HostName, report: wire::Report) -> Result<(), String> {
        match report.report.ok_or("an empty report")? {
            report::Report::Hello(_) => Err("a second Hello".to_owned()),
            report::Report::Heartbeat(heartbeat) => {
                let roles = roles(host, &heartbeat.roles);
                let dead = self.world.table::<Agent>().by(Agent::BY_HOST, host).any(|agent| !agent.alive);
                if let Some(session) = self.sessions.get_mut(host) {
                    session.report_roles |= dead || !roles.is_empty();
                    if !roles.is_empty() {
                        session.roles = roles;
                    }
                }
                Ok(())
            }
            report::Report::Realised(realised) => self.in_force(host, Some(realised.revision), &realised.keys),
            report::Report::Gone(gone) => self.in_force(host, None, &gone.keys),
            // Nobody delegates prefixes to these hosts.
            report::Report::Delegated(_) => Ok(()),
            report::Report::Faulted(faulted) => {
                let id: UnitId = faulted.key.parse().map_err(|error: intent::DecodeError| error.to_string())?;
                let known = project::unit(self.config(), &self.world, host, &id).is_some();
                if let (UnitId::Port(port), true) = (id, known && !faulted.message.is_empty())
                    && let Some(session) = self.sessions.get_mut(host)
                {
                    session.ports.insert(port, Word::Failed);
                }
                Ok(())
            }
        }
    }

    fn in_force(&mut self, host: &HostName, revision: Option<u64>, keys: &[String]) -> Result<(), String> {
        let Some(session) = self.sessions.get(host) else { return Ok(()) };
        if revision.is_some_and(|revision| !(session.base..=session.sent).contains(&revision)) {
            return Ok(());
        }
        for key in keys {
            let id: UnitId = key.parse().map_err(|error: intent::DecodeError| error.to_string())?;
            let Some((is_own, since)) = self.judge(host, &id) else { continue };
            match (is_own, revision) {
                (false, Some(revision)) if revision >= since => return Err(format!("{id} is not of {host}")),
                (true, Some(revision)) if revision < since => continue,
                (false, _) => continue,
                (true, _) => {}
            }
            let Some(session) = self.sessions.get_mut(host) else { return Ok(()) };
            match id {
                UnitId::Port(port) => _ = session.ports.insert(port, if revision.is_some() { Word::Wired } else { Word::Gone }),
                UnitId::DhcpHost(_, port) if revision.is_some() => _ = session.ready.insert(port),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a unit is the host's own, and since when; none when nobody waits to hear of it.
    fn judge(&self, host: &HostName, id: &UnitId) -> Option<(bool, u64)> {
        let since = |fact| self.since.get(&fact).copied().unwrap_or(self.floor);
        match *id {
            UnitId::Port(id) => {
                let port = self.world.get::<Port>(&id)?;
                Some((port.bound_host() == Some(host), since(Fact::Bound(id))))
            }
            UnitId::DhcpHost(network, id) => {
                let port = self.world.get::<Port>(&id)?;
                let agents = self.world.get::<Network>(&network).map(|network| network.dhcp_agents.as_slice()).unwrap_or_default();
                let mut agents = agents.iter().filter_map(|agent| self.world.get::<Agent>(agent));
                let own = port.network_id == network && agents.any(|agent| agent.host == *host);
                Some((own, since(if own { Fact::DhcpAwaited(id) } else { Fact::Served(network) })))
            }
            _ => None,
        }
    }

    /// Commits what reports of a host said. What the database did not take waits for the next time.
    pub fn commit_reports(&mut self, runtime: &Runtime, host: &HostName) {
        let Some(session) = self.sessions.get_mut(host) else { return };
        let (ports, ready) = (std::mem::take(&mut session.ports), std::mem::take(&mut session.ready));
        let roles = if std::mem::take(&mut session.report_roles) { session.roles.clone() } else { Vec::new() };
        if ports.is_empty() && ready.is_empty() && roles.is_empty() {
            return;
        }
        let (given, at) = ((ports.clone(), ready.clone(), roles.clone()), host.clone());
        let outcome = self.operate(runtime, move |op| {
            given.2.iter().for_each(|role| _ = report_agent(op, role.clone()));
            for (port, word) in &given.0 {
                match word {
                    Word::Wired => port_wired(op, *port, &at),
                    Word::Gone => port_unwired(op, *port, &at),
                    Word::Failed => port_failed(op, *port, &at),
                };
            }
            dhcp_ready(op, given.1.iter().copied());
            Ok(())
        });
        if let (Outcome::Unknown(_), Some(session)) = (outcome, self.sessions.get_mut(host)) {
            for (port, word) in ports {
                session.ports.entry(port).or_insert(word);
            }
            session.ready.extend(ready);
            session.report_roles |= !roles.is_empty();
        }
    }

    /// The agents of a host were not heard for too long.
    pub fn silence(&mut self, runtime: &Runtime, host: &HostName) -> Outcome {
        let host = host.clone();
        self.operate(runtime, move |op| {
            let agents: Vec<_> = op.tx.table::<Agent>().by(Agent::BY_HOST, &host).map(|agent| agent.id).collect();
            agents.into_iter().for_each(|agent| agent_down(op, agent));
            Ok(())
        })
    }

    /// True while an agent of this host is attached here.
    pub fn has(&self, host: &HostName) -> bool {
        self.sessions.contains_key(host)
    }

    pub(super) fn note(&mut self, commit: &Commit) {
        for entry in commit.change.entries() {
            if entry.kind() == Port::KIND {
                let (before, Some(after)) = (entry.before::<Port>(), entry.after::<Port>()) else { continue };
                if before.and_then(Port::bound_host) != after.bound_host() {
                    self.since.insert(Fact::Bound(after.id), commit.revision.0);
                }
                if after.provisioning.dhcp && !before.is_some_and(|before| before.provisioning.dhcp) {
                    self.since.insert(Fact::DhcpAwaited(after.id), commit.revision.0);
                }
            } else if entry.kind() == Network::KIND {
                let agents = |network: Option<&Network>| network.map(|network| network.dhcp_agents.clone()).unwrap_or_default();
                if let Some(after) = entry.after::<Network>().filter(|after| agents(entry.before()) != after.dhcp_agents) {
                    self.since.insert(Fact::Served(after.id), commit.revision.0);
                }
            }
        }
    }
}

fn roles(host: &HostName, roles: &[wire::Role]) -> Vec<AgentReport> {
    let report = |role: &wire::Role| AgentReport {
        host: host.clone(),
        agent_type: AgentType::from_word(&role.agent_type).expect("agents say types that are known"),
        binary: SmolStr::new(&role.binary),
        topic: SmolStr::new(&role.topic),
        availability_zone: None,
        configurations: serde_json::from_str(&role.configurations).expect("agents say JSON"),
        enforces: role.enforces.iter().map(SmolStr::new).collect(),
        // The real time at which the process of a simulation started decides nothing.
        started_at: Timestamp(0),
    };
    roles.iter().map(report).collect()
}
