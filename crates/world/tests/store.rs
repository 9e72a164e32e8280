//! The store on either engine: what a caller may rely on.

mod things;

use net::Revision;
use std::sync::Arc;
use things::{Engines, NAME, OWNER, Thing, open, putting, request, schema};
use world::{Error, StoreOptions, Tx};

fn put(number: u64, name: &'static str) -> impl Fn(&mut Tx) -> Result<(), &'static str> {
    move |tx| {
        if tx.table::<Thing>().has(NAME, name) {
            return Err("the name is taken");
        }
        tx.put(Thing::new(number, name));
        Ok(())
    }
}

#[tokio::test]
async fn operations_see_what_the_ones_before_them_left_and_are_kept() {
    for engines in Engines::all() {
        let store = open(&engines, StoreOptions::default());
        assert_eq!(store.world().revision(), Revision(0));
        let first = store.commit(request(), put(1, "a")).await.unwrap().unwrap();
        assert_eq!((first.revision, first.world.revision()), (Revision(1), Revision(1)));
        assert!(first.world.get::<Thing>(&Thing::id_of(1)).is_some());
        assert_eq!(store.commit(request(), put(2, "a")).await.unwrap().err(), Some("the name is taken"));
        assert_eq!(store.commit(request(), put(1, "b")).await.unwrap().unwrap().revision, Revision(2));
        // Putting the same again takes no revision.
        let same = putting(Thing::new(1, "b"));
        assert_eq!(store.commit(request(), same).await.unwrap().unwrap().revision, Revision(2));
        let back = |tx: &mut Tx| {
            tx.put(Thing::new(1, "other"));
            tx.put(Thing::new(1, "b"));
            Ok::<_, ()>(())
        };
        assert_eq!(store.commit(request(), back).await.unwrap().unwrap().revision, Revision(2));
        assert_eq!(store.world().table::<Thing>().count(NAME, "a"), 0);
        store.close().await;
        assert!(matches!(store.commit(request(), put(3, "c")).await, Err(Error::Closed)));

        let again = open(&engines, StoreOptions::default());
        assert_eq!(again.world().revision(), Revision(2));
        let kept: Vec<_> = again.world().table::<Thing>().iter().map(|thing| (**thing).clone()).collect();
        assert_eq!(kept, vec![Thing::new(1, "b")]);
        assert_eq!(again.world().table::<Thing>().count(NAME, "b"), 1);
        assert_eq!(again.world().table::<Thing>().count(OWNER, "demo"), 1);
    }
}

#[tokio::test]
async fn an_operation_that_panics_or_fails_leaves_nothing_and_stops_nobody() {
    for engines in Engines::all() {
        let store = open(&engines, StoreOptions::default());
        let panics = |tx: &mut Tx| -> Result<(), ()> {
            tx.put(Thing::new(1, "a"));
            panic!("no such luck")
        };
        let error = store.commit(request(), panics).await.err().unwrap();
        assert!(matches!(&error, Error::Panicked(words) if words == "no such luck"), "{error}");
        let fails = |tx: &mut Tx| -> Result<(), u8> {
            tx.put(Thing::new(2, "b"));
            Err(7)
        };
        assert_eq!(store.commit(request(), fails).await.unwrap().err(), Some(7));
        assert_eq!(store.commit(request(), put(3, "c")).await.unwrap().unwrap().revision, Revision(1));
        assert_eq!(store.world().table::<Thing>().len(), 1);
    }
}

#[tokio::test]
async fn who_hears_of_a_commit_finds_its_world() {
    for engines in Engines::all() {
        let store = open(&engines, StoreOptions::default());
        let (_, mut commits) = store.subscribe();
        let listener = {
            let store = store.clone();
            std::thread::spawn(move || {
                while let Some(commit) = commits.blocking_recv() {
                    let there = store.world().revision();
                    assert!(there >= commit.revision, "told of {} while the world is at {there}", commit.revision);
                }
            })
        };
        // The listener catches the store between the two only now and then.
        for number in 1..600 {
            store.commit(request(), putting(Thing::new(number, "x"))).await.unwrap().unwrap();
        }
        store.close().await;
        listener.join().expect("each commit came with its world");
    }
}

#[tokio::test]
async fn a_subscriber_gets_each_commit_once_from_its_world_on() {
    for engines in Engines::all() {
        let store = open(&engines, StoreOptions::default());
        store.commit(request(), put(1, "a")).await.unwrap().unwrap();
        let writer = {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 2..60 {
                    store.commit(request(), putting(Thing::new(number, "x"))).await.unwrap().unwrap();
                }
            })
        };
        let mut followers = Vec::new();
        for _ in 0..10 {
            followers.push(store.subscribe());
            tokio::task::yield_now().await;
        }
        writer.await.unwrap();
        let end = store.world().revision();
        for (mut world, mut commits) in followers {
            while world.revision() < end {
                let commit = commits.recv().await.unwrap();
                assert_eq!(commit.revision, world.revision().next());
                assert_eq!(commit.before.revision(), world.revision());
                assert_eq!(commit.after.revision(), commit.revision);
                assert_eq!(commit.change.entries().len(), 1);
                world = world.with_change(commit.revision, &commit.change);
            }
            assert!(commits.try_recv().is_err());
            assert!(world.table::<Thing>().iter().eq(store.world().table::<Thing>().iter()));
        }
        drop(store);
    }
}

