//! SQLite: the embedded engine. One file, one process, durable by an fsync of the write-ahead log at each commit.
//!
//! People may read the file with `sqlite3` while the server runs (`SELECT body->>'$.name' FROM port`); a second server is refused.

mod checkpoint;
mod rows;
mod schema;

use super::entries;
use crate::{Engine, EngineError, EngineErrorKind, LoggedChange, LoggedEntry, Reader, RowRef};
use checkpoint::Checkpointer;
use net::{Revision, Timestamp};
use rows::Rows;
use rusqlite::{Connection, ErrorCode, params};
use smol_str::SmolStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Changes read from the log at once.
const READ_AT_ONCE: u32 = 4096;
/// Size of a page of the file: each row that is written touches about one that no other does.
const PAGE: usize = 4096;
/// How long somebody else who reads or writes by hand may be in the way.
const PATIENCE: Duration = Duration::from_secs(5);

/// The log in an SQLite file. Only one may be open on a file, in any process.
pub struct Sqlite {
    connection: Connection,
    checkpointer: Checkpointer,
    rows: Rows,
    /// The text of a change while it is written.
    text: String,
    /// About how much the write that was begun adds to the write-ahead log.
    bytes: usize,
    /// Held as long as the file is in use; the last field, so that it is let go of last.
    _lock: File,
}

impl Sqlite {
    /// Opens the file, or makes it, readable for its owner only, and brings its tables to this server's version.
    ///
    /// Beside it lie `<file>.lock` and SQLite's own `<file>-wal` and `<file>-shm`. Fails with `Unavailable` when another process uses
    /// the file, with `Corrupt` when a newer version of this program wrote it.
    pub fn open(path: &Path) -> Result<Sqlite, EngineError> {
        let lock = lock(path)?;
        private_file(path).map_err(|e| unavailable("opening the database", format!("{}: {e}", path.display())))?;
        let mut connection = connect(path, 8192)?;
        schema::migrate(&mut connection)?;
        let checkpointer = Checkpointer::start(path.to_owned())?;
        Ok(Sqlite { connection, checkpointer, rows: Rows::default(), text: String::new(), bytes: 0, _lock: lock })
    }

    fn run(&self, operation: &'static str, sql: &str) -> Result<(), EngineError> {
        let run = || self.connection.prepare_cached(sql)?.execute([]).map(drop);
        run().map_err(|e| failure(operation, &e))
    }

    fn head_and_floor(&self) -> Result<(Revision, Revision), EngineError> {
        let read = || {
            let mut select = self.connection.prepare_cached("SELECT revision, floor FROM head")?;
            select.query_row([], |row| Ok((revision(row.get(0)?), revision(row.get(1)?))))
        };
        read().map_err(|e| failure("reading the head", &e))
    }

