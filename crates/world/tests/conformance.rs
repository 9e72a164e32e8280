//! What every engine must do, and what SQLite does besides.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod things;

use net::{Revision, Timestamp};
use smol_str::SmolStr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use things::Engines;
use world::engines::Sqlite;
use world::{Engine, EngineErrorKind, LoggedChange, LoggedEntry, StoredRow};

fn row(id: &str, revision: u64, body: &str) -> StoredRow {
    let (kind, id) = (SmolStr::new("thing"), SmolStr::new(id));
    let project_id = (id != "nobody's").then(|| SmolStr::new("demo"));
    StoredRow { kind, id, project_id, revision: Revision(revision), version: 3, body: body.to_owned() }
}

fn change(revision: u64, entries: &[(&str, Option<&str>)]) -> LoggedChange {
    let entry = |&(id, body): &(&str, Option<&str>)| LoggedEntry {
        kind: SmolStr::new("thing"),
        id: SmolStr::new(id),
        row: body.map(|body| row(id, revision, body)),
    };
    let request_id = SmolStr::new(format!("req-{revision}"));
    LoggedChange { revision: Revision(revision), request_id, time: Timestamp(1000), entries: entries.iter().map(entry).collect() }
}

fn write(engine: &mut dyn Engine, changes: &[LoggedChange]) {
    assert_eq!(engine.begin().unwrap().next(), changes[0].revision);
    engine.append(changes).unwrap();
    engine.commit().unwrap();
}

fn rows(engine: &mut dyn Engine) -> (Revision, Vec<(String, u16, String)>) {
    let mut rows = Vec::new();
    let head = engine.load(&mut |row| {
        assert_eq!(row.kind, "thing");
        rows.push((row.id.to_owned(), row.version, row.body.to_owned()));
        true
    });
    rows.sort();
    (head.unwrap(), rows)
}

