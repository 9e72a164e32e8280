//! TCP: attempts to connect until one succeeds, then a stream of octets over that connection.

use crate::lab::instance::Instance;
use crate::lab::namespace::Netns;
use crate::probe::Tally;
use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Instant;

/// Closing ends a connection at once: one that waits for acknowledgements would keep its namespace.
const ABORT: libc::linger = libc::linger { l_onoff: 1, l_linger: 0 };

/// Connections from one instance to a listener in another.
pub struct Tcp {
    from: Netns,
    to: SocketAddrV4,
    pub(super) listener: TcpListener,
    /// The attempt that is under way, or the connection.
    pub(super) client: Option<TcpStream>,
    connected: bool,
    /// The listener's end.
    pub(super) accepted: Option<TcpStream>,
    /// Number of the next arrival.
    pub(super) arrivals: u64,
}

impl Tcp {
    pub(super) fn open(from: &Instance, to: &Instance, address: Ipv4Addr, port: u16) -> Result<Tcp> {
        let listener = to.netns.enter(|| Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?))?;
        listener.set_nonblocking(true)?;
        let from = from.netns.enter(|| Netns::at("/proc/thread-self/ns/net".as_ref()))?;
        let to = SocketAddrV4::new(address, port);
        Ok(Tcp { from, to, listener, client: None, connected: false, accepted: None, arrivals: 0 })
    }

    /// Sends over the connection, or begins a new attempt in place of the last. True when the packet was handed over;
    /// the second value says that `client` is new.
    pub(super) fn send(&mut self, counter: u64) -> (bool, bool) {
        if let Some(client) = self.client.as_mut().filter(|_| self.connected) {
            match client.write(&counter.to_ne_bytes()) {
                Ok(_) => return (true, false),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return (false, false),
                Err(_) => self.disconnect(),
            }
        }
        self.client = self.attempt().ok();
        (self.client.is_some(), self.client.is_some())
    }

    /// The calling thread stays in the namespace: it has no other use for its own.
    fn attempt(&self) -> Result<TcpStream> {
        setns(&self.from, CloneFlags::CLONE_NEWNET).context("enter a network namespace")?;
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        setsockopt(&socket, sockopt::Linger, &ABORT)?;
        setsockopt(&socket, sockopt::TcpNoDelay, &true)?;
        match connect(socket.as_raw_fd(), &SockaddrIn::from(self.to)) {
            Ok(()) | Err(nix::Error::EINPROGRESS) => Ok(socket.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The attempt ended: a connection is an arrival.
    pub(super) fn writable(&mut self, tally: &mut Tally) {
        let Some(client) = &self.client else { return };
        if !self.connected && matches!(client.take_error(), Ok(None)) && client.peer_addr().is_ok() {
            self.connected = true;
            self.arrive(tally);
        }
    }

    fn arrive(&mut self, tally: &mut Tally) {
        tally.arrived(self.arrivals, Instant::now());
        self.arrivals += 1;
    }

    /// Takes a connection; true when there is a new one.
    pub(super) fn acceptable(&mut self) -> bool {
        let mut new = false;
        while let Ok((stream, _)) = self.listener.accept() {
            new = stream.set_nonblocking(true).is_ok() && setsockopt(&stream, sockopt::Linger, &ABORT).is_ok();
            self.accepted = Some(stream);
        }
        new
    }

    pub(super) fn readable(&mut self, tally: &mut Tally) {
        let Some(stream) = &mut self.accepted else { return };
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(1..) => self.arrive(tally),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            _ => self.accepted = None,
        }
    }

    /// Gives up the connection.
    pub(super) fn disconnect(&mut self) {
        self.client = None;
        self.accepted = None;
        self.connected = false;
    }
}
