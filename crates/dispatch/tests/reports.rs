//! What agents report: how ports become `ACTIVE`, who is alive, and what is refused.

mod support;

use dispatch::Config;
use intent::{UnitId, wire};
use model::*;
use net::{NetworkId, PortId};
use serde_json::json;
use std::time::Duration;
use support::cloud::{Cloud, Player, hello, role, within};
use support::*;
use tonic::Code;
use tonic::codec::Streaming;
use wire::report::Report;

/// A network with DHCP, and a port on host 1.
async fn port_of_an_instance(cloud: &Cloud) -> (NetworkId, PortId) {
    let network = cloud.create(ml2::network::resource, json!({"name": "n", "admin_state_up": true, "port_security_enabled": true})).await;
    let subnet = json!({"network_id": network.to_string(), "ip_version": 4, "cidr": "10.0.0.0/24", "enable_dhcp": true});
    cloud.create(ml2::subnet::resource, subnet).await;
    let port = json!({"network_id": network.to_string(), "binding:host_id": host(1).to_string(), "device_owner": "compute:nova", "device_id": "i", "admin_state_up": true});
    let port = cloud.create(ml2::port::resource, port).await;
    (network, port)
}

fn status(cloud: &Cloud, port: PortId) -> PortStatus {
    cloud.port(port).status
}

#[tokio::test]
async fn a_port_is_active_when_l2_and_dhcp_are_ready() {
    let cloud = Cloud::new();
    let mut agent = cloud.attach(1).await;
    let (network, port) = port_of_an_instance(&cloud).await;
    agent.reach(cloud.store.world().revision()).await;
    let (wired, served) = (UnitId::Port(port), UnitId::DhcpHost(network, port));
    assert!(agent.units.contains_key(&wired) && agent.units.contains_key(&served), "{:?}", agent.units.keys());
    agent.realised(agent.revision, &[wired]).await;
    cloud.until("wired", |world| world.get::<Port>(&port).is_some_and(|port| !port.provisioning.l2)).await;
    assert_eq!(status(&cloud, port), PortStatus::Down);
    agent.realised(agent.revision, &[served]).await;
    cloud.until("active", |world| world.get::<Port>(&port).is_some_and(|port| port.status == PortStatus::Active)).await;
    // Nothing of this changes what the host must do.
    let deltas = agent.deltas;
    agent.catch_up(cloud.store.world().revision()).await;
    assert_eq!(agent.deltas, deltas);
    agent.gone(&[wired]).await;
    cloud.until("down", |world| world.get::<Port>(&port).is_some_and(|port| port.status == PortStatus::Down)).await;
    // It is told again, as it is waited for again.
    agent.reach(cloud.store.world().revision()).await;
    agent.realised(agent.revision, &[wired]).await;
    cloud.until("active again", |world| world.get::<Port>(&port).is_some_and(|port| port.status == PortStatus::Active)).await;
}

#[tokio::test]
async fn a_report_of_before_the_port_came_here_does_not_count() {
    let cloud = Cloud::new();
    let mut agent = cloud.attach(1).await;
    cloud.commit(|tx| tx.put(network(0, NetworkType::Vxlan))).await;
    let on = |on: u8| {
        move |tx: &mut world::Tx| {
            let mut port = port(1, 0);
            bind(&mut port, on);
            tx.put(port);
        }
    };
    let first = cloud.commit(on(1)).await;
    cloud.commit(on(2)).await;
    let back = cloud.commit(on(1)).await;
    agent.reach(back).await;
    agent.realised(first.0, &[UnitId::Port(port_id(1))]).await;
    // Reports are taken in order: when the second port is wired, the first report has been judged.
    let second = cloud
        .commit(|tx| {
            let mut port = port(2, 0);
            bind(&mut port, 1);
            tx.put(port);
        })
        .await;
    agent.reach(second).await;
    agent.realised(second.0, &[UnitId::Port(port_id(2))]).await;
    cloud.until("wired", |world| world.get::<Port>(&port_id(2)).is_some_and(|port| !port.provisioning.l2)).await;
    assert!(cloud.port(port_id(1)).provisioning.l2);
    agent.realised(back.0, &[UnitId::Port(port_id(1))]).await;
    cloud.until("wired", |world| world.get::<Port>(&port_id(1)).is_some_and(|port| !port.provisioning.l2)).await;
}

