//! Connections the kernel tracks: listing them and cutting them, over netlink.

use crate::link::ip;
use crate::netlink::{self, ACK, DUMP, Message, Refusal, Socket};
use crate::{Error, netns};
use dataplane::Netns;
use ipnet::IpNet;
use std::net::IpAddr;

const SUBSYSTEM: u16 = 1;
const NEW: u16 = 0;
const GET: u16 = 1;
const DELETE: u16 = 2;
const TUPLE_ORIG: u16 = 1;
const TUPLE_REPLY: u16 = 2;
const MARK: u16 = 8;
const ID: u16 = 12;
const ZONE: u16 = 18;
const TUPLE_IP: u16 = 1;
const TUPLE_PROTO: u16 = 2;
const PROTO_NUM: u16 = 1;
const PROTO_SRC: u16 = 2;
const PROTO_DST: u16 = 3;

/// One direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tuple {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// Sender's port; 0 for protocols without.
    pub source_port: u16,
    /// Receiver's port; 0 for protocols without.
    pub destination_port: u16,
}

/// A tracked connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Conntrack zone; 0 is the default.
    pub zone: u16,
    /// Connection mark.
    pub mark: u32,
    /// The direction of the first packet.
    pub original: Tuple,
    /// The direction of answers.
    pub reply: Tuple,
    raw: Raw,
}

/// What names the connection to the kernel, as it sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Raw {
    family: u8,
    original: Vec<u8>,
    id: Option<Vec<u8>>,
}

/// Which connections: those that agree with all that is given, in the direction of their first packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The conntrack zone.
    pub zone: Option<u16>,
    /// The sender's addresses.
    pub source: Option<IpNet>,
    /// The receiver's addresses.
    pub destination: Option<IpNet>,
    /// Whom answers go to: the sender as the receiver sees it, after translation.
    pub reply_destination: Option<IpNet>,
    /// IP protocol number.
    pub protocol: Option<u8>,
    /// Sender's ports, both bounds included.
    pub source_ports: Option<(u16, u16)>,
    /// Receiver's ports, both bounds included.
    pub destination_ports: Option<(u16, u16)>,
    /// `(mark & mask) == value`.
    pub mark: Option<(u32, u32)>,
}

impl Filter {
    /// True when a connection agrees with all that is given.
    pub fn matches(&self, connection: &Connection) -> bool {
        let Tuple { source, destination, protocol, source_port, destination_port } = connection.original;
        let within = |range: (u16, u16), port| (range.0..=range.1).contains(&port);
        self.zone.is_none_or(|zone| zone == connection.zone)
            && self.source.is_none_or(|net| net.contains(&source))
            && self.destination.is_none_or(|net| net.contains(&destination))
            && self.reply_destination.is_none_or(|net| net.contains(&connection.reply.destination))
            && self.protocol.is_none_or(|wanted| wanted == protocol)
            && self.source_ports.is_none_or(|range| within(range, source_port))
            && self.destination_ports.is_none_or(|range| within(range, destination_port))
            && self.mark.is_none_or(|(value, mask)| connection.mark & mask == value)
    }
}

/// The connection tracking of one namespace.
#[derive(Debug)]
pub struct Conntrack {
    socket: Socket,
}

impl Conntrack {
    /// Opens that of a namespace.
    pub fn open(netns: &Netns) -> Result<Conntrack, Error> {
        let socket = netns::run(netns, || Socket::open(libc::NETLINK_NETFILTER))?;
        let socket = socket.map_err(|error| Error::io("open conntrack of", netns, error))?;
        Ok(Conntrack { socket })
    }

