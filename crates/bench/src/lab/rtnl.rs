//! The little rtnetlink that plugging by hand needs: many messages in a send, one acknowledgement each.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket, sockopt,
};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

const HEADER: usize = 16;
const REQUEST_ACK: u16 = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
const CREATE: u16 = libc::NLM_F_CREATE as u16;
const REPLACE: u16 = libc::NLM_F_REPLACE as u16;
const UP: u32 = libc::IFF_UP as u32;
const VETH_INFO_PEER: u16 = 1;
/// Messages in one send.
const PER_SEND: usize = 50;

/// A request under construction.
pub struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16, header: &[u8]) -> Message {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | REQUEST_ACK).to_ne_bytes());
        bytes.extend_from_slice(header);
        Message(bytes)
    }

    fn put(mut self, kind: u16, value: &[u8]) -> Message {
        let length = u16::try_from(4 + value.len()).expect("attributes are short");
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn text(self, kind: u16, value: &str) -> Message {
        self.put(kind, &[value.as_bytes(), &[0]].concat())
    }

    fn u32(self, kind: u16, value: u32) -> Message {
        self.put(kind, &value.to_ne_bytes())
    }

    fn nest(self, kind: u16, head: &[u8], fill: impl FnOnce(Message) -> Message) -> Message {
        let inner = fill(Message(head.to_vec()));
        self.put(kind, &inner.0)
    }
}

fn link_header(index: u32, flags: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&flags.to_ne_bytes());
    header
}

/// A veth pair: `name` here, up; `eth0` with this MAC in the namespace, which can come up only once the pair is there.
pub fn veth(name: &str, netns: RawFd, mac: [u8; 6], mtu: u32) -> Message {
    let message = Message::new(libc::RTM_NEWLINK, CREATE | libc::NLM_F_EXCL as u16, &link_header(0, UP));
    message.text(libc::IFLA_IFNAME, name).u32(libc::IFLA_MTU, mtu).nest(libc::IFLA_LINKINFO, &[], |info| {
        info.text(libc::IFLA_INFO_KIND, "veth").nest(libc::IFLA_INFO_DATA, &[], |data| {
            data.nest(VETH_INFO_PEER, &link_header(0, 0), |peer| {
                let peer = peer.text(libc::IFLA_IFNAME, "eth0").u32(libc::IFLA_MTU, mtu).put(libc::IFLA_ADDRESS, &mac);
                peer.u32(libc::IFLA_NET_NS_FD, netns as u32)
            })
        })
    })
}

/// A bridge, up.
pub fn bridge(name: &str) -> Message {
    let message = Message::new(libc::RTM_NEWLINK, CREATE, &link_header(0, UP));
    message.text(libc::IFLA_IFNAME, name).nest(libc::IFLA_LINKINFO, &[], |info| info.text(libc::IFLA_INFO_KIND, "bridge"))
}

/// Puts a link into a bridge and brings it up.
pub fn enslave(name: &str, master: u32) -> Message {
    Message::new(libc::RTM_NEWLINK, 0, &link_header(0, UP)).text(libc::IFLA_IFNAME, name).u32(libc::IFLA_MASTER, master)
}

/// Brings a link up.
pub fn up(name: &str) -> Message {
    Message::new(libc::RTM_NEWLINK, 0, &link_header(0, UP)).text(libc::IFLA_IFNAME, name)
}

/// Deletes a link.
pub fn delete(name: &str) -> Message {
    Message::new(libc::RTM_DELLINK, 0, &link_header(0, 0)).text(libc::IFLA_IFNAME, name)
}

/// Adds an address.
pub fn address(index: u32, address: Ipv4Addr, prefix: u8) -> Message {
    let mut header = [libc::AF_INET as u8, prefix, 0, 0, 0, 0, 0, 0];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    let octets = address.octets();
    Message::new(libc::RTM_NEWADDR, CREATE | REPLACE, &header).put(libc::IFA_LOCAL, &octets).put(libc::IFA_ADDRESS, &octets)
}

