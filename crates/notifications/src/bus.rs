//! The queue between requests and the broker.

use crate::{Config, message};
use api::{Audience, Notice};
use auth::Caller;
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Takes what the API tells, and forgets what there is no room for.
#[derive(Debug)]
pub struct Bus {
    waiting: Sender<String>,
    dropped: AtomicU64,
    host: String,
}

impl Bus {
    /// A bus, and the messages that go onto it.
    pub fn new(config: &Config) -> (Bus, Receiver<String>) {
        let (waiting, messages) = channel(config.waiting.max(1));
        (Bus { waiting, dropped: AtomicU64::new(0), host: config.publisher_host.clone() }, messages)
    }

    /// How many messages were dropped since this was asked last.
    pub fn dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl Audience for Bus {
    fn hear(&self, caller: &Caller, notice: Notice<'_>) {
        let Some(event_type) = message::event_type(&notice) else { return };
        // Nothing is written for a queue that is full.
        match self.waiting.try_reserve() {
            Ok(place) => place.send(message::body(caller, &event_type, notice.payload, &self.host, Timestamp::now())),
            Err(_) => {
                if self.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!(event_type, "too many notifications wait for the broker; this one and further ones are dropped");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Phase;
    use serde_json::json;

    #[test]
    fn a_full_queue_holds_nobody_up() {
        let (bus, mut messages) = Bus::new(&Config { waiting: 2, ..Config::default() });
        let tell = |action| bus.hear(&Caller::admin("p"), Notice { resource: "network", action, phase: Phase::End, payload: json!({}) });
        (0..5).for_each(|_| tell("create"));
        tell("add_extraroutes");
        assert_eq!((bus.dropped(), bus.dropped()), (3, 0));
        assert!(messages.try_recv().is_ok() && messages.try_recv().is_ok() && messages.try_recv().is_err());
        tell("create");
        assert!(messages.try_recv().is_ok());
    }
}
