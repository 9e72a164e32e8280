//! How many operations a second the log takes, and what each costs: 32 callers, records of about 1 kB with 8 indexes, SQLite with an
//! fsync for each batch. The cost must not depend on how many records there are.
//!
//! `cargo run --release -p world --example commit_rate -- [DIRECTORY] [ROWS…]`

use net::{Mac, ProjectId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use uuid::Uuid;
use world::engines::Sqlite;
use world::{Index, Key, Record, Schema, Store, StoreOptions, Tx};

const CALLERS: u64 = 32;
const MEASURED: u64 = 20_000;

/// As large, and as much indexed, as a bound port.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Record1k {
    id: Uuid,
    project_id: ProjectId,
    network: Uuid,
    subnet: Uuid,
    host: SmolStr,
    device: SmolStr,
    mac: Mac,
    address: IpAddr,
    groups: Vec<Uuid>,
    name: SmolStr,
    status: SmolStr,
    padding: String,
}

const PROJECT: Index<Record1k> = Index::new(0);
const NETWORK: Index<Record1k> = Index::new(1);
const HOST: Index<Record1k> = Index::new(2);
const DEVICE: Index<Record1k> = Index::new(3);
const MAC: Index<Record1k> = Index::new(4);
const ADDRESS: Index<Record1k> = Index::new(5);
const GROUP: Index<Record1k> = Index::new(6);
const NAME: Index<Record1k> = Index::new(7);

impl Record for Record1k {
    type Id = Uuid;
    const KIND: &'static str = "record";
    const INDEXES: usize = 8;

    fn id(&self) -> Uuid {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(PROJECT, (&self.project_id).into());
        put(NETWORK, self.network.into());
        put(HOST, self.host.as_str().into());
        put(DEVICE, self.device.as_str().into());
        put(MAC, Key::Mac(self.network, self.mac));
        put(ADDRESS, Key::Address(self.subnet, self.address));
        for group in &self.groups {
            put(GROUP, (*group).into());
        }
        put(NAME, self.name.as_str().into());
    }
}

fn create(number: u64) -> impl Fn(&mut Tx) -> Result<Uuid, &'static str> {
    move |tx| {
        let network = Uuid::from_u64_pair(1, number / 200);
        let octets = u32::try_from(number).map_err(|_| "too many")?.to_be_bytes();
        let mac = Mac([0xfa, 0x16, octets[0], octets[1], octets[2], octets[3]]);
        if tx.table::<Record1k>().has(MAC, Key::Mac(network, mac)) {
            return Err("the MAC is taken");
        }
        let record = Record1k {
            id: tx.context.uuid(),
            project_id: ProjectId(SmolStr::new(format!("{:032x}", number / 1000))),
            network,
            subnet: Uuid::from_u64_pair(2, number / 200),
            host: SmolStr::new(format!("compute-{}", number % 50)),
            device: SmolStr::new(tx.context.uuid().to_string()),
            mac,
            address: IpAddr::V4(Ipv4Addr::from(octets)),
            groups: vec![Uuid::from_u64_pair(3, number / 1000), Uuid::from_u64_pair(3, number / 500)],
            name: SmolStr::new(format!("port-{number}")),
            status: SmolStr::new_static("DOWN"),
            padding: "x".repeat(400),
        };
        let id = record.id;
        tx.put(record);
        Ok(id)
    }
}

/// Time on a processor of the threads of this process with this name, or of all.
fn processor_time(name: Option<&str>) -> anyhow::Result<Duration> {
    let mut ns = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let thread = thread?.path();
        let this = fs::read_to_string(thread.join("comm"))?;
        if name.is_none_or(|name| this.trim().starts_with(name)) {
            let spent = fs::read_to_string(thread.join("schedstat"))?;
            ns += spent.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(ns))
}

fn resident_mib() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

async fn run(store: &Store, next: &Arc<AtomicU64>, until: u64, latencies: &mut Vec<Duration>) -> anyhow::Result<()> {
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let (store, next) = (store.clone(), next.clone());
        callers.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= until {
                    return anyhow::Ok(latencies);
                }
                let begun = Instant::now();
                let made = store.commit(SmolStr::new_static("req-00000000-0000-0000-0000-000000000000"), create(number)).await?;
                latencies.push(begun.elapsed());
                anyhow::ensure!(made.is_ok(), "a create was refused");
            }
        }));
    }
    for caller in callers {
        latencies.extend(caller.await??);
    }
    next.store(until, Relaxed);
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from).join(format!("commit_rate.{}", std::process::id()));
    let mut sizes: Vec<u64> = arguments.map(|rows| rows.parse()).collect::<Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 25_000, 50_000, 100_000];
    }
    fs::create_dir_all(&directory)?;
    let file = directory.join("neutrino.db");
    let schema = Arc::new(Schema::new().with::<Record1k>());
    let store = Store::open(Box::new(Sqlite::open(&file)?), schema.clone(), StoreOptions::default())?;
    let (_, mut commits) = store.subscribe();
    let subscriber = tokio::spawn(async move { while commits.recv().await.is_some() {} });
    let next = Arc::new(AtomicU64::new(0));
    println!(
        "{:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>6} {:>8} {:>8} {:>6}",
        "rows", "ops/s", "loop µs", "ckpt µs", "all µs", "fsync µs", "batch", "p50 ms", "p99 ms", "MiB"
    );
    for rows in sizes {
        run(&store, &next, rows.max(next.load(Relaxed)), &mut Vec::new()).await?;
        let before = (store.stats(), processor_time(Some("world-commit"))?, processor_time(Some("world-checkp"))?, processor_time(None)?);
        let begun = Instant::now();
        let mut latencies = Vec::new();
        run(&store, &next, next.load(Relaxed) + MEASURED, &mut latencies).await?;
        let took = begun.elapsed();
        let after = (store.stats(), processor_time(Some("world-commit"))?, processor_time(Some("world-checkp"))?, processor_time(None)?);
        latencies.sort();
        let each = |before: Duration, after: Duration| (after - before).as_secs_f64() * 1e6 / MEASURED as f64;
        let batches = after.0.batches - before.0.batches;
        println!(
            "{rows:>8} {:>8.0} {:>9.1} {:>9.1} {:>9.1} {:>9.0} {:>6.1} {:>8.2} {:>8.2} {:>6}",
            MEASURED as f64 / took.as_secs_f64(),
            each(before.1, after.1),
            each(before.2, after.2),
            each(before.3, after.3),
            (after.0.commit_time - before.0.commit_time).as_secs_f64() * 1e6 / batches as f64,
            MEASURED as f64 / batches as f64,
            latencies[latencies.len() / 2].as_secs_f64() * 1e3,
            latencies[latencies.len() * 99 / 100].as_secs_f64() * 1e3,
            resident_mib()?,
        );
    }
    let wal = fs::metadata(directory.join("neutrino.db-wal"))?.len() >> 20;
    let head = store.world().revision();
    store.close().await;
    drop(store);
    subscriber.await?;
    let begun = Instant::now();
    let store = Store::open(Box::new(Sqlite::open(&file)?), schema, StoreOptions::default())?;
    let rows = store.world().table::<Record1k>().len();
    println!(
        "opened again at revision {head} with {rows} rows in {:.2} s; the write-ahead log had {wal} MiB",
        begun.elapsed().as_secs_f64()
    );
    drop(store);
    fs::remove_dir_all(&directory)?;
    Ok(())
}
