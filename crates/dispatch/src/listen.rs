//! Listens to an agent: checks its reports and gathers what they change, so that one commit takes all that came while the
//! last one became durable.

use crate::board::{Session, UnitFault};
use crate::history::{Fact, History};
use crate::limit::Limit;
use crate::server::Hub;
use crate::{hello, project};
use api::Op;
use auth::Caller;
use intent::{UnitId, wire};
use l3::floating_ip::{floating_ip_failed, floating_ip_gone, floating_ip_realised};
use l3::router::prefix_delegated;
use ml2::Heartbeats;
use ml2::agent::{AgentReport, report_agent};
use ml2::port::provisioning::{dhcp_ready, port_failed, port_unwired, port_wired};
use model::{Agent, FloatingIp, FloatingIpStatus, Port, PortStatus};
use net::{AgentId, FloatingIpId, HostName, IpNet, PortId, Revision, RouterId, SubnetId};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};
use world::{ErrorKind, World};

const FAULT_BYTES: usize = 1024;
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// What was said of a port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Wired,
    Gone,
    Failed,
}

/// What reports change, gathered until the next commit. Bounded by the ports of the host and of the networks that it serves.
#[derive(Clone, Default)]
struct Pending {
    /// The last word on a port counts.
    ports: BTreeMap<PortId, Word>,
    ready: BTreeSet<PortId>,
    /// The last word on a floating IP counts.
    floating_ips: BTreeMap<(RouterId, FloatingIpId), Word>,
    roles: Option<Vec<AgentReport>>,
    /// The last word on the prefix of a subnet counts.
    prefixes: BTreeMap<(RouterId, SubnetId), Option<IpNet>>,
}

/// The listening side of a session.
pub(crate) struct Listener {
    hub: Arc<Hub>,
    session: Arc<Session>,
    started_at: i64,
    said: Mutex<Said>,
    pending: Mutex<Pending>,
    wake: Notify,
}

