//! Conntrack helpers as objects of a table.

use super::{body, wire};
use crate::netlink::{self, CREATE, DUMP, Message, Refusal, Socket};
use dataplane::Name;
use dataplane::nft::{CtHelper, TableKey};
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

fn message(kind: u16, flags: u16, table: &TableKey, name: &str) -> Message {
    let mut message = wire::message(kind, flags, wire::family_number(table.family));
    message.text(wire::OBJECT_TABLE, &table.name).text(wire::OBJECT_NAME, name).be32(wire::OBJECT_TYPE, wire::CT_HELPER);
    message
}

/// The message that makes one.
pub(super) fn create(table: &TableKey, name: &str, helper: &CtHelper) -> Message {
    let mut message = message(wire::NEWOBJECT, CREATE, table, name);
    message.nest(wire::OBJECT_DATA, |data| {
        data.text(wire::HELPER_NAME, &helper.helper).u8(wire::HELPER_PROTOCOL, helper.protocol);
    });
    message
}

/// The message that removes it.
pub(super) fn delete(table: &TableKey, name: &str) -> Message {
    message(wire::DELOBJECT, 0, table, name)
}

/// Those of a table.
pub(super) fn dump(socket: &mut Socket, table: &TableKey) -> Result<BTreeMap<Name, CtHelper>, Refusal> {
    let mut message = wire::message(wire::GETOBJECT, DUMP, wire::family_number(table.family));
    message.text(wire::OBJECT_TABLE, &table.name).be32(wire::OBJECT_TYPE, wire::CT_HELPER);
    let mut found = BTreeMap::new();
    socket.query(message, |_, payload| found.extend(parse(body(payload))))?;
    Ok(found)
}

fn parse(object: &[u8]) -> Option<(Name, CtHelper)> {
    let data = netlink::attribute(object, wire::OBJECT_DATA)?;
    let helper = netlink::text(netlink::attribute(data, wire::HELPER_NAME)?).into();
    let protocol = *netlink::attribute(data, wire::HELPER_PROTOCOL)?.first()?;
    let name = netlink::text(netlink::attribute(object, wire::OBJECT_NAME)?).into();
    Some((name, CtHelper { helper, protocol }))
}

/// Modules that were asked for, which is once: each router with a helper wants them.
static ASKED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Loads what translates the connections that a helper expects, where that is a module: the kernel does so of the helper alone. That
/// it is built in, or not there, cannot be told from here.
pub(super) fn load_translation(helper: &CtHelper) {
    let module = match helper.helper.as_str() {
        "RAS" | "Q.931" => "nf_nat_h323",
        "snmp" => "nf_nat_snmp_basic",
        "amanda" => "nf_nat_amanda",
        "ftp" => "nf_nat_ftp",
        "irc" => "nf_nat_irc",
        "pptp" => "nf_nat_pptp",
        "sip" => "nf_nat_sip",
        "tftp" => "nf_nat_tftp",
        _ => return,
    };
    if !ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(module) {
        return;
    }
    let loaded = Command::new("modprobe").args(["-q", module]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !loaded.is_ok_and(|status| status.success()) {
        tracing::debug!(module, "not loaded: it is built in, or not there");
    }
}
