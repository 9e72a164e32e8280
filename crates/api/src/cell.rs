//! The value of one attribute of one record, borrowed from the record.

use crate::json;
use net::{IpNet, Mac, Timestamp};
use serde::Serialize;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;
use uuid::Uuid;

/// An attribute's value: what an answer shows, what a filter compares, what a sort orders by.
pub enum Cell<'a> {
    /// `null`.
    Null,
    /// Nothing: the record has no such attribute, and does not show it.
    Absent,
    /// A boolean.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A text of the record.
    Str(&'a str),
    /// A text made for the answer.
    Text(SmolStr),
    /// An id.
    Uuid(Uuid),
    /// An address.
    Ip(IpAddr),
    /// A prefix.
    Net(IpNet),
    /// A MAC address.
    Mac(Mac),
    /// A point in time, as `YYYY-MM-DDTHH:MM:SSZ`.
    Time(Timestamp),
    /// A list of ids.
    Uuids(Vec<Uuid>),
    /// A list or object of the record, by its serde form.
    Json(&'a (dyn ErasedSerialize + 'a)),
    /// A list or object made for the answer.
    Made(Box<dyn ErasedSerialize + 'a>),
}

impl<'a> Cell<'a> {
    /// A list or object made for the answer.
    pub fn made(value: impl Serialize + 'a) -> Cell<'a> {
        Cell::Made(Box::new(value))
    }

    /// Null or what there is.
    pub fn optional<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell<'a>) -> Cell<'a> {
        value.map_or(Cell::Null, cell)
    }

    /// Appends the value's JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Cell::Null | Cell::Absent => out.extend_from_slice(b"null"),
            Cell::Bool(value) => json::bool(out, *value),
            Cell::Int(number) => json::int(out, *number),
            Cell::Str(text) => json::string(out, text),
            Cell::Text(text) => json::string(out, text),
            Cell::Uuid(id) => json::uuid(out, *id),
            Cell::Ip(address) => json::ip(out, *address),
            Cell::Net(net) => json::net(out, *net),
            Cell::Mac(mac) => json::mac(out, *mac),
            Cell::Time(time) => json::time(out, *time),
            Cell::Uuids(ids) => {
                out.push(b'[');
                for (i, id) in ids.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    json::uuid(out, *id);
                }
                out.push(b']');
            }
            Cell::Json(value) => value.write_json(out),
            Cell::Made(value) => value.write_json(out),
        }
    }

    /// The order in which lists are sorted: null first, numbers and addresses by value, texts by code points.
    pub fn compare(&self, other: &Cell<'_>) -> Ordering {
        match (self, other) {
            (Cell::Null | Cell::Absent, Cell::Null | Cell::Absent) => Ordering::Equal,
            (Cell::Null | Cell::Absent, _) => Ordering::Less,
            (_, Cell::Null | Cell::Absent) => Ordering::Greater,
            (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
            (Cell::Int(a), Cell::Int(b)) => a.cmp(b),
            (Cell::Uuid(a), Cell::Uuid(b)) => a.cmp(b),
            (Cell::Ip(a), Cell::Ip(b)) => a.cmp(b),
            (Cell::Net(a), Cell::Net(b)) => a.cmp(b),
            (Cell::Mac(a), Cell::Mac(b)) => a.cmp(b),
            (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
            (a, b) => a.text().cmp(&b.text()),
        }
    }

    /// The value as a policy rule compares it: `True`, a text; none for null, lists and objects.
    pub(crate) fn policy_value(&self) -> Option<auth::Value<'a>> {
        match self {
            Cell::Bool(value) => Some((*value).into()),
            Cell::Null | Cell::Absent | Cell::Uuids(_) | Cell::Json(_) | Cell::Made(_) => None,
            other => Some(auth::Value::Text(other.text())),
        }
    }

    /// The value as text, without quotes; lists and objects as their JSON.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        match self {
            Cell::Str(text) => Cow::Borrowed(*text),
            Cell::Text(text) => Cow::Owned(text.to_string()),
            other => {
                let mut out = Vec::new();
                other.write(&mut out);
                let text = String::from_utf8(out).expect("JSON is UTF-8");
                Cow::Owned(match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                    Some(inner) => inner.to_owned(),
                    None => text,
                })
            }
        }
    }
}

/// A value that can be written as JSON without its type being known.
pub trait ErasedSerialize {
    /// Appends the value's JSON.
    fn write_json(&self, out: &mut Vec<u8>);
}

impl<T: Serialize + ?Sized> ErasedSerialize for T {
    fn write_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("attribute values have string keys and no failing serializers");
    }
}