/// What the agent last said of itself.
struct Said {
    roles: Vec<AgentReport>,
    agents: Vec<AgentId>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listener {
    pub(crate) fn new(hub: Arc<Hub>, session: Arc<Session>, started_at: i64, roles: Vec<AgentReport>, agents: Vec<AgentId>) -> Listener {
        Listener { hub, session, started_at, said: Mutex::new(Said { roles, agents }), pending: Mutex::default(), wake: Notify::new() }
    }

    /// Reads reports until the stream ends or one is refused.
    pub(crate) async fn listen(&self, reports: &mut Streaming<wire::Report>) -> Result<(), Status> {
        let mut limit = Limit::new(self.hub.config.reports_per_second, Instant::now());
        while let Some(report) = reports.message().await.map_err(refused)? {
            self.heard();
            let report = report.report.ok_or_else(|| Status::invalid_argument("an empty report"))?;
            let cost = self.report(report)?;
            let wait = limit.take(cost, Instant::now());
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
        Ok(())
    }

    fn heard(&self) {
        self.hub.board.heard(&self.session.host, Instant::now());
        let now = self.hub.config.clock.now();
        for agent in &lock(&self.said).agents {
            self.hub.settings.get::<Heartbeats>().beat(*agent, now);
        }
    }

    /// Takes a report; returns what it costs.
    fn report(&self, report: wire::report::Report) -> Result<usize, Status> {
        use wire::report::Report;
        match report {
            Report::Hello(_) => Err(Status::invalid_argument("a second Hello")),
            Report::Heartbeat(heartbeat) => {
                self.heartbeat(&heartbeat)?;
                Ok(1)
            }
            Report::Realised(realised) => {
                self.units(Some(Revision(realised.revision)), &realised.keys)?;
                Ok(1 + realised.keys.len())
            }
            Report::Gone(gone) => {
                self.units(None, &gone.keys)?;
                Ok(1 + gone.keys.len())
            }
            Report::Faulted(faulted) => {
                self.faulted(&faulted)?;
                Ok(1)
            }
            Report::Delegated(delegated) => {
                let (key, prefix) = prefix(&delegated).ok_or_else(|| Status::invalid_argument("a delegation that cannot be read"))?;
                lock(&self.pending).prefixes.insert(key, prefix);
                self.wake.notify_one();
                Ok(1)
            }
        }
    }

    fn heartbeat(&self, heartbeat: &wire::Heartbeat) -> Result<(), Status> {
        // An idle agent hears how far the world is, so that it can come back to it.
        self.session.wake.notify_one();
        let mut said = lock(&self.said);
        if !heartbeat.roles.is_empty() {
            said.roles = hello::roles(&self.session.host, &heartbeat.roles, self.started_at)?;
        } else {
            let world = self.hub.store.world();
            if said.agents.iter().all(|agent| world.get::<Agent>(agent).is_some_and(|agent| agent.alive)) {
                return Ok(());
            }
        }
        lock(&self.pending).roles = Some(said.roles.clone());
        self.wake.notify_one();
        Ok(())
    }

    /// Units in force as of a revision, or (without one) units whose devices went away.
    fn units(&self, revision: Option<Revision>, keys: &[String]) -> Result<(), Status> {
        let mut ids = Vec::with_capacity(keys.len());
        for key in keys {
            ids.push(key.parse::<UnitId>().map_err(|error| Status::invalid_argument(error.to_string()))?);
        }
        let host = &self.session.host;
        if revision.is_some_and(|revision| !self.session.was_told(revision)) {
            tracing::debug!(%host, ?revision, "a report of a revision that was not told here is left aside");
            return Ok(());
        }
        let judged: Result<Vec<UnitId>, Status> = self.hub.board.read(|world, history| {
            let verdicts = ids.into_iter().map(|id| (id, judge(world, history, host, &id, revision)));
            let accepted = verdicts.filter_map(|(id, verdict)| match verdict {
                Verdict::Accepted => Some(Ok(id)),
                Verdict::Past => None,
                Verdict::Foreign => Some(Err(foreign(host, &id))),
            });
            accepted.collect()
        });
        self.accept(judged?, if revision.is_some() { Word::Wired } else { Word::Gone });
        Ok(())
    }

    fn accept(&self, ids: Vec<UnitId>, word: Word) {
        if ids.is_empty() {
            return;
        }
        let mut pending = lock(&self.pending);
        for id in ids {
            match id {
                UnitId::Port(port) => _ = pending.ports.insert(port, word),
                UnitId::FloatingIp(router, id) => _ = pending.floating_ips.insert((router, id), word),
                UnitId::DhcpHost(_, port) if word == Word::Wired => _ = pending.ready.insert(port),
                _ => {}
            }
        }
        drop(pending);
        self.wake.notify_one();
    }

    fn faulted(&self, faulted: &wire::Faulted) -> Result<(), Status> {
        let id: UnitId = faulted.key.parse().map_err(|error: intent::DecodeError| Status::invalid_argument(error.to_string()))?;
        let host = &self.session.host;
        if faulted.message.is_empty() {
            self.hub.board.fault(host, id, None);
            return Ok(());
        }
        let known = self.hub.board.read(|world, _| world.clone());
        if project::unit(&self.hub.ml2, &known, host, &id).is_none() {
            return Ok(());
        }
        let message: String = faulted.message.chars().take(FAULT_BYTES).collect();
        tracing::warn!(%host, unit = %id, revision = faulted.revision, message, "a host cannot realise a unit");
        self.hub.board.fault(host, id, Some(UnitFault { revision: Revision(faulted.revision), message }));
        self.accept(vec![id], Word::Failed);
        Ok(())
    }

    /// Commits what was gathered, until the session ends.
    pub(crate) async fn commit(&self) -> Result<(), Status> {
        loop {
            self.wake.notified().await;
            let pending = std::mem::take(&mut *lock(&self.pending));
            if let Err(pending) = self.commit_once(pending).await {
                self.put_back(pending);
                tokio::time::sleep(AFTER_FAILURE).await;
                self.wake.notify_one();
            }
        }
    }

    /// Puts back what could not be committed; what came meanwhile is newer.
    fn put_back(&self, pending: Pending) {
        let mut newer = lock(&self.pending);
        for (port, word) in pending.ports {
            newer.ports.entry(port).or_insert(word);
        }
        newer.ready.extend(pending.ready);
        for (id, word) in pending.floating_ips {
            newer.floating_ips.entry(id).or_insert(word);
        }
        for (key, prefix) in pending.prefixes {
            newer.prefixes.entry(key).or_insert(prefix);
        }
        newer.roles = newer.roles.take().or(pending.roles);
    }

    /// One commit; gives back what should be tried again.
    async fn commit_once(&self, mut pending: Pending) -> Result<(), Pending> {
        let world = self.hub.store.world();
        let host = self.session.host.clone();
        pending.ports.retain(|port, word| is_news(&world, &host, *port, *word));
        pending.ready.retain(|port| world.get::<Port>(port).is_some_and(|port| port.provisioning.dhcp));
        pending.floating_ips.retain(|(_, id), word| world.get::<FloatingIp>(id).is_some_and(|f| f.status != status(*word)));
        drop(world);
        let no_ports = pending.ports.is_empty() && pending.ready.is_empty();
        if no_ports && pending.floating_ips.is_empty() && pending.prefixes.is_empty() && pending.roles.is_none() {
            return Ok(());
        }
        let hub = self.hub.clone();
        let changes = Arc::new(pending);
        let (given, at) = (changes.clone(), host.clone());
        let committed = self.hub.store.commit(request_id(), move |tx| {
            let mut op = Op { tx, caller: &Caller::internal(), settings: &hub.settings };
            let roles = given.roles.iter().flatten();
            let agents: Vec<AgentId> = roles.map(|role| report_agent(&mut op, role.clone())).collect();
            for (port, word) in &given.ports {
                match word {
                    Word::Wired => port_wired(&mut op, *port, &at),
                    Word::Gone => port_unwired(&mut op, *port, &at),
                    Word::Failed => port_failed(&mut op, *port, &at),
                };
            }
            dhcp_ready(&mut op, given.ready.iter().copied());
            for ((router, id), word) in &given.floating_ips {
                match word {
                    Word::Wired => floating_ip_realised(&mut op, *router, *id, &at),
                    Word::Gone => floating_ip_gone(&mut op, *router, *id, &at),
                    Word::Failed => floating_ip_failed(&mut op, *router, *id, &at),
                };
            }
            for ((router, subnet), prefix) in &given.prefixes {
                if let Err(reason) = prefix_delegated(&mut op, *router, *subnet, *prefix, &at) {
                    tracing::warn!(host = %at, %router, %subnet, ?prefix, reason, "a delegated prefix that cannot be used");
                }
            }
            Ok::<_, std::convert::Infallible>(agents)
        });
        match committed.await {
            Ok(Ok(committed)) => {
                if changes.roles.is_some() {
                    lock(&self.said).agents = committed.answer;
                }
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Retry => {
                tracing::warn!(%host, %error, "reports of a host could not be committed; trying again");
                Err(Arc::unwrap_or_clone(changes))
            }
            Err(error) => {
                tracing::error!(%host, %error, "reports of a host could not be committed");
                Ok(())
            }
        }
    }
}

/// Which subnet of which router has which prefix, by an agent's words.
fn prefix(delegated: &wire::Delegated) -> Option<((RouterId, SubnetId), Option<IpNet>)> {
    let prefix = match delegated.prefix.as_str() {
        "" => None,
        text => Some(text.parse().ok()?),
    };
    Some(((delegated.router_id.parse().ok()?, delegated.subnet_id.parse().ok()?), prefix))
}

/// True when a port of the host is not yet known to be so.
fn is_news(world: &World, host: &HostName, port: PortId, word: Word) -> bool {
    let Some(port) = world.get::<Port>(&port) else { return false };
    if let Some(standby) = port.standby_on(host).filter(|_| port.bound_host() != Some(host)) {
        return standby.prepared != (word == Word::Wired);
    }
    if port.bound_host() != Some(host) {
        return false;
    }
    match word {
        Word::Wired => port.provisioning.l2,
        Word::Gone => !port.provisioning.l2 || port.status != PortStatus::Down,
        Word::Failed => port.status != PortStatus::Error,
    }
}

/// What a word makes of a floating IP.
fn status(word: Word) -> FloatingIpStatus {
    match word {
        Word::Wired => FloatingIpStatus::Active,
        Word::Gone => FloatingIpStatus::Down,
        Word::Failed => FloatingIpStatus::Error,
    }
}

enum Verdict {
    Accepted,
    /// It is gone or elsewhere, and may not have been when the report was made; or nobody waits to hear of it.
    Past,
    /// The host knew that it is not its own.
    Foreign,
}

/// Judges a report by what is so now and since when. A device's going carries no revision, and taps are often removed after
/// their port was bound elsewhere: it never counts as foreign.
fn judge(world: &World, history: &History, host: &HostName, id: &UnitId, revision: Option<Revision>) -> Verdict {
    let (is_own, since) = match *id {
        UnitId::Port(id) => match world.get::<Port>(&id) {
            Some(port) if port.bound_host() == Some(host) => (true, history.since(Fact::Bound(id))),
            Some(port) if port.standby_on(host).is_some() => (true, history.since(Fact::Prepared(id)).max(history.since(Fact::Bound(id)))),
            Some(_) => (false, history.since(Fact::Bound(id)).max(history.since(Fact::Prepared(id)))),
            None => return Verdict::Past,
        },
        UnitId::DhcpHost(network, id) => match world.get::<Port>(&id) {
            Some(port) if port.network_id == network && project::dhcp::dhcp_agent_hosts(world, network).contains(host) => {
                (true, history.since(Fact::DhcpAwaited(id)))
            }
            Some(_) => (false, history.since(Fact::Served(network))),
            None => return Verdict::Past,
        },
        // Routers move without their host's doing: a report of one that has gone elsewhere is late, not foreign.
        UnitId::FloatingIp(router, id) if project::router::router_host(world, router) == Some(host) => {
            (true, history.since(Fact::Leads(id)))
        }
        _ => return Verdict::Past,
    };
    match (is_own, revision) {
        (true, None) => Verdict::Accepted,
        (true, Some(revision)) if revision >= since => Verdict::Accepted,
        (false, Some(revision)) if revision >= since => Verdict::Foreign,
        _ => Verdict::Past,
    }
}

fn foreign(host: &HostName, id: &UnitId) -> Status {
    tracing::warn!(%host, unit = %id, "a host reported for what is not its own; its stream ends");
    Status::permission_denied(format!("{id} is not of host {host}"))
}

/// The request id under which the server's own commits are in the log.
pub(crate) fn request_id() -> SmolStr {
    smol_str::format_smolstr!("req-{}", uuid::Uuid::new_v4())
}

/// A message that cannot be read is the sender's fault.
pub(crate) fn refused(status: Status) -> Status {
    match status.code() {
        Code::Internal if status.message().contains("decode") => Status::invalid_argument(status.message()),
        Code::OutOfRange => Status::resource_exhausted(status.message()),
        _ => status,
    }
}
