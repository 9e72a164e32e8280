//! The thread that runs an agent: it waits for events and timers, takes all that is there, and turns.

use crate::{Agent, Event, Host};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Instant;

/// Events taken in before a turn at most, so that a flood of them does not put it off for good.
const EVENTS: usize = 10_000;

/// Where events go. Sending never blocks.
#[derive(Clone, Debug)]
pub struct Events(Sender<Event>);

/// The agent has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the agent has ended")]
pub struct Ended;

impl Events {
    /// Tells the agent.
    pub fn send(&self, event: Event) -> Result<(), Ended> {
        self.0.send(event).map_err(|_| Ended)
    }
}

/// A running agent.
#[derive(Debug)]
pub struct Running<H> {
    events: Events,
    thread: JoinHandle<Agent<H>>,
}

impl<H> Running<H> {
    /// Where its events go.
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// Ends it, leaving everything on the host as it is; answers when it has ended.
    pub fn stop(self) -> Agent<H> {
        // An agent that has ended already needs no telling.
        _ = self.events.send(Event::Stop);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<H: Host + 'static> Agent<H> {
    /// Runs it in a thread of its own; `listen` may have the host send events from the start.
    pub fn start(mut self, listen: impl FnOnce(&mut H, Events)) -> std::io::Result<Running<H>> {
        let (sender, receiver) = mpsc::channel();
        listen(self.host(), Events(sender.clone()));
        let thread = std::thread::Builder::new().name("agent".to_owned()).spawn(move || self.run(&receiver))?;
        Ok(Running { events: Events(sender), thread })
    }

    fn run(mut self, events: &Receiver<Event>) -> Agent<H> {
        self.host().thread_started();
        loop {
            let patience = self.next_turn().saturating_duration_since(Instant::now());
            let first = match events.recv_timeout(patience) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return self,
            };
            for event in first.into_iter().chain(events.try_iter()).take(EVENTS) {
                if matches!(event, Event::Stop) {
                    return self;
                }
                self.on(event);
            }
            self.turn(Instant::now());
        }
    }
}
