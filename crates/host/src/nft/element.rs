//! Values and elements between their typed form and the kernel's bytes.

use super::wire;
use crate::netlink::{self, Message};
use dataplane::nft::{Data, DataType, Elements, Key, MapData, SetSpec, Span, Value, Verdict};
use std::net::{IpAddr, Ipv4Addr};

/// Why something cannot be expressed.
pub(super) type Wrong = String;

/// A constant in `size` bytes, numbers in host or network order.
pub(super) fn bytes_of(value: &Value, size: usize, host_order: bool) -> Result<Vec<u8>, Wrong> {
    let fits = |bytes: &[u8]| {
        if bytes.len() == size { Ok(bytes.to_vec()) } else { Err(format!("{value:?} is not {size} bytes long")) }
    };
    match value {
        Value::Mac(mac) => fits(&mac.0),
        Value::Ip(IpAddr::V4(address)) => fits(&address.octets()),
        Value::Ip(IpAddr::V6(address)) => fits(&address.octets()),
        Value::Name(name) if name.len() < size => {
            let mut bytes = name.as_bytes().to_vec();
            bytes.resize(size, 0);
            Ok(bytes)
        }
        Value::Name(name) => Err(format!("the name {name} is too long")),
        Value::Number(number) => {
            let bytes = number.to_be_bytes();
            let (head, tail) = bytes.split_at(4usize.checked_sub(size).ok_or_else(|| format!("a number of {size} bytes"))?);
            if head.iter().any(|byte| *byte != 0) {
                return Err(format!("{number} does not fit {size} bytes"));
            }
            let mut bytes = tail.to_vec();
            if host_order && cfg!(target_endian = "little") {
                bytes.reverse();
            }
            Ok(bytes)
        }
    }
}

fn typed(value: &Value, data_type: DataType) -> Result<Vec<u8>, Wrong> {
    bytes_of(value, data_type.size(), data_type.host_order())
}

fn value_of(bytes: &[u8], data_type: DataType) -> Option<Value> {
    Some(match data_type {
        DataType::Ifname => Value::Name(netlink::text(bytes).into()),
        DataType::EtherAddr => Value::Mac(net::Mac(bytes.try_into().ok()?)),
        DataType::Ipv4 | DataType::Ipv6 => Value::Ip(crate::link::ip(bytes)?),
        _ => {
            let fold = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
            let reversed = data_type.host_order() && cfg!(target_endian = "little");
            let number = if reversed { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) };
            Value::Number(number)
        }
    })
}

/// A component's size in a concatenation.
fn padded(data_type: DataType) -> usize {
    data_type.size().next_multiple_of(4)
}

/// The types of a service's parts.
pub(super) const SERVICE: [DataType; 2] = [DataType::Ipv4, DataType::InetService];

fn service_bytes(address: Ipv4Addr, port: u16) -> Vec<u8> {
    [&address.octets()[..], &port.to_be_bytes(), &[0; 2]].concat()
}

fn service_of(bytes: &[u8]) -> Option<Data> {
    let (address, port) = bytes.split_first_chunk::<4>()?;
    Some(Data::Service((*address).into(), u16::from_be_bytes(*port.first_chunk()?)))
}

/// Bytes of a set's key.
pub(super) fn key_size(key: &[DataType]) -> usize {
    if let [only] = key { only.size() } else { key.iter().map(|part| padded(*part)).sum() }
}

/// The first and last key of an element.
fn key_bytes(key: &Key, spec: &SetSpec) -> Result<(Vec<u8>, Vec<u8>), Wrong> {
    if key.0.len() != spec.key.len() {
        return Err(format!("a key of {} components in a set of {}", key.0.len(), spec.key.len()));
    }
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for (span, data_type) in key.0.iter().zip(&spec.key) {
        let (low, high) = span.bounds();
        first.extend(typed(&low, *data_type)?);
        last.extend(typed(&high, *data_type)?);
        if spec.key.len() > 1 {
            first.resize(first.len().next_multiple_of(4), 0);
            last.resize(last.len().next_multiple_of(4), 0);
        }
    }
    if first != last && (!spec.interval || first > last) {
        return Err("an interval the set cannot hold".to_owned());
    }
    Ok((first, last))
}

/// Puts an element's items into a list: one, or two at the ends of an interval of a plain interval set.
pub(super) fn put(list: &mut Message, key: &Key, data: Option<&Data>, spec: &SetSpec) -> Result<(), Wrong> {
    let (first, last) = key_bytes(key, spec)?;
    let data = match (data, spec.data) {
        (Some(Data::Value(value)), Some(MapData::Value(data_type))) => Some(Ok(typed(value, data_type)?)),
        (Some(Data::Service(address, port)), Some(MapData::Service)) => Some(Ok(service_bytes(*address, *port))),
        (Some(Data::Verdict(verdict)), Some(MapData::Verdict)) => Some(Err(verdict)),
        (None, _) => None,
        (Some(_), _) => return Err("data of another type than the map's".to_owned()),
    };
    let concat = spec.key.len() > 1;
    list.nest(wire::LIST_ITEM, |item| {
        item.nest(wire::ELEMENT_KEY, |key| _ = key.put(wire::DATA_VALUE, &first));
        if spec.interval && concat {
            item.nest(wire::ELEMENT_KEY_END, |key| _ = key.put(wire::DATA_VALUE, &last));
        }
        match &data {
            Some(Ok(bytes)) => _ = item.nest(wire::ELEMENT_DATA, |data| _ = data.put(wire::DATA_VALUE, bytes)),
            Some(Err(verdict)) => _ = item.nest(wire::ELEMENT_DATA, |data| put_verdict(data, verdict)),
            None => {}
        }
    });
    if let (true, false, Some(end)) = (spec.interval, concat, successor(&last)) {
        list.nest(wire::LIST_ITEM, |item| {
            item.nest(wire::ELEMENT_KEY, |key| _ = key.put(wire::DATA_VALUE, &end));
            item.be32(wire::ELEMENT_FLAGS, wire::ELEMENT_INTERVAL_END);
        });
    }
    Ok(())
}

