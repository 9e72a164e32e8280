//! A server in this process, and agents that the test plays.

use api::{Fields, Op, Resource, Settings};
use auth::Caller;
use dispatch::{Config, Dispatcher};
use intent::wire::dispatch_client::DispatchClient;
use intent::{Unit, UnitId, wire};
use model::*;
use net::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use world::engines::memory::{Locking, Memory};
use world::{Record, Store, StoreOptions, Tx};

pub const EPOCH: u64 = 7;
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Cloud {
    pub store: Store,
    pub dispatcher: Dispatcher,
    pub settings: Arc<Settings>,
}

impl Cloud {
    pub fn new() -> Cloud {
        Cloud::with(Config::default())
    }

    pub fn with(config: Config) -> Cloud {
        Cloud::on(&Memory::new(Locking::Pessimistic, 1), config)
    }

    /// A server on a database.
    pub fn on(memory: &Memory, config: Config) -> Cloud {
        let store = Store::open(memory.engine(), Arc::new(schema()), StoreOptions::default()).expect("an open store");
        let settings = Settings::new().with(Arc::new(ml2::Config::default())).with(Arc::new(ml2::Heartbeats::new()));
        let settings = Arc::new(settings);
        let dispatcher = Dispatcher::new(store.clone(), config, settings.clone(), EPOCH);
        Cloud { store, dispatcher, settings }
    }

    pub async fn commit(&self, with: impl Fn(&mut Tx) + Send + 'static) -> Revision {
        let committed = self.store.commit("req-test".into(), move |tx| {
            with(tx);
            Ok::<(), Infallible>(())
        });
        committed.await.expect("committed").expect("infallible").revision
    }

    /// Creates a resource as its slice does.
    pub async fn create<R: Record>(&self, resource: fn() -> Resource<R>, mut body: Value) -> R::Id {
        let settings = self.settings.clone();
        body.as_object_mut().expect("an object").entry("project_id").or_insert_with(|| "p".into());
        let body = body.as_object().expect("an object").clone();
        let committed = self.store.commit("req-test".into(), move |tx| {
            let caller = Caller::admin("p");
            let mut op = Op { tx, caller: &caller, settings: &settings };
            resource().create.expect("it can be created")(&mut op, &Fields::new(body.clone()))
        });
        committed.await.expect("committed").expect("accepted").answer
    }

    pub fn port(&self, id: PortId) -> Arc<Port> {
        self.store.world().get::<Port>(&id).expect("a port").clone()
    }

    pub async fn attach(&self, n: u8) -> Player {
        Player::attach(self.dispatcher.attach_local(&super::host(n)), hello(n)).await
    }

    /// Waits until the state is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&world::World) -> bool) {
        let (world, mut commits) = self.store.subscribe();
        if is_so(&world) {
            return;
        }
        let wait = async {
            while let Some(commit) = commits.recv().await {
                if is_so(&commit.after) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not in time: {what}"));
    }
}

pub fn role(agent_type: AgentType, configurations: Value) -> wire::Role {
    wire::Role {
        agent_type: agent_type.as_str().into(),
        binary: "neutron-agent".into(),
        topic: "N/A".into(),
        configurations: configurations.to_string(),
        availability_zone: String::new(),
        enforces: vec![],
    }
}

pub fn hello(n: u8) -> wire::Hello {
    let l2 = json!({"tunneling_ip": format!("192.0.2.{n}"), "tunnel_types": ["vxlan"]});
    wire::Hello {
        host: super::host(n).to_string(),
        revision: 0,
        epoch: 0,
        roles: vec![role(AgentType::LinuxBridge, l2), role(AgentType::Dhcp, json!({}))],
        started_at: 1,
        protocol: dispatch::PROTOCOL,
    }
}

/// An agent that keeps what it is told.
pub struct Player {
    pub reports: mpsc::Sender<wire::Report>,
    pub orders: Streaming<wire::Order>,
    pub units: BTreeMap<UnitId, Unit>,
    pub revision: u64,
    pub epoch: u64,
    pub snapshots: usize,
    pub puts: usize,
    pub deltas: usize,
}

impl Player {
    /// Attaches without a word.
    pub async fn open(channel: Channel) -> Result<Player, Status> {
        let (reports, stream) = mpsc::channel(64);
        let orders = DispatchClient::new(channel).attach(ReceiverStream::new(stream)).await?.into_inner();
        Ok(Player { reports, orders, units: BTreeMap::new(), revision: 0, epoch: 0, snapshots: 0, puts: 0, deltas: 0 })
    }