    fn write(&mut self, changes: &[LoggedChange]) -> rusqlite::Result<()> {
        let mut log =
            self.connection.prepare_cached("INSERT INTO changes (revision, request_id, time, entries) VALUES (?1, ?2, ?3, ?4)")?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO resources (kind, id, project_id, revision, version, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut update = self
            .connection
            .prepare_cached("UPDATE resources SET project_id = ?1, revision = ?2, version = ?3, body = ?4 WHERE row = ?5")?;
        let mut remove = self.connection.prepare_cached("DELETE FROM resources WHERE row = ?1")?;
        for change in changes {
            for LoggedEntry { kind, id, row } in &change.entries {
                match (row, self.rows.get(kind, id)) {
                    (Some(row), Some(there)) => {
                        update.execute(params![row.project_id.as_deref(), number(row.revision), row.version, row.body, there])?;
                    }
                    (Some(row), None) => {
                        let project_id = row.project_id.as_deref();
                        insert.execute(params![kind.as_str(), id.as_str(), project_id, number(row.revision), row.version, row.body])?;
                        self.rows.set(kind, id, Some(self.connection.last_insert_rowid()));
                    }
                    (None, Some(there)) => {
                        remove.execute([there])?;
                        self.rows.set(kind, id, None);
                    }
                    (None, None) => {}
                }
            }
            self.text.clear();
            entries::write(&change.entries, &mut self.text);
            self.bytes += 2 * self.text.len() + PAGE * change.entries.len();
            log.execute(params![number(change.revision), change.request_id.as_str(), change.time.0, self.text])?;
        }
        if let Some(last) = changes.last() {
            self.connection.prepare_cached("UPDATE head SET revision = ?1")?.execute([number(last.revision)])?;
        }
        Ok(())
    }
}

impl Reader for Sqlite {
    fn load(&mut self, row: &mut dyn FnMut(RowRef<'_>) -> bool) -> Result<Revision, EngineError> {
        // Nobody else writes, so that two statements see the same state.
        let (head, _) = self.head_and_floor()?;
        let mut rows = Rows::default();
        let mut read = || {
            let mut select = self.connection.prepare("SELECT row, kind, id, version, body FROM resources ORDER BY row")?;
            let mut found = select.query([])?;
            while let Some(next) = found.next()? {
                let (kind, id, body) = (text(next, 1)?, text(next, 2)?, text(next, 4)?);
                if !rows.read(kind, id, next.get(0)?) {
                    return Err(twice(kind, id));
                }
                if !row(RowRef { kind, id, version: next.get(3)?, body }) {
                    return Ok(());
                }
            }
            rows.complete = true;
            Ok(())
        };
        read().map_err(|e| failure("reading the resources", &e))?;
        self.rows = rows;
        Ok(head)
    }

    fn changes_since(&mut self, after: Revision) -> Result<Vec<LoggedChange>, EngineError> {
        let (head, floor) = self.head_and_floor()?;
        if after < floor {
            return Err(EngineError {
                kind: EngineErrorKind::Compacted,
                operation: "reading the log",
                reason: format!("changes up to {floor} are not kept any more"),
            });
        }
        let mut changes = Vec::new();
        let mut here = after;
        while here < head {
            let read = |changes: &mut Vec<LoggedChange>| {
                let sql = "SELECT revision, request_id, time, entries FROM changes WHERE revision > ?1 ORDER BY revision LIMIT ?2";
                let mut select = self.connection.prepare_cached(sql)?;
                let mut rows = select.query(params![number(here), READ_AT_ONCE])?;
                while let Some(row) = rows.next()? {
                    let revision = revision(row.get(0)?);
                    let entries = entries::read(text(row, 3)?, revision).map_err(unreadable)?;
                    changes.push(LoggedChange { revision, request_id: SmolStr::new(text(row, 1)?), time: Timestamp(row.get(2)?), entries });
                }
                Ok(())
            };
            read(&mut changes).map_err(|e| failure("reading the log", &e))?;
            match changes.last() {
                Some(last) if last.revision > here => here = last.revision,
                _ => break,
            }
        }
        Ok(changes)
    }

    fn head(&mut self) -> Result<Revision, EngineError> {
        Ok(self.head_and_floor()?.0)
    }

    fn wait(&mut self, after: Revision, _timeout: Duration) -> Result<bool, EngineError> {
        Ok(self.head()? > after)
    }
}

impl Engine for Sqlite {
    fn kinds(&mut self, kinds: &[&'static str]) -> Result<(), EngineError> {
        schema::make_views(&self.connection, kinds)
    }

    fn reader(&mut self) -> Result<Option<Box<dyn Reader>>, EngineError> {
        Ok(None)
    }

    fn begin(&mut self) -> Result<Revision, EngineError> {
        if !self.rows.complete {
            self.load(&mut |_| true)?;
        }
        if self.checkpointer.log_is_long() {
            checkpoint::finish(&self.connection, &mut self.checkpointer);
        }
        self.run("beginning a write", "BEGIN IMMEDIATE")?;
        self.head()
    }

    fn append(&mut self, changes: &[LoggedChange]) -> Result<(), EngineError> {
        self.write(changes).map_err(|e| failure("writing changes", &e))
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        // Whether a commit that failed happened is not known: the rows are read again then.
        self.rows.complete = false;
        self.run("committing", "COMMIT")?;
        self.rows.committed();
        self.checkpointer.written(std::mem::take(&mut self.bytes));
        Ok(())
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.run("rolling back", "ROLLBACK")
        {
            tracing::error!(%error, "a write could not be rolled back");
        }
        self.rows.rolled_back();
    }

    fn compact(&mut self, through: Revision) -> Result<(), EngineError> {
        let remove = |connection: &Connection| {
            let transaction = connection.unchecked_transaction()?;
            transaction.prepare_cached("DELETE FROM changes WHERE revision <= ?1")?.execute([number(through)])?;
            transaction.prepare_cached("UPDATE head SET floor = max(floor, min(?1, revision))")?.execute([number(through)])?;
            transaction.commit()
        };
        remove(&self.connection).map_err(|e| failure("compacting the log", &e))
    }
}

fn connect(path: &Path, cache_kib: u32) -> Result<Connection, EngineError> {
    let connect = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -{cache_kib}; PRAGMA trusted_schema = OFF"
        ))?;
        Ok(connection)
    };
    connect().map_err(|e: rusqlite::Error| failure("opening the database", &e))
}

/// Locks the file beside the database for as long as the returned file is open.
fn lock(path: &Path) -> Result<File, EngineError> {
    let name: PathBuf = [path.as_os_str(), ".lock".as_ref()].into_iter().collect::<std::ffi::OsString>().into();
    let file = private_file(&name).map_err(|e| unavailable("locking the database", format!("{}: {e}", name.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(unavailable("locking the database", format!("{} is in use by another server process", path.display())))
        }
        Err(TryLockError::Error(e)) => Err(unavailable("locking the database", format!("{}: {e}", name.display()))),
    }
}

/// Opens a file, or makes it, and sees to it that only its owner may read it.
fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o077 != 0 {
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
        fs::set_permissions(path, permissions)?;
    }
    Ok(file)
}

fn text<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    row.get_ref(column)?.as_str().map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, e.into()))
}

fn twice(kind: &str, id: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, format!("{kind} {id} is there twice").into())
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, error.into())
}

/// SQLite's numbers are signed.
fn number(revision: Revision) -> i64 {
    i64::try_from(revision.0).expect("fewer than 2^63 changes are ever made")
}

fn revision(number: i64) -> Revision {
    Revision(u64::try_from(number).unwrap_or_default())
}

fn unavailable(operation: &'static str, reason: String) -> EngineError {
    EngineError { kind: EngineErrorKind::Unavailable, operation, reason }
}

fn failure(operation: &'static str, error: &rusqlite::Error) -> EngineError {
    let kind = match error {
        rusqlite::Error::SqliteFailure(code, _) => match code.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => EngineErrorKind::Conflict,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation => EngineErrorKind::Corrupt,
            _ => EngineErrorKind::Unavailable,
        },
        _ => EngineErrorKind::Corrupt,
    };
    EngineError { kind, operation, reason: error.to_string() }
}