/// Sets a permanent neighbour.
pub fn neighbour(index: u32, address: Ipv4Addr, mac: [u8; 6]) -> Message {
    let mut header = [0; 12];
    header[0] = libc::AF_INET as u8;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..10].copy_from_slice(&libc::NUD_PERMANENT.to_ne_bytes());
    let message = Message::new(libc::RTM_NEWNEIGH, CREATE | REPLACE, &header);
    message.put(libc::NDA_DST, &address.octets()).put(libc::NDA_LLADDR, &mac)
}

/// A socket in the namespace it was opened in.
pub struct Rtnl {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Rtnl {
    /// In the calling thread's namespace.
    pub fn open() -> Result<Rtnl> {
        let fd =
            socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute).context("netlink socket")?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        setsockopt(&fd, sockopt::RcvBufForce, &(8 << 20))?;
        Ok(Rtnl { fd, buffer: vec![0; 256 << 10] })
    }

    /// Carries out all messages; the first refusal is the error.
    pub fn batch(&mut self, messages: &mut [Message]) -> Result<()> {
        for chunk in messages.chunks_mut(PER_SEND) {
            let mut data = Vec::new();
            for (sequence, message) in chunk.iter_mut().enumerate() {
                let length = (message.0.len() as u32).to_ne_bytes();
                message.0[0..4].copy_from_slice(&length);
                message.0[8..12].copy_from_slice(&(sequence as u32).to_ne_bytes());
                data.extend_from_slice(&message.0);
            }
            send(self.fd.as_raw_fd(), &data, MsgFlags::empty()).context("netlink send")?;
            let mut waiting = chunk.len();
            let mut refused = None;
            while waiting > 0 {
                self.receive(|kind, sequence, payload| {
                    if i32::from(kind) == libc::NLMSG_ERROR {
                        waiting -= 1;
                        let error = i32::from_ne_bytes(payload[..4].try_into().expect("an acknowledgement has an error number"));
                        if error != 0 {
                            refused.get_or_insert((sequence, error));
                        }
                    }
                })?;
            }
            if let Some((at, error)) = refused {
                bail!("the kernel refuses netlink message {at}: {}", std::io::Error::from_raw_os_error(-error));
            }
        }
        Ok(())
    }

    /// The index of a link, when it is there.
    pub fn index(&mut self, name: &str) -> Result<Option<u32>> {
        let mut message = Message::new(libc::RTM_GETLINK, 0, &link_header(0, 0)).text(libc::IFLA_IFNAME, name);
        let length = (message.0.len() as u32).to_ne_bytes();
        message.0[0..4].copy_from_slice(&length);
        send(self.fd.as_raw_fd(), &message.0, MsgFlags::empty())?;
        let (mut index, mut done) = (None, false);
        while !done {
            self.receive(|kind, _, payload| match kind {
                libc::RTM_NEWLINK => index = payload.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes),
                _ => done = true,
            })?;
        }
        Ok(index)
    }

    fn receive(&mut self, each: impl FnMut(u16, u32, &[u8])) -> Result<()> {
        let size = recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::empty()).context("netlink receive")?;
        walk(&self.buffer[..size], each)
    }
}

/// Hands on the type, sequence number and payload of each message of a datagram.
pub fn walk(mut data: &[u8], mut each: impl FnMut(u16, u32, &[u8])) -> Result<()> {
    while data.len() >= HEADER {
        let length = u32::from_ne_bytes(data[..4].try_into()?) as usize;
        ensure!((HEADER..=data.len()).contains(&length), "a netlink message of {length} bytes in {}", data.len());
        each(u16::from_ne_bytes(data[4..6].try_into()?), u32::from_ne_bytes(data[8..12].try_into()?), &data[HEADER..length]);
        data = &data[length.next_multiple_of(4).min(data.len())..];
    }
    Ok(())
}
