//! A DHCP client (RFC 2131) that asks at short intervals: discover until an offer comes, request until it is acknowledged.

use crate::lab::instance::Instance;
use crate::probe::Tally;
use crate::probe::stamp::receive;
use anyhow::{Context, Result};
use nix::sys::socket::{setsockopt, sockopt};
use std::ffi::OsString;
use std::net::{Ipv4Addr, UdpSocket};

const CLIENT_PORT: u16 = 68;
const SERVER_PORT: u16 = 67;
const BROADCAST_FLAG: u8 = 0x80;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const OPTIONS: usize = 240;
const REQUESTED_ADDRESS: u8 = 50;
const MESSAGE_TYPE: u8 = 53;
const SERVER_ID: u8 = 54;
const END: u8 = 255;
const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const REQUEST: u8 = 3;
const ACK: u8 = 5;

/// One client.
pub struct Dhcp {
    pub(super) socket: UdpSocket,
    mac: [u8; 6],
    offer: Option<(Ipv4Addr, [u8; 4])>,
}

impl Dhcp {
    pub(super) fn open(from: &Instance, mac: [u8; 6]) -> Result<Dhcp> {
        let socket = from.netns.enter(|| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, CLIENT_PORT))?;
            setsockopt(&socket, sockopt::BindToDevice, &OsString::from("eth0")).context("a DHCP client needs the NIC")?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            socket.set_broadcast(true)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        })?;
        Ok(Dhcp { socket, mac, offer: None })
    }

    pub(super) fn send(&self) -> bool {
        let mut message = [0; 300];
        message[..4].copy_from_slice(&[1, 1, 6, 0]);
        message[4..8].copy_from_slice(&self.mac[2..]);
        message[10] = BROADCAST_FLAG;
        message[28..34].copy_from_slice(&self.mac);
        message[236..240].copy_from_slice(&COOKIE);
        let mut options = vec![MESSAGE_TYPE, 1, if self.offer.is_some() { REQUEST } else { DISCOVER }];
        if let Some((address, server)) = self.offer {
            options.extend([REQUESTED_ADDRESS, 4]);
            options.extend(address.octets());
            options.extend([SERVER_ID, 4]);
            options.extend(server);
        }
        options.push(END);
        message[OPTIONS..OPTIONS + options.len()].copy_from_slice(&options);
        self.socket.send_to(&message, (Ipv4Addr::BROADCAST, SERVER_PORT)).is_ok()
    }

    /// Takes answers; true when the next message should go out at once.
    pub(super) fn readable(&mut self, tally: &mut Tally) -> bool {
        let mut buffer = [0; 1500];
        let mut offered = false;
        while let Some((size, at)) = receive(&self.socket, &mut buffer) {
            let message = &buffer[..size];
            if size < OPTIONS || message[4..8] != self.mac[2..] {
                continue;
            }
            let address = Ipv4Addr::new(message[16], message[17], message[18], message[19]);
            match option(message, MESSAGE_TYPE) {
                Some([OFFER]) if self.offer.is_none() => {
                    self.offer = option(message, SERVER_ID).and_then(|id| id.try_into().ok()).map(|server| (address, server));
                    offered = self.offer.is_some();
                }
                Some([ACK]) => {
                    tally.arrived(tally.base, at);
                    tally.lease = Some(address);
                }
                _ => {}
            }
        }
        offered
    }
}

fn option(message: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = message.get(OPTIONS..)?;
    loop {
        match rest {
            [0, tail @ ..] => rest = tail,
            [END, ..] | [] | [_] => return None,
            [kind, length, tail @ ..] => {
                let length = usize::from(*length);
                if *kind == wanted {
                    return tail.get(..length);
                }
                rest = tail.get(length..)?;
            }
        }
    }
}
