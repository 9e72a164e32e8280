//! A thousand agents on one server: what a commit costs, whom it reaches, how soon, and what it all weighs.
//!
//! `cargo run --release -p dispatch --example scale -- [HOSTS] [CREATES]`. The agents are played in the same process, on threads of their
//! own, so that the processor time of the server's threads can be told apart. Each network spans four hosts.

#[path = "../tests/support/mod.rs"]
mod support;

use intent::{UnitId, wire};
use model::*;
use net::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use support::cloud::{Cloud, Player};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use uuid::Uuid;

const PORTS_OF_HOST: u32 = 20;
const HOSTS_OF_NETWORK: u32 = 4;

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build().expect("a runtime")
}

/// Processor time of the threads whose name starts so.
fn processor_time(name: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a process").flatten();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    let ticks = stats.filter_map(|stat| {
        let (head, tail) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        head.starts_with(name).then(|| Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?))?
    });
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}

fn port(n: u32, hosts: u32) -> Port {
    let host = n % hosts;
    let network = host / HOSTS_OF_NETWORK;
    let mut port = support::port(0, 0);
    port.id = PortId(Uuid::from_u128(u128::from(n) << 32 | 3));
    port.network_id = NetworkId(Uuid::from_u128(u128::from(network) << 32 | 1));
    port.mac_address = Mac([0xfa, 0x16, (n >> 24) as u8, (n >> 16) as u8, (n >> 8) as u8, n as u8]);
    port.fixed_ips = vec![FixedIp { subnet_id: support::subnet_id(0), ip_address: std::net::Ipv4Addr::from(0x0a00_0000 + n).into() }];
    port.security_groups = vec![SecurityGroupId(Uuid::from_u128(u128::from(network) << 32 | 4))];
    port.binding = Binding { host: host_name(host), vif_type: VifType::Tap, ..Binding::default() };
    port
}

fn host_name(n: u32) -> HostName {
    HostName::from(format!("host{n}").as_str())
}

fn lay(tx: &mut world::Tx, hosts: u32) {
    for n in 0..hosts.div_ceil(HOSTS_OF_NETWORK) {
        let mut network = support::network(0, NetworkType::Vxlan);
        network.id = NetworkId(Uuid::from_u128(u128::from(n) << 32 | 1));
        network.segments[0].segmentation_id = Some(n + 1);
        tx.put(network);
        let group = SecurityGroupId(Uuid::from_u128(u128::from(n) << 32 | 4));
        tx.put(SecurityGroup { id: group, ..support::group(0) });
        let id = SecurityGroupRuleId(Uuid::from_u128(u128::from(n) << 32 | 5));
        tx.put(SecurityGroupRule { id, security_group_id: group, remote_group_id: Some(group), ..support::rule(0, 0) });
    }
    for n in 0..hosts * PORTS_OF_HOST {
        tx.put(port(n, hosts));
    }
}

fn hello(n: u32) -> wire::Hello {
    let mut hello = support::cloud::hello(1);
    hello.host = host_name(n).to_string();
    hello.roles.truncate(1);
    let address = std::net::Ipv4Addr::from(0xc000_0000 + n);
    hello.roles[0].configurations = format!(r#"{{"tunneling_ip": "{address}", "tunnel_types": ["vxlan"]}}"#);
    hello
}

/// Follows an agent's stream; says which port's units came.
async fn follow(mut agent: Player, told: mpsc::UnboundedSender<(PortId, Instant)>, messages: Arc<AtomicU64>, bytes: Arc<AtomicU64>) {
    while let Ok(Some(order)) = agent.orders.message().await {
        let Some(wire::order::Order::Delta(delta)) = order.order else { continue };
        messages.fetch_add(1, Relaxed);
        for unit in delta.put {
            bytes.fetch_add((unit.key.len() + unit.body.len()) as u64, Relaxed);
            if let Ok(UnitId::Port(port) | UnitId::Remote(_, port)) = unit.key.parse() {
                let _ = told.send((port, Instant::now()));
            }
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let (hosts, creates) = (arguments.next().unwrap_or(1000), arguments.next().unwrap_or(2000));
    let (server, agents) = (runtime("srv"), runtime("agt"));
    let cloud = server.block_on(async {
        let cloud = Cloud::new();
        cloud.commit(move |tx| lay(tx, hosts)).await;
        cloud
    });
    let empty = resident_mib();
    let began = Instant::now();
    let (told, mut heard) = mpsc::unbounded_channel();
    let (messages, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let attached: Vec<Player> = agents.block_on(async {
        let mut joining = tokio::task::JoinSet::new();
        for n in 0..hosts {
            let channel = cloud.dispatcher.attach_local(&host_name(n));
            joining.spawn(Player::attach(channel, hello(n)));
        }
        joining.join_all().await
    });
    let took = began.elapsed();
    let units: usize = attached.iter().map(|agent| agent.units.len()).sum();
    println!("{hosts} hosts, {} ports, {} units of a host on average", hosts * PORTS_OF_HOST, units / hosts as usize);
    println!("all attached in {took:.2?}, server's processor time {:?}", processor_time("srv"));
    // Attaching changes tunnel endpoints, about which others are told; let that come to rest.
    std::thread::sleep(Duration::from_secs(2));
    let with_agents = resident_mib();
    println!("resident {empty:.0} MiB without agents, {with_agents:.0} MiB with them (their ends included)");
    for agent in attached {
        agents.spawn(follow(agent, told.clone(), messages.clone(), bytes.clone()));
    }
    std::thread::sleep(Duration::from_secs(2));
    messages.store(0, Relaxed);
    bytes.store(0, Relaxed);
    while heard.try_recv().is_ok() {}
    let before = [processor_time("srv"), processor_time("world-commit"), processor_time("agt")];
    let mut latencies: Vec<Duration> = Vec::new();
    let began = Instant::now();
    server.block_on(async {
        for n in 0..creates {
            let new = port(hosts * PORTS_OF_HOST + n, hosts);
            let id = new.id;
            cloud.commit(move |tx| tx.put(new.clone())).await;
            let committed = Instant::now();
            let mut waiting = HashMap::from([(id, HOSTS_OF_NETWORK)]);
            while !waiting.is_empty() {
                let (port, at) = heard.recv().await.expect("agents");
                if let Some(left) = waiting.get_mut(&port) {
                    *left -= 1;
                    latencies.push(at.saturating_duration_since(committed));
                    waiting.retain(|_, left| *left > 0);
                }
            }
        }
    });
    let took = began.elapsed();
    let spent: Vec<Duration> =
        ["srv", "world-commit", "agt"].iter().zip(before).map(|(name, before)| processor_time(name) - before).collect();
    latencies.sort_unstable();
    let at = |q: usize| latencies[latencies.len() * q / 100];
    println!("{creates} ports created one after another in {took:.2?}");
    println!(
        "{:.2} agents told of each, {} bytes each time",
        messages.load(Relaxed) as f64 / f64::from(creates),
        bytes.load(Relaxed) / messages.load(Relaxed).max(1)
    );
    println!("from the answer to the agent: p50 {:?}, p99 {:?}", at(50), at(99));
    let each = |spent: Duration| spent / creates;
    println!("processor time of each: dispatch {:?}, commit {:?}, the agents' ends {:?}", each(spent[0]), each(spent[1]), each(spent[2]));
    println!("resident {:.0} MiB at the end", resident_mib());
    std::process::exit(0);
}
