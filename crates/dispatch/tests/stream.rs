//! The stream of an agent: snapshot, changes, resume, replacement, slowness.

mod support;

use dispatch::epoch::EpochFile;
use dispatch::{Config, project};
use intent::UnitId;
use model::*;
use std::time::Duration;
use support::cloud::*;
use support::*;
use tonic::Code;
use world::engines::memory::{Locking, Memory};

fn bound(n: u8, on: u8) -> Port {
    let mut port = Port { security_groups: vec![group_id(0)], fixed_ips: vec![address(0, n)], ..port(n, 0) };
    bind(&mut port, on);
    port
}

async fn with_network(config: Config) -> Cloud {
    let cloud = Cloud::with(config);
    lay(&cloud).await;
    cloud
}

async fn lay(cloud: &Cloud) {
    cloud
        .commit(|tx| {
            tx.put(network(0, NetworkType::Vxlan));
            tx.put(subnet(0, 0, false));
            tx.put(group(0));
            tx.put(SecurityGroupRule { remote_group_id: Some(group_id(0)), ..rule(0, 0) });
        })
        .await;
}

fn has_all(cloud: &Cloud, agent: &Player, n: u8) {
    assert_eq!(agent.units, project::full(&projection(), &cloud.store.world(), &host(n)));
}

#[tokio::test]
async fn a_snapshot_and_then_each_change() {
    let cloud = with_network(Config::default()).await;
    cloud.commit(|tx| tx.put(bound(1, 1))).await;
    let mut one = cloud.attach(1).await;
    assert_eq!(one.snapshots, 1);
    assert_eq!(one.epoch, EPOCH);
    has_all(&cloud, &one, 1);
    let mut two = cloud.attach(2).await;
    assert!(two.units.is_empty());
    assert_eq!(cloud.dispatcher.attached(), [host(1), host(2)]);
    let revision = cloud.commit(|tx| tx.put(bound(2, 2))).await;
    one.reach(revision).await;
    two.reach(revision).await;
    has_all(&cloud, &one, 1);
    has_all(&cloud, &two, 2);
    assert!(one.units.contains_key(&UnitId::Remote(network_id(0), port_id(2))));
    let revision = cloud.commit(|tx| _ = tx.remove::<Port>(&port_id(2))).await;
    one.reach(revision).await;
    two.reach(revision).await;
    assert!(two.units.is_empty());
    has_all(&cloud, &one, 1);
    assert_eq!((one.snapshots, two.snapshots), (1, 1));
}

#[tokio::test]
async fn who_is_not_concerned_hears_nothing_but_how_far_the_world_is() {
    let cloud = with_network(Config::default()).await;
    let mut idle = cloud.attach(3).await;
    let revision = cloud.commit(|tx| tx.put(bound(1, 1))).await;
    idle.catch_up(revision).await;
    assert_eq!((idle.deltas, idle.snapshots), (0, 1));
}

#[tokio::test]
async fn who_comes_back_gets_the_difference() {
    let cloud = with_network(Config::default()).await;
    cloud.commit(|tx| (1..=5).for_each(|n| tx.put(Port { provisioning: Provisioning::default(), ..bound(n, 1) }))).await;
    let agent = cloud.attach(1).await;
    let (reached, epoch, had) = (agent.revision, agent.epoch, agent.units.clone());
    drop(agent.reports);
    drop(agent.orders);
    cloud
        .commit(|tx| {
            tx.put(Port { provisioning: Provisioning::default(), ..bound(6, 1) });
            _ = tx.remove::<Port>(&port_id(2));
        })
        .await;
    let again = || cloud.dispatcher.attach_local(&host(1));
    let known = || async { Player { units: had.clone(), revision: reached, epoch, ..Player::open(again()).await.expect("open") } };
    let resumed = known().await.resume(again(), hello(1)).await;
    has_all(&cloud, &resumed, 1);
    // The new port and its membership, nothing else.
    assert_eq!((resumed.snapshots, resumed.puts), (0, 2));
    // Nothing happened since: nothing is told but that.
    let resumed = resumed.resume(again(), hello(1)).await;
    assert_eq!((resumed.snapshots, resumed.puts), (0, 0));
    // Of another history, of the future, or without a past.
    for (revision, epoch) in [(reached, epoch + 1), (u64::MAX, epoch), (0, 0)] {
        let agent = Player { revision, epoch, ..known().await }.resume(again(), hello(1)).await;
        assert_eq!(agent.snapshots, 1, "{revision} of {epoch}");
        has_all(&cloud, &agent, 1);
    }
}

#[tokio::test]
async fn what_is_waited_for_is_told_again_to_who_comes_back() {
    let cloud = with_network(Config::default()).await;
    cloud.commit(|tx| tx.put(bound(1, 1))).await;
    let agent = cloud.attach(1).await;
    let again = agent.resume(cloud.dispatcher.attach_local(&host(1)), hello(1)).await;
    assert_eq!((again.snapshots, again.puts), (0, 1));
}