#[tokio::test]
async fn a_subscription_ends_with_the_store() {
    let store = open(&Engines::all()[0], StoreOptions::default());
    let (_, mut commits) = store.subscribe();
    store.close().await;
    assert!(commits.recv().await.is_none());
    assert!(store.subscribe().1.recv().await.is_none());
}

#[tokio::test]
async fn recent_commits_are_told_again_as_long_as_they_are_kept() {
    for engines in Engines::all() {
        let store = open(&engines, StoreOptions { recent: 5, ..StoreOptions::default() });
        let (_, mut live) = store.subscribe();
        for number in 1..=8 {
            store.commit(request(), putting(Thing::new(number % 3, "x").counting(number))).await.unwrap().unwrap();
        }
        let mut told = Vec::new();
        for _ in 0..8 {
            told.push(live.recv().await.unwrap());
        }
        assert!(store.recent(Revision(2)).is_none(), "only five are kept");
        assert!(store.recent(Revision(9)).is_none(), "this is ahead of the log");
        assert!(store.recent(Revision(8)).unwrap().is_empty());
        let again = store.recent(Revision(3)).unwrap();
        assert_eq!(again.len(), 5);
        for (again, live) in again.iter().zip(&told[3..]) {
            assert_eq!((again.revision, again.time, &again.request_id), (live.revision, live.time, &live.request_id));
            for (again, live) in [(&again.before, &live.before), (&again.after, &live.after)] {
                assert_eq!(again.revision(), live.revision());
                assert!(again.table::<Thing>().iter().eq(live.table::<Thing>().iter()));
            }
        }
    }
}

#[tokio::test]
async fn ids_come_from_the_seed() {
    let mut ids = Vec::new();
    for seed in [1, 1, 2] {
        let store = open(&Engines::all()[0], StoreOptions { seed: Some(seed), ..StoreOptions::default() });
        let draw = |tx: &mut Tx| Ok::<_, ()>(tx.context.uuid());
        let first = store.commit(request(), draw).await.unwrap().unwrap().answer;
        let second = store.commit(request(), draw).await.unwrap().unwrap().answer;
        assert_ne!(first, second);
        ids.push((first, second));
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[test]
fn dropping_the_store_finishes_what_is_queued() {
    for engines in Engines::all() {
        let store = open(&engines, StoreOptions::default());
        let mut waiting = Vec::new();
        for number in 0..100 {
            let operation = putting(Thing::new(number, "x"));
            let mut commit = Box::pin(store.commit(request(), operation));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            // The first look queues it.
            let _ = commit.as_mut().poll(&mut context);
            waiting.push(());
        }
        drop(store);
        let again = open(&engines, StoreOptions::default());
        assert_eq!(again.world().table::<Thing>().len(), waiting.len());
    }
}

#[test]
fn a_body_that_cannot_be_read_is_named() {
    let engines = Engines::all();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = open(&engines[1], StoreOptions::default());
        store.commit(request(), put(1, "a")).await.unwrap().unwrap();
        store.close().await;
    });
    let error = world::Store::open(engines[1].engine(), Arc::new(world::Schema::new()), StoreOptions::default()).err().unwrap();
    assert!(error.to_string().contains("unknown kind 'thing'"), "{error}");
    drop(world::Store::open(engines[1].engine(), schema(), StoreOptions::default()).unwrap());
}
