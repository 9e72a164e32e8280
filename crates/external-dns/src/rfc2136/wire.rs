//! The messages of RFC 2136 in the form of RFC 1035.

use crate::{Key, Kind, Values};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Length of a message's head.
pub(super) const HEAD: usize = 12;
/// Class ANY: all of a record set.
pub(super) const ANY: u16 = 255;
const IN: u16 = 1;
const SOA: u16 = 6;
/// Opcode UPDATE.
const UPDATE: u16 = 5 << 11;

fn number(kind: Kind) -> u16 {
    match kind {
        Kind::A => 1,
        Kind::Aaaa => 28,
        Kind::Ptr => 12,
    }
}

/// A name in labels. Names are the same in either case; here they are in the lower.
pub(super) fn name(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len() + 2);
    for label in text.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length));
        out.push(length.ok_or_else(|| format!("{text} is not a name"))?);
        out.extend(label.to_ascii_lowercase().bytes());
    }
    out.push(0);
    if out.len() > 255 { Err(format!("{text} is too long")) } else { Ok(out) }
}

fn record(out: &mut Vec<u8>, owner: &[u8], kind: u16, class: u16, ttl: u32, data: &[u8]) {
    out.extend_from_slice(owner);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&class.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    out.extend_from_slice(&u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(data);
}

/// The update that removes a record set and makes it anew with these values.
pub(super) fn update(id: u16, key: &Key, values: &Values, ttl: u32) -> Result<Vec<u8>, String> {
    let count = u16::try_from(values.len() + 1).map_err(|_| "too many values".to_owned())?;
    let mut out = Vec::with_capacity(512);
    for field in [id, UPDATE, 1, 0, count, 0] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend(name(&key.zone)?);
    out.extend_from_slice(&SOA.to_be_bytes());
    out.extend_from_slice(&IN.to_be_bytes());
    let (owner, kind) = (name(&key.name)?, number(key.kind));
    record(&mut out, &owner, kind, ANY, 0, &[]);
    for value in values {
        let wrong = |_| format!("{value} is no address");
        let data = match key.kind {
            Kind::A => value.parse::<Ipv4Addr>().map_err(wrong)?.octets().to_vec(),
            Kind::Aaaa => value.parse::<Ipv6Addr>().map_err(wrong)?.octets().to_vec(),
            Kind::Ptr => name(value)?,
        };
        record(&mut out, &owner, kind, IN, ttl, &data);
    }
    Ok(out)
}

/// Two octets of a message.
pub(super) fn field(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

pub(super) fn id(message: &[u8]) -> Option<u16> {
    field(message, 0)
}

pub(super) fn response_code(message: &[u8]) -> Option<u16> {
    field(message, 2).filter(|flags| flags & 0x8000 != 0).map(|flags| flags & 15)
}

pub(super) fn code_name(code: Option<u16>) -> &'static str {
    const NAMES: [&str; 11] =
        ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"];
    code.and_then(|code| NAMES.get(usize::from(code))).copied().unwrap_or("no answer that can be read")
}

/// Where a name that begins here ends.
pub(super) fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            // The rest is elsewhere.
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length if length < 64 => at += usize::from(length) + 1,
            _ => return None,
        }
    }
}

/// Where the last record of a message begins.
pub(super) fn last_record(message: &[u8]) -> Option<usize> {
    let mut at = HEAD;
    for _ in 0..field(message, 4)? {
        at = after_name(message, at)? + 4;
    }
    let records = (6..HEAD).step_by(2).map(|count| field(message, count).map(u32::from)).sum::<Option<u32>>()?;
    let mut last = None;
    for _ in 0..records {
        last = Some(at);
        let data = after_name(message, at)? + 8;
        at = data + 2 + usize::from(field(message, data)?);
    }
    last.filter(|_| at == message.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update() {
        let key = Key { zone: "example.org.".into(), name: "Web.example.org.".into(), kind: Kind::A };
        let values = Values::from(["192.0.2.1".into()]);
        let message = update(0x1234, &key, &values, 60).expect("a message");
        let wanted = b"\x12\x34\x28\x00\x00\x01\x00\x00\x00\x02\x00\x00\x07example\x03org\x00\x00\x06\x00\x01\
            \x03web\x07example\x03org\x00\x00\x01\x00\xff\x00\x00\x00\x00\x00\x00\
            \x03web\x07example\x03org\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01";
        assert_eq!(message, wanted);
        let last = last_record(&message).expect("records");
        assert_eq!(&message[last..last + 4], b"\x03web");
        for cut in 0..message.len() {
            assert_eq!(last_record(&message[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn what_is_no_name() {
        for wrong in ["", ".", "a..b.", &"a".repeat(64), &"a.".repeat(200)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(response_code(&[0, 0, 0xa8, 5]), Some(5));
        assert_eq!(response_code(&[0, 0, 0x28, 0]), None, "not an answer");
        assert_eq!(after_name(&[1], 0), None);
    }
}