fn three() -> Vec<LoggedChange> {
    vec![
        change(1, &[("a", Some(r#"{"n":1}"#)), ("nobody's", Some(r#"{"n":"\"ü"}"#))]),
        change(2, &[("a", Some(r#"{"n":2}"#)), ("b", Some("{}"))]),
        change(3, &[("b", None), ("never was", None)]),
    ]
}

fn after_three() -> (Revision, Vec<(String, u16, String)>) {
    let rows = vec![("a".to_owned(), 3, r#"{"n":2}"#.to_owned()), ("nobody's".to_owned(), 3, r#"{"n":"\"ü"}"#.to_owned())];
    (Revision(3), rows)
}

#[test]
fn what_is_committed_is_there_and_stays() {
    for engines in Engines::all() {
        let mut engine = engines.engine();
        assert_eq!(rows(engine.as_mut()), (Revision(0), vec![]));
        write(engine.as_mut(), &three()[..1]);
        write(engine.as_mut(), &three()[1..]);
        drop(engine);
        let mut engine = engines.engine();
        assert_eq!(rows(engine.as_mut()), after_three());
        assert_eq!(engine.head().unwrap(), Revision(3));
        assert_eq!(engine.changes_since(Revision(0)).unwrap(), three());
        assert_eq!(engine.changes_since(Revision(2)).unwrap(), three()[2..]);
        assert_eq!(engine.changes_since(Revision(3)).unwrap(), vec![]);
        assert_eq!(engine.begin().unwrap(), Revision(3));
        assert_eq!(engine.changes_since(Revision(1)).unwrap(), three()[1..], "inside a write too");
    }
}

#[test]
fn what_is_not_committed_never_was() {
    for engines in Engines::all() {
        let mut engine = engines.engine();
        engine.rollback();
        write(engine.as_mut(), &three());
        engine.begin().unwrap();
        engine.append(&[change(4, &[("a", None), ("c", Some("{}")), ("c", None), ("c", Some("{}"))])]).unwrap();
        engine.rollback();
        write(engine.as_mut(), &[change(4, &[("a", Some(r#"{"n":4}"#)), ("c", Some("{}"))])]);
        write(engine.as_mut(), &[change(5, &[("a", Some(r#"{"n":2}"#)), ("c", None)])]);
        assert_eq!(rows(engine.as_mut()), (Revision(5), after_three().1));
        engine.begin().unwrap();
        engine.append(&[change(6, &[("a", None)])]).unwrap();
        // A server that dies in the middle.
        drop(engine);
        let mut engine = engines.engine();
        assert_eq!(rows(engine.as_mut()), (Revision(5), after_three().1));
        write(engine.as_mut(), &[change(6, &[("a", None)])]);
        assert_eq!(rows(engine.as_mut()).1.len(), 1);
    }
}

#[test]
fn reading_may_be_ended_early() {
    for engines in Engines::all() {
        let mut engine = engines.engine();
        write(engine.as_mut(), &three());
        let mut seen = 0;
        let head = engine.load(&mut |_| {
            seen += 1;
            false
        });
        assert_eq!((head.unwrap(), seen), (Revision(3), 1));
    }
}

#[test]
fn a_compacted_log_keeps_the_resources_and_says_what_is_missing() {
    for engines in Engines::all() {
        let mut engine = engines.engine();
        write(engine.as_mut(), &three());
        engine.compact(Revision(2)).unwrap();
        engine.compact(Revision(1)).unwrap();
        let error = engine.changes_since(Revision(1)).err().unwrap();
        assert_eq!(error.kind, EngineErrorKind::Compacted);
        assert_eq!(engine.changes_since(Revision(2)).unwrap(), three()[2..]);
        assert_eq!(rows(engine.as_mut()), after_three());
        engine.compact(Revision(99)).unwrap();
        assert_eq!(engine.changes_since(Revision(3)).unwrap(), vec![], "there is nothing beyond the head to forget");
        write(engine.as_mut(), &[change(4, &[("a", None)])]);
        assert_eq!(engine.changes_since(Revision(3)).unwrap().len(), 1);
    }
}

#[test]
fn a_long_log_is_read_whole() {
    for engines in Engines::all() {
        let mut engine = engines.engine();
        let long: Vec<_> = (1..=10_000).map(|revision| change(revision, &[("a", Some("{}"))])).collect();
        write(engine.as_mut(), &long);
        assert_eq!(engine.changes_since(Revision(0)).unwrap().len(), 10_000);
        assert_eq!(rows(engine.as_mut()).1.len(), 1);
    }
}

#[test]
fn a_reader_sees_and_is_woken_by_another_server_and_is_not_behind_a_write() {
    let [memory, _] = Engines::all();
    let mut writer = memory.engine();
    let mut reader = memory.engine().reader().unwrap().expect("others may write");
    writer.begin().unwrap();
    writer.append(&three()).unwrap();
    assert_eq!(reader.head().unwrap(), Revision(0));
    assert!(!reader.wait(Revision(0), Duration::from_millis(1)).unwrap());
    let waiting = std::thread::spawn(move || {
        let woken = reader.wait(Revision(0), Duration::from_secs(60)).unwrap();
        (woken, reader.head().unwrap(), reader.changes_since(Revision(0)).unwrap())
    });
    writer.commit().unwrap();
    assert_eq!(waiting.join().unwrap(), (true, Revision(3), three()));
}

#[test]
fn sqlite_has_no_other_writers_and_refuses_a_second_server() {
    let [_, sqlite] = Engines::all();
    let mut engine = sqlite.engine();
    assert!(engine.reader().unwrap().is_none());
    let error = Sqlite::open(&sqlite.file()).err().unwrap();
    assert_eq!(error.kind, EngineErrorKind::Unavailable);
    assert!(error.to_string().contains("in use by another server process"), "{error}");
    drop(engine);
    drop(sqlite.engine());
}

#[test]
fn only_the_owner_may_read_an_sqlite_file() {
    let [_, sqlite] = Engines::all();
    std::fs::write(sqlite.file(), "").unwrap();
    std::fs::set_permissions(sqlite.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut engine = sqlite.engine();
    write(engine.as_mut(), &three());
    let mut files = 0;
    for file in std::fs::read_dir(sqlite.file().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        files += 1;
    }
    assert_eq!(files, 4, "the file, its lock, its log and the index of that");
}

#[test]
fn people_can_read_an_sqlite_file_by_kind_while_it_is_in_use() {
    let [_, sqlite] = Engines::all();
    let mut engine = sqlite.engine();
    engine.kinds(&["thing", "head", "it's"]).unwrap();
    engine.kinds(&["thing", "head", "it's"]).unwrap();
    write(engine.as_mut(), &three());
    let connection = rusqlite::Connection::open_with_flags(sqlite.file(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(read("SELECT body->>'$.n' FROM thing WHERE project_id = 'demo'"), 2);
    assert_eq!(read("SELECT count(*) FROM \"it's\""), 0);
    assert_eq!(read("SELECT json_array_length(entries) FROM changes WHERE revision = 2"), 2);
}

#[test]
fn a_file_of_the_first_version_is_taken_over_whole() {
    let [_, sqlite] = Engines::all();
    let connection = rusqlite::Connection::open(sqlite.file()).unwrap();
    let first = "
        CREATE TABLE resources (row INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, project_id TEXT, revision INTEGER NOT NULL,
            version INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id)) STRICT;
        CREATE TABLE changes (revision INTEGER PRIMARY KEY, request_id TEXT NOT NULL, time INTEGER NOT NULL, entries TEXT NOT NULL) STRICT;
        CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
        CREATE VIEW thing AS SELECT id, project_id, revision, version, body FROM resources WHERE kind = 'thing';
        INSERT INTO resources VALUES (4, 'thing', 'a', 'demo', 2, 3, '{\"n\":2}'), (2, 'thing', 'nobody''s', NULL, 1, 3, '{\"n\":\"\\\"ü\"}');
        INSERT INTO head VALUES (1, 3, 3);
        PRAGMA application_id = 0x4e74724e; PRAGMA user_version = 1";
    connection.execute_batch(first).unwrap();
    drop(connection);
    let mut engine = sqlite.engine();
    assert_eq!(rows(engine.as_mut()), after_three());
    engine.kinds(&["thing"]).unwrap();
    write(engine.as_mut(), &[change(4, &[("a", Some("{}")), ("c", Some("{}"))])]);
    let connection = rusqlite::Connection::open(sqlite.file()).unwrap();
    let there: i64 = connection.query_row("SELECT count(*) FROM thing WHERE body = '{}'", [], |row| row.get(0)).unwrap();
    assert_eq!(there, 2);

    // What the index refused is seen when it is read.
    connection.execute_batch("INSERT INTO resources (kind, id, revision, version, body) VALUES ('thing', 'a', 4, 3, '{}')").unwrap();
    let error = engine.load(&mut |_| true).err().unwrap();
    assert_eq!(error.kind, EngineErrorKind::Corrupt);
    assert!(error.to_string().contains("thing a is there twice"), "{error}");
}

#[test]
fn a_file_of_a_newer_version_or_of_something_else_is_left_alone() {
    let [_, sqlite] = Engines::all();
    drop(sqlite.engine());
    let connection = rusqlite::Connection::open(sqlite.file()).unwrap();
    connection.execute_batch("PRAGMA user_version = 1000").unwrap();
    drop(connection);
    let error = Sqlite::open(&sqlite.file()).err().unwrap();
    assert_eq!(error.kind, EngineErrorKind::Corrupt);
    assert!(error.to_string().contains("newer version"), "{error}");

    let [_, other] = Engines::all();
    std::fs::write(other.file(), "this is not a database, but it is longer than a hundred bytes, ".repeat(4)).unwrap();
    let error = Sqlite::open(&other.file()).err().unwrap();
    assert_eq!(error.kind, EngineErrorKind::Corrupt);

    let [_, foreign] = Engines::all();
    let connection = rusqlite::Connection::open(foreign.file()).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(connection);
    let error = Sqlite::open(&foreign.file()).err().unwrap();
    assert_eq!(error.kind, EngineErrorKind::Corrupt, "{error}");
}

#[test]
fn the_write_ahead_log_does_not_grow_without_bound() {
    let [_, sqlite] = Engines::all();
    let mut engine = sqlite.engine();
    let body = format!("{{\"x\":\"{}\"}}", "y".repeat(1 << 16));
    let mut longest = 0;
    for revision in 1..=800 {
        write(engine.as_mut(), &[change(revision, &[("a", Some(&body))])]);
        longest = longest.max(std::fs::metadata(format!("{}-wal", sqlite.file().display())).unwrap().len());
        engine.compact(Revision(revision)).unwrap();
    }
    // It would be 800 times 128 KiB, 100 MiB.
    assert!(longest < 48 << 20, "{longest}");
}
