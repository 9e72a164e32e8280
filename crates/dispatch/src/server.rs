//! The service that agents attach to, and the tasks behind it.

use crate::board::{Board, UnitFault};
use crate::epoch::EpochFile;
use crate::hello;
use crate::listen::{Listener, request_id};
use crate::peer;
use crate::tell::{Known, Outbox, tell};
use crate::{Config, project};
use api::{Op, Settings};
use auth::Caller;
use intent::{UnitId, wire};
use ml2::agent::{AgentReport, agent_down, report_agent};
use model::{Agent, SecurityGroupRule};
use net::{AgentId, HostName, Revision};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, channel};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};
use world::{Commit, Record, Store, World};

/// Commits taken from the log before the sessions get a turn.
const COMMITS_AT_ONCE: usize = 256;

/// How often the epoch's file is brought up to date.
const NOTE_EPOCH: Duration = Duration::from_secs(1);

/// What all sessions share.
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) board: Board,
    pub(crate) settings: Arc<Settings>,
    /// For projection.
    pub(crate) ml2: ml2::Config,
    /// Where connections inside the process are served, wherever the agent runs.
    pub(crate) runtime: Handle,
    epoch: u64,
    closed: watch::Sender<bool>,
}

/// Serves agents. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher {
    pub(crate) hub: Arc<Hub>,
}

impl Dispatcher {
    /// Follows the store and watches over the agents' life, on tasks of the current runtime, until [`Dispatcher::close`]. The
    /// settings are those of the API, with `ml2::Config` and the `ml2::Heartbeats` to note; the epoch names the store's history of
    /// revisions, see [`crate::epoch`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(store: Store, config: Config, settings: Arc<Settings>, epoch: u64) -> Dispatcher {
        let (world, commits) = store.subscribe();
        complain(world.table::<SecurityGroupRule>().iter().map(|rule| &**rule));
        let board = Board::new(world, config.waiting_units);
        let ml2 = settings.get::<ml2::Config>().clone();
        let hub = Hub { config, store, board, settings, ml2, runtime: Handle::current(), epoch, closed: watch::Sender::new(false) };
        let hub = Arc::new(hub);
        tokio::spawn(follow(hub.clone(), commits));
        tokio::spawn(watch_over(hub.clone()));
        Dispatcher { hub }
    }

    /// The attached hosts, in order.
    pub fn attached(&self) -> Vec<HostName> {
        self.hub.board.attached()
    }

    /// What a host says that it cannot realise of what it should.
    pub fn faults(&self, host: &HostName) -> BTreeMap<UnitId, UnitFault> {
        let (mut faults, world) = self.hub.board.faults(host);
        faults.retain(|id, _| project::unit(&self.hub.ml2, &world, host, id).is_some());
        faults
    }

    /// Keeps the epoch's file up to date with the revisions that agents are told, until [`Dispatcher::close`].
    pub fn keep_epoch(&self, file: EpochFile) {
        let hub = self.hub.clone();
        self.hub.runtime.spawn(async move {
            let (mut closed, mut noted) = (hub.closed.subscribe(), None);
            loop {
                let ended = timeout(NOTE_EPOCH, async { _ = closed.wait_for(|closed| *closed).await }).await.is_ok();
                let head = *hub.board.revision.borrow();
                if noted != Some(head) {
                    match file.note(head) {
                        Ok(()) => noted = Some(head),
                        Err(error) => tracing::warn!(%error, "the epoch's file cannot be written"),
                    }
                }
                if ended {
                    return;
                }
            }
        });
    }

    /// Ends all streams and tasks.
    pub fn close(&self) {
        self.hub.closed.send_replace(true);
        self.hub.board.end_all(&closing());
    }
}

fn closing() -> Status {
    Status::unavailable("the server is shutting down")
}