    /// Attaches and waits until it is in sync.
    pub async fn attach(channel: Channel, hello: wire::Hello) -> Player {
        let mut agent = Player::open(channel).await.expect("an open stream");
        agent.say(wire::report::Report::Hello(hello)).await;
        agent.sync().await.expect("a first Synced");
        agent
    }

    /// Attaches again with what this one has.
    pub async fn resume(self, channel: Channel, mut hello: wire::Hello) -> Player {
        (hello.revision, hello.epoch) = (self.revision, self.epoch);
        let mut agent = Player::open(channel).await.expect("an open stream");
        agent.units = self.units;
        agent.say(wire::report::Report::Hello(hello)).await;
        agent.sync().await.expect("a first Synced");
        agent
    }

    pub async fn say(&self, report: wire::report::Report) {
        // Nobody listens when the stream has ended; the test sees that by its status.
        let _ = self.reports.send(wire::Report { report: Some(report) }).await;
    }

    pub async fn realised(&self, revision: u64, ids: &[UnitId]) {
        let keys = ids.iter().map(UnitId::to_string).collect();
        self.say(wire::report::Report::Realised(wire::Realised { revision, keys })).await;
    }

    pub async fn gone(&self, ids: &[UnitId]) {
        self.say(wire::report::Report::Gone(wire::Gone { keys: ids.iter().map(UnitId::to_string).collect() })).await;
    }

    pub async fn heartbeat(&self) {
        self.say(wire::report::Report::Heartbeat(wire::Heartbeat::default())).await;
    }

    /// Reads orders up to the next Synced.
    pub async fn sync(&mut self) -> Result<(), Status> {
        loop {
            let order = within(self.orders.message()).await?.ok_or_else(|| Status::ok("ended"))?;
            match order.order.expect("an order") {
                wire::order::Order::Snapshot(_) => {
                    self.snapshots += 1;
                    self.units.clear();
                }
                wire::order::Order::Delta(delta) => self.take(delta),
                wire::order::Order::Synced(synced) => {
                    (self.revision, self.epoch) = (synced.revision, synced.epoch);
                    return Ok(());
                }
            }
        }
    }

    fn take(&mut self, delta: wire::Delta) {
        self.deltas += 1;
        self.puts += delta.put.len();
        for unit in delta.put {
            let unit = Unit::decode(&unit.key, &unit.body).expect("a unit");
            self.units.insert(unit.id(), unit);
        }
        for key in delta.remove {
            self.units.remove(&key.parse().expect("a key"));
        }
    }

    /// Reads orders until a revision is there.
    pub async fn reach(&mut self, revision: Revision) {
        while self.revision < revision.0 {
            self.sync().await.expect("a stream that goes on");
        }
    }

    /// Lets its heart beat until it is told that a revision is there, also when nothing concerns it.
    pub async fn catch_up(&mut self, revision: Revision) {
        within(async {
            while self.revision < revision.0 {
                self.heartbeat().await;
                if let Ok(synced) = tokio::time::timeout(Duration::from_millis(50), self.sync()).await {
                    synced.expect("a stream that goes on");
                }
            }
        })
        .await;
    }

    /// Reads orders until the stream ends.
    pub async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.sync().await {
                return status;
            }
        }
    }

    pub async fn ends_with(&mut self, code: Code, words: &str) {
        let status = self.end().await;
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(words), "{status}");
    }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}
