//! UDP one way: what arrives passed the filter in this direction.

use crate::lab::instance::Instance;
use crate::probe::Tally;
use crate::probe::stamp::receive;
use anyhow::Result;
use nix::sys::socket::{setsockopt, sockopt};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

/// Datagrams from one instance to another, all of one flow.
pub struct Udp {
    sender: UdpSocket,
    pub(super) receiver: UdpSocket,
    to: SocketAddrV4,
}

impl Udp {
    pub(super) fn open(from: &Instance, to: &Instance, address: Ipv4Addr, port: u16) -> Result<Udp> {
        let open = |port: u16| move || Ok(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?);
        let (sender, receiver) = (from.netns.enter(open(0))?, to.netns.enter(open(port))?);
        for socket in [&sender, &receiver] {
            socket.set_nonblocking(true)?;
        }
        setsockopt(&receiver, sockopt::ReceiveTimestampns, &true)?;
        Ok(Udp { sender, receiver, to: SocketAddrV4::new(address, port) })
    }

    pub(super) fn send(&self, counter: u64) -> bool {
        self.sender.send_to(&counter.to_ne_bytes(), self.to).is_ok()
    }

    pub(super) fn readable(&self, tally: &mut Tally) {
        let mut buffer = [0; 64];
        while let Some((size, at)) = receive(&self.receiver, &mut buffer) {
            if let Ok(counter) = <[u8; 8]>::try_from(&buffer[..size]) {
                tally.arrived(u64::from_ne_bytes(counter), at);
            }
        }
    }
}
