//! Writing JSON straight into a buffer of bytes: what lists of thousands of records are made of.

use net::{IpNet, Mac, Timestamp};
use std::io::Write;
use std::net::IpAddr;
use uuid::Uuid;

/// For each byte what it needs within a string: 0 nothing, `u` a `\u00xx` escape, anything else that letter after a backslash.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = b'u';
        control += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A string with its quotes.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[usize::from(byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        done = at + 1;
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

/// A number.
pub fn int(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `true` or `false`.
pub fn bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A UUID, with hyphens.
pub fn uuid(out: &mut Vec<u8>, id: Uuid) {
    let mut buffer = [b'"'; uuid::fmt::Hyphenated::LENGTH + 2];
    id.hyphenated().encode_lower(&mut buffer[1..=uuid::fmt::Hyphenated::LENGTH]);
    out.extend_from_slice(&buffer);
}

/// An address.
pub fn ip(out: &mut Vec<u8>, address: IpAddr) {
    out.push(b'"');
    match address {
        IpAddr::V4(v4) => dotted(out, v4.octets()),
        IpAddr::V6(v6) => write!(out, "{v6}").expect("writing to a Vec does not fail"),
    }
    out.push(b'"');
}

fn dotted(out: &mut Vec<u8>, octets: [u8; 4]) {
    for (i, octet) in octets.into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

/// A prefix.
pub fn net(out: &mut Vec<u8>, net: IpNet) {
    write!(out, "\"{net}\"").expect("writing to a Vec does not fail");
}

/// A MAC address.
pub fn mac(out: &mut Vec<u8>, mac: Mac) {
    let mut text = *b"\"00:00:00:00:00:00\"";
    for (i, octet) in mac.0.into_iter().enumerate() {
        text[1 + 3 * i] = HEX[usize::from(octet >> 4)];
        text[2 + 3 * i] = HEX[usize::from(octet & 15)];
    }
    out.extend_from_slice(&text);
}

/// A point in time as `YYYY-MM-DDTHH:MM:SSZ`.
pub fn time(out: &mut Vec<u8>, time: Timestamp) {
    const DAY: i64 = 86_400;
    let (year, month, day) = civil(time.0.div_euclid(DAY));
    if !(0..=9999).contains(&year) {
        write!(out, "\"{time}\"").expect("writing to a Vec does not fail");
        return;
    }
    let second = time.0.rem_euclid(DAY);
    let mut text = *b"\"0000-00-00T00:00:00Z\"";
    let mut put = |at: usize, number: i64| {
        let digits = u8::try_from(number % 100).expect("two digits");
        text[at] += digits / 10;
        text[at + 1] += digits % 10;
    };
    put(1, year / 100);
    put(3, year);
    put(6, month);
    put(9, day);
    put(12, second / 3600);
    put(15, second / 60 % 60);
    put(18, second % 60);
    out.extend_from_slice(&text);
}

/// Year, month and day of a day since 1970-01-01 (proleptic Gregorian calendar, counted in 400-year eras from 1 March).
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    proptest! {
        #[test]
        fn strings_read_back(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&written(|out| string(out, &text))).expect("JSON"), text);
        }

        #[test]
        fn times_are_the_calendars(second in -62_135_596_800_i64..253_402_300_800) {
            prop_assert_eq!(written(|out| time(out, Timestamp(second))), format!("\"{}\"", Timestamp(second)));
        }

        #[test]
        fn addresses_are_their_display(v4 in any::<[u8; 4]>(), v6 in any::<[u8; 16]>(), octets in any::<[u8; 6]>(), id in any::<u128>()) {
            for address in [IpAddr::from(v4), IpAddr::from(v6)] {
                prop_assert_eq!(written(|out| ip(out, address)), format!("\"{address}\""));
            }
            prop_assert_eq!(written(|out| mac(out, Mac(octets))), format!("\"{}\"", Mac(octets)));
            prop_assert_eq!(written(|out| uuid(out, Uuid::from_u128(id))), format!("\"{}\"", Uuid::from_u128(id)));
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(written(|out| string(out, "a\"b\\c\n\t\u{1}\u{8}é")), r#""a\"b\\c\n\t\u0001\bé""#);
    }
}