#[tokio::test]
async fn a_floating_ip_is_active_when_the_routers_host_carries_it() {
    let cloud = Cloud::new();
    let agents = |tx: &mut world::Tx| (1..3).for_each(|n| tx.put(agent(10 + n, AgentType::L3, n)));
    cloud.commit(agents).await;
    let (mut first, mut second) = (cloud.attach(1).await, cloud.attach(2).await);
    // The second router stays on host 1. Reports are taken in order: when its floating IP is active, the ones before were judged.
    let leads = |to: u8, on: u8| {
        move |tx: &mut world::Tx| {
            for (n, on) in [(0, on), (1, 1)] {
                tx.put(Router { agents: vec![agent_id(10 + on)], ..router(n) });
                let fixed_ip_address = Some(std::net::Ipv4Addr::new(10, 0, n, to));
                tx.put(FloatingIp { router_id: Some(router_id(n)), fixed_ip_address, ..floating_ip(n) });
            }
        }
    };
    let unit = |n| UnitId::FloatingIp(router_id(n), floating_ip_id(n));
    let status = |world: &world::World, n| world.get::<FloatingIp>(&floating_ip_id(n)).map(|floating_ip| floating_ip.status);
    let is_active = |n| move |world: &world::World| status(world, n) == Some(FloatingIpStatus::Active);
    let before = cloud.commit(leads(5, 1)).await;
    first.reach(before).await;
    assert!(first.units.contains_key(&unit(0)) && first.units.contains_key(&UnitId::Router(router_id(0))));
    first.realised(before.0, &[unit(0)]).await;
    cloud.until("active", is_active(0)).await;
    let after = cloud.commit(leads(6, 1)).await;
    first.reach(after).await;
    first.realised(before.0, &[unit(0)]).await;
    first.realised(after.0, &[unit(1)]).await;
    cloud.until("the other active", is_active(1)).await;
    assert_eq!(status(&cloud.store.world(), 0), Some(FloatingIpStatus::Down), "that was before it led there");
    first.realised(after.0, &[unit(0)]).await;
    cloud.until("active again", is_active(0)).await;
    let moved = cloud.commit(leads(7, 2)).await;
    first.reach(moved).await;
    second.reach(moved).await;
    assert!(!first.units.contains_key(&unit(0)) && second.units.contains_key(&unit(0)));
    first.realised(moved.0, &[unit(0)]).await;
    first.realised(moved.0, &[unit(1)]).await;
    cloud.until("the other active", is_active(1)).await;
    assert_eq!(status(&cloud.store.world(), 0), Some(FloatingIpStatus::Down), "the first host has no say any more");
    let fault = wire::Faulted { key: unit(0).to_string(), revision: moved.0, message: "no".into() };
    second.say(Report::Faulted(fault)).await;
    cloud.until("failed", |world| status(world, 0) == Some(FloatingIpStatus::Error)).await;
}

#[tokio::test]
async fn a_fault_is_known_until_it_is_over() {
    let cloud = Cloud::new();
    let mut agent = cloud.attach(1).await;
    let (_, port) = port_of_an_instance(&cloud).await;
    agent.reach(cloud.store.world().revision()).await;
    let id = UnitId::Port(port);
    let faulted = |message: &str| Report::Faulted(wire::Faulted { key: id.to_string(), revision: agent.revision, message: message.into() });
    agent.say(faulted("no such link")).await;
    cloud.until("failed", |world| world.get::<Port>(&port).is_some_and(|port| port.status == PortStatus::Error)).await;
    assert_eq!(cloud.dispatcher.faults(&host(1))[&id].message, "no such link");
    agent.say(faulted("")).await;
    agent.realised(agent.revision, &[id]).await;
    cloud.until("wired", |world| world.get::<Port>(&port).is_some_and(|port| !port.provisioning.l2)).await;
    assert!(cloud.dispatcher.faults(&host(1)).is_empty());
}