/// Takes over commits as they come.
async fn follow(hub: Arc<Hub>, mut commits: UnboundedReceiver<Arc<Commit>>) {
    let mut closed = hub.closed.subscribe();
    let mut batch = Vec::with_capacity(COMMITS_AT_ONCE);
    loop {
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => return,
            taken = commits.recv_many(&mut batch, COMMITS_AT_ONCE) => if taken == 0 { return },
        }
        for commit in batch.drain(..) {
            let rules = commit.change.entries().iter().filter(|entry| entry.kind() == SecurityGroupRule::KIND);
            complain(rules.filter_map(|entry| entry.after()));
            hub.board.commit(&commit);
        }
    }
}

fn complain<'a>(rules: impl Iterator<Item = &'a SecurityGroupRule>) {
    for error in rules.filter_map(|rule| project::resolve(rule).err()) {
        tracing::warn!(%error);
    }
}

/// Declares agents dead that have not been heard for too long.
async fn watch_over(hub: Arc<Hub>) {
    let mut closed = hub.closed.subscribe();
    let pause = (hub.config.agent_down_time / 10).clamp(Duration::from_millis(10), Duration::from_secs(1));
    loop {
        let now = Instant::now();
        let silent: BTreeSet<HostName> = silent_agents(&hub, &hub.store.world(), now).map(|agent| agent.host.clone()).collect();
        for host in silent {
            let (at, asked) = (host.clone(), hub.clone());
            let committed = hub.store.commit(request_id(), move |tx| {
                // It may have come back while this waited for its turn.
                if asked.is_silent(&at, Instant::now()) {
                    let agents: Vec<AgentId> = tx.table::<Agent>().by(Agent::BY_HOST, &at).filter(|a| a.alive).map(|a| a.id).collect();
                    let mut op = Op { tx, caller: &Caller::internal(), settings: &asked.settings };
                    agents.into_iter().for_each(|agent| agent_down(&mut op, agent));
                }
                Ok::<(), std::convert::Infallible>(())
            });
            match committed.await {
                Ok(_) => tracing::warn!(%host, "the agents of a host are silent and count as dead"),
                Err(error) => tracing::warn!(%host, %error, "a silent host could not be noted"),
            }
        }
        let ended = async { _ = closed.wait_for(|closed| *closed).await };
        if timeout(pause, ended).await.is_ok() {
            return;
        }
    }
}

fn silent_agents<'a>(hub: &'a Hub, world: &'a World, now: Instant) -> impl Iterator<Item = &'a Arc<Agent>> {
    world.table::<Agent>().iter().filter(move |agent| agent.alive && hub.is_silent(&agent.host, now))
}

impl Hub {
    fn is_silent(&self, host: &HostName, now: Instant) -> bool {
        self.board.is_silent(host, now, self.config.agent_down_time)
    }

    /// The session of one stream, from its Hello to its end.
    async fn serve(
        self: &Arc<Hub>,
        peer: HostName,
        mut reports: Streaming<wire::Report>,
        orders: Sender<wire::Order>,
    ) -> Result<(), Status> {
        let hello = self.hello(&mut reports).await?;
        let roles = hello::check(&hello, &peer)?;
        self.board.heard(&peer, Instant::now());
        let known = Known { revision: Revision(hello.revision), epoch: hello.epoch };
        let (agents, revision) = self.report_agents(&roles).await?;
        self.reach(revision, &known).await?;
        if *self.closed.borrow() {
            return Err(closing());
        }
        let (session, world) = self.board.attach(&peer);
        tracing::info!(host = %peer, agent_revision = %known.revision, revision = %world.revision(), "an agent is attached");
        let listener = Listener::new(self.clone(), session.clone(), hello.started_at, roles, agents);
        let config = &self.config;
        let outbox = Outbox { orders: orders.clone(), timeout: config.write_timeout, delta_bytes: config.delta_bytes, epoch: self.epoch };
        let outcome = tokio::select! {
            status = session.ended() => Err(status),
            () = orders.closed() => Err(Status::cancelled("the agent has gone away")),
            told = tell(self, &session, world, known, &outbox) => told,
            heard = listener.listen(&mut reports) => heard,
            committed = listener.commit() => committed,
        };
        self.board.detach(&session);
        match &outcome {
            Ok(()) => tracing::info!(host = %peer, "an agent detached itself"),
            Err(status) => tracing::info!(host = %peer, code = ?status.code(), reason = status.message(), "an agent's stream ended"),
        }
        outcome
    }

