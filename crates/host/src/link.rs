//! Network devices over rtnetlink.

use crate::netlink::{self, CREATE, DUMP, EXCL, Message, Refusal, Socket};
use dataplane::{ActualLink, Bridge, BridgePort, Link, LinkChange, LinkKind, Name, Netns, Owner, Role, Veth, Vlan, Vxlan};
use net::{Family, Mac, VlanId, Vni};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_GROUP: u16 = 27;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_EXT_MASK: u16 = 29;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const INFO_SLAVE_KIND: u16 = 4;
const INFO_SLAVE_DATA: u16 = 5;
const BR_FORWARD_DELAY: u16 = 1;
const BR_AGEING_TIME: u16 = 4;
const BR_NF_CALL_IPTABLES: u16 = 36;
const BR_NF_CALL_IP6TABLES: u16 = 37;
const BR_STP_STATE: u16 = 5;
const BR_MCAST_SNOOPING: u16 = 23;
const BRPORT_MODE: u16 = 4;
const BRPORT_LEARNING: u16 = 8;
const BRPORT_UNICAST_FLOOD: u16 = 9;
const BRPORT_NEIGH_SUPPRESS: u16 = 32;
const BRPORT_ISOLATED: u16 = 33;
const VETH_INFO_PEER: u16 = 1;
const VLAN_ID: u16 = 1;
const VXLAN_ID: u16 = 1;
const VXLAN_GROUP: u16 = 2;
const VXLAN_LINK: u16 = 3;
const VXLAN_LOCAL: u16 = 4;
const VXLAN_TTL: u16 = 5;
const VXLAN_LEARNING: u16 = 7;
const VXLAN_PROXY: u16 = 11;
const VXLAN_PORT: u16 = 15;
const VXLAN_GROUP6: u16 = 16;
const VXLAN_LOCAL6: u16 = 17;
/// Leaves the counters out of answers.
const SKIP_STATS: u32 = 8;
/// Links about to be deleted together are put into this group ("nt\0\1").
const DOOMED_GROUP: u32 = 0x6e74_0001;
const UP: u32 = libc::IFF_UP as u32;

/// The indexes a creation refers to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Indexes {
    pub(crate) master: Option<u32>,
    pub(crate) device: Option<u32>,
}

fn header(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&change.to_ne_bytes());
    bytes
}

fn by_name(kind: u16, name: &str, flags: u32, change: u32) -> Message {
    let mut message = Message::new(kind, 0).raw(&header(0, flags, change));
    message.text(IFLA_IFNAME, name);
    message
}

/// The messages that make a link, down, with its mark. `peer_netns` is where a veth's far end goes.
pub(crate) fn create(name: &str, link: &Link, owner: &Owner, at: Indexes, peer_netns: Option<&OwnedFd>) -> Vec<Message> {
    let mut message = Message::new(libc::RTM_NEWLINK, CREATE | EXCL).raw(&header(0, 0, 0));
    message.text(IFLA_IFNAME, name);
    let later = matches!(link.kind, LinkKind::Bridge(_));
    if let (Some(mtu), false) = (link.mtu, later) {
        message.u32(IFLA_MTU, mtu);
    }
    if let Some(mac) = link.mac {
        message.put(IFLA_ADDRESS, &mac.0);
    }
    if let Some(master) = at.master {
        message.u32(IFLA_MASTER, master);
    }
    if let (LinkKind::Vlan(_), Some(device)) = (&link.kind, at.device) {
        message.u32(IFLA_LINK, device);
    }
    message.nest(IFLA_LINKINFO, |info| match &link.kind {
        LinkKind::Bridge(bridge) => {
            info.text(INFO_KIND, "bridge").nest(INFO_DATA, |data| {
                data.u32(BR_STP_STATE, 0).u32(BR_FORWARD_DELAY, 0).u8(BR_MCAST_SNOOPING, 0);
                bridge_data(data, *bridge);
            });
        }
        LinkKind::Veth(veth) => {
            info.text(INFO_KIND, "veth").nest(INFO_DATA, |data| {
                data.nest(VETH_INFO_PEER, |peer| veth_peer(peer, veth, link.mtu, peer_netns));
            });
        }
        LinkKind::Vlan(vlan) => {
            info.text(INFO_KIND, "vlan").nest(INFO_DATA, |data| {
                data.put(VLAN_ID, &vlan.id.get().to_ne_bytes());
            });
        }
        LinkKind::Vxlan(vxlan) => {
            info.text(INFO_KIND, "vxlan").nest(INFO_DATA, |data| vxlan_data(data, vxlan, at.device));
        }
        LinkKind::Existing | LinkKind::Peer => {}
    });
    // The kernel takes an alias only for a link that exists; both messages go in one send.
    let mut mark = by_name(libc::RTM_SETLINK, name, 0, 0);
    mark.put(IFLA_IFALIAS, owner.to_string().as_bytes());
    if let (Some(mtu), true) = (link.mtu, later) {
        // A bridge follows the smallest of its ports until its own is changed, which making it with one does not count as.
        mark.u32(IFLA_MTU, mtu);
    }
    let mut messages = vec![message, mark];
    messages.extend(link.port.map(|port| port_message(name, port)));
    messages
}

