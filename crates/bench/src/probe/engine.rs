//! The thread that sends and receives for all probes.

use crate::probe::{Pace, Probe, ProbeId, Tally};
use anyhow::{Context, Result};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const WAKE: u64 = u64::MAX;
const TICK: u64 = u64::MAX - 1;
const TICK_US: i64 = 500;
/// Which of a probe's sockets an event is of: the token is the probe's id times four plus this.
const MAIN: u64 = 0;
const CLIENT: u64 = 1;
const ACCEPTED: u64 = 2;

enum Command {
    Add(ProbeId, Probe),
    Start(Vec<ProbeId>, Pace),
    Stop(Vec<ProbeId>),
    Disconnect(Vec<ProbeId>),
    Remove(Vec<ProbeId>),
    Exit,
}

#[derive(Default)]
struct Shared {
    tallies: Mutex<BTreeMap<ProbeId, Tally>>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ProbeId, Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running engine; ends with this value.
pub struct Engine {
    commands: Sender<(Command, Sender<Result<()>>)>,
    wake: Arc<EventFd>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    next: ProbeId,
}

impl Engine {
    /// Starts the thread.
    pub fn start_thread() -> Result<Engine> {
        let (commands, receiver) = channel();
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let shared = Arc::new(Shared::default());
        let mut worker = Worker::new(receiver, wake.clone(), shared.clone())?;
        let thread = std::thread::Builder::new().name("probes".to_owned()).spawn(move || worker.run())?;
        Ok(Engine { commands, wake, shared, thread: Some(thread), next: 0 })
    }

    fn tell(&self, command: Command) -> Result<()> {
        let (answer, answered) = channel();
        self.commands.send((command, answer)).ok().context("the probe thread has ended")?;
        self.wake.write(1)?;
        answered.recv().context("the probe thread has ended")?
    }

    /// Takes a probe; it is silent until it is started.
    pub fn add(&mut self, probe: Probe) -> Result<ProbeId> {
        self.next += 1;
        self.tell(Command::Add(self.next, probe))?;
        Ok(self.next)
    }

    /// Clears the tallies of the probes and begins to send, evenly spread over the interval.
    pub fn start(&self, probes: &[ProbeId], pace: Pace) -> Result<()> {
        self.tell(Command::Start(probes.to_vec(), pace))
    }

    /// Ends sending; what is under way is still counted.
    pub fn stop(&self, probes: &[ProbeId]) -> Result<()> {
        self.tell(Command::Stop(probes.to_vec()))
    }

    /// Gives up the connections of TCP probes.
    pub fn disconnect(&self, probes: &[ProbeId]) -> Result<()> {
        self.tell(Command::Disconnect(probes.to_vec()))
    }

    /// Closes the probes' sockets and forgets their tallies.
    pub fn remove(&self, probes: &[ProbeId]) -> Result<()> {
        self.tell(Command::Remove(probes.to_vec()))
    }

    /// The tallies of the probes, in order.
    pub fn tallies(&self, probes: &[ProbeId]) -> Vec<Tally> {
        let tallies = self.shared.lock();
        probes.iter().map(|probe| tallies.get(probe).cloned().unwrap_or_default()).collect()
    }

