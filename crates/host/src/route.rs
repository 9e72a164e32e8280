//! IP routes over rtnetlink.

use crate::link::{family, ip, octets};
use crate::netlink::{self, CREATE, DUMP, Message, REPLACE, Refusal, Socket};
use dataplane::{Gateway, Hop, PROTOCOL, Route, RouteKey, RouteKind, Scope};
use net::{Family, IpNet};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const DEAD: u32 = 1;
const ONLINK: u32 = 4;
const SCOPE_LINK: u8 = 253;
const UNICAST: u8 = 1;
const BLACKHOLE: u8 = 6;
const UNREACHABLE: u8 = 7;

fn message(kind: u16, flags: u16, key: &RouteKey, route: &Route, indexes: &[u32]) -> Message {
    let (rt_type, onlink) = match &route.kind {
        RouteKind::Unicast { via, .. } => (UNICAST, via.is_some_and(|via| via.onlink)),
        RouteKind::Multipath(_) => (UNICAST, false),
        RouteKind::Blackhole => (BLACKHOLE, false),
        RouteKind::Unreachable => (UNREACHABLE, false),
    };
    let mut header = [0; 12];
    header[0] = family(Family::of_net(&key.destination));
    header[1] = key.destination.prefix_len();
    header[4] = u8::try_from(key.table).unwrap_or(0);
    header[5] = PROTOCOL;
    header[6] = if route.scope == Scope::Link { SCOPE_LINK } else { 0 };
    header[7] = rt_type;
    header[8..12].copy_from_slice(&if onlink { ONLINK } else { 0 }.to_ne_bytes());
    let mut message = Message::new(kind, flags).raw(&header);
    message.u32(RTA_TABLE, key.table);
    if key.destination.prefix_len() > 0 {
        message.put(RTA_DST, &octets(key.destination.network()));
    }
    if key.metric > 0 {
        message.u32(RTA_PRIORITY, key.metric);
    }
    match (&route.kind, indexes) {
        (RouteKind::Unicast { via, .. }, [index, ..]) => {
            if let Some(via) = via {
                message.put(RTA_GATEWAY, &octets(via.address));
            }
            message.u32(RTA_OIF, *index);
        }
        // One to be removed is found without: the kernel compares them in an order of its own.
        (RouteKind::Multipath(hops), _) if kind == libc::RTM_NEWROUTE => {
            message.put(RTA_MULTIPATH, &multipath(hops, indexes));
        }
        _ => {}
    }
    if let Some(source) = route.source {
        message.put(RTA_PREFSRC, &octets(source));
    }
    message
}

/// A `struct rtnexthop` with a next hop for each.
fn multipath(hops: &BTreeSet<Hop>, indexes: &[u32]) -> Vec<u8> {
    let hop = |(hop, index): (&Hop, &u32)| {
        let address = octets(hop.via.address);
        let length = 4 + u16::try_from(address.len()).expect("an address is of 16 bytes at most");
        let flags = if hop.via.onlink { ONLINK as u8 } else { 0 };
        let (whole, kind) = ((8 + length).to_ne_bytes(), RTA_GATEWAY.to_ne_bytes());
        [&whole[..], &[flags, 0], &index.to_ne_bytes(), &length.to_ne_bytes(), &kind, &address].concat()
    };
    hops.iter().zip(indexes).flat_map(hop).collect()
}

/// The message that adds or replaces a route; `indexes` are those of its links.
pub(crate) fn set(key: &RouteKey, route: &Route, indexes: &[u32]) -> Message {
    message(libc::RTM_NEWROUTE, CREATE | REPLACE, key, route, indexes)
}

/// The message that removes it.
pub(crate) fn remove(key: &RouteKey, route: &Route, indexes: &[u32]) -> Message {
    message(libc::RTM_DELROUTE, 0, key, route, indexes)
}

/// Our routes in the socket's namespace. `names` gives links by index.
pub(crate) fn dump(socket: &mut Socket, names: &BTreeMap<u32, dataplane::Name>) -> Result<BTreeMap<RouteKey, Route>, Refusal> {
    let mut found = BTreeMap::new();
    for of in [Family::V4, Family::V6] {
        let mut header = [0; 12];
        header[0] = family(of);
        header[5] = PROTOCOL;
        socket.query(Message::new(libc::RTM_GETROUTE, DUMP).raw(&header), |_, payload| {
            found.extend(parse(payload, names));
        })?;
    }
    Ok(found)
}

fn parse(payload: &[u8], names: &BTreeMap<u32, dataplane::Name>) -> Option<(RouteKey, Route)> {
    let header = payload.get(..12)?;
    if header[5] != PROTOCOL {
        return None;
    }
    let v4 = i32::from(header[0]) == libc::AF_INET;
    let mut destination = if v4 { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let (mut table, mut metric, mut gateway, mut link, mut source) = (u32::from(header[4]), 0, None, None, None);
    let mut hops = None;
    for (kind, value) in netlink::attributes(&payload[12..]) {
        match kind {
            RTA_DST => destination = ip(value)?,
            RTA_TABLE => table = netlink::ne32(value),
            RTA_PRIORITY => metric = netlink::ne32(value),
            RTA_GATEWAY => gateway = ip(value),
            RTA_OIF => link = names.get(&netlink::ne32(value)).cloned(),
            RTA_PREFSRC => source = ip(value),
            RTA_MULTIPATH => hops = Some(parse_multipath(value, names)),
            _ => {}
        }
    }
    let onlink = netlink::ne32(&header[8..12]) & ONLINK != 0;
    let kind = match header[7] {
        UNICAST => match hops {
            Some(hops) => RouteKind::Multipath(hops),
            None => RouteKind::Unicast { link: link?, via: gateway.map(|address| Gateway { address, onlink }) },
        },
        BLACKHOLE => RouteKind::Blackhole,
        UNREACHABLE => RouteKind::Unreachable,
        _ => return None,
    };
    let scope = if header[6] == SCOPE_LINK { Scope::Link } else { Scope::Universe };
    let key = RouteKey { table, destination: IpNet::new(destination, header[1]).ok()?, metric };
    Some((key, Route { kind, scope, source }))
}

/// The next hops that can be used.
fn parse_multipath(mut bytes: &[u8], names: &BTreeMap<u32, dataplane::Name>) -> BTreeSet<Hop> {
    let mut hops = BTreeSet::new();
    while let Some((header, length)) =
        bytes.first_chunk::<8>().map(|header| (header, usize::from(u16::from_ne_bytes([header[0], header[1]]))))
    {
        let Some(attributes) = bytes.get(8..length) else { break };
        let flags = u32::from(header[2]);
        let address = netlink::attribute(attributes, RTA_GATEWAY).and_then(ip);
        if let (Some(link), Some(address), 0) = (names.get(&netlink::ne32(&header[4..8])), address, flags & DEAD) {
            hops.insert(Hop { link: link.clone(), via: Gateway { address, onlink: flags & ONLINK != 0 } });
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}