/// What may change while it is there.
fn bridge_data(data: &mut Message, bridge: Bridge) {
    data.u8(BR_NF_CALL_IPTABLES, bridge.nf_call.into()).u8(BR_NF_CALL_IP6TABLES, bridge.nf_call.into());
    if let Some(ageing_s) = bridge.ageing_s {
        data.u32(BR_AGEING_TIME, ageing_s.saturating_mul(100));
    }
}

fn veth_peer(peer: &mut Message, veth: &Veth, mtu: Option<u32>, netns: Option<&OwnedFd>) {
    peer.fixed(&header(0, 0, 0)).text(IFLA_IFNAME, &veth.peer);
    if let Some(mtu) = mtu {
        peer.u32(IFLA_MTU, mtu);
    }
    if let Some(mac) = veth.peer_mac {
        peer.put(IFLA_ADDRESS, &mac.0);
    }
    if let Some(netns) = netns {
        peer.u32(IFLA_NET_NS_FD, netns.as_raw_fd() as u32);
    }
}

fn vxlan_data(data: &mut Message, vxlan: &Vxlan, device: Option<u32>) {
    data.u32(VXLAN_ID, vxlan.vni.get()).be16(VXLAN_PORT, vxlan.dst_port);
    data.u8(VXLAN_LEARNING, vxlan.learning.into()).u8(VXLAN_PROXY, vxlan.proxy.into());
    if let Some(device) = device {
        data.u32(VXLAN_LINK, device);
    }
    if let Some(ttl) = vxlan.ttl {
        data.u8(VXLAN_TTL, ttl);
    }
    let mut address = |address: Option<IpAddr>, v4: u16, v6: u16| match address {
        Some(IpAddr::V4(address)) => _ = data.put(v4, &address.octets()),
        Some(IpAddr::V6(address)) => _ = data.put(v6, &address.octets()),
        None => {}
    };
    address(vxlan.local, VXLAN_LOCAL, VXLAN_LOCAL6);
    address(vxlan.group, VXLAN_GROUP, VXLAN_GROUP6);
}

fn port_message(name: &str, port: BridgePort) -> Message {
    let mut message = by_name(libc::RTM_NEWLINK, name, 0, 0);
    message.nest(IFLA_LINKINFO, |info| {
        info.text(INFO_SLAVE_KIND, "bridge").nest(INFO_SLAVE_DATA, |data| {
            data.u8(BRPORT_MODE, port.hairpin.into()).u8(BRPORT_LEARNING, port.learning.into());
            data.u8(BRPORT_UNICAST_FLOOD, port.flood.into()).u8(BRPORT_ISOLATED, port.isolated.into());
            data.u8(BRPORT_NEIGH_SUPPRESS, port.neigh_suppress.into());
        });
    });
    message
}

/// The messages that change a link; `master` is the index of the bridge to join.
pub(crate) fn change(name: &str, change: &LinkChange, master: Option<u32>) -> Vec<Message> {
    let (flags, mask) = match change.up {
        Some(true) => (UP, UP),
        Some(false) => (0, UP),
        None => (0, 0),
    };
    let mut message = by_name(libc::RTM_SETLINK, name, flags, mask);
    if let Some(owner) = &change.owner {
        message.put(IFLA_IFALIAS, owner.to_string().as_bytes());
    }
    if let Some(mtu) = change.mtu {
        message.u32(IFLA_MTU, mtu);
    }
    if let Some(mac) = change.mac {
        message.put(IFLA_ADDRESS, &mac.0);
    }
    if change.master.is_some() {
        message.u32(IFLA_MASTER, master.unwrap_or(0));
    }
    let mut messages = vec![message];
    if let Some(bridge) = change.bridge {
        let mut message = by_name(libc::RTM_NEWLINK, name, 0, 0);
        message.nest(IFLA_LINKINFO, |info| {
            info.text(INFO_KIND, "bridge").nest(INFO_DATA, |data| bridge_data(data, bridge));
        });
        messages.push(message);
    }
    messages.extend(change.port.map(|port| port_message(name, port)));
    messages
}

/// The message that takes a link out of its bridge and removes our mark.
pub(crate) fn release(name: &str) -> Message {
    let mut message = by_name(libc::RTM_SETLINK, name, 0, 0);
    message.u32(IFLA_MASTER, 0).put(IFLA_IFALIAS, &[]);
    message
}

