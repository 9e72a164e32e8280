//! The server's side: stores on one in-memory database, requests, and the sessions of agents.

pub mod request;
mod session;

pub use session::Told;

use api::{Fault, Fields, Op, Resource, Settings};
use auth::Caller;
use dispatch::concern::concerned;
use net::HostName;
use request::{Kind, Request};
use session::{Fact, Session};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;
use world::engines::memory::Memory;
use world::{Clock, Commit, Record, Store, StoreOptions, World};

/// The runtime that stores are asked on. Only one question is under way at a time.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime of one thread")
}

/// A server: its store, and the agents attached to it.
pub struct Server {
    /// The database as it reaches it.
    pub memory: Memory,
    store: Store,
    settings: Arc<Settings>,
    /// The name of its history of revisions.
    pub epoch: u64,
    /// As far as its sessions have got.
    world: World,
    commits: UnboundedReceiver<Arc<Commit>>,
    sessions: BTreeMap<HostName, Session>,
    since: BTreeMap<Fact, u64>,
    /// Facts that are not noted are at most this new.
    floor: u64,
    /// How far behind an agent may come back and get the difference.
    resume_commits: u64,
    /// Units that were told although they do not concern the host.
    pub indiscretions: Vec<String>,
}

/// How a request went.
#[derive(Debug)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused(Fault),
    /// The database failed; it may have been done.
    Unknown(String),
    /// The server is wrong.
    Bug(String),
}

impl Server {
    /// Starts on a database.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub fn start(memory: Memory, seed: u64, epoch: u64, config: ml2::Config, resume_commits: u64) -> Server {
        let time = Arc::new(AtomicI64::new(1_000));
        let clock = Clock::new(move || net::Timestamp(time.fetch_add(1, Ordering::Relaxed)));
        let options = StoreOptions { seed: Some(seed), clock, attempts: 5, ..StoreOptions::default() };
        let store = Store::open(memory.engine(), Arc::new(model::schema()), options).expect("the database is there at a start");
        let settings = Arc::new(Settings::new().with(Arc::new(config)).with(Arc::new(ml2::Heartbeats::new())));
        let (world, commits) = store.subscribe();
        let floor = world.revision().0;
        let (sessions, since, indiscretions) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Server { memory, store, settings, epoch, world, commits, sessions, since, floor, resume_commits, indiscretions }
    }

    /// The newest world it has.
    pub fn world(&self) -> World {
        self.store.world()
    }

    pub(crate) fn config(&self) -> &ml2::Config {
        self.settings.get()
    }

    /// Runs a request of the API.
    pub fn request(&mut self, runtime: &Runtime, request: &Request) -> Outcome {
        let request = request.clone();
        self.operate(runtime, move |op| perform(op, &request))
    }

    /// Runs an operation in the log.
    pub fn operate(&mut self, runtime: &Runtime, operation: impl Fn(&mut Op<'_>) -> Result<(), Fault> + Send + 'static) -> Outcome {
        let settings = self.settings.clone();
        let committed = self.store.commit(SmolStr::new_static("req-sim"), move |tx| {
            let caller = Caller::admin("p0");
            operation(&mut Op { tx, caller: &caller, settings: &settings })
        });
        match runtime.block_on(committed) {
            Ok(Ok(_)) => Outcome::Done,
            Ok(Err(fault)) if fault.status >= 500 && fault.status != 503 => Outcome::Bug(format!("{fault:?}")),
            Ok(Err(fault)) => Outcome::Refused(fault),
            Err(error) if error.kind() == world::ErrorKind::Retry => Outcome::Unknown(error.to_string()),
            Err(error) => Outcome::Bug(error.to_string()),
        }
    }

    /// Takes over all that is in the log. False when the database cannot be asked.
    pub fn catch_up(&mut self, runtime: &Runtime) -> bool {
        let fresh = runtime.block_on(self.store.fresh()).is_ok();
        while let Ok(commit) = self.commits.try_recv() {
            self.note(&commit);
            let sessions = &self.sessions;
            let found = concerned(&commit, &|host| sessions.contains_key(host));
            self.world = commit.after.clone();
            for (host, ids) in found {
                if let Some(session) = self.sessions.get_mut(&host) {
                    session.waiting.extend(ids);
                }
            }
        }
        fresh
    }
}

fn perform(op: &mut Op<'_>, request: &Request) -> Result<(), Fault> {
    match request.kind {
        Kind::Network => with(op, &ml2::network::resource(), request),
        Kind::Subnet => with(op, &ml2::subnet::resource(), request),
        Kind::Port => with(op, &ml2::port::resource(), request),
        Kind::Group => with(op, &security_groups::group::resource(), request),
        Kind::Rule => with(op, &security_groups::rule::resource(), request),
        Kind::Agent => with(op, &ml2::agent::resource(), request),
    }
}

fn with<R: Record>(op: &mut Op<'_>, resource: &Resource<R>, request: &Request) -> Result<(), Fault>
where
    R::Id: From<Uuid>,
{
    let fields = request.body.as_ref().and_then(|body| body.as_object()).map(|body| Fields::new(body.clone()));
    let Some(id) = request.id else {
        let fields = fields.expect("a create has a body");
        resource.references.map_or(Ok(()), |references| references(op, &fields))?;
        return resource.create.expect("it can be created")(op, &fields).map(|_| ());
    };
    let Some(record) = op.tx.get::<R>(&R::Id::from(id)).cloned() else {
        return Err(Fault::new(404, resource.not_found, (resource.not_found_message)(&id.to_string())));
    };
    match fields {
        Some(fields) => resource.update.expect("it can be updated")(op, &record, &fields),
        None => resource.delete.expect("it can be deleted")(op, &record),
    }
}
