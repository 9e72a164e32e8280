//! Numbers of the nf_tables netlink protocol (`linux/netfilter/nf_tables.h`) and of nft's data types.

use crate::netlink::Message;
use dataplane::nft::{DataType, Family, Hook, Layer};

const SUBSYSTEM: u16 = 10;
pub(super) const BATCH_BEGIN: u16 = 0x10;
pub(super) const BATCH_END: u16 = 0x11;

pub(super) const NEWTABLE: u16 = 0;
pub(super) const GETTABLE: u16 = 1;
pub(super) const DELTABLE: u16 = 2;
pub(super) const NEWCHAIN: u16 = 3;
pub(super) const GETCHAIN: u16 = 4;
pub(super) const DELCHAIN: u16 = 5;
pub(super) const NEWRULE: u16 = 6;
pub(super) const GETRULE: u16 = 7;
pub(super) const DELRULE: u16 = 8;
pub(super) const NEWSET: u16 = 9;
pub(super) const GETSET: u16 = 10;
pub(super) const DELSET: u16 = 11;
pub(super) const NEWSETELEM: u16 = 12;
pub(super) const GETSETELEM: u16 = 13;
pub(super) const DELSETELEM: u16 = 14;
pub(super) const NEWOBJECT: u16 = 18;
pub(super) const GETOBJECT: u16 = 19;
pub(super) const DELOBJECT: u16 = 20;

/// The name and the table's name are attributes 1 and 2 or 3 of each object.
pub(super) const TABLE_NAME: u16 = 1;
pub(super) const TABLE_USERDATA: u16 = 6;
pub(super) const CHAIN_TABLE: u16 = 1;
pub(super) const CHAIN_NAME: u16 = 3;
pub(super) const CHAIN_HOOK: u16 = 4;
pub(super) const CHAIN_POLICY: u16 = 5;
pub(super) const CHAIN_TYPE: u16 = 7;
pub(super) const HOOK_NUMBER: u16 = 1;
pub(super) const HOOK_PRIORITY: u16 = 2;
pub(super) const HOOK_DEVICE: u16 = 3;
pub(super) const RULE_TABLE: u16 = 1;
pub(super) const RULE_CHAIN: u16 = 2;
pub(super) const RULE_EXPRESSIONS: u16 = 4;
pub(super) const RULE_USERDATA: u16 = 7;
pub(super) const SET_TABLE: u16 = 1;
pub(super) const SET_NAME: u16 = 2;
pub(super) const SET_FLAGS: u16 = 3;
pub(super) const SET_KEY_TYPE: u16 = 4;
pub(super) const SET_KEY_LEN: u16 = 5;
pub(super) const SET_DATA_TYPE: u16 = 6;
pub(super) const SET_DATA_LEN: u16 = 7;
pub(super) const SET_DESC: u16 = 9;
pub(super) const SET_ID: u16 = 10;
pub(super) const SET_USERDATA: u16 = 13;
pub(super) const SET_DESC_CONCAT: u16 = 2;
pub(super) const SET_FIELD_LEN: u16 = 1;
pub(super) const ELEMENTS_TABLE: u16 = 1;
pub(super) const ELEMENTS_SET: u16 = 2;
pub(super) const ELEMENTS: u16 = 3;
pub(super) const ELEMENT_KEY: u16 = 1;
pub(super) const ELEMENT_DATA: u16 = 2;
pub(super) const ELEMENT_FLAGS: u16 = 3;
pub(super) const ELEMENT_KEY_END: u16 = 10;
pub(super) const ELEMENT_INTERVAL_END: u32 = 1;
pub(super) const OBJECT_TABLE: u16 = 1;
pub(super) const OBJECT_NAME: u16 = 2;
pub(super) const OBJECT_TYPE: u16 = 3;
pub(super) const OBJECT_DATA: u16 = 4;
pub(super) const CT_HELPER: u32 = 3;
pub(super) const HELPER_NAME: u16 = 1;
pub(super) const HELPER_PROTOCOL: u16 = 3;
pub(super) const LIST_ITEM: u16 = 1;
pub(super) const EXPRESSION_NAME: u16 = 1;
pub(super) const EXPRESSION_DATA: u16 = 2;
pub(super) const DATA_VALUE: u16 = 1;
pub(super) const DATA_VERDICT: u16 = 2;
pub(super) const VERDICT_CODE: u16 = 1;
pub(super) const VERDICT_CHAIN: u16 = 2;