/// The message that puts a link into a group; 0 is that of all that are in no other.
pub(crate) fn group(name: &str, group: u32) -> Message {
    let mut message = by_name(libc::RTM_SETLINK, name, 0, 0);
    message.u32(IFLA_GROUP, group);
    message
}

/// The message that deletes one link. Each deletion waits for a grace period of the kernel: see [`doom`].
pub(crate) fn delete(name: &str) -> Message {
    by_name(libc::RTM_DELLINK, name, 0, 0)
}

/// The message that puts a link among those [`delete_doomed`] deletes.
pub(crate) fn doom(name: &str) -> Message {
    group(name, DOOMED_GROUP)
}

/// The message that deletes all doomed links of the namespace at once.
pub(crate) fn delete_doomed() -> Message {
    let mut message = Message::new(libc::RTM_DELLINK, 0).raw(&header(0, 0, 0));
    message.u32(IFLA_GROUP, DOOMED_GROUP);
    message
}

/// The message that asks for a link of a kind without its parameters.
pub(crate) fn probe(kind: &str) -> Message {
    let mut message = Message::new(libc::RTM_NEWLINK, CREATE | EXCL).raw(&header(0, 0, 0));
    message.text(IFLA_IFNAME, &format!("p-{kind}")).nest(IFLA_LINKINFO, |info| _ = info.text(INFO_KIND, kind));
    message
}

/// Marks the loopback link of a new namespace and brings it up.
pub(crate) fn mark_loopback(socket: &mut Socket, owner: &Owner) -> Result<(), Refusal> {
    let mut message = by_name(libc::RTM_SETLINK, "lo", UP, UP);
    message.put(IFLA_IFALIAS, owner.to_string().as_bytes());
    socket.request(message)
}

/// A link as read: its index beside what a program speaks of.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: Name,
    pub(crate) index: u32,
    pub(crate) master: u32,
    /// The link below it; 0: none.
    below: u32,
    pub(crate) group: u32,
    pub(crate) alias: Option<String>,
    pub(crate) link: ActualLink,
}

/// All links of the socket's namespace, by name.
pub(crate) fn dump(socket: &mut Socket) -> Result<BTreeMap<Name, Found>, Refusal> {
    let mut message = Message::new(libc::RTM_GETLINK, DUMP).raw(&header(0, 0, 0));
    message.u32(IFLA_EXT_MASK, SKIP_STATS);
    let mut found = BTreeMap::new();
    socket.query(message, |_, payload| {
        if let Some(link) = parse(payload) {
            found.insert(link.name.clone(), link);
        }
    })?;
    let names: BTreeMap<u32, Name> = found.values().map(|link: &Found| (link.index, link.name.clone())).collect();
    for link in found.values_mut() {
        link.link.master = names.get(&link.master).cloned();
        if let LinkKind::Vlan(vlan) = &mut link.link.kind {
            vlan.device = names.get(&link.below).cloned().unwrap_or_default();
        }
    }
    Ok(found)
}

/// One link; `None` when there is none of that name. Its bridge and the link below it are not resolved to names.
pub(crate) fn get(socket: &mut Socket, name: &str) -> Result<Option<Found>, Refusal> {
    let mut message = by_name(libc::RTM_GETLINK, name, 0, 0);
    message.u32(IFLA_EXT_MASK, SKIP_STATS);
    one(socket, message)
}

/// The name of the link with this index.
pub(crate) fn name_of(socket: &mut Socket, index: u32) -> Result<Option<Name>, Refusal> {
    let mut message = Message::new(libc::RTM_GETLINK, 0).raw(&header(index, 0, 0));
    message.u32(IFLA_EXT_MASK, SKIP_STATS);
    Ok(one(socket, message)?.map(|found| found.name))
}

fn one(socket: &mut Socket, message: Message) -> Result<Option<Found>, Refusal> {
    let mut found = None;
    match socket.query(message, |_, payload| found = parse(payload)) {
        Err(refusal) if refusal.errno == libc::ENODEV => Ok(None),
        other => other.map(|()| found),
    }
}

