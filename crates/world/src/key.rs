//! Keys of secondary indexes.

use crate::Record;
use net::Mac;
use smol_str::SmolStr;
use std::marker::PhantomData;
use std::net::IpAddr;
use uuid::Uuid;

/// The key under which an index finds records; ordered, so that a range of keys can be walked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// A number: a VNI, a VLAN id.
    Number(u64),
    /// A text: a project, a host, a device.
    Text(SmolStr),
    /// An id.
    Uuid(Uuid),
    /// An address within something (a subnet, a network), in address order.
    Address(Uuid, IpAddr),
    /// A MAC address within a network.
    Mac(Uuid, Mac),
    /// An id within a project or host.
    TextUuid(SmolStr, Uuid),
    /// Two texts, such as a host and an agent type.
    Texts(SmolStr, SmolStr),
    /// A text within something, such as the hosts of a network.
    UuidText(Uuid, SmolStr),
}

impl From<Uuid> for Key {
    fn from(id: Uuid) -> Key {
        Key::Uuid(id)
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Key {
        Key::Number(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::Text(SmolStr::new(text))
    }
}

macro_rules! from_uuid_id {
    ($($id:ident),*) => {$(
        impl From<net::$id> for Key {
            fn from(id: net::$id) -> Key {
                Key::Uuid(id.0)
            }
        }
    )*};
}
net::each_uuid_id!(from_uuid_id);

macro_rules! from_text_id {
    ($($id:ident),*) => {$(
        impl From<&net::$id> for Key {
            fn from(id: &net::$id) -> Key {
                Key::Text(id.0.clone())
            }
        }
    )*};
}
from_text_id!(ProjectId, HostName);

/// A secondary index of records `R`: its position in what [`Record::index`] writes.
pub struct Index<R> {
    pub(crate) slot: usize,
    record: PhantomData<fn() -> R>,
}

impl<R: Record> Index<R> {
    /// The index at this position; positions count from 0 to [`Record::INDEXES`] - 1.
    pub const fn new(slot: usize) -> Self {
        Index { slot, record: PhantomData }
    }

    /// Its position.
    pub const fn slot(self) -> usize {
        self.slot
    }
}

impl<R> Clone for Index<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Index<R> {}
