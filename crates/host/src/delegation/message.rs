//! DHCPv6 messages of prefix delegation (RFC 8415, sections 8 and 21). What others send is read with distrust: whatever is not whole is
//! no message.

use ipnet::Ipv6Net;
use std::net::Ipv6Addr;

const CLIENT_ID: u16 = 1;
const SERVER_ID: u16 = 2;
const PREFERENCE: u16 = 7;
const ELAPSED_TIME: u16 = 8;
const STATUS_CODE: u16 = 13;
const RAPID_COMMIT: u16 = 14;
const IA_PD: u16 = 25;
const IA_PREFIX: u16 = 26;

/// The length of the fields before the options, of an IA_PD and of a prefix in it.
const IA_HEAD: usize = 12;
const PREFIX_HEAD: usize = 25;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Solicit = 1,
    Advertise = 2,
    Request = 3,
    Renew = 5,
    Rebind = 6,
    Reply = 7,
    Release = 8,
}

/// A prefix that is asked for or given; lifetimes in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) preferred_s: u32,
    pub(super) valid_s: u32,
    pub(super) net: Ipv6Net,
}

/// An identity association for prefix delegation: what one subnet has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) iaid: u32,
    /// When to ask the server again, and when any server, in seconds; 0: as the client likes.
    pub(super) times_s: (u32, u32),
    pub(super) prefixes: Vec<Prefix>,
    /// 0 is success.
    pub(super) status: u16,
}

/// What a client says.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    pub(super) transaction: [u8; 3],
    pub(super) client: &'a [u8],
    pub(super) server: Option<&'a [u8]>,
    /// Hundredths of a second since the exchange began.
    pub(super) elapsed: u16,
    pub(super) iaid: u32,
    pub(super) prefix: Option<Ipv6Net>,
}

impl Request<'_> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind as u8];
        bytes.extend(self.transaction);
        option(&mut bytes, CLIENT_ID, self.client);
        if let Some(server) = self.server {
            option(&mut bytes, SERVER_ID, server);
        }
        option(&mut bytes, ELAPSED_TIME, &self.elapsed.to_be_bytes());
        if self.kind == Kind::Solicit {
            option(&mut bytes, RAPID_COMMIT, &[]);
        }
        let mut association = [self.iaid, 0, 0].map(u32::to_be_bytes).concat();
        if let Some(net) = self.prefix {
            let mut prefix = vec![0; 8];
            prefix.push(net.prefix_len());
            prefix.extend(net.network().octets());
            option(&mut association, IA_PREFIX, &prefix);
        }
        option(&mut bytes, IA_PD, &association);
        bytes
    }
}

fn option(bytes: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).expect("our own options are short");
    bytes.extend(code.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(value);
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    pub(super) transaction: [u8; 3],
    pub(super) client: Vec<u8>,
    pub(super) server: Vec<u8>,
    pub(super) preference: u8,
    pub(super) is_rapid: bool,
    pub(super) status: u16,
    pub(super) associations: Vec<Association>,
}

impl Answer {
    /// Reads an Advertise or a Reply; nothing when it is another message or none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Answer> {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let kind = match head[0] {
            2 => Kind::Advertise,
            7 => Kind::Reply,
            _ => return None,
        };
        let mut answer = Answer {
            kind,
            transaction: [head[1], head[2], head[3]],
            client: Vec::new(),
            server: Vec::new(),
            preference: 0,
            is_rapid: false,
            status: 0,
            associations: Vec::new(),
        };
        for (code, value) in options(rest)? {
            match code {
                CLIENT_ID => answer.client = value.to_vec(),
                SERVER_ID => answer.server = value.to_vec(),
                PREFERENCE => answer.preference = *value.first()?,
                RAPID_COMMIT => answer.is_rapid = true,
                STATUS_CODE => answer.status = status(value)?,
                IA_PD => answer.associations.push(association(value)?),
                _ => {}
            }
        }
        Some(answer)
    }
}

/// The options of a message; nothing when one is cut short.
fn options(mut bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut options = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (value, after) = rest.split_at_checked(length)?;
        options.push((u16::from_be_bytes([head[0], head[1]]), value));
        bytes = after;
    }
    Some(options)
}

fn status(value: &[u8]) -> Option<u16> {
    value.first_chunk().copied().map(u16::from_be_bytes)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn association(value: &[u8]) -> Option<Association> {
    let mut found = Association { iaid: number(value, 0)?, times_s: (number(value, 4)?, number(value, 8)?), ..Association::default() };
    for (code, value) in options(value.get(IA_HEAD..)?)? {
        match code {
            STATUS_CODE => found.status = status(value)?,
            IA_PREFIX => found.prefixes.push(prefix(value)?),
            _ => {}
        }
    }
    Some(found)
}

fn prefix(value: &[u8]) -> Option<Prefix> {
    let address: [u8; 16] = value.get(PREFIX_HEAD - 16..PREFIX_HEAD)?.try_into().ok()?;
    let net = Ipv6Net::new(Ipv6Addr::from(address), *value.get(8)?).ok()?;
    Some(Prefix { preferred_s: number(value, 0)?, valid_s: number(value, 4)?, net: net.trunc() })
}
