//! The publisher: follows the log, and makes the service have what is wanted.

use crate::designate::Designate;
use crate::rfc2136::Rfc2136;
use crate::{Config, Failure, Journal, Key, Service, Values, concerns, wanted};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use world::{Commit, Store};

enum Driver {
    Designate(Box<Designate>),
    Rfc2136(Box<Rfc2136>),
}

impl Driver {
    async fn set(&self, key: &Key, values: &Values) -> Result<(), Failure> {
        match self {
            Driver::Designate(driver) => driver.set(key, values).await,
            Driver::Rfc2136(driver) => driver.set(key, values).await,
        }
    }
}

/// Publishes, on a task of the current runtime.
pub struct Publisher {
    closed: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Starts with what is different from what was published last. `ml2` says that there is an external service.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(store: &Store, config: Config, ml2: ml2::Config, journal: Journal) -> Result<Publisher, String> {
        let driver = match &config.service {
            Service::Designate(designate) => Driver::Designate(Box::new(Designate::new(designate.clone())?)),
            Service::Rfc2136(rfc2136) => Driver::Rfc2136(Box::new(Rfc2136::new(rfc2136.clone())?)),
        };
        let (_, commits) = store.subscribe();
        let closed = watch::Sender::new(false);
        let wake = Arc::new(Notify::new());
        tokio::spawn(follow(commits, wake.clone(), closed.subscribe()));
        let run = Run { store: store.clone(), config, ml2, driver, journal, failing: BTreeSet::new() };
        let task = tokio::spawn(run.run(wake, closed.subscribe()));
        Ok(Publisher { closed, task })
    }

    /// Ends after the record set that is being set; the rest is published after the next start.
    pub async fn close(self) {
        self.closed.send_replace(true);
        _ = self.task.await;
    }
}

/// Takes commits as they come, however long publishing takes, and wakes the publisher when one concerns it.
async fn follow(mut commits: UnboundedReceiver<Arc<Commit>>, wake: Arc<Notify>, mut closed: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            commit = commits.recv() => match commit {
                Some(commit) if concerns(&commit.change) => wake.notify_one(),
                Some(_) => {}
                None => return,
            },
        }
    }
}

struct Run {
    store: Store,
    config: Config,
    ml2: ml2::Config,
    driver: Driver,
    journal: Journal,
    /// Record sets of which it was said that they cannot be set.
    failing: BTreeSet<Key>,
}

impl Run {
    async fn run(mut self, wake: Arc<Notify>, mut closed: watch::Receiver<bool>) {
        let (shortest, longest) = self.config.back_off;
        let mut pause = shortest;
        loop {
            let again = match self.publish(&closed).await {
                Ok(true) => None,
                Ok(false) => Some(longest),
                Err(reason) => {
                    tracing::warn!(reason, "names cannot be published; trying again");
                    Some(pause)
                }
            };
            pause = if again == Some(pause) { (pause * 2).min(longest) } else { shortest };
            let attempt = async {
                match again {
                    Some(pause) => sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            // Others that come with it go with it.
            let woken = async {
                wake.notified().await;
                sleep(self.config.window).await;
            };
            tokio::select! {
                _ = closed.wait_for(|closed| *closed) => return,
                () = attempt => {}
                () = woken => {}
            }
        }
    }

    /// Sets what is different. True when all is as wanted, false when single record sets cannot be set.
    async fn publish(&mut self, closed: &watch::Receiver<bool>) -> Result<bool, String> {
        let steps = self.journal.steps(&wanted(&self.store.world(), &self.ml2, &self.config));
        if steps.is_empty() {
            return Ok(true);
        }
        self.journal.begin(steps.keys()).map_err(|error| format!("what is published cannot be noted: {error}"))?;
        let (mut outcome, mut failed) = (Ok(()), BTreeSet::new());
        for (key, values) in steps {
            if *closed.borrow() {
                break;
            }
            match self.driver.set(&key, &values).await {
                Ok(()) => self.journal.done(key, values),
                Err(Failure::Record(reason)) => {
                    if !self.failing.contains(&key) {
                        tracing::warn!(name = %key.name, kind = key.kind.as_str(), zone = %key.zone, reason, "a name cannot be published");
                    }
                    failed.insert(key);
                }
                Err(Failure::Service(reason)) => {
                    outcome = Err(reason);
                    break;
                }
            }
        }
        let all = failed.is_empty();
        self.failing = failed;
        self.journal.write().map_err(|error| format!("what is published cannot be noted: {error}"))?;
        outcome.map(|()| all)
    }
}