/// The next key in byte order; `None` after the last.
fn successor(key: &[u8]) -> Option<Vec<u8>> {
    let at = key.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = key.to_vec();
    next[at] += 1;
    next[at + 1..].fill(0);
    Some(next)
}

fn predecessor(key: &[u8]) -> Option<Vec<u8>> {
    let at = key.iter().rposition(|byte| *byte != 0)?;
    let mut previous = key.to_vec();
    previous[at] -= 1;
    previous[at + 1..].fill(0xff);
    Some(previous)
}

/// Puts a verdict's attributes into data.
pub(super) fn put_verdict(data: &mut Message, verdict: &Verdict) {
    let (code, chain) = match verdict {
        Verdict::Drop => (0, None),
        Verdict::Accept => (1, None),
        Verdict::Continue => (-1, None),
        Verdict::Jump(chain) => (-3, Some(chain)),
        Verdict::Goto(chain) => (-4, Some(chain)),
        Verdict::Return => (-5, None),
    };
    data.nest(wire::DATA_VERDICT, |verdict| {
        verdict.be32(wire::VERDICT_CODE, code as u32);
        if let Some(chain) = chain {
            verdict.text(wire::VERDICT_CHAIN, chain);
        }
    });
}

fn verdict_of(data: &[u8]) -> Option<Verdict> {
    let verdict = netlink::attribute(data, wire::DATA_VERDICT)?;
    let chain = || netlink::attribute(verdict, wire::VERDICT_CHAIN).map(|name| netlink::text(name).into());
    Some(match netlink::be32(netlink::attribute(verdict, wire::VERDICT_CODE)?) as i32 {
        0 => Verdict::Drop,
        1 => Verdict::Accept,
        -1 => Verdict::Continue,
        -3 => Verdict::Jump(chain()?),
        -4 => Verdict::Goto(chain()?),
        -5 => Verdict::Return,
        _ => return None,
    })
}

/// An item of a set as dumped.
pub(super) struct Item {
    key: Vec<u8>,
    key_end: Option<Vec<u8>>,
    data: Option<Data>,
    end: bool,
}

/// Reads one item.
pub(super) fn parse(item: &[u8], spec: &SetSpec) -> Option<Item> {
    let value = |kind| netlink::attribute(item, kind).and_then(|key| netlink::attribute(key, wire::DATA_VALUE)).map(<[u8]>::to_vec);
    let flags = netlink::attribute(item, wire::ELEMENT_FLAGS).map_or(0, netlink::be32);
    let data = netlink::attribute(item, wire::ELEMENT_DATA).and_then(|data| match spec.data? {
        MapData::Verdict => verdict_of(data).map(Data::Verdict),
        MapData::Service => service_of(netlink::attribute(data, wire::DATA_VALUE)?),
        MapData::Value(data_type) => {
            let bytes = netlink::attribute(data, wire::DATA_VALUE)?;
            value_of(bytes.get(..data_type.size())?, data_type).map(Data::Value)
        }
    });
    let end = flags & wire::ELEMENT_INTERVAL_END != 0;
    Some(Item { key: value(wire::ELEMENT_KEY)?, key_end: value(wire::ELEMENT_KEY_END), data, end })
}

/// The elements the dumped items stand for.
pub(super) fn elements(items: Vec<Item>, spec: &SetSpec) -> Elements {
    let plain_interval = spec.interval && spec.key.len() == 1;
    let mut ends: Vec<Vec<u8>> = items.iter().filter(|item| item.end).map(|item| item.key.clone()).collect();
    ends.sort();
    let last_of = |item: &Item| {
        if !plain_interval {
            return item.key_end.clone().unwrap_or_else(|| item.key.clone());
        }
        let after = ends.partition_point(|end| *end <= item.key);
        ends.get(after).and_then(|end| predecessor(end)).unwrap_or_else(|| vec![0xff; item.key.len()])
    };
    items
        .iter()
        .filter(|item| !item.end)
        .filter_map(|item| Some((key_of(&item.key, &last_of(item), &spec.key)?, item.data.clone())))
        .collect()
}

fn key_of(first: &[u8], last: &[u8], types: &[DataType]) -> Option<Key> {
    let mut spans = Vec::with_capacity(types.len());
    let mut at = 0;
    for data_type in types {
        let low = value_of(first.get(at..at + data_type.size())?, *data_type)?;
        let high = value_of(last.get(at..at + data_type.size())?, *data_type)?;
        spans.push(Span::Range(low, high).canonical());
        at += padded(*data_type);
    }
    Some(Key(spans))
}