    async fn hello(&self, reports: &mut Streaming<wire::Report>) -> Result<wire::Hello, Status> {
        let first = timeout(self.config.hello_timeout, reports.message()).await;
        let first = first.map_err(|_| Status::deadline_exceeded("no Hello came"))?.map_err(crate::listen::refused)?;
        match first.and_then(|report| report.report) {
            Some(wire::report::Report::Hello(hello)) => Ok(hello),
            _ => Err(Status::invalid_argument("the first report is not a Hello")),
        }
    }

    async fn report_agents(self: &Arc<Hub>, roles: &[AgentReport]) -> Result<(Vec<AgentId>, Revision), Status> {
        let (hub, roles) = (self.clone(), roles.to_vec());
        let committed = self.store.commit(request_id(), move |tx| {
            let mut op = Op { tx, caller: &Caller::internal(), settings: &hub.settings };
            Ok::<_, std::convert::Infallible>(roles.iter().map(|role| report_agent(&mut op, role.clone())).collect::<Vec<_>>())
        });
        match committed.await {
            Ok(Ok(committed)) => Ok((committed.answer, committed.revision)),
            Err(error) => Err(Status::unavailable(format!("the agents could not be registered: {error}"))),
        }
    }

    /// Waits until the board has a revision, and what the agent has heard from another server.
    async fn reach(&self, revision: Revision, known: &Known) -> Result<(), Status> {
        let mut revision = revision;
        if known.epoch == self.epoch && known.revision > revision {
            let fresh = self.store.fresh().await.map_err(|error| Status::unavailable(error.to_string()))?;
            revision = revision.max(fresh.revision());
        }
        let mut board = self.board.revision.subscribe();
        let reached = timeout(self.config.write_timeout, board.wait_for(|there| *there >= revision)).await;
        reached.map_err(|_| Status::unavailable("the server is behind its log"))?.map_err(|_| closing())?;
        Ok(())
    }
}

/// The orders of one stream, and the status with which it ends.
#[derive(Debug)]
pub struct Orders {
    orders: Receiver<wire::Order>,
    end: Arc<OnceLock<Result<(), Status>>>,
    ended: bool,
}

impl Stream for Orders {
    type Item = Result<wire::Order, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.orders.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(order)) => Poll::Ready(Some(Ok(order))),
            Poll::Ready(None) => {
                self.ended = true;
                match self.end.get() {
                    Some(Ok(())) => Poll::Ready(None),
                    Some(Err(status)) => Poll::Ready(Some(Err(status.clone()))),
                    None => Poll::Ready(Some(Err(Status::internal("the session failed inside the server")))),
                }
            }
        }
    }
}

#[tonic::async_trait]
impl wire::dispatch_server::Dispatch for Dispatcher {
    type AttachStream = Orders;

    async fn attach(&self, request: Request<Streaming<wire::Report>>) -> Result<Response<Orders>, Status> {
        let peer = peer::host(request.extensions())?;
        let (sender, orders) = channel(2);
        let end = Arc::new(OnceLock::new());
        let (hub, outcome) = (self.hub.clone(), end.clone());
        tokio::spawn(async move {
            // The sender is dropped last, when the outcome is there.
            let keep = sender.clone();
            let served = hub.serve(peer, request.into_inner(), sender).await;
            let _ = outcome.set(served);
            drop(keep);
        });
        Ok(Response::new(Orders { orders, end, ended: false }))
    }
}
