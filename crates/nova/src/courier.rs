//! The courier: follows the log, gathers events, sends them.

use crate::pending::Pending;
use crate::{Config, Cursor, Event, Nova, Outcome, events};
use net::Revision;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use world::{Commit, Store};

/// How often it is noted how far Nova knows.
const NOTED_EVERY: Duration = Duration::from_secs(1);
/// How long the last events may take when the server ends; what is left is due after the next start.
const FAREWELL: Duration = Duration::from_secs(2);

struct Shared {
    pending: Mutex<Pending>,
    wake: Notify,
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, revision: Revision, events: Vec<Event>) {
        let any = !events.is_empty();
        let lost = self.pending().add(revision, events);
        if lost > 0 {
            tracing::warn!(lost, "nova does not take its events and too many wait; the oldest are forgotten");
        }
        if any {
            self.wake.notify_one();
        }
    }
}

/// Tells Nova what the log says, on tasks of the current runtime.
pub struct Courier {
    closed: watch::Sender<bool>,
    follower: JoinHandle<()>,
    sender: JoinHandle<()>,
}

impl Courier {
    /// Starts with what was missed while no courier was there, and goes on with what the store commits.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        store: &Store,
        config: &Config,
        cursor: Cursor,
        missed: impl FnOnce(&world::World) -> Vec<Event>,
    ) -> Result<Courier, String> {
        let nova = Nova::new(config)?;
        let (world, commits) = store.subscribe();
        let shared = Arc::new(Shared { pending: Mutex::new(Pending::new(world.revision(), config.waiting)), wake: Notify::new() });
        let missed = missed(&world);
        if !missed.is_empty() {
            tracing::info!(events = missed.len(), "nova is told what it may have missed");
        }
        shared.add(world.revision(), missed);
        let closed = watch::Sender::new(false);
        let follower = tokio::spawn(follow(shared.clone(), commits, cursor, closed.subscribe()));
        let sender = tokio::spawn(send(shared, nova, config.clone()));
        Ok(Courier { closed, follower, sender })
    }

    /// Sends what can be sent in a moment, notes how far Nova knows, and ends.
    pub async fn close(self) {
        self.closed.send_replace(true);
        _ = self.follower.await;
        self.sender.abort();
    }
}

/// Takes over commits as they come, and notes now and then up to which of them all is told.
async fn follow(shared: Arc<Shared>, mut commits: UnboundedReceiver<Arc<Commit>>, mut cursor: Cursor, mut closed: watch::Receiver<bool>) {
    let mut tick = interval(NOTED_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            commit = commits.recv() => match commit {
                Some(commit) => shared.add(commit.revision, events(&commit.change, &commit.after)),
                None => break,
            },
            _ = tick.tick() => note(&shared, &mut cursor),
            _ = closed.wait_for(|closed| *closed) => break,
        }
    }
    while let Ok(commit) = commits.try_recv() {
        shared.add(commit.revision, events(&commit.change, &commit.after));
    }
    let told = async {
        while !shared.pending().is_told() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    if timeout(FAREWELL, told).await.is_err() {
        tracing::info!("nova is told the rest after the next start");
    }
    note(&shared, &mut cursor);
}

fn note(shared: &Shared, cursor: &mut Cursor) {
    let told = shared.pending().told();
    if let Err(error) = cursor.note(told) {
        tracing::warn!(%error, "it cannot be noted how far nova knows");
    }
}

/// Sends what waits, and again what was not taken.
async fn send(shared: Arc<Shared>, nova: Nova, config: Config) {
    let (shortest, longest) = config.back_off;
    let mut pause = shortest;
    loop {
        let batch = shared.pending().take(config.batch);
        if batch.is_empty() {
            shared.wake.notified().await;
            // Others that come with it go with it.
            sleep(config.window).await;
            continue;
        }
        match nova.tell(&batch).await {
            Outcome::Told => {
                shared.pending().sent();
                if pause > shortest {
                    tracing::info!("nova takes its events again");
                }
                pause = shortest;
            }
            Outcome::Refused(reason) => {
                tracing::error!(events = batch.len(), reason, "nova refuses events; they are forgotten");
                shared.pending().sent();
            }
            Outcome::Later(reason) => {
                tracing::warn!(events = batch.len(), reason, "nova does not take events; trying again");
                shared.pending().put_back();
                sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
        }
    }
}
