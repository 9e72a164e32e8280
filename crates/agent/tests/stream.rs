//! The stream to a server: what an agent says, and what it does when the server goes, comes back, or talks nonsense.

mod support;

use agent::{Event, Running};
use intent::wire::dispatch_server::{Dispatch, DispatchServer};
use intent::wire::{self, Hello, Order, Report, order, report};
use intent::{Carrier, Unit};
use std::net::SocketAddr;
use std::time::Duration;
use support::build::*;
use support::model::Model;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::{Response, Status, Streaming};

const PATIENCE: Duration = Duration::from_secs(10);

/// One attached agent, from the server's side.
struct Session {
    orders: UnboundedSender<Result<Order, Status>>,
    reports: Streaming<Report>,
}

struct Server(UnboundedSender<Session>);

#[tonic::async_trait]
impl Dispatch for Server {
    type AttachStream = UnboundedReceiverStream<Result<Order, Status>>;

    async fn attach(&self, request: tonic::Request<Streaming<Report>>) -> Result<Response<Self::AttachStream>, Status> {
        let (orders, receiver) = unbounded_channel();
        self.0.send(Session { orders, reports: request.into_inner() }).map_err(|_| Status::unavailable("the test has ended"))?;
        Ok(Response::new(UnboundedReceiverStream::new(receiver)))
    }
}

impl Session {
    fn say(&self, order: order::Order) {
        self.orders.send(Ok(Order { order: Some(order) })).expect("the stream is open");
    }

    fn delta(&self, revision: u64, units: impl IntoIterator<Item = Unit>) {
        let put = units.into_iter().map(|unit| wire::Unit { key: unit.id().to_string(), revision, body: unit.encode() }).collect();
        self.say(order::Order::Delta(wire::Delta { revision, put, remove: vec![] }));
    }

    fn synced(&self, revision: u64) {
        self.say(order::Order::Synced(wire::Synced { revision, epoch: 7 }));
    }

    fn snapshot(&self, revision: u64, units: impl IntoIterator<Item = Unit>) {
        self.say(order::Order::Snapshot(wire::Snapshot {}));
        self.delta(revision, units);
        self.synced(revision);
    }

    async fn report(&mut self) -> report::Report {
        let report = tokio::time::timeout(PATIENCE, self.reports.next()).await.expect("in time");
        report.expect("the stream is open").expect("a report").report.expect("of a known kind")
    }

    async fn hello(&mut self) -> Hello {
        match self.report().await {
            report::Report::Hello(hello) => hello,
            other => panic!("first comes a Hello, not {other:?}"),
        }
    }

    async fn realised(&mut self) -> (u64, Vec<String>) {
        match self.report().await {
            report::Report::Realised(realised) => (realised.revision, realised.keys),
            other => panic!("not {other:?}"),
        }
    }

    async fn gone(&mut self) -> Vec<String> {
        match self.report().await {
            report::Report::Gone(gone) => gone.keys,
            other => panic!("not {other:?}"),
        }
    }
}

/// A server in a runtime of its own: when that is shut down its connections die as those of a killed process.
fn serve(address: SocketAddr) -> (SocketAddr, UnboundedReceiver<Session>, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind(address).expect("bound");
    let listener = socket.listen(16).expect("a listener");
    let address = listener.local_addr().expect("bound");
    let (sessions, receiver) = unbounded_channel();
    let server = tonic::transport::Server::builder().add_service(DispatchServer::new(Server(sessions)));
    runtime.spawn(async move { server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("serves") });
    (address, receiver, runtime)
}

struct Bench {
    _state: tempfile::TempDir,
    model: Model,
    running: Running<Model>,
    address: SocketAddr,
    sessions: UnboundedReceiver<Session>,
    server: Option<tokio::runtime::Runtime>,
}

