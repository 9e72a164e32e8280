//! The tables, and the numbered steps that bring a file to this version of them.

use super::failure;
use crate::{EngineError, EngineErrorKind};
use rusqlite::Connection;

/// Marks the file as ours: "NtrN".
const APPLICATION_ID: i32 = 0x4e74_724e;

/// Step `n` brings a file from version `n` to `n + 1`. A step is never edited once it was released.
const STEPS: &[&str] = &[
    "
    CREATE TABLE resources (
        row INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        project_id TEXT,
        revision INTEGER NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (kind, id)
    ) STRICT;
    CREATE TABLE changes (
        revision INTEGER PRIMARY KEY,
        request_id TEXT NOT NULL,
        time INTEGER NOT NULL,
        entries TEXT NOT NULL
    ) STRICT;
    CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        revision INTEGER NOT NULL,
        floor INTEGER NOT NULL
    ) STRICT;
    INSERT INTO head VALUES (1, 0, 0);
",
    "
    CREATE TABLE appended (
        row INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        project_id TEXT,
        revision INTEGER NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    INSERT INTO appended SELECT * FROM resources ORDER BY row;
    DROP TABLE resources;
    PRAGMA legacy_alter_table = ON;
    ALTER TABLE appended RENAME TO resources;
    PRAGMA legacy_alter_table = OFF;
",
];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), EngineError> {
    let newest = i64::try_from(STEPS.len()).expect("there are few steps");
    let foreign = |connection: &Connection| {
        let ours: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok(ours != APPLICATION_ID && tables > 0)
    };
    if foreign(connection).map_err(|e| failure("opening the database", &e))? {
        let reason = "the file belongs to another program".to_owned();
        return Err(EngineError { kind: EngineErrorKind::Corrupt, operation: "opening the database", reason });
    }
    let mut migrate = || {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let Ok(done) = usize::try_from(version) else { return Ok(version) };
        for (step, sql) in STEPS.iter().enumerate().skip(done) {
            let transaction = connection.transaction()?;
            transaction.execute_batch(sql)?;
            transaction.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", step + 1))?;
            transaction.commit()?;
        }
        Ok(version)
    };
    let version = migrate().map_err(|e| failure("bringing the tables to this version", &e))?;
    if version > newest {
        let reason = format!("the file has version {version}, this server knows up to {newest}: a newer version of it wrote the file");
        return Err(EngineError { kind: EngineErrorKind::Corrupt, operation: "opening the database", reason });
    }
    Ok(())
}

/// A view for each kind of resource, for those who read by SQL. Kinds named like a table have none.
pub(super) fn make_views(connection: &Connection, kinds: &[&'static str]) -> Result<(), EngineError> {
    for kind in kinds.iter().filter(|kind| !["resources", "changes", "head"].contains(kind)) {
        let sql = format!(
            "CREATE VIEW IF NOT EXISTS \"{}\" AS SELECT id, project_id, revision, version, body FROM resources WHERE kind = '{}'",
            kind.replace('"', "\"\""),
            kind.replace('\'', "''")
        );
        connection.execute_batch(&sql).map_err(|e| failure("making a view", &e))?;
    }
    Ok(())
}
