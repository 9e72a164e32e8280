//! The types of attributes: what a client may send, and its canonical form.

use serde_json::Value;

/// Why a value was refused. The two differ in the reference's error: clients and tests tell them apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// A validator refused: 400 `HTTPBadRequest`, "Invalid input for <attribute>. Reason: <reason>."
    Reason(String),
    /// A conversion failed: 400 `InvalidInput`, "Invalid input for operation: <reason>."
    Conversion(String),
}

/// The type of an attribute.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text of at most this many characters.
    Text(usize),
    /// A text or null.
    TextOrNull(usize),
    /// `true`, `false` and what converts to them ("true", "1", 0, …).
    Bool,
    /// An integer, also as decimal text.
    Int,
    /// An integer in a range, both ends included.
    IntRange(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words or null.
    WordOrNull(&'static [&'static str]),
    /// A UUID.
    Uuid,
    /// A UUID or null.
    UuidOrNull,
    /// A list of UUIDs without repetitions; null is the empty list.
    UuidList,
    /// A MAC address that an interface can have.
    Mac,
    /// An IP address.
    Ip,
    /// An IP address or null.
    IpOrNull,
    /// A prefix in CIDR form; host bits are cleared.
    Cidr,
    /// An object or null.
    ObjectOrNull,
    /// Anything else: its own check, and the name of its form for documents.
    Special {
        /// Name of the form, such as `allocation_pools`.
        name: &'static str,
        /// Turns what a client sent into the canonical form.
        check: fn(Value) -> Result<Value, Invalid>,
    },
}
