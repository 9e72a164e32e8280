//! ICMP echo by ping sockets: the kernel keeps identifiers apart.

use crate::lab::instance::Instance;
use crate::probe::Tally;
use crate::probe::stamp::receive;
use anyhow::{Context, Result};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, setsockopt, socket, sockopt};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

const ECHO: u8 = 8;
const HEADER: usize = 8;

/// Echo requests from one instance to an address.
pub struct Echo {
    pub(super) socket: OwnedFd,
    to: SockaddrIn,
}

impl Echo {
    pub(super) fn open(from: &Instance, to: Ipv4Addr) -> Result<Echo> {
        let socket = from.netns.enter(|| {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let socket = socket(AddressFamily::Inet, SockType::Datagram, flags, SockProtocol::Icmp).context("ping socket")?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            Ok(socket)
        })?;
        Ok(Echo { socket, to: SocketAddrV4::new(to, 0).into() })
    }

    /// True when the packet was handed over.
    pub(super) fn send(&self, counter: u64) -> bool {
        let mut packet = [0; HEADER + 56];
        packet[0] = ECHO;
        packet[6..8].copy_from_slice(&(counter as u16).to_be_bytes());
        packet[HEADER..HEADER + 8].copy_from_slice(&counter.to_ne_bytes());
        sendto(self.socket.as_raw_fd(), &packet, &self.to, MsgFlags::empty()).is_ok()
    }

    pub(super) fn readable(&self, tally: &mut Tally) {
        let mut buffer = [0; 256];
        while let Some((size, at)) = receive(&self.socket, &mut buffer) {
            if let Some(Ok(counter)) = buffer[..size].get(HEADER..HEADER + 8).map(<[u8; 8]>::try_from) {
                tally.arrived(u64::from_ne_bytes(counter), at);
            }
        }
    }
}