    /// The connections that agree with any of the filters.
    pub fn list(&mut self, filters: &[Filter]) -> Result<Vec<Connection>, Error> {
        let mut found: Vec<Connection> = Vec::new();
        let message = message(GET, DUMP, libc::AF_UNSPEC as u8);
        let dumped = self.socket.query(message, |_, payload| {
            found.extend(parse(payload).filter(|connection| filters.iter().any(|filter| filter.matches(connection))));
        });
        // A table that changed while it was read gives what it had at each place: enough to cut what is seen.
        match dumped {
            Err(refusal) if refusal.errno != libc::EINTR => Err(fault("list", refusal)),
            _ => Ok(found),
        }
    }

    /// Forgets the connections that agree with any of the filters; their next packets are tracked anew. Answers how many.
    pub fn cut(&mut self, filters: &[Filter]) -> Result<usize, Error> {
        self.change(filters, "cut", |connection| naming(DELETE, connection))
    }

    /// Gives the connections that agree with any of the filters this mark. Answers how many.
    pub fn mark(&mut self, filters: &[Filter], mark: u32) -> Result<usize, Error> {
        self.change(filters, "mark", |connection| {
            let mut message = naming(NEW, connection);
            message.be32(MARK, mark);
            message
        })
    }

    fn change(&mut self, filters: &[Filter], op: &'static str, message: impl Fn(&Connection) -> Message) -> Result<usize, Error> {
        let found = self.list(filters)?;
        let mut messages: Vec<Message> = found.iter().map(message).collect();
        let answers = self.socket.batch(&mut messages).map_err(|error| Error::io(op, "connections", error))?;
        let mut changed = 0;
        for answer in answers {
            match answer {
                Ok(()) => changed += 1,
                // It ended by itself meanwhile.
                Err(refusal) if refusal.errno == libc::ENOENT => {}
                Err(refusal) => return Err(fault(op, refusal)),
            }
        }
        Ok(changed)
    }
}

fn fault(op: &'static str, refusal: Refusal) -> Error {
    Error::new(op, "connections", refusal.into())
}

fn message(kind: u16, flags: u16, family: u8) -> Message {
    Message::new(SUBSYSTEM << 8 | kind, flags).raw(&[family, 0, 0, 0])
}

/// A message about one connection.
fn naming(kind: u16, connection: &Connection) -> Message {
    let mut message = message(kind, ACK, connection.raw.family);
    // The nested attribute is passed back as it came.
    message.put(TUPLE_ORIG | 0x8000, &connection.raw.original);
    if let Some(id) = &connection.raw.id {
        message.put(ID, id);
    }
    if connection.zone != 0 {
        message.be16(ZONE, connection.zone);
    }
    message
}

fn parse(payload: &[u8]) -> Option<Connection> {
    let family = *payload.first()?;
    let (mut original, mut reply, mut mark, mut zone, mut id) = (None, None, 0, 0, None);
    for (kind, value) in netlink::attributes(payload.get(4..)?) {
        match kind {
            TUPLE_ORIG => original = Some(value),
            TUPLE_REPLY => reply = tuple(value),
            MARK => mark = netlink::be32(value),
            ZONE => zone = netlink::be16(value),
            ID => id = Some(value.to_vec()),
            _ => {}
        }
    }
    let original = original?;
    let raw = Raw { family, original: original.to_vec(), id };
    Some(Connection { zone, mark, original: tuple(original)?, reply: reply?, raw })
}

fn tuple(value: &[u8]) -> Option<Tuple> {
    let addresses = netlink::attribute(value, TUPLE_IP)?;
    // 1 and 2 are the IPv4 sender and receiver, 3 and 4 the IPv6 ones.
    let address = |v4, v6| netlink::attribute(addresses, v4).or_else(|| netlink::attribute(addresses, v6)).and_then(ip);
    let protocol = netlink::attribute(value, TUPLE_PROTO)?;
    let port = |kind| netlink::attribute(protocol, kind).map_or(0, netlink::be16);
    Some(Tuple {
        source: address(1, 3)?,
        destination: address(2, 4)?,
        protocol: netlink::attribute(protocol, PROTO_NUM)?.first().copied()?,
        source_port: port(PROTO_SRC),
        destination_port: port(PROTO_DST),
    })
}
