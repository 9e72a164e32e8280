//! Several servers on one database: one order of changes, nothing lost, nothing given twice, and all come to the same world.

mod things;

use net::Revision;
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;
use things::{Thing, check_indexes, putting, replay, request, same, schema};
use world::engines::memory::{Faults, Locking, Memory};
use world::{Error, ErrorKind, Store, StoreOptions, Tx};

const COUNTER: u64 = 1_000_000;

/// What one caller knows about what it asked for.
#[derive(Default, Clone, Copy, Debug)]
struct Tally {
    increments: u64,
    /// The database failed, so that the increment may have happened.
    unknown: u64,
    created: u64,
}

fn increment(tx: &mut Tx) -> Result<u64, ()> {
    let id = Thing::id_of(COUNTER);
    let count = tx.get::<Thing>(&id).map_or(0, |thing| thing.count) + 1;
    tx.put(Thing::new(COUNTER, "counter").counting(count));
    Ok(count)
}

/// Gives the lowest number that nobody has, as an address is given from a pool.
fn allocate(tx: &mut Tx) -> Result<u64, ()> {
    let free = (1..).find(|tag| !tx.table::<Thing>().has(things::TAG, *tag)).ok_or(())?;
    let mut thing = Thing::new(0, "allocated");
    thing.id = tx.context.uuid();
    thing.tags = vec![free];
    tx.put(thing);
    Ok(free)
}

fn release(number: u64) -> impl Fn(&mut Tx) -> Result<bool, ()> {
    move |tx| {
        let id = tx.table::<Thing>().by(things::TAG, number).next().map(|thing| thing.id);
        Ok(id.is_some_and(|id| tx.remove::<Thing>(&id).is_some()))
    }
}

async fn call(store: Store, seed: u64, operations: u32) -> Result<Tally, String> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for _ in 0..operations {
        match rng.random_range(0..10) {
            0..5 => match store.commit(request(), increment).await {
                Ok(_) => tally.increments += 1,
                Err(error) if error.kind() == ErrorKind::Retry => tally.unknown += 1,
                Err(error) => return Err(error.to_string()),
            },
            5..8 => match store.commit(request(), allocate).await {
                Ok(made) => {
                    let made = made.map_err(|()| "no number is free")?;
                    let holders = made.world.table::<Thing>().count(things::TAG, made.answer);
                    if holders != 1 {
                        return Err(format!("{} was given to {holders}", made.answer));
                    }
                    tally.created += 1;
                }
                Err(error) if error.kind() == ErrorKind::Retry => {}
                Err(error) => return Err(error.to_string()),
            },
            8 => drop(store.commit(request(), release(rng.random_range(1..20))).await),
            _ => drop(store.fresh().await),
        }
    }
    Ok(tally)
}

/// Reads the commits until this revision and checks that each follows the one before.
async fn follow((mut world, mut commits): things::Subscription, until: Revision) -> Result<world::World, String> {
    while world.revision() < until {
        let next = tokio::time::timeout(Duration::from_secs(30), commits.recv()).await;
        let commit = next.map_err(|_| "a commit is missing")?.ok_or("the subscription ended early")?;
        if commit.before.revision() != world.revision() || commit.revision != world.revision().next() {
            return Err(format!("{} came after {}", commit.revision, world.revision()));
        }
        world = world.with_change(commit.revision, &commit.change);
        same(&world, &commit.after)?;
    }
    Ok(world)
}

