//! The value of one attribute of one record, borrowed from the record.

use net::{IpNet, Mac, Timestamp};
use serde::Serialize;
use smol_str::SmolStr;
use std::net::IpAddr;
use uuid::Uuid;

/// An attribute's value: what an answer shows, what a filter compares, what a sort orders by.
pub enum Cell<'a> {
    /// `null`.
    Null,
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
