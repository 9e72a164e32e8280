//! Connections and datagrams between instances. What is expected to pass has time, for the machine may be busy; what is not gets little.

use super::lab::*;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long is waited for what should not come.
pub const SHORT: Duration = Duration::from_millis(300);

/// A connection, which is waited for.
pub fn connect(from: &str, to: &str) -> Option<TcpStream> {
    within(DEADLINE, from, to)
}

/// A connection comes about.
pub fn connects(from: &str, to: &str) -> bool {
    connect(from, to).is_some()
}

/// No connection comes about.
pub fn closed(from: &str, to: &str) -> bool {
    within(SHORT, from, to).is_none()
}

fn within(time: Duration, from: &str, to: &str) -> Option<TcpStream> {
    let to: SocketAddr = to.parse().expect("an address");
    inside(from, || TcpStream::connect_timeout(&to, time)).ok()
}

/// As whom the listener sees one who connects.
pub fn seen(from: &str, to: &str, listener: &TcpListener) -> Option<String> {
    let stream = connect(from, to)?;
    // Those who gave up before are not it.
    let own = stream.local_addr().expect("connected").port();
    loop {
        let (_, peer) = listener.accept().expect("a connection");
        if peer.port() == own {
            return Some(peer.ip().to_string());
        }
    }
}

pub fn listen(name: &str, address: &str) -> TcpListener {
    inside(name, || TcpListener::bind(address).expect("a socket"))
}

/// Both ends of a connection.
pub struct Open {
    pub client: TcpStream,
    pub server: TcpStream,
}

impl Open {
    /// From an instance to an address at which this listener gets it.
    pub fn new(from: &str, to: &str, listener: &TcpListener) -> Open {
        let client = connect(from, to).unwrap_or_else(|| panic!("{from} connects to {to}"));
        let (server, _) = listener.accept().expect("a connection");
        Open { client, server }
    }

    /// What one end says gets to the other, in both directions.
    pub fn works(&mut self) -> bool {
        passes(&mut self.client, &mut self.server, DEADLINE) && passes(&mut self.server, &mut self.client, DEADLINE)
    }

    /// Nothing gets from the client to the server any more.
    pub fn is_cut(&mut self) -> bool {
        !passes(&mut self.client, &mut self.server, SHORT)
    }
}

fn passes(from: &mut TcpStream, to: &mut TcpStream, time: Duration) -> bool {
    use std::io::{Read, Write};
    to.set_read_timeout(Some(time)).expect("a timeout");
    from.write_all(b"word").is_ok() && to.read(&mut [0; 4]).is_ok_and(|bytes| bytes > 0)
}