/// Reads a link message's payload.
pub(crate) fn parse(payload: &[u8]) -> Option<Found> {
    // The bridge tells of its ports under its own family: a port that leaves is not a link that goes.
    if i32::from(*payload.first()?) == libc::AF_BRIDGE {
        return None;
    }
    let index = netlink::ne32(payload.get(4..8)?);
    let flags = netlink::ne32(payload.get(8..12)?);
    let mut name = None;
    let (mut mtu, mut mac, mut master, mut below, mut group, mut alias) = (None, None, 0, 0, 0, None);
    let mut info: &[u8] = &[];
    for (kind, value) in netlink::attributes(&payload[16..]) {
        match kind {
            IFLA_IFNAME => name = Some(Name::from(netlink::text(value))),
            IFLA_MTU => mtu = Some(netlink::ne32(value)),
            IFLA_ADDRESS => mac = value.try_into().ok().map(Mac),
            IFLA_MASTER => master = netlink::ne32(value),
            IFLA_LINK => below = netlink::ne32(value),
            IFLA_GROUP => group = netlink::ne32(value),
            IFLA_IFALIAS => alias = Some(netlink::text(value)),
            IFLA_LINKINFO => info = value,
            _ => {}
        }
    }
    let owner = alias.as_deref().and_then(Owner::parse);
    let kind = kind_of(info, owner.as_ref().map(|owner| owner.role));
    let link = ActualLink { kind, mtu, mac, master: None, up: flags & UP != 0, port: port_of(info), station: None, owner };
    Some(Found { name: name?, index, master, below, group, alias, link })
}

fn kind_of(info: &[u8], role: Option<Role>) -> LinkKind {
    let data = netlink::attribute(info, INFO_DATA).unwrap_or(&[]);
    let kind = netlink::attribute(info, INFO_KIND).map(netlink::text);
    match (role, kind.as_deref()) {
        (Some(Role::Peer), _) => LinkKind::Peer,
        (Some(Role::Made), Some("bridge")) => {
            let ageing_s = netlink::attribute(data, BR_AGEING_TIME).map(|value| netlink::ne32(value) / 100);
            let calls = |kind| netlink::attribute(data, kind).is_some_and(|value| value.first() == Some(&1));
            LinkKind::Bridge(Bridge { ageing_s, nf_call: calls(BR_NF_CALL_IPTABLES) && calls(BR_NF_CALL_IP6TABLES) })
        }
        (Some(Role::Made), Some("veth")) => LinkKind::Veth(Veth { peer: Name::default(), peer_netns: Netns::ROOT, peer_mac: None }),
        (Some(Role::Made), Some("vlan")) => vlan_of(data).map_or(LinkKind::Existing, LinkKind::Vlan),
        (Some(Role::Made), Some("vxlan")) => vxlan_of(data).map_or(LinkKind::Existing, LinkKind::Vxlan),
        _ => LinkKind::Existing,
    }
}

fn vlan_of(data: &[u8]) -> Option<Vlan> {
    let id = u16::from_ne_bytes(netlink::attribute(data, VLAN_ID)?.try_into().ok()?);
    Some(Vlan { device: Name::default(), id: VlanId::try_from(u32::from(id)).ok()? })
}

fn vxlan_of(data: &[u8]) -> Option<Vxlan> {
    let flag = |kind| netlink::attribute(data, kind).is_some_and(|value| value.first().is_some_and(|byte| *byte != 0));
    let address = |v4, v6| {
        let v4 = netlink::attribute(data, v4).and_then(ip).filter(|address| !address.is_unspecified());
        v4.or_else(|| netlink::attribute(data, v6).and_then(ip).filter(|address| !address.is_unspecified()))
    };
    let vni = Vni::try_from(netlink::ne32(netlink::attribute(data, VXLAN_ID)?)).ok()?;
    Some(Vxlan {
        vni,
        local: address(VXLAN_LOCAL, VXLAN_LOCAL6),
        group: address(VXLAN_GROUP, VXLAN_GROUP6),
        device: None,
        dst_port: netlink::attribute(data, VXLAN_PORT).map_or(0, netlink::be16),
        learning: flag(VXLAN_LEARNING),
        proxy: flag(VXLAN_PROXY),
        ttl: netlink::attribute(data, VXLAN_TTL).and_then(|value| value.first().copied()).filter(|ttl| *ttl != 0),
    })
}

/// An address of 4 or 16 bytes.
pub(crate) fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

fn port_of(info: &[u8]) -> Option<BridgePort> {
    let bridge = netlink::attribute(info, INFO_SLAVE_KIND).map(netlink::text).as_deref() == Some("bridge");
    let data = netlink::attribute(info, INFO_SLAVE_DATA).filter(|_| bridge)?;
    let flag = |kind| netlink::attribute(data, kind).is_some_and(|value| value.first().is_some_and(|byte| *byte != 0));
    Some(BridgePort {
        hairpin: flag(BRPORT_MODE),
        learning: flag(BRPORT_LEARNING),
        flood: flag(BRPORT_UNICAST_FLOOD),
        isolated: flag(BRPORT_ISOLATED),
        neigh_suppress: flag(BRPORT_NEIGH_SUPPRESS),
    })
}

/// The kernel's number of a family of addresses.
pub(crate) fn family(family: Family) -> u8 {
    match family {
        Family::V4 => libc::AF_INET as u8,
        Family::V6 => libc::AF_INET6 as u8,
    }
}

/// The octets of an address.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