#[tokio::test]
async fn a_host_speaks_for_itself_only() {
    let cloud = Cloud::new();
    cloud
        .commit(|tx| {
            tx.put(network(0, NetworkType::Vxlan));
            let mut port = port(1, 0);
            bind(&mut port, 1);
            tx.put(port);
        })
        .await;
    let (mut one, mut two) = (cloud.attach(1).await, cloud.attach(2).await);
    two.realised(two.revision, &[UnitId::Port(port_id(1))]).await;
    two.ends_with(Code::PermissionDenied, "is not of host host2").await;
    let mut two = cloud.attach(2).await;
    two.realised(two.revision, &[UnitId::DhcpHost(network_id(0), port_id(1))]).await;
    two.ends_with(Code::PermissionDenied, "is not of host host2").await;
    // A device's going, a unit of nobody and a revision of nobody change nothing.
    let mut two = cloud.attach(2).await;
    two.gone(&[UnitId::Port(port_id(1))]).await;
    two.realised(two.revision, &[UnitId::Port(port_id(99)), UnitId::Network(network_id(0))]).await;
    two.realised(u64::MAX, &[UnitId::Port(port_id(1))]).await;
    two.realised(0, &[UnitId::Port(port_id(1))]).await;
    two.heartbeat().await;
    let revision = cloud
        .commit(|tx| {
            let mut port = port(2, 0);
            bind(&mut port, 2);
            tx.put(port);
        })
        .await;
    // Reports are taken in order: when this one counts, those before it did not.
    two.reach(revision).await;
    one.reach(revision).await;
    two.realised(revision.0, &[UnitId::Port(port_id(2))]).await;
    cloud.until("wired", |world| world.get::<Port>(&port_id(2)).is_some_and(|port| !port.provisioning.l2)).await;
    assert!(cloud.port(port_id(1)).provisioning.l2);
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_stream_and_no_other() {
    let cloud = Cloud::with(Config { hello_timeout: Duration::from_millis(200), report_bytes: 100_000, ..Config::default() });
    let mut other = cloud.attach(2).await;
    let keys = |key: String| Report::Realised(wire::Realised { revision: 1, keys: vec![key] });
    let configured = |configurations: &str| {
        let role = wire::Role { configurations: configurations.into(), ..role(AgentType::Dhcp, json!({})) };
        Report::Heartbeat(wire::Heartbeat { roles: vec![role] })
    };
    let unknown =
        Report::Heartbeat(wire::Heartbeat { roles: vec![wire::Role { agent_type: "x".into(), ..role(AgentType::Dhcp, json!({})) }] });
    let enforcing = |enforces: Vec<String>| {
        let role = wire::Role { enforces, ..role(AgentType::L3, json!({})) };
        Report::Heartbeat(wire::Heartbeat { roles: vec![role] })
    };
    let twice = Report::Heartbeat(wire::Heartbeat { roles: vec![role(AgentType::Dhcp, json!({})), role(AgentType::Dhcp, json!({}))] });
    let many = Report::Heartbeat(wire::Heartbeat { roles: vec![role(AgentType::Dhcp, json!({})); 17] });
    let cases = [
        (Report::Hello(hello(1)), Code::InvalidArgument, "second Hello"),
        (keys("port/x".into()), Code::InvalidArgument, "not a UUID"),
        (keys("balancer/1".into()), Code::InvalidArgument, "does not know"),
        (Report::Faulted(wire::Faulted { key: "\u{0}".into(), ..Default::default() }), Code::InvalidArgument, "unit"),
        (Report::Gone(wire::Gone { keys: vec![String::new()] }), Code::InvalidArgument, "unit"),
        (configured("{"), Code::InvalidArgument, "JSON"),
        (configured("[]"), Code::InvalidArgument, "JSON"),
        (configured(&format!("{{\"a\":{}1{}}}", "[".repeat(30_000), "]".repeat(30_000))), Code::InvalidArgument, "JSON"),
        (configured(&format!("{{\"a\":\"{}\"}}", "x".repeat(80_000))), Code::InvalidArgument, "too long"),
        (enforcing(vec!["x".repeat(256)]), Code::InvalidArgument, "too long"),
        (enforcing(vec![String::new(); 256]), Code::InvalidArgument, "255 at most"),
        (unknown, Code::InvalidArgument, "unknown"),
        (twice, Code::InvalidArgument, "twice"),
        (many, Code::InvalidArgument, "16 at most"),
        (keys("x".repeat(200_000)), Code::ResourceExhausted, "too large"),
    ];
    for (report, code, words) in cases {
        let mut agent = cloud.attach(1).await;
        agent.say(report).await;
        agent.ends_with(code, words).await;
    }
    let open = || async { Player::open(cloud.dispatcher.attach_local(&host(1))).await.expect("an open stream") };
    let mut silent = open().await;
    silent.ends_with(Code::DeadlineExceeded, "no Hello").await;
    let cases = [
        (Report::Heartbeat(wire::Heartbeat::default()), Code::InvalidArgument, "not a Hello"),
        (Report::Hello(wire::Hello { protocol: 2, ..hello(1) }), Code::FailedPrecondition, "version 2"),
        (Report::Hello(hello(2)), Code::PermissionDenied, "of host host1"),
    ];
    for (report, code, words) in cases {
        let mut agent = open().await;
        agent.say(report).await;
        agent.ends_with(code, words).await;
    }
    other.heartbeat().await;
    let revision = cloud
        .commit(|tx| {
            tx.put(network(0, NetworkType::Vxlan));
            let mut port = port(2, 0);
            bind(&mut port, 2);
            tx.put(port);
        })
        .await;
    other.reach(revision).await;
}

#[tokio::test]
async fn bytes_that_are_no_report_end_the_stream() {
    let cloud = Cloud::new();
    let mut client = tonic::client::Grpc::new(cloud.dispatcher.attach_local(&host(1)));
    client.ready().await.expect("connected");
    let codec = tonic_prost::ProstCodec::<wire::Synced, wire::Order>::default();
    let path = "/neutrino.agent.v1.Dispatch/Attach".parse().expect("a path");
    let nonsense = tokio_stream::iter([wire::Synced { revision: 1, epoch: 1 }]);
    let request = tonic::Request::new(nonsense);
    let mut orders: Streaming<wire::Order> = client.streaming(request, path, codec).await.expect("an open stream").into_inner();
    let status = within(orders.message()).await.expect_err("an end");
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
}

fn is_alive(world: &world::World, n: u8) -> bool {
    let host = host(n);
    let mut agents = world.table::<Agent>().by(Agent::BY_HOST, &host).peekable();
    agents.peek().is_some() && agents.all(|agent| agent.alive)
}

#[tokio::test]
async fn who_is_silent_is_dead_until_heard_again() {
    let cloud = Cloud::with(Config { agent_down_time: Duration::from_secs(1), ..Config::default() });
    let (silent, talking) = (cloud.attach(1).await, cloud.attach(2).await);
    assert!(is_alive(&cloud.store.world(), 1) && is_alive(&cloud.store.world(), 2));
    let beating = tokio::spawn(async move {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            talking.heartbeat().await;
        }
    });
    // Its stream is open, and yet nothing is heard of it.
    cloud.until("dead", |world| !is_alive(world, 1)).await;
    assert!(is_alive(&cloud.store.world(), 2));
    silent.heartbeat().await;
    cloud.until("alive", |world| is_alive(world, 1)).await;
    drop(silent);
    cloud.until("dead", |world| !is_alive(world, 1)).await;
    let _again = cloud.attach(1).await;
    assert!(is_alive(&cloud.store.world(), 1) && is_alive(&cloud.store.world(), 2));
    beating.abort();
    cloud.until("dead", |world| !is_alive(world, 2)).await;
}

#[tokio::test]
async fn an_agent_nobody_hears_after_a_start_is_dead() {
    let cloud = Cloud::with(Config { agent_down_time: Duration::from_millis(100), ..Config::default() });
    cloud.commit(|tx| tx.put(agent(1, AgentType::Dhcp, 5))).await;
    cloud.until("dead", |world| !is_alive(world, 5)).await;
}

#[tokio::test]
async fn a_role_that_changes_is_known() {
    let cloud = Cloud::new();
    let one = cloud.attach(1).await;
    let moved = json!({"tunneling_ip": "198.51.100.9", "tunnel_types": ["vxlan"]});
    let now = wire::Role { enforces: vec!["qos".into()], ..role(AgentType::LinuxBridge, moved.clone()) };
    one.say(Report::Heartbeat(wire::Heartbeat { roles: vec![now] })).await;
    cloud
        .until("known", |world| {
            let host = host(1);
            let mut agents = world.table::<Agent>().by(Agent::BY_HOST, &host);
            agents.any(|agent| json!(agent.configurations) == moved && agent.enforces == ["qos"])
        })
        .await;
}
