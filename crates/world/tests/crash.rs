//! A server killed while it commits: what it answered is there, and nothing is half made.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod things;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use things::{TAG, Thing, check_indexes, replay, request, same, schema};
use world::engines::Sqlite;
use world::{Engine, Reader, Store, StoreOptions, Tx};

const DIRECTORY: &str = "WORLD_CRASH_DIRECTORY";
const ROUNDS: u64 = 12;

/// Makes a pair of things that belong together and have a number that nobody else has.
fn pair(tx: &mut Tx) -> Result<u64, ()> {
    let number = tx.table::<Thing>().walk(TAG, 0).last().map_or(1, |(key, _)| match key {
        world::Key::Number(number) => number + 1,
        other => panic!("{other:?} is not a number"),
    });
    for half in ["left", "right"] {
        let mut thing = Thing::new(0, half);
        thing.id = tx.context.uuid();
        thing.tags = vec![number];
        tx.put(thing);
    }
    Ok(number)
}

fn open(directory: &Path) -> Store {
    let engine = Sqlite::open(&directory.join("neutrino.db")).unwrap();
    Store::open(Box::new(engine), schema(), StoreOptions { keep_changes: 100_000, ..StoreOptions::default() }).unwrap()
}

#[test]
#[ignore = "the process that is killed, started by the other test"]
fn the_process_that_is_killed() {
    let directory = std::env::var(DIRECTORY).expect("the other test says where");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let store = open(Path::new(&directory));
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    loop {
                        let number = store.commit(request(), pair).await.unwrap().unwrap().answer;
                        // One write for a line: it is told whole or not at all.
                        std::io::stdout().write_all(format!("answered {number}\n").as_bytes()).unwrap();
                    }
                })
            })
            .collect();
        let first = callers.into_iter().next().unwrap();
        first.await.unwrap();
    });
}

/// Runs a server until it has answered so many operations, kills it, and returns the numbers that it answered.
fn run_and_kill(directory: &Path, after: u64) -> Vec<u64> {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "the_process_that_is_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answered = Vec::new();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    for line in lines.map(Result::unwrap) {
        // The test harness' own words share the first line.
        if let Some((_, number)) = line.rsplit_once("answered ") {
            answered.push(number.parse().unwrap());
        }
        if answered.len() as u64 == after {
            server.kill().unwrap();
        }
    }
    server.wait().unwrap();
    assert!(answered.len() as u64 >= after, "the server ended by itself after {}", answered.len());
    answered
}

fn check(directory: &Path, answered: &BTreeSet<u64>) {
    let mut engine = Sqlite::open(&directory.join("neutrino.db")).unwrap();
    let log = engine.changes_since(net::Revision(0)).unwrap();
    let head = engine.begin().unwrap();
    engine.rollback();
    assert!(log.iter().map(|change| change.revision.0).eq(1..=head.0), "the log has gaps");
    drop(engine);
    let store = open(directory);
    let world = store.world();
    same(&world, &replay(&log)).unwrap();
    check_indexes(&world).unwrap();
    let mut halves: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for thing in world.table::<Thing>().iter() {
        halves.entry(thing.tags[0]).or_default().push(&thing.name);
    }
    for (number, halves) in &mut halves {
        halves.sort_unstable();
        assert_eq!(halves, &["left", "right"], "pair {number}");
    }
    let lost: Vec<_> = answered.iter().filter(|number| !halves.contains_key(number)).collect();
    assert!(lost.is_empty(), "answered and not there: {lost:?}");
}

#[test]
fn a_server_killed_while_it_commits_loses_nothing_that_it_answered() {
    let directory = tempfile::tempdir().unwrap();
    let mut answered = BTreeSet::new();
    for round in 0..ROUNDS {
        // From the first answer to some that come after the write-ahead log was copied.
        for number in run_and_kill(directory.path(), 1 + round * round * 7) {
            assert!(answered.insert(number), "{number} was given twice");
        }
        check(directory.path(), &answered);
    }
}