#[tokio::test]
async fn a_restarted_server_knows_who_has_everything_and_tells_the_others_all() {
    let memory = Memory::new(Locking::Pessimistic, 1);
    let cloud = Cloud::on(&memory, Config::default());
    lay(&cloud).await;
    cloud.commit(|tx| tx.put(Port { provisioning: Provisioning::default(), ..bound(1, 1) })).await;
    let (mut one, mut two) = (cloud.attach(1).await, cloud.attach(2).await);
    one.catch_up(cloud.store.world().revision()).await;
    two.catch_up(cloud.store.world().revision()).await;
    cloud.dispatcher.close();
    one.ends_with(Code::Unavailable, "shutting down").await;
    cloud.store.close().await;
    let cloud = Cloud::on(&memory, Config::default());
    let one = one.resume(cloud.dispatcher.attach_local(&host(1)), hello(1)).await;
    assert_eq!((one.snapshots, one.puts), (0, 0));
    has_all(&cloud, &one, 1);
    two.revision -= 1;
    let two = two.resume(cloud.dispatcher.attach_local(&host(2)), hello(2)).await;
    assert_eq!(two.snapshots, 1);
}

#[tokio::test]
async fn a_newer_stream_of_a_host_replaces_the_older() {
    let cloud = with_network(Config::default()).await;
    let mut older = cloud.attach(1).await;
    let mut newer = cloud.attach(1).await;
    older.ends_with(Code::Aborted, "replaced").await;
    let revision = cloud.commit(|tx| tx.put(bound(1, 1))).await;
    newer.reach(revision).await;
    has_all(&cloud, &newer, 1);
    assert_eq!(cloud.dispatcher.attached(), [host(1)]);
}

#[tokio::test]
async fn the_epoch_is_kept_with_how_far_the_database_came() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("epoch");
    let cloud = with_network(Config::default()).await;
    let head = cloud.store.world().revision();
    let file = EpochFile::open(&path, net::Revision(0)).expect("a file");
    let epoch = file.epoch();
    cloud.dispatcher.keep_epoch(file);
    within(async {
        while std::fs::read_to_string(&path).expect("a file").trim() != format!("{epoch} {head}") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    cloud.dispatcher.close();
    // The database of before this is another history.
    assert_ne!(EpochFile::open(&path, net::Revision(0)).expect("a file").epoch(), epoch);
}

/// A group so large that few versions of it fit between server and agent.
fn large_group(tx: &mut world::Tx, version: u16) {
    for n in 0..250u8 {
        let port_range_min = Some(1000 + version);
        tx.put(SecurityGroupRule { protocol: Some("tcp".into()), port_range_min, port_range_max: Some(65_000), ..rule(n, 0) });
    }
}

#[tokio::test]
async fn a_slow_agent_gets_the_latest_once_and_holds_up_nobody() {
    let cloud = with_network(Config::default()).await;
    cloud.commit(|tx| (1..=2).for_each(|n| tx.put(bound(n, n)))).await;
    let (mut slow, mut other) = (cloud.attach(1).await, cloud.attach(2).await);
    let before = slow.deltas;
    let mut revision = net::Revision(0);
    for version in 0..100 {
        revision = cloud.commit(move |tx| large_group(tx, version)).await;
        other.reach(revision).await;
    }
    slow.reach(revision).await;
    has_all(&cloud, &slow, 1);
    assert!(slow.deltas - before < 60, "{} deltas for 100 changes", slow.deltas - before);
}

#[tokio::test]
async fn who_does_not_read_at_all_is_let_go() {
    let cloud = with_network(Config { write_timeout: Duration::from_millis(100), ..Config::default() }).await;
    cloud.commit(|tx| tx.put(bound(1, 1))).await;
    let mut dead = cloud.attach(1).await;
    let mut version = 0;
    while !cloud.dispatcher.attached().is_empty() {
        version += 1;
        assert!(version < 2000, "the stream goes on");
        cloud.commit(move |tx| large_group(tx, version)).await;
    }
    dead.ends_with(Code::Aborted, "too slow").await;
    // It did not hear all, and so does not think that it did.
    let again = dead.resume(cloud.dispatcher.attach_local(&host(1)), hello(1)).await;
    has_all(&cloud, &again, 1);
}

#[tokio::test]
async fn a_large_snapshot_comes_in_parts() {
    let cloud = with_network(Config { delta_bytes: 4096, ..Config::default() }).await;
    cloud.commit(|tx| (1..=200).for_each(|n| tx.put(bound(n, 1)))).await;
    let agent = cloud.attach(1).await;
    assert!(agent.deltas > 10, "{} deltas", agent.deltas);
    has_all(&cloud, &agent, 1);
}
