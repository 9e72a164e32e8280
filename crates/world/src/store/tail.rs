//! The threads that follow other servers: one waits for changes of the log, one asks for its head when a reader must know.
//!
//! Each has a connection of its own, so that neither is behind a commit of this server or behind the other.

use super::Error;
use super::image::{Newest, load};
use crate::{EngineError, EngineErrorKind, Reader, Schema};
use net::Revision;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long one wait for changes takes at most, and so how soon the thread sees that the store is closed.
const WAIT: Duration = Duration::from_millis(250);
/// How long changes are left to this server's own commit loop before they are read back from the log.
const PATIENCE: Duration = Duration::from_millis(20);
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// Takes over what other servers write until the store is closed.
pub(super) fn follow(mut reader: Box<dyn Reader>, newest: &Newest, schema: &Arc<Schema>) {
    let mut failing = false;
    while !newest.stop.load(Relaxed) {
        match follow_once(reader.as_mut(), newest, schema) {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "other servers' changes cannot be followed; trying again");
                }
                thread::sleep(AFTER_FAILURE);
            }
        }
    }
}

fn follow_once(reader: &mut dyn Reader, newest: &Newest, schema: &Arc<Schema>) -> Result<(), Error> {
    if !reader.wait(newest.world().revision(), WAIT)? {
        return Ok(());
    }
    newest.let_own_commit_end(PATIENCE);
    let here = newest.world().revision();
    match reader.changes_since(here).map_err(Error::from).and_then(|changes| newest.follow(&changes)) {
        Err(Error::Engine(error)) if error.kind == EngineErrorKind::Compacted => {
            tracing::warn!(revision = %here, "too far behind the log; reading everything again");
            newest.replace(load(reader, schema)?);
            Ok(())
        }
        followed => followed,
    }
}

pub(super) type HeadQuestion = oneshot::Sender<Result<Revision, EngineError>>;

/// Answers what the newest committed revision is until the store is closed. Questions that wait share one look.
pub(super) fn tell_head(mut reader: Box<dyn Reader>, questions: &Receiver<HeadQuestion>) {
    while let Ok(first) = questions.recv() {
        // Only those that asked before the look may share it.
        let waiting: Vec<HeadQuestion> = std::iter::once(first).chain(questions.try_iter()).collect();
        let head = reader.head();
        for question in waiting {
            let _ = question.send(head.clone());
        }
    }
}
