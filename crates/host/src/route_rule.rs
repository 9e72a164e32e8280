//! Rules that choose routing tables, over rtnetlink.

use crate::link::family;
use crate::netlink::{self, CREATE, DUMP, EXCL, Message, Refusal, Socket};
use dataplane::{PROTOCOL, RouteRule};
use net::Family;
use std::collections::BTreeSet;

const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_PROTOCOL: u16 = 21;
/// The action: look a route up in the table.
const TO_TABLE: u8 = 1;
const WHOLE: u32 = u32::MAX;

fn message(kind: u16, flags: u16, rule: &RouteRule) -> Message {
    let mut header = [0; 12];
    header[0] = family(rule.family);
    header[4] = u8::try_from(rule.table).unwrap_or(0);
    header[7] = TO_TABLE;
    let mut message = Message::new(kind, flags).raw(&header);
    message.u32(FRA_PRIORITY, rule.priority);
    message.u32(FRA_FWMARK, rule.mark);
    message.u32(FRA_FWMASK, WHOLE);
    message.u32(FRA_TABLE, rule.table);
    message.u8(FRA_PROTOCOL, PROTOCOL);
    message
}

/// The message that adds a rule.
pub(crate) fn add(rule: &RouteRule) -> Message {
    message(libc::RTM_NEWRULE, CREATE | EXCL, rule)
}

/// The message that removes it.
pub(crate) fn remove(rule: &RouteRule) -> Message {
    message(libc::RTM_DELRULE, 0, rule)
}

/// Our rules in the socket's namespace.
pub(crate) fn dump(socket: &mut Socket) -> Result<BTreeSet<RouteRule>, Refusal> {
    let mut found = BTreeSet::new();
    for of in [Family::V4, Family::V6] {
        let mut header = [0; 12];
        header[0] = family(of);
        socket.query(Message::new(libc::RTM_GETRULE, DUMP).raw(&header), |_, payload| found.extend(parse(of, payload)))?;
    }
    Ok(found)
}

fn parse(family: Family, payload: &[u8]) -> Option<RouteRule> {
    let header = payload.get(..12)?;
    let attributes = &payload[12..];
    let number = |kind| netlink::attribute(attributes, kind).map(netlink::ne32);
    netlink::attribute(attributes, FRA_PROTOCOL).filter(|value| **value == [PROTOCOL])?;
    let table = number(FRA_TABLE).unwrap_or(u32::from(header[4]));
    Some(RouteRule { priority: number(FRA_PRIORITY).unwrap_or(0), family, mark: number(FRA_FWMARK).unwrap_or(0), table })
}
