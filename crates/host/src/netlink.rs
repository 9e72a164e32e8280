//! Netlink framing: messages with attributes, sockets, batches with an answer for each message, dumps.

use crate::sys;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

const HEADER: usize = 16;
pub(crate) const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
pub(crate) const ACK: u16 = libc::NLM_F_ACK as u16;
pub(crate) const DUMP: u16 = libc::NLM_F_DUMP as u16;
pub(crate) const CREATE: u16 = libc::NLM_F_CREATE as u16;
pub(crate) const EXCL: u16 = libc::NLM_F_EXCL as u16;
pub(crate) const REPLACE: u16 = libc::NLM_F_REPLACE as u16;
pub(crate) const APPEND: u16 = libc::NLM_F_APPEND as u16;
const NESTED: u16 = 0x8000;
/// Messages in one send: acknowledgements of all must fit the receive buffer.
const PER_SEND: usize = 256;

/// A netlink message under construction.
#[derive(Clone, Debug)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// A request of this type; `flags` beside NLM_F_REQUEST.
    pub(crate) fn new(kind: u16, flags: u16) -> Message {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | REQUEST).to_ne_bytes());
        Message(bytes)
    }

    /// Appends bytes of the fixed header that follows the netlink header.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Message {
        self.fixed(bytes);
        self
    }

    /// The same inside an attribute that begins with a fixed header.
    pub(crate) fn fixed(&mut self, bytes: &[u8]) -> &mut Message {
        self.0.extend_from_slice(bytes);
        self.pad();
        self
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) -> &mut Message {
        let length = u16::try_from(4 + value.len()).expect("attribute values are short by construction");
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.pad();
        self
    }

    pub(crate) fn u8(&mut self, kind: u16, value: u8) -> &mut Message {
        self.put(kind, &[value])
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) -> &mut Message {
        self.put(kind, &value.to_ne_bytes())
    }

    pub(crate) fn be32(&mut self, kind: u16, value: u32) -> &mut Message {
        self.put(kind, &value.to_be_bytes())
    }

    pub(crate) fn be16(&mut self, kind: u16, value: u16) -> &mut Message {
        self.put(kind, &value.to_be_bytes())
    }

    /// Text with its terminating zero.
    pub(crate) fn text(&mut self, kind: u16, value: &str) -> &mut Message {
        self.put(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// An attribute that holds attributes. Its length must stay below 64 KiB: callers cut long lists.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Message)) -> &mut Message {
        let at = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        fill(self);
        let length = u16::try_from(self.0.len() - at).expect("nested lists are cut below 64 KiB");
        self.0[at..at + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    /// Bytes so far.
    pub(crate) fn size(&self) -> usize {
        self.0.len()
    }

    fn finish(&mut self, sequence: u32, flags: u16) -> &[u8] {
        let length = (self.0.len() as u32).to_ne_bytes();
        self.0[0..4].copy_from_slice(&length);
        let flags = u16::from_ne_bytes([self.0[6], self.0[7]]) | flags;
        self.0[6..8].copy_from_slice(&flags.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        &self.0
    }
}

/// What the kernel says against a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errno: i32,
    pub(crate) text: Option<String>,
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal { errno: error.raw_os_error().unwrap_or(libc::EIO), text: None }
    }
}

impl From<Refusal> for crate::Cause {
    fn from(refusal: Refusal) -> crate::Cause {
        crate::Cause::Kernel(io::Error::from_raw_os_error(refusal.errno), refusal.text)
    }
}

/// A netlink socket; it stays in the namespace it was opened in.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// A socket of this protocol in the calling thread's namespace.
    pub(crate) fn open(protocol: i32) -> io::Result<Socket> {
        let fd = sys::netlink_socket(protocol)?;
        // Whole rulesets go in one send; without the privilege the system's bound applies.
        for option in [libc::SO_SNDBUFFORCE, libc::SO_RCVBUFFORCE] {
            sys::set_option(&fd, libc::SOL_SOCKET, option, 64 << 20)
                .or_else(|error| if error.raw_os_error() == Some(libc::EPERM) { Ok(()) } else { Err(error) })?;
        }
        sys::set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1)?;
        sys::set_option(&fd, libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, 1)?;
        sys::set_receive_timeout(&fd, 10)?;
        Ok(Socket { fd, sequence: 0, buffer: vec![0; 64 << 10] })
    }

    /// Rejects dump requests with unknown filters instead of ignoring the filter.
    pub(crate) fn strict(self) -> io::Result<Socket> {
        sys::set_option(&self.fd, libc::SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK, 1)?;
        Ok(self)
    }

    /// Joins a multicast group.
    pub(crate) fn join(&self, group: u32) -> io::Result<()> {
        sys::set_option(&self.fd, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group as i32)
    }

    /// Sends the messages, each acknowledged by itself, and answers for each.
    pub(crate) fn batch(&mut self, messages: &mut [Message]) -> io::Result<Vec<Result<(), Refusal>>> {
        let mut answers = Vec::with_capacity(messages.len());
        for chunk in messages.chunks_mut(PER_SEND) {
            let first = self.sequence.wrapping_add(1);
            let mut data = Vec::with_capacity(chunk.iter().map(Message::size).sum());
            for message in &mut *chunk {
                self.sequence = self.sequence.wrapping_add(1);
                data.extend_from_slice(message.finish(self.sequence, ACK));
            }
            sys::send(&self.fd, &data)?;
            let mut waiting = chunk.len();
            let mut results = vec![Ok(()); chunk.len()];
            while waiting > 0 {
                self.receive(|sequence, answer| {
                    let at = sequence.wrapping_sub(first) as usize;
                    if let (Some(result), Answer::End(end)) = (results.get_mut(at), answer) {
                        *result = end;
                        waiting -= 1;
                    }
                })?;
            }
            answers.append(&mut results);
        }
        Ok(answers)
    }

    /// Sends one message and waits for its acknowledgement.
    pub(crate) fn request(&mut self, message: Message) -> Result<(), Refusal> {
        self.batch(&mut [message])?.pop().expect("one answer for each message")
    }

    /// Sends the messages as one datagram; only the one at `last` is acknowledged, errors of the others come before.
    /// Answers with the refusals by index, or none when all went well.
    pub(crate) fn transaction(&mut self, messages: &mut [Message], last: usize) -> io::Result<Vec<(usize, Refusal)>> {
        let first = self.sequence.wrapping_add(1);
        let mut data = Vec::with_capacity(messages.iter().map(Message::size).sum());
        for (at, message) in messages.iter_mut().enumerate() {
            self.sequence = self.sequence.wrapping_add(1);
            data.extend_from_slice(message.finish(self.sequence, if at == last { ACK } else { 0 }));
        }
        sys::send(&self.fd, &data)?;
        let mut refusals = Vec::new();
        let mut done = false;
        while !done {
            self.receive(|sequence, answer| {
                let at = sequence.wrapping_sub(first) as usize;
                let Answer::End(end) = answer else { return };
                // The first message opens the batch: its refusal is that of the whole, and may be the only answer.
                done |= at == last || (at == 0 && end.is_err());
                refusals.extend(end.err().filter(|_| at < messages.len()).map(|refusal| (at, refusal)));
            })?;
        }
        Ok(refusals)
    }

    /// Sends a dump request, or one whose answer is an object, and hands each answer's type and payload to `each`.
    pub(crate) fn query(&mut self, mut message: Message, mut each: impl FnMut(u16, &[u8])) -> Result<(), Refusal> {
        self.sequence = self.sequence.wrapping_add(1);
        let expected = self.sequence;
        let dump = u16::from_ne_bytes([message.0[6], message.0[7]]) & DUMP == DUMP;
        sys::send(&self.fd, message.finish(expected, if dump { 0 } else { ACK }))?;
        let mut end = None;
        let mut torn = false;
        while end.is_none() {
            self.receive(|sequence, answer| {
                if sequence != expected {
                    return;
                }
                match answer {
                    Answer::Object { kind, payload, interrupted } => {
                        torn |= interrupted;
                        each(kind, payload);
                    }
                    Answer::End(result) => end = Some(result),
                }
            })?;
        }
        match end {
            Some(Ok(())) if torn => Err(Refusal { errno: libc::EINTR, text: Some("changed while it was read".to_owned()) }),
            Some(result) => result,
            None => Ok(()),
        }
    }

    /// Receives one datagram and hands on what is in it.
    fn receive(&mut self, mut each: impl FnMut(u32, Answer<'_>)) -> io::Result<()> {
        let size = sys::receive(&self.fd, &mut self.buffer, true)?;
        walk(&self.buffer[..size], &mut each);
        Ok(())
    }

    /// Hands on what has arrived unasked; `WouldBlock` when nothing has.
    pub(crate) fn events(&mut self, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        let size = sys::receive(&self.fd, &mut self.buffer, false)?;
        walk(&self.buffer[..size], &mut |_, answer| {
            if let Answer::Object { kind, payload, .. } = answer {
                each(kind, payload);
            }
        });
        Ok(())
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

enum Answer<'a> {
    Object { kind: u16, payload: &'a [u8], interrupted: bool },
    End(Result<(), Refusal>),
}

fn walk(mut data: &[u8], each: &mut impl FnMut(u32, Answer<'_>)) {
    while data.len() >= HEADER {
        let length = u32_at(data, 0) as usize;
        if length < HEADER || length > data.len() {
            return;
        }
        let (kind, flags, sequence) = (u16_at(data, 4), u16_at(data, 6), u32_at(data, 8));
        let payload = &data[HEADER..length];
        let answer = match i32::from(kind) {
            libc::NLMSG_ERROR => Answer::End(acknowledgement(payload, flags)),
            libc::NLMSG_DONE => Answer::End(acknowledgement(payload, 0)),
            _ => Answer::Object { kind, payload, interrupted: flags & libc::NLM_F_DUMP_INTR as u16 != 0 },
        };
        each(sequence, answer);
        data = &data[length.next_multiple_of(4).min(data.len())..];
    }
}

fn acknowledgement(payload: &[u8], flags: u16) -> Result<(), Refusal> {
    let errno = if payload.len() >= 4 { -(u32_at(payload, 0) as i32) } else { 0 };
    if errno == 0 {
        return Ok(());
    }
    const ACK_TLVS: u16 = 0x200;
    const MESSAGE: u16 = 1;
    let text = (flags & ACK_TLVS != 0 && payload.len() > 4 + HEADER)
        .then(|| attributes(&payload[4 + HEADER..]).find(|(kind, _)| *kind == MESSAGE).map(|(_, value)| text(value)))
        .flatten();
    Err(Refusal { errno, text })
}

/// The attributes in a payload; nesting and byte-order flags are cleared.
pub(crate) fn attributes(mut data: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(data.get(..4)?, 0));
        let kind = u16_at(data, 2) & 0x3fff;
        let value = data.get(4..length)?;
        data = &data[length.next_multiple_of(4).min(data.len())..];
        Some((kind, value))
    })
}

/// The value of one attribute.
pub(crate) fn attribute(data: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(data).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// Text up to its terminating zero.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([data[at], data[at + 1]])
}

fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

/// A host-order number of four bytes; 0 when cut short.
pub(crate) fn ne32(value: &[u8]) -> u32 {
    value.get(..4).map_or(0, |bytes| u32_at(bytes, 0))
}

/// A network-order number of four bytes; 0 when cut short.
pub(crate) fn be32(value: &[u8]) -> u32 {
    value.get(..4).map_or(0, |bytes| u32_at(bytes, 0).to_be())
}

/// A network-order number of two bytes; 0 when cut short.
pub(crate) fn be16(value: &[u8]) -> u16 {
    value.get(..2).map_or(0, |bytes| u16_at(bytes, 0).to_be())
}