impl Bench {
    async fn new() -> Bench {
        let state = tempfile::tempdir().expect("a directory");
        let model = Model::default();
        let running = agent(state.path(), model.clone(), None).start(|_, _| ()).expect("a thread");
        let (address, sessions, server) = serve("127.0.0.1:0".parse().expect("an address"));
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).expect("an address");
        tokio::spawn(agent::attach(endpoint.connect_lazy(), running.events()));
        Bench { _state: state, model, running, address, sessions, server: Some(server) }
    }

    fn kill_server(&mut self) {
        self.server.take().expect("it runs").shutdown_background();
    }

    async fn session(&mut self) -> Session {
        tokio::time::timeout(PATIENCE, self.sessions.recv()).await.expect("in time").expect("the server runs")
    }

    fn plug(&self, port: u8) {
        self.model.add_link(&tap(port));
        self.running.events().send(Event::LinkUp { name: tap(port).into(), settled: false }).expect("it runs");
    }

    fn bridged(&self, port: u8) -> bool {
        self.model.link(&tap(port)).is_some_and(|link| link.master.is_some() && link.up)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A runtime must not be dropped where one is running.
        self.server.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

fn key(port: u8) -> String {
    format!("port/{}", port_id(port))
}

fn units() -> Vec<Unit> {
    vec![network(1, Carrier::Local), Unit::Port(port(5, 1, &[]))]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_introduces_itself_and_reports() {
    let mut bench = Bench::new().await;
    let mut session = bench.session().await;
    let hello = session.hello().await;
    assert_eq!((hello.host.as_str(), hello.revision, hello.epoch, hello.protocol), ("host-1", 0, 0, 1));
    let types: Vec<(&str, &str)> = hello.roles.iter().map(|role| (role.agent_type.as_str(), role.binary.as_str())).collect();
    let expected =
        [("Linux bridge agent", "neutron-linuxbridge-agent"), ("DHCP agent", "neutron-dhcp-agent"), ("L3 agent", "neutron-l3-agent")];
    assert_eq!(types, expected);
    session.snapshot(10, units());
    assert_eq!(session.gone().await, [key(5)], "what is not there is told, too: it may have been");
    assert_eq!(session.realised().await, (10, vec![format!("network/{}", network_id(1))]));
    bench.plug(5);
    assert_eq!(session.realised().await, (10, vec![key(5)]));
    assert!(bench.bridged(5));
    // The same unit at a later revision is told of again; nothing is done.
    bench.model.steps();
    session.delta(11, [Unit::Port(port(5, 1, &[]))]);
    session.synced(11);
    assert_eq!(session.realised().await, (11, vec![key(5)]));
    assert_eq!(bench.model.steps(), Vec::<String>::new());
    bench.model.remove_link(&tap(5));
    bench.running.events().send(Event::LinkGone(tap(5).into())).expect("it runs");
    assert_eq!(session.gone().await, [key(5)], "its going is told");
    // A unit that cannot be, and then can.
    session.delta(12, [Unit::Port(port(6, 9, &[]))]);
    session.synced(12);
    let report::Report::Faulted(fault) = session.report().await else { panic!("a fault is told") };
    assert!(fault.key == key(6) && fault.revision == 12 && fault.message.contains("its network"), "{fault:?}");
    session.delta(13, [network(9, Carrier::Local)]);
    session.synced(13);
    assert_eq!(session.realised().await.1, [format!("network/{}", network_id(9))]);
    let report::Report::Faulted(fault) = session.report().await else { panic!("its end is told") };
    assert_eq!((fault.key, fault.message.as_str()), (key(6), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_hears_what_is() {
    let mut bench = Bench::new().await;
    let mut session = bench.session().await;
    session.hello().await;
    bench.plug(5);
    session.snapshot(10, units());
    while !bench.bridged(5) {
        session.realised().await;
    }
    bench.kill_server();
    drop(session);
    // Without a server devices are still served.
    bench.model.remove_link(&tap(5));
    bench.running.events().send(Event::LinkGone(tap(5).into())).expect("it runs");
    bench.plug(5);
    let end = std::time::Instant::now() + PATIENCE;
    while !bench.bridged(5) {
        assert!(std::time::Instant::now() < end);
        tokio::task::yield_now().await;
    }
    let (_, sessions, server) = serve(bench.address);
    (bench.sessions, bench.server) = (sessions, Some(server));
    let mut session = bench.session().await;
    let hello = session.hello().await;
    assert_eq!((hello.revision, hello.epoch), (10, 7), "it goes on from what was complete");
    session.delta(11, [Unit::Port(port(6, 1, &[]))]);
    session.synced(11);
    assert_eq!(session.gone().await, [key(6)]);
    let (revision, keys) = session.realised().await;
    assert_eq!((revision, keys), (11, vec![format!("network/{}", network_id(1)), key(5)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_ends_the_stream_and_nothing_else() {
    let mut bench = Bench::new().await;
    let mut session = bench.session().await;
    session.hello().await;
    bench.plug(5);
    session.snapshot(10, units());
    while !bench.bridged(5) {
        session.realised().await;
    }
    bench.model.steps();
    let unit = |key: &str, body: &[u8]| wire::Unit { key: key.to_owned(), revision: 11, body: body.to_vec() };
    let other = Unit::Port(port(6, 1, &[])).encode();
    let delta = |put, remove| order::Order::Delta(wire::Delta { revision: 11, put, remove });
    let nonsense = [
        Some(delta(vec![unit(&key(5), b"{")], vec![])),
        Some(delta(vec![unit(&key(5), &other)], vec![])),
        Some(delta(vec![unit("port/../../etc", b"{}")], vec![])),
        Some(delta(vec![], vec!["port/x".to_owned()])),
        None,
    ];
    for order in nonsense {
        session.orders.send(Ok(Order { order })).expect("the stream is open");
        session = bench.session().await;
        let hello = session.hello().await;
        assert_eq!((hello.revision, hello.epoch), (10, 7));
    }
    // A snapshot that breaks off is none.
    session.say(order::Order::Snapshot(wire::Snapshot {}));
    drop(session);
    let mut session = bench.session().await;
    session.hello().await;
    // What only newer servers know is left out.
    session.say(delta(vec![unit("balancer/1", b"{}")], vec!["balancer/2".to_owned()]));
    session.synced(12);
    assert_eq!(session.realised().await.1.len(), 2);
    assert!(bench.bridged(5));
    assert_eq!(bench.model.steps(), Vec::<String>::new(), "the host was left alone");
}
