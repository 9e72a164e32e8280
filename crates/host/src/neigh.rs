//! Forwarding entries of VXLAN links and bridges, permanent neighbours and neighbour proxies, over rtnetlink.

use crate::link::{family, ip, octets};
use crate::netlink::{self, APPEND, CREATE, DUMP, Message, REPLACE, Refusal, Socket};
use dataplane::{FdbEntry, Neighbour, NeighbourProxy};
use net::{Family, Mac};
use std::net::{IpAddr, Ipv6Addr};

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_MASTER: u16 = 9;
const NTF_SELF: u8 = 2;
const NTF_MASTER: u8 = 4;
const NTF_PROXY: u8 = 8;
const PERMANENT: u16 = 0x80;
const NOARP: u16 = 0x40;

fn header(family: i32, index: u32, state: u16, flags: u8) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[0] = family as u8;
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..10].copy_from_slice(&state.to_ne_bytes());
    bytes[10] = flags;
    bytes
}

fn fdb(kind: u16, flags: u16, entry: &FdbEntry, index: u32) -> Message {
    let mut message = Message::new(kind, flags).raw(&header(libc::AF_BRIDGE, index, NOARP | PERMANENT, NTF_SELF));
    message.put(NDA_LLADDR, &entry.mac.0).put(NDA_DST, &octets(entry.remote));
    message
}

/// The message that adds a forwarding entry: replacing that of a MAC, adding to those of the zero MAC.
pub(crate) fn add_fdb(entry: &FdbEntry, index: u32) -> Message {
    fdb(libc::RTM_NEWNEIGH, CREATE | if entry.mac.is_zero() { APPEND } else { REPLACE }, entry, index)
}

/// The message that removes it.
pub(crate) fn remove_fdb(entry: &FdbEntry, index: u32) -> Message {
    fdb(libc::RTM_DELNEIGH, 0, entry, index)
}

/// A static entry of the bridge that the link with this index is a port of. It must be told as what `bridge` calls static: the kernel
/// lets it move when the station appears behind another port.
fn station(kind: u16, flags: u16, mac: Mac, index: u32) -> Message {
    let mut message = Message::new(kind, flags).raw(&header(libc::AF_BRIDGE, index, NOARP, NTF_MASTER));
    message.put(NDA_LLADDR, &mac.0);
    message
}

/// The message that tells a bridge which station is behind its port.
pub(crate) fn set_station(mac: Mac, index: u32) -> Message {
    station(libc::RTM_NEWNEIGH, CREATE | REPLACE, mac, index)
}

/// The message that takes this back.
pub(crate) fn remove_station(mac: Mac, index: u32) -> Message {
    station(libc::RTM_DELNEIGH, 0, mac, index)
}

fn neighbour(kind: u16, flags: u16, entry: &Neighbour, index: u32) -> Message {
    let family = family(Family::of(&entry.address)).into();
    let mut message = Message::new(kind, flags).raw(&header(family, index, PERMANENT, 0));
    message.put(NDA_DST, &octets(entry.address)).put(NDA_LLADDR, &entry.mac.0);
    message
}

/// The message that adds or replaces a neighbour.
pub(crate) fn set(entry: &Neighbour, index: u32) -> Message {
    neighbour(libc::RTM_NEWNEIGH, CREATE | REPLACE, entry, index)
}

/// The message that removes it.
pub(crate) fn remove(entry: &Neighbour, index: u32) -> Message {
    neighbour(libc::RTM_DELNEIGH, 0, entry, index)
}

fn proxy(kind: u16, flags: u16, entry: &NeighbourProxy, index: u32) -> Message {
    let mut message = Message::new(kind, flags).raw(&header(libc::AF_INET6, index, PERMANENT, NTF_PROXY));
    message.put(NDA_DST, &entry.address.octets());
    message
}

/// The message that lets a link answer for an address.
pub(crate) fn add_proxy(entry: &NeighbourProxy, index: u32) -> Message {
    proxy(libc::RTM_NEWNEIGH, CREATE | REPLACE, entry, index)
}

/// The message that takes this back.
pub(crate) fn remove_proxy(entry: &NeighbourProxy, index: u32) -> Message {
    proxy(libc::RTM_DELNEIGH, 0, entry, index)
}

/// The IPv6 addresses for which links of the socket's namespace answer, each with the link's index.
pub(crate) fn dump_proxies(socket: &mut Socket) -> Result<Vec<(u32, Ipv6Addr)>, Refusal> {
    let mut found = Vec::new();
    let query = Message::new(libc::RTM_GETNEIGH, DUMP).raw(&header(libc::AF_INET6, 0, 0, NTF_PROXY));
    socket.query(query, |_, payload| {
        let Some(header) = payload.get(..12).filter(|header| header[10] & NTF_PROXY != 0) else { return };
        if let Some(IpAddr::V6(address)) = netlink::attribute(&payload[12..], NDA_DST).and_then(ip) {
            found.push((netlink::ne32(&header[4..8]), address));
        }
    })?;
    Ok(found)
}

/// An entry as read.
pub(crate) struct Found {
    pub(crate) index: u32,
    pub(crate) mac: Mac,
    pub(crate) address: IpAddr,
}

/// Forwarding entries that somebody configured.
#[derive(Default)]
pub(crate) struct Fdb {
    /// Of VXLAN links.
    pub(crate) remotes: Vec<Found>,
    /// Static entries of bridges: the port's index and the station behind it.
    pub(crate) stations: Vec<(u32, Mac)>,
}

/// The forwarding entries in the socket's namespace.
pub(crate) fn dump_fdb(socket: &mut Socket) -> Result<Fdb, Refusal> {
    let mut fdb = Fdb::default();
    socket.query(Message::new(libc::RTM_GETNEIGH, DUMP).raw(&header(libc::AF_BRIDGE, 0, 0, 0)), |_, payload| {
        fdb.remotes.extend(parse(payload));
        fdb.stations.extend(parse_station(payload));
    })?;
    Ok(fdb)
}

fn parse_station(payload: &[u8]) -> Option<(u32, Mac)> {
    let header = payload.get(..12)?;
    let state = u16::from_ne_bytes([header[8], header[9]]);
    let attributes = &payload[12..];
    netlink::attribute(attributes, NDA_MASTER).filter(|_| state == NOARP && header[10] & NTF_SELF == 0)?;
    let mac = netlink::attribute(attributes, NDA_LLADDR)?.try_into().ok().map(Mac)?;
    Some((netlink::ne32(&header[4..8]), mac))
}

/// Permanent neighbours in the socket's namespace.
pub(crate) fn dump(socket: &mut Socket) -> Result<Vec<Found>, Refusal> {
    let mut found = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        socket.query(Message::new(libc::RTM_GETNEIGH, DUMP).raw(&header(family, 0, 0, 0)), |_, payload| {
            found.extend(parse(payload));
        })?;
    }
    Ok(found)
}

fn parse(payload: &[u8]) -> Option<Found> {
    let header = payload.get(..12)?;
    let state = u16::from_ne_bytes([header[8], header[9]]);
    let attributes = &payload[12..];
    // Entries of the bridge itself name their bridge and have no remote.
    if state & PERMANENT == 0 || netlink::attribute(attributes, NDA_MASTER).is_some_and(|_| header[10] & NTF_SELF == 0) {
        return None;
    }
    let address = netlink::attribute(attributes, NDA_DST).and_then(ip)?;
    let mac = netlink::attribute(attributes, NDA_LLADDR)?.try_into().ok().map(Mac)?;
    Some(Found { index: netlink::ne32(&header[4..8]), mac, address })
}