    /// Waits until each probe had an arrival; the time of the last one's first, or `None` after `within`.
    pub fn all_arrived(&self, probes: &[ProbeId], within: Duration) -> Option<Instant> {
        let end = Instant::now() + within;
        let mut tallies = self.shared.lock();
        loop {
            let firsts = probes.iter().map(|probe| tallies.get(probe).and_then(|tally| tally.first));
            if let Some(firsts) = firsts.collect::<Option<Vec<_>>>() {
                return firsts.into_iter().max();
            }
            let left = end.checked_duration_since(Instant::now())?;
            tallies = self.shared.changed.wait_timeout(tallies, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until nothing has arrived for `quiet`; the last arrival (`None` inside: there was none), or `None` after `within`.
    pub fn all_silent(&self, probes: &[ProbeId], since: Instant, quiet: Duration, within: Duration) -> Option<Option<Instant>> {
        let end = Instant::now() + within;
        loop {
            let last = self.tallies(probes).iter().filter_map(|tally| tally.last).max();
            let silent_at = last.unwrap_or(since).max(since) + quiet;
            let now = Instant::now();
            if now >= silent_at {
                return Some(last);
            }
            if now >= end {
                return None;
            }
            std::thread::sleep(silent_at - now);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // An error means that the thread has ended already.
        let _ended = self.tell(Command::Exit);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

struct Running {
    pace: Pace,
    due: Instant,
}

struct Worker {
    commands: Receiver<(Command, Sender<Result<()>>)>,
    wake: Arc<EventFd>,
    shared: Arc<Shared>,
    epoll: Epoll,
    timer: TimerFd,
    probes: BTreeMap<ProbeId, (Probe, u64)>,
    running: BTreeMap<ProbeId, Running>,
}

impl Worker {
    fn new(commands: Receiver<(Command, Sender<Result<()>>)>, wake: Arc<EventFd>, shared: Arc<Shared>) -> Result<Worker> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        epoll.add(&*wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TICK))?;
        Ok(Worker { commands, wake, shared, epoll, timer, probes: BTreeMap::new(), running: BTreeMap::new() })
    }

    fn run(&mut self) {
        let mut events = [EpollEvent::empty(); 64];
        loop {
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(count) => count,
                Err(nix::Error::EINTR) => 0,
                Err(error) => panic!("epoll: {error}"),
            };
            // Arrivals first: sending takes time.
            for event in events[..count].iter().filter(|event| event.data() < TICK) {
                self.arrival(event.data());
            }
            for event in &events[..count] {
                match event.data() {
                    TICK => self.tick(),
                    WAKE if self.commands() => return,
                    _ => {}
                }
            }
        }
    }

    fn commands(&mut self) -> bool {
        // Nothing to read means that an earlier wake covered it.
        let _nothing = self.wake.read();
        while let Ok((command, answer)) = self.commands.try_recv() {
            if matches!(command, Command::Exit) {
                return true;
            }
            // The asker may have gone.
            let _gone = answer.send(self.carry_out(command));
        }
        false
    }

    fn carry_out(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Add(id, probe) => {
                let listen = |socket: &dyn AsFd| self.epoll.add(socket.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, id as u64 * 4 + MAIN));
                match &probe {
                    Probe::Echo(echo) => listen(&echo.socket),
                    Probe::Udp(udp) => listen(&udp.receiver),
                    Probe::Tcp(tcp) => listen(&tcp.listener),
                    Probe::Dhcp(dhcp) => listen(&dhcp.socket),
                }?;
                self.shared.lock().insert(id, Tally::default());
                self.probes.insert(id, (probe, 0));
            }
            Command::Start(ids, pace) => self.start(&ids, pace),
            Command::Stop(ids) => self.running.retain(|id, _| !ids.contains(id)),
            Command::Disconnect(ids) => {
                for id in ids {
                    if let Some((Probe::Tcp(tcp), _)) = self.probes.get_mut(&id) {
                        tcp.disconnect();
                    }
                }
            }
            Command::Remove(ids) => {
                let mut tallies = self.shared.lock();
                for id in ids {
                    self.running.remove(&id);
                    self.probes.remove(&id);
                    tallies.remove(&id);
                }
            }
            Command::Exit => {}
        }
        self.arm()
    }

    fn start(&mut self, ids: &[ProbeId], pace: Pace) {
        let now = Instant::now();
        let mut tallies = self.shared.lock();
        for (at, id) in ids.iter().enumerate() {
            if let Some((probe, counter)) = self.probes.get_mut(id) {
                if let Probe::Tcp(tcp) = probe {
                    tcp.arrivals = *counter;
                }
                tallies.insert(*id, Tally { base: *counter, ..Tally::default() });
                let phase = pace.interval.mul_f64(at as f64 / ids.len() as f64);
                self.running.insert(*id, Running { pace, due: now + phase });
            }
        }
    }

    /// The timer runs while somebody sends.
    fn arm(&self) -> Result<()> {
        if self.running.is_empty() {
            self.timer.unset()?;
        } else {
            let every = Expiration::Interval(TimeSpec::microseconds(TICK_US));
            self.timer.set(every, TimerSetTimeFlags::empty())?;
        }
        Ok(())
    }

    fn tick(&mut self) {
        // Ticks that were missed are made up for by due times.
        let _missed = self.timer.wait();
        let mut sent = Vec::new();
        for (id, running) in &mut self.running {
            let now = Instant::now();
            if running.due > now {
                continue;
            }
            running.due += running.pace.interval;
            if running.due < now {
                running.due = now + running.pace.interval;
            }
            let Some((probe, counter)) = self.probes.get_mut(id) else { continue };
            if send(&self.epoll, *id, probe, *counter) {
                *counter += 1;
                sent.push(*id);
            }
        }
        let mut tallies = self.shared.lock();
        for id in sent {
            if let Some(tally) = tallies.get_mut(&id) {
                tally.sent += 1;
            }
        }
    }

    fn arrival(&mut self, token: u64) {
        let (id, socket) = ((token / 4) as ProbeId, token % 4);
        let mut tallies = self.shared.lock();
        let (Some((probe, counter)), Some(tally)) = (self.probes.get_mut(&id), tallies.get_mut(&id)) else { return };
        match probe {
            Probe::Echo(echo) => echo.readable(tally),
            Probe::Udp(udp) => udp.readable(tally),
            Probe::Dhcp(dhcp) => {
                if dhcp.readable(tally) && send(&self.epoll, id, probe, *counter) {
                    tally.sent += 1;
                }
            }
            Probe::Tcp(tcp) => match socket {
                CLIENT => tcp.writable(tally),
                ACCEPTED => tcp.readable(tally),
                _ => {
                    if tcp.acceptable()
                        && let Some(stream) = &tcp.accepted
                    {
                        // It fails only when memory is short; the probe then sees no arrivals.
                        let _unwatched = self.epoll.add(stream, EpollEvent::new(EpollFlags::EPOLLIN, id as u64 * 4 + ACCEPTED));
                    }
                }
            },
        }
        if tally.first.is_some() {
            if self.running.get(&id).is_some_and(|running| running.pace.until_first) {
                self.running.remove(&id);
            }
            self.shared.changed.notify_all();
        }
    }
}

fn send(epoll: &Epoll, id: ProbeId, probe: &mut Probe, counter: u64) -> bool {
    match probe {
        Probe::Echo(echo) => echo.send(counter),
        Probe::Udp(udp) => udp.send(counter),
        Probe::Dhcp(dhcp) => dhcp.send(),
        Probe::Tcp(tcp) => {
            let (sent, new) = tcp.send(counter);
            if let Some(client) = tcp.client.as_ref().filter(|_| new) {
                let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLONESHOT;
                // As above: unwatched, it counts as not connected.
                let _unwatched = epoll.add(client, EpollEvent::new(flags, id as u64 * 4 + CLIENT));
            }
            sent
        }
    }
}
