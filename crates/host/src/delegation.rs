//! Prefix delegation (RFC 8415): asks servers on routers' external networks for prefixes, keeps them while they are wanted, and gives them
//! back. One thread serves all routers of the host, with a socket on the link of each.
//!
//! Nothing is kept here: who a client is follows from its router and subnet, and the prefix that a subnet has is told with it. Another
//! process, or another host that carries the router later, goes on where the last one stopped.

mod client;
mod message;
#[cfg(test)]
mod tests;

use agent::{Delegation, Event, Events};
use client::{Client, Outcome};
use dataplane::{Name, Netns};
use ipnet::IpNet;
use message::Answer;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::BindToDevice;
use smol_str::format_smolstr;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

const CLIENT_PORT: u16 = 546;
const SERVER_PORT: u16 = 547;
/// All servers and relays of a link.
const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// The pause before a link that cannot be used is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// The type of identities that are UUIDs (RFC 6355).
const DUID_UUID: u16 = 4;

enum Command {
    Want(BTreeSet<Delegation>),
    GiveBack(Vec<Delegation>),
}

/// Where what is wanted is left.
#[derive(Debug, Default)]
pub struct Delegations {
    events: Option<Events>,
    thread: Option<(Sender<Command>, Arc<EventFd>)>,
}

impl Delegations {
    /// Whom to tell of prefixes.
    pub fn listen(&mut self, events: Events) {
        self.events = Some(events);
    }

    /// Exactly these are wanted from now on.
    pub(crate) fn want(&mut self, wanted: &BTreeSet<Delegation>) -> io::Result<()> {
        if wanted.is_empty() && self.thread.is_none() {
            return Ok(());
        }
        self.tell(Command::Want(wanted.clone()))
    }

    /// The prefixes of these are given back, now, while their links are there.
    pub(crate) fn give_back(&mut self, ended: &[Delegation]) -> io::Result<()> {
        if self.thread.is_none() { Ok(()) } else { self.tell(Command::GiveBack(ended.to_vec())) }
    }

    fn tell(&mut self, command: Command) -> io::Result<()> {
        let Some(events) = &self.events else { return Ok(()) };
        let (sender, wake) = match self.thread.take() {
            Some(thread) => thread,
            None => {
                let (sender, receiver) = mpsc::channel();
                let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
                let mut thread = Thread { events: events.clone(), clients: BTreeMap::new(), sockets: BTreeMap::new() };
                let awake = wake.clone();
                std::thread::Builder::new().name("delegations".to_owned()).spawn(move || thread.run(&receiver, &awake))?;
                (sender, wake)
            }
        };
        // It ends with the last sender only.
        _ = sender.send(command);
        wake.write(1)?;
        self.thread = Some((sender, wake));
        Ok(())
    }
}

impl Drop for Delegations {
    fn drop(&mut self) {
        if let Some((sender, wake)) = self.thread.take() {
            drop(sender);
            // It would find out with the next packet.
            _ = wake.write(1);
        }
    }
}

type Place = (Netns, Name);

/// What tells clients apart: what is known of their prefixes changes.
type Key = (Place, u32);

fn key(delegation: &Delegation) -> Key {
    ((delegation.netns.clone(), delegation.link.clone()), delegation.iaid())
}

struct Thread {
    events: Events,
    clients: BTreeMap<Key, (Delegation, Client)>,
    sockets: BTreeMap<Place, Port>,
}

/// A socket on a link, or when to try again to have one.
enum Port {
    Open(UdpSocket, u32),
    Closed(Instant),
}

