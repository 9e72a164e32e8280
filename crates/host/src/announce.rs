//! Telling the neighbours of an address that has come to a link, so that they ask nobody who had it before: gratuitous ARP (RFC
//! 5227, section 3) and unsolicited neighbour advertisements (RFC 4861, section 7.2.6).
//!
//! What is told once may be lost while a bridge port is about to forward, so it is told three times. A thread of its own does that: the
//! kernel takes long to close such sockets, and nobody needs to wait for it. An address that has left meanwhile is not told of.

use crate::netlink::Socket;
use crate::{link, netns, sys};
use dataplane::{Address, Netns};
use net::Mac;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// The pauses after each time.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(1000)];
const NOTHING_TO_DO: Duration = Duration::from_secs(3600);

type Addresses = BTreeMap<Netns, Vec<Address>>;

/// Where announcements are left.
#[derive(Debug, Default)]
pub(crate) struct Announcer(Option<Sender<Addresses>>);

impl Announcer {
    /// Tells of these addresses from now on, in the namespaces of `/run/netns` as the caller sees them.
    pub(crate) fn announce(&mut self, addresses: Addresses) {
        if addresses.is_empty() {
            return;
        }
        let sender = match self.0.take() {
            Some(sender) => sender,
            None => {
                let (sender, receiver) = mpsc::channel();
                let started = std::thread::Builder::new().name("announcer".to_owned()).spawn(move || run(&receiver));
                if let Err(error) = started {
                    tracing::warn!(%error, "cannot announce addresses");
                    return;
                }
                sender
            }
        };
        // The thread ends with the last sender only.
        _ = sender.send(addresses);
        self.0 = Some(sender);
    }
}

/// Addresses to tell of again.
struct Round {
    due: Instant,
    number: usize,
    addresses: Addresses,
}

fn run(receiver: &Receiver<Addresses>) {
    let mut rounds: Vec<Round> = Vec::new();
    loop {
        let now = Instant::now();
        let patience = rounds.iter().map(|round| round.due.saturating_duration_since(now)).min().unwrap_or(NOTHING_TO_DO);
        match receiver.recv_timeout(patience) {
            Ok(addresses) => rounds.push(Round { due: Instant::now(), number: 0, addresses }),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        let due: Vec<Round> = rounds.extract_if(.., |round| round.due <= now).collect();
        for round in due {
            round.addresses.iter().for_each(|(netns, addresses)| tell(netns, addresses));
            if let Some(pause) = PAUSES.get(round.number) {
                rounds.push(Round { due: now + *pause, number: round.number + 1, ..round });
            }
        }
    }
}

/// What cannot be told now is so again, or its link or namespace is gone.
fn tell(netns: &Netns, addresses: &[Address]) {
    match netns::run(netns, || tell_within(addresses)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%netns, %error, "cannot announce addresses"),
        Err(error) => tracing::debug!(%netns, %error, "cannot announce addresses"),
    }
}

fn tell_within(addresses: &[Address]) -> std::io::Result<()> {
    let mut route = Socket::open(libc::NETLINK_ROUTE)?;
    let packets = sys::packet_socket()?;
    let forwards = fs::read_to_string("/proc/sys/net/ipv6/conf/all/forwarding").is_ok_and(|value| value.trim() == "1");
    for address in addresses {
        let ip = address.net.addr();
        let found = link::get(&mut route, &address.link).ok().flatten();
        let Some((found, mac)) = found.and_then(|found| Some((found.index, found.link.mac?))) else { continue };
        // Only an address that is here can be bound to.
        let own = match ip {
            IpAddr::V4(ip) => SocketAddr::from((ip, 0)),
            // A link-local one is one of its link.
            IpAddr::V6(ip) => SocketAddrV6::new(ip, 0, 0, found).into(),
        };
        if UdpSocket::bind(own).is_err() {
            continue;
        }
        let frame = match ip {
            IpAddr::V4(ip) => gratuitous_arp(mac, ip),
            IpAddr::V6(ip) => neighbour_advertisement(mac, ip, forwards),
        };
        if let Err(error) = sys::send_frame(&packets, found, &frame) {
            tracing::debug!(%address, %error, "cannot announce");
        }
    }
    Ok(())
}

/// A request that asks for its own sender, to everybody.
fn gratuitous_arp(mac: Mac, address: Ipv4Addr) -> Vec<u8> {
    let address = address.octets();
    [
        &[0xff; 6][..],
        &mac.0,
        &[0x08, 0x06],
        // Ethernet, IPv4, their lengths; request.
        &[0, 1, 0x08, 0x00, 6, 4, 0, 1],
        &mac.0,
        &address,
        &[0; 6],
        &address,
    ]
    .concat()
}

/// To all nodes of the link.
fn neighbour_advertisement(mac: Mac, address: Ipv6Addr, is_router: bool) -> Vec<u8> {
    const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    const OVERRIDE: u8 = 0x20;
    let flags = OVERRIDE | if is_router { 0x80 } else { 0 };
    let (source, destination) = (address.octets(), ALL_NODES.octets());
    // Type, code, checksum; flags; target; option 2 (target link-layer address) of 8 bytes.
    let mut message = [&[136, 0, 0, 0, flags, 0, 0, 0][..], &source, &[2, 1], &mac.0].concat();
    let length = message.len() as u8;
    let checksum = checksum(&[&source[..], &destination, &[0, 0, 0, length, 0, 0, 0, 58], &message].concat());
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    let header = [&[0x33, 0x33, 0, 0, 0, 1][..], &mac.0, &[0x86, 0xdd], &[0x60, 0, 0, 0, 0, length, 58, 255], &source, &destination];
    [&header.concat()[..], &message].concat()
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Mac = Mac([0xfa, 0x16, 0x3e, 0, 0, 1]);

    #[test]
    fn arp_names_its_sender_twice() {
        let frame = gratuitous_arp(OWN, Ipv4Addr::new(203, 0, 113, 9));
        assert_eq!((frame.len(), &frame[28..32], &frame[38..42]), (42, &[203, 0, 113, 9][..], &[203, 0, 113, 9][..]));
        assert_eq!(&frame[22..28], OWN.0);
    }

    #[test]
    fn the_checksum_of_an_advertisement_holds() {
        let frame = neighbour_advertisement(OWN, "2001:db8::9".parse().unwrap(), true);
        let (header, message) = frame[14..].split_at(40);
        let pseudo = [&header[8..40], &[0, 0, 0, message.len() as u8, 0, 0, 0, 58], message].concat();
        assert_eq!((checksum(&pseudo), header[5] as usize, message[4]), (0, message.len(), 0xa0));
    }
}