async fn several_servers(seed: u64, locking: Locking, faults: Faults) -> Result<(), String> {
    let memory = Memory::new(locking, seed);
    let options = |server: u64| StoreOptions { seed: Some(seed ^ server), attempts: 1000, ..StoreOptions::default() };
    let open = |server| Store::open(memory.engine(), schema(), options(server)).map_err(|e| e.to_string());
    let stores = [open(0)?, open(1)?, open(2)?];
    let subscriptions: Vec<_> = stores.iter().map(Store::subscribe).collect();
    memory.set_faults(faults);
    let callers: Vec<_> = (0..9).map(|n| tokio::spawn(call(stores[n % 3].clone(), seed.wrapping_add(n as u64), 30))).collect();
    let mut total = Tally::default();
    for caller in callers {
        let tally = caller.await.map_err(|e| e.to_string())??;
        total.increments += tally.increments;
        total.unknown += tally.unknown;
    }
    memory.set_faults(Faults::default());

    let log = memory.log();
    let head = log.last().map_or(Revision(0), |change| change.revision);
    if !log.iter().map(|change| change.revision.0).eq(1..=head.0) {
        return Err("the log has gaps".to_owned());
    }
    let expected = replay(&log);
    let count = expected.get::<Thing>(&Thing::id_of(COUNTER)).map_or(0, |thing| thing.count);
    if !(total.increments..=total.increments + total.unknown).contains(&count) {
        return Err(format!("{count} increments are there of {total:?}"));
    }
    for (store, subscription) in stores.iter().zip(subscriptions) {
        let world = store.fresh().await.map_err(|e| e.to_string())?;
        same(&world, &expected)?;
        check_indexes(&world)?;
        same(&follow(subscription, head).await?, &expected)?;
    }
    same(&open(3)?.world(), &expected)
}

