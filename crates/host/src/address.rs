//! IP addresses over rtnetlink.

use crate::link::{family, ip, octets};
use crate::netlink::{self, CREATE, DUMP, Message, REPLACE, Refusal, Socket};
use dataplane::Address;
use net::{Family, IpNet};

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_PROTO: u16 = 11;
const NODAD: u32 = 2;
const PERMANENT: u32 = 0x80;

/// The metric that the kernel gives routes to prefixes of addresses.
fn own_metric(net: &IpNet) -> u32 {
    if net.addr().is_ipv6() { 256 } else { 0 }
}

fn header(net: &IpNet, index: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[0] = family(Family::of_net(net));
    bytes[1] = net.prefix_len();
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes
}

/// The message that gives a link an address.
pub(crate) fn add(address: &Address, index: u32) -> Message {
    let mut message = Message::new(libc::RTM_NEWADDR, CREATE | REPLACE).raw(&header(&address.net, index));
    let bytes = octets(address.net.addr());
    message.put(IFA_LOCAL, &bytes).put(IFA_ADDRESS, &bytes).u8(IFA_PROTO, dataplane::PROTOCOL);
    // Without one the kernel leaves an IPv6 address the metric that it has.
    let metric = if address.metric == 0 { own_metric(&address.net) } else { address.metric };
    if metric > 0 {
        message.u32(IFA_RT_PRIORITY, metric);
    }
    match address.net {
        IpNet::V4(net) if net.prefix_len() < 31 => _ = message.put(IFA_BROADCAST, &net.broadcast().octets()),
        IpNet::V4(_) => {}
        IpNet::V6(_) => _ = message.u32(IFA_FLAGS, NODAD),
    }
    message
}

/// The message that takes it away.
pub(crate) fn remove(address: &Address, index: u32) -> Message {
    let mut message = Message::new(libc::RTM_DELADDR, 0).raw(&header(&address.net, index));
    let bytes = octets(address.net.addr());
    message.put(IFA_LOCAL, &bytes).put(IFA_ADDRESS, &bytes);
    message
}

/// An address as read.
pub(crate) struct Found {
    pub(crate) index: u32,
    pub(crate) net: IpNet,
    pub(crate) metric: u32,
    /// It carries our protocol number. Kernels before 5.18 keep none.
    pub(crate) marked: bool,
    /// The kernel's own: link-local or from a router advertisement.
    pub(crate) automatic: bool,
}

/// All addresses of the socket's namespace.
pub(crate) fn dump(socket: &mut Socket) -> Result<Vec<Found>, Refusal> {
    let mut found = Vec::new();
    socket.query(Message::new(libc::RTM_GETADDR, DUMP).raw(&[0; 8]), |_, payload| found.extend(parse(payload)))?;
    Ok(found)
}

fn parse(payload: &[u8]) -> Option<Found> {
    let header = payload.get(..8)?;
    let (mut local, mut address, mut metric, mut protocol, mut flags) = (None, None, 0, 0, u32::from(header[2]));
    for (kind, value) in netlink::attributes(&payload[8..]) {
        match kind {
            IFA_LOCAL => local = ip(value),
            IFA_ADDRESS => address = ip(value),
            IFA_RT_PRIORITY => metric = netlink::ne32(value),
            IFA_PROTO => protocol = value.first().copied().unwrap_or(0),
            IFA_FLAGS => flags = netlink::ne32(value),
            _ => {}
        }
    }
    let net = IpNet::new(local.or(address)?, header[1]).ok()?;
    let metric = if metric == own_metric(&net) { 0 } else { metric };
    let marked = protocol == dataplane::PROTOCOL;
    let link_local = matches!(net, IpNet::V6(net) if net.addr().segments()[0] & 0xffc0 == 0xfe80);
    let automatic = !marked && (link_local || flags & PERMANENT == 0);
    Some(Found { index: netlink::ne32(&header[4..8]), net, metric, marked, automatic })
}
