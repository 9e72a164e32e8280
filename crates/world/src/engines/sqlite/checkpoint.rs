//! Moving what is in the write-ahead log to the database file, beside the commits.
//!
//! A thread with a connection of its own copies pages while commits go on; that never makes them wait. The log is only started
//! anew when all of it has been copied, which under steady load never happens by itself. So when it has become long, the
//! committing thread copies what little is left between two commits.

use super::connect;
use crate::EngineError;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// About so many bytes of the log are written between two runs of the thread.
const STEP: usize = 4 << 20;
/// Pages in the log from which on it is to be started anew: 16 MiB.
const LONG: i64 = 4096;
/// About so many bytes of the log are too many even if the thread has not said how long it is.
const TOO_LONG: usize = 64 << 20;
/// How soon the log is copied when commits pause.
const IDLE: Duration = Duration::from_secs(1);

pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    pages: Arc<AtomicI64>,
    /// Written since the thread was woken.
    bytes: usize,
    /// Written since the log was last started anew.
    log_bytes: usize,
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf) -> Result<Checkpointer, EngineError> {
        let connection = connect(&path, 256)?;
        let (wake, woken) = sync_channel(1);
        let pages = Arc::new(AtomicI64::new(0));
        let seen = pages.clone();
        let body = move || copy(&connection, &woken, &seen);
        let thread = thread::Builder::new().name("world-checkpoint".to_owned()).spawn(body);
        let thread = thread.map_err(|e| super::unavailable("starting a thread", e.to_string()))?;
        Ok(Checkpointer { wake: Some(wake), thread: Some(thread), pages, bytes: 0, log_bytes: 0 })
    }

    /// About so many bytes were committed.
    pub(super) fn written(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.log_bytes += bytes;
        if self.bytes >= STEP
            && let Some(wake) = &self.wake
        {
            self.bytes = 0;
            // Full: it is awake already.
            let _ = wake.try_send(());
        }
    }

    pub(super) fn log_is_long(&self) -> bool {
        self.pages.load(Relaxed) > LONG || self.log_bytes > TOO_LONG
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn copy(connection: &Connection, woken: &Receiver<()>, pages: &AtomicI64) {
    loop {
        match woken.recv_timeout(IDLE) {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        }
        // Without news this is free: SQLite sees that there is nothing to copy.
        if let Some((length, _)) = checkpoint(connection) {
            pages.store(length, Relaxed);
        }
    }
}

/// Copies what the thread has left, so that the next commit starts the log anew.
pub(super) fn finish(connection: &Connection, checkpointer: &mut Checkpointer) {
    if let Some((length, copied)) = checkpoint(connection)
        && copied == length
    {
        checkpointer.pages.store(0, Relaxed);
        checkpointer.log_bytes = 0;
    }
}

/// Copies as much as possible without making anybody wait; returns the pages in the log and those that are copied.
fn checkpoint(connection: &Connection) -> Option<(i64, i64)> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    match connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)").and_then(|mut pragma| pragma.query_row([], read)) {
        // Busy: the other thread is at it.
        Ok((0, length, copied)) => Some((length, copied)),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be copied");
            None
        }
    }
}