fn faults() -> impl Strategy<Value = Faults> {
    let rate = || prop_oneof![Just(0.0), 0.0..0.1];
    (rate(), rate(), rate(), rate()).prop_map(|(conflict, unavailable, lost_before_commit, lost_after_commit)| Faults {
        conflict,
        unavailable,
        lost_before_commit,
        lost_after_commit,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn several_servers_keep_one_log(
        seed: u64,
        locking in prop_oneof![Just(Locking::Pessimistic), Just(Locking::Optimistic)],
        faults in faults(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        runtime.block_on(several_servers(seed, locking, faults)).map_err(TestCaseError::fail)?;
    }
}

#[tokio::test]
async fn a_commit_that_failed_after_it_was_written_is_found_out() {
    let memory = Memory::new(Locking::Pessimistic, 1);
    let store = Store::open(memory.engine(), schema(), StoreOptions::default()).unwrap();
    memory.set_faults(Faults { lost_after_commit: 1.0, ..Faults::default() });
    let error = store.commit(request(), increment).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Retry);
    memory.set_faults(Faults::default());
    let next = store.commit(request(), increment).await.unwrap().unwrap();
    assert_eq!((next.answer, next.revision), (2, Revision(2)));
    assert_eq!(store.stats().failures, 1);
}

#[tokio::test]
async fn what_the_database_did_not_take_is_not_seen() {
    for faults in [Faults { unavailable: 1.0, ..Faults::default() }, Faults { conflict: 1.0, ..Faults::default() }] {
        let memory = Memory::new(Locking::Pessimistic, 1);
        let store = Store::open(memory.engine(), schema(), StoreOptions { attempts: 3, ..StoreOptions::default() }).unwrap();
        let (_, mut commits) = store.subscribe();
        memory.set_faults(faults);
        assert!(matches!(store.commit(request(), increment).await, Err(Error::Engine(_))));
        assert_eq!(store.world().table::<Thing>().len(), 0);
        assert!(commits.try_recv().is_err());
        assert_eq!(store.stats().conflicts, if faults.conflict > 0.0 { 2 } else { 0 });
        memory.set_faults(Faults::default());
        assert_eq!(store.commit(request(), increment).await.unwrap().unwrap().revision, Revision(1));
        assert_eq!(commits.recv().await.unwrap().revision, Revision(1));
    }
}

#[tokio::test]
async fn a_fresh_read_waits_for_what_another_server_has_answered() {
    let memory = Memory::new(Locking::Pessimistic, 1);
    let here = Store::open(memory.engine(), schema(), StoreOptions::default()).unwrap();
    let there = Store::open(memory.engine(), schema(), StoreOptions::default()).unwrap();
    for count in 1..200 {
        assert_eq!(there.commit(request(), increment).await.unwrap().unwrap().answer, count);
        let world = here.fresh().await.unwrap();
        assert_eq!(world.get::<Thing>(&Thing::id_of(COUNTER)).unwrap().count, count);
    }
}

#[tokio::test]
async fn a_server_without_its_database_does_not_pretend_to_be_fresh() {
    let memory = Memory::new(Locking::Pessimistic, 1);
    let cut_off = memory.another_server();
    let options = StoreOptions { fresh_timeout: Duration::from_millis(50), ..StoreOptions::default() };
    let store = Store::open(cut_off.engine(), schema(), options).unwrap();
    cut_off.cut_off(true);
    assert_eq!(store.fresh().await.err().unwrap().kind(), ErrorKind::Retry);
    cut_off.cut_off(false);
    store.fresh().await.unwrap();
}

#[tokio::test]
async fn a_server_behind_the_floor_of_the_log_reads_everything_again() {
    let memory = Memory::new(Locking::Pessimistic, 1);
    let cut_off = memory.another_server();
    let busy = Store::open(memory.engine(), schema(), StoreOptions { keep_changes: 10, ..StoreOptions::default() }).unwrap();
    busy.commit(request(), putting(Thing::new(1, "goes"))).await.unwrap().unwrap();
    busy.commit(request(), putting(Thing::new(2, "stays"))).await.unwrap().unwrap();
    let lagging = Store::open(cut_off.engine(), schema(), StoreOptions::default()).unwrap();
    let (before, mut commits) = lagging.subscribe();
    cut_off.cut_off(true);
    busy.commit(request(), |tx| Ok::<_, ()>(tx.remove::<Thing>(&Thing::id_of(1)))).await.unwrap().unwrap();
    // The tail may have been waiting when the line was cut, and then still got this one.
    for number in 3..1500 {
        busy.commit(request(), putting(Thing::new(number % 7 + 3, "x").counting(number))).await.unwrap().unwrap();
    }
    busy.close().await;
    assert!(memory.log()[0].revision > Revision(1000), "the log was compacted");
    cut_off.cut_off(false);

    let world = lagging.fresh().await.unwrap();
    same(&world, &busy.world()).unwrap();
    check_indexes(&world).unwrap();
    assert_eq!(lagging.stats().reloads, 1);
    let mut followed = before;
    while followed.revision() < world.revision() {
        let commit = commits.recv().await.unwrap();
        assert_eq!(commit.before.revision(), followed.revision());
        assert!(commit.change.entries().iter().all(|entry| entry.id() != Thing::id_of(2).to_string().as_str()), "it did not change");
        followed = followed.with_change(commit.revision, &commit.change);
    }
    same(&followed, &world).unwrap();
    assert!(lagging.recent(Revision(2)).is_none());
    // And it writes on top of what the other has written.
    let next = lagging.commit(request(), putting(Thing::new(2, "changed"))).await.unwrap().unwrap();
    assert_eq!(next.revision, world.revision().next());
    assert_eq!(lagging.recent(world.revision()).unwrap().len(), 1);
}

#[tokio::test]
async fn a_writer_behind_the_floor_reads_everything_before_it_writes() {
    let memory = Memory::new(Locking::Pessimistic, 1);
    let mut writer = memory.engine();
    let store = Store::open(Box::new(things::WithoutReader(memory.engine())), schema(), StoreOptions::default()).unwrap();
    let other = Store::open(memory.engine(), schema(), StoreOptions::default()).unwrap();
    for _ in 0..5 {
        other.commit(request(), increment).await.unwrap().unwrap();
    }
    writer.compact(Revision(3)).unwrap();
    assert_eq!(store.world().revision(), Revision(0));
    let next = store.commit(request(), increment).await.unwrap().unwrap();
    assert_eq!((next.answer, next.revision, store.stats().reloads), (6, Revision(6), 1));
}