impl Thread {
    fn run(&mut self, commands: &Receiver<Command>, wake: &EventFd) {
        loop {
            loop {
                match commands.try_recv() {
                    Ok(command) => self.take(command),
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
            self.turn(Instant::now());
            self.wait(wake);
            // Only that it was said counts.
            _ = wake.read();
            self.receive();
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Want(wanted) => {
                let wanted: BTreeMap<Key, Delegation> = wanted.into_iter().map(|delegation| (key(&delegation), delegation)).collect();
                self.clients.retain(|key, _| wanted.contains_key(key));
                let now = Instant::now();
                for (key, delegation) in wanted {
                    let identity = [&DUID_UUID.to_be_bytes()[..], delegation.router.0.as_bytes()].concat();
                    let known = delegation.known.and_then(|known| if let IpNet::V6(known) = known { Some(known) } else { None });
                    let client = || Client::new(identity, delegation.iaid(), known, now);
                    self.clients.entry(key).or_insert_with(|| (delegation.clone(), client()));
                }
                let used: BTreeSet<&Place> = self.clients.keys().map(|(place, _)| place).collect();
                self.sockets.retain(|place, _| used.contains(place));
            }
            Command::GiveBack(ended) => {
                for key in ended.iter().map(key) {
                    if let Some((delegation, client)) = self.clients.remove(&key)
                        && let Some(message) = client.release()
                    {
                        tracing::info!(subnet = %delegation.subnet, "giving the prefix back");
                        self.send(&key.0, &message);
                    }
                }
            }
        }
    }

    fn turn(&mut self, now: Instant) {
        let due: Vec<Key> = self.clients.iter().filter(|(_, (_, client))| client.due() <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            // What is not sent does not count: the link may come a moment later.
            if !self.is_open(&key.0, now) {
                continue;
            }
            let Some((_, client)) = self.clients.get_mut(&key) else { continue };
            let (message, outcome) = client.turn(now);
            if let Some(message) = message {
                self.send(&key.0, &message);
            }
            self.tell(&key, outcome);
        }
    }

    fn is_open(&mut self, place: &Place, now: Instant) -> bool {
        let port = self.sockets.entry(place.clone()).or_insert(Port::Closed(now));
        if let Port::Closed(until) = port
            && *until <= now
        {
            *port = open(place).map_or_else(
                |error| {
                    tracing::debug!(netns = %place.0, link = %place.1, %error, "no prefixes can be asked for yet");
                    Port::Closed(now + AGAIN)
                },
                |(socket, index)| Port::Open(socket, index),
            );
        }
        matches!(port, Port::Open(..))
    }

    fn send(&mut self, place: &Place, message: &[u8]) {
        let Some(Port::Open(socket, index)) = self.sockets.get(place) else { return };
        if let Err(error) = socket.send_to(message, SocketAddrV6::new(SERVERS, SERVER_PORT, 0, *index)) {
            tracing::debug!(netns = %place.0, link = %place.1, %error, "cannot ask for a prefix");
            // The link may be another one of that name.
            self.sockets.insert(place.clone(), Port::Closed(Instant::now() + AGAIN));
        }
    }

    fn tell(&self, key: &Key, outcome: Option<Outcome>) {
        let (Some(outcome), Some((delegation, _))) = (outcome, self.clients.get(key)) else { return };
        let (router, subnet) = (delegation.router, delegation.subnet);
        let in_vain = |reason: &str| Event::NotDelegated { router, subnet, reason: format_smolstr!("{reason} on {}", delegation.link) };
        let event = match outcome {
            Outcome::Delegated(prefix) => Event::Delegated { router, subnet, prefix: Some(IpNet::V6(prefix)) },
            Outcome::Lost => Event::Delegated { router, subnet, prefix: None },
            Outcome::Unanswered => in_vain("no server answers"),
            Outcome::Refused => in_vain("the servers have none to give"),
        };
        // An agent that has ended needs no telling.
        _ = self.events.send(event);
    }

    /// Waits for a packet, a command, or until somebody is due.
    fn wait(&self, wake: &EventFd) {
        let now = Instant::now();
        let due = |(key, (_, client)): (&Key, &(Delegation, Client))| match self.sockets.get(&key.0) {
            Some(Port::Closed(until)) => client.due().max(*until),
            _ => client.due(),
        };
        let next = self.clients.iter().map(due).min();
        let patience = next.map_or(PollTimeout::NONE, |next| {
            let millis = next.saturating_duration_since(now).as_millis() + 1;
            PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
        });
        let mut waiting = vec![PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
        for port in self.sockets.values() {
            if let Port::Open(socket, _) = port {
                waiting.push(PollFd::new(socket.as_fd(), PollFlags::POLLIN));
            }
        }
        // An interruption is a turn early.
        _ = poll(&mut waiting, patience);
    }

    fn receive(&mut self) {
        let mut heard = Vec::new();
        let mut buffer = [0; 1500];
        for (place, port) in &mut self.sockets {
            let Port::Open(socket, _) = port else { continue };
            loop {
                match socket.recv(&mut buffer) {
                    Ok(length) => heard.extend(Answer::decode(&buffer[..length]).map(|answer| (place.clone(), answer))),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => {
                        *port = Port::Closed(Instant::now() + AGAIN);
                        break;
                    }
                }
            }
        }
        for (place, answer) in heard {
            let keys: Vec<Key> = self.clients.keys().filter(|(at, _)| *at == place).cloned().collect();
            for key in keys {
                let outcome = self.clients.get_mut(&key).and_then(|(_, client)| client.hear(&answer, Instant::now()));
                self.tell(&key, outcome);
            }
        }
    }
}

/// A socket on a link, and the link's number.
fn open((netns, link): &Place) -> io::Result<(UdpSocket, u32)> {
    let opened = crate::netns::run(netns, || {
        let index = nix::net::if_::if_nametoindex(link.as_str())?;
        let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, CLIENT_PORT))?;
        setsockopt(&socket, BindToDevice, &OsString::from(link.as_str()))?;
        socket.set_nonblocking(true)?;
        Ok((socket, index))
    });
    opened.map_err(io::Error::other)?
}
