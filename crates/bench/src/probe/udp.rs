//! UDP one way: what arrives passed the filter in this direction. The first arrival is answered, so that the flow counts as a
//! connection that is established.

use crate::lab::instance::Instance;
use crate::probe::Tally;
use crate::probe::stamp::receive_from;
use anyhow::Result;
use nix::sys::socket::{MsgFlags, sendto, setsockopt, sockopt};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;

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
        while let Some((size, at, from)) = receive_from(&self.receiver, &mut buffer) {
            if let Some(from) = from.filter(|_| tally.first.is_none()) {
                // Without room for it the flow stays one-way.
                let _unanswered = sendto(self.receiver.as_raw_fd(), &buffer[..size], &from, MsgFlags::empty());
            }
            if let Ok(counter) = <[u8; 8]>::try_from(&buffer[..size]) {
                tally.arrived(u64::from_ne_bytes(counter), at);
            }
        }
    }
}