pub(super) const SET_INTERVAL: u32 = 4;
pub(super) const SET_MAP: u32 = 8;
pub(super) const SET_CONCAT: u32 = 0x80;
pub(super) const VERDICT_TYPE: u32 = 0xffff_ff00;

/// The first 32-bit register; the verdict register is 0.
pub(super) const FIRST_REGISTER: u32 = 8;
/// Bytes in the registers.
pub(super) const REGISTER_BYTES: usize = 64;

/// User data type of a comment, for tables and rules alike.
pub(super) const UDATA_COMMENT: u8 = 0;
/// User data type of a rule's content hash. nft passes over types it does not know.
pub(super) const UDATA_DIGEST: u8 = 110;

/// A message of the subsystem for a table family.
pub(super) fn message(kind: u16, flags: u16, family: u8) -> Message {
    Message::new(SUBSYSTEM << 8 | kind, flags).raw(&[family, 0, 0, 0])
}

/// The message that opens or closes a transaction.
pub(super) fn bracket(kind: u16) -> Message {
    Message::new(kind, 0).raw(&[0, 0, 0, SUBSYSTEM as u8])
}

pub(super) fn family_number(family: Family) -> u8 {
    match family {
        Family::Inet => 1,
        Family::Ip => 2,
        Family::Arp => 3,
        Family::Netdev => 5,
        Family::Bridge => 7,
        Family::Ip6 => 10,
    }
}

pub(super) fn family_of(number: u8) -> Option<Family> {
    let all = [Family::Inet, Family::Ip, Family::Arp, Family::Netdev, Family::Bridge, Family::Ip6];
    all.into_iter().find(|family| family_number(*family) == number)
}

pub(super) const HOOKS: [Hook; 7] =
    [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting, Hook::Ingress, Hook::Egress];

pub(super) fn hook_number(family: Family, hook: Hook) -> Option<u32> {
    let table: &[Option<u32>; 7] = match family {
        Family::Arp => &[None, Some(0), Some(2), Some(1), None, None, None],
        Family::Netdev => &[None, None, None, None, None, Some(0), Some(1)],
        Family::Inet => &[Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), None],
        Family::Bridge | Family::Ip | Family::Ip6 => &[Some(0), Some(1), Some(2), Some(3), Some(4), None, None],
    };
    HOOKS.iter().position(|known| *known == hook).and_then(|at| table[at])
}

pub(super) fn layer_number(layer: Layer) -> u32 {
    match layer {
        Layer::Link => 0,
        Layer::Network => 1,
        Layer::Transport => 2,
    }
}

/// nft's number of a data type; concatenations shift six bits for each further component.
pub(super) fn type_number(data_type: DataType) -> u32 {
    match data_type {
        DataType::Ipv4 => 7,
        DataType::Ipv6 => 8,
        DataType::EtherAddr => 9,
        DataType::EtherType => 10,
        DataType::ArpOperation => 11,
        DataType::InetProto => 12,
        DataType::InetService => 13,
        DataType::IcmpType => 14,
        DataType::Mark => 19,
        DataType::Icmpv6Type => 29,
        DataType::Ifname => 41,
    }
}

pub(super) fn type_of(number: u32) -> Option<DataType> {
    DataType::ALL.into_iter().find(|data_type| type_number(*data_type) == number)
}
