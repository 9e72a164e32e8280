//! Rules: statements run in order until one does not match or gives a verdict.

use crate::nft::{Data, Field, Span, Value};
use crate::{Digest, Name};
use smol_str::SmolStr;
use std::net::IpAddr;

/// A rule. Its id is kept with it in the kernel as its comment (`nft list` shows it), at most 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Names the rule for people and counters: what it is for or which API object asked for it. May be empty.
    pub id: SmolStr,
    /// What it matches and does, in order.
    pub statements: Vec<Statement>,
}

/// Raised when the same text is encoded differently, so that rules a former version wrote are written anew.
const ENCODING: &str = "1";

impl Rule {
    /// A rule.
    pub fn new(id: impl Into<SmolStr>, statements: Vec<Statement>) -> Rule {
        Rule { id: id.into(), statements }
    }

    /// The content hash.
    pub fn digest(&self) -> Digest {
        Digest::default().text(ENCODING).text(&self.to_string())
    }
}

/// A part of a rule: a condition, or something done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Go on only if a field compares so.
    Match(Field, Compare, Right),
    /// Go on only if the fields, concatenated, are (or with `negate`, are not) in a set.
    Lookup {
        /// What is looked up.
        key: Vec<Field>,
        /// The set.
        set: Name,
        /// Go on if it is not there.
        negate: bool,
    },
    /// The verdict a map holds for the fields; without one go on.
    VerdictMap {
        /// What is looked up.
        key: Vec<Field>,
        /// The map.
        map: Name,
    },
    /// Give a target a constant.
    Set(Target, u32),
    /// Give a target what a map holds for the fields; without an element the rule ends.
    SetFromMap {
        /// What is given a value.
        target: Target,
        /// What is looked up.
        key: Vec<Field>,
        /// The map.
        map: Name,
    },
    /// Copy one target from another (connection mark to packet mark and back).
    Copy {
        /// What is given a value.
        target: Target,
        /// Where the value comes from: [`Field::Mark`] or [`Field::CtMark`].
        from: Field,
    },
    /// Give a new connection a conntrack helper of the table.
    CtHelper(Name),
    /// Count packets and bytes.
    Counter,
    /// Go on only within (or with `over`, beyond) a rate.
    Limit(Limit),
    /// No connection tracking for this packet.
    Notrack,
    /// Write to the kernel log.
    Log(SmolStr),
    /// Refuse with an answer.
    Reject(Reject),
    /// Translate the source to the address of the outgoing link.
    Masquerade,
    /// Translate the source to an address, and to a port range if given.
    Snat(IpAddr, Option<(u16, u16)>),
    /// Translate the destination to an address, and to a port if given.
    Dnat(IpAddr, Option<u16>),
    /// Translate the source to what a map holds for the fields.
    SnatMap(Vec<Field>, Name),
    /// Translate the destination to what a map holds for the fields.
    DnatMap(Vec<Field>, Name),
    /// Translate destination and port to what a map of [`crate::nft::MapData::Service`] holds for the fields.
    DnatServiceMap(Vec<Field>, Name),
    /// To this host, on a port.
    Redirect(u16),
    /// Decide.
    Verdict(Verdict),
}

/// How a field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Equals, lies within, or has any of the bits.
    Is,
    /// Does not.
    IsNot,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// A constant, range or prefix.
    Span(Span),
    /// Any of these bits.
    Bits(u32),
    /// `(field & mask) == value`.
    Masked {
        /// Bits looked at.
        mask: u32,
        /// What they must be.
        value: u32,
    },
    /// A link name that begins so.
    NamePrefix(Name),
}

/// Bits of [`Field::CtState`].
pub struct Ct;

impl Ct {
    /// Not a packet of any connection.
    pub const INVALID: u32 = 1;
    /// Of a connection that has seen both directions.
    pub const ESTABLISHED: u32 = 2;
    /// Caused by a connection (ICMP errors, helpers).
    pub const RELATED: u32 = 4;
    /// Begins a connection.
    pub const NEW: u32 = 8;
    /// Not tracked.
    pub const UNTRACKED: u32 = 64;
    /// Of [`Field::CtStatus`]: the destination was translated.
    pub const DNAT: u32 = 0x20;
    /// Of [`Field::CtStatus`]: an address was translated.
    pub const TRANSLATED: u32 = 0x30;
}

/// What rules give values to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The packet mark.
    Mark,
    /// The connection mark.
    CtMark,
    /// The conntrack zone; only before conntrack (priority below -200).
    CtZone,
}

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub rate: u64,
    /// Of what.
    pub unit: LimitUnit,
    /// How many more at once.
    pub burst: u32,
    /// Match beyond the rate instead of within.
    pub over: bool,
}

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitUnit {
    /// Packets in a second.
    PacketsPerSecond,
    /// Packets in a minute.
    PacketsPerMinute,
    /// Bytes in a second.
    BytesPerSecond,
}

/// The answer of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// ICMP or ICMPv6 "port unreachable".
    PortUnreachable,
    /// ICMP or ICMPv6 "administratively prohibited".
    AdminProhibited,
    /// A TCP reset.
    TcpReset,
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Passes this hook's chain; later chains still see it.
    Accept,
    /// Is dropped.
    Drop,
    /// Back to the calling chain.
    Return,
    /// Through a chain and back.
    Jump(Name),
    /// Through a chain, not back.
    Goto(Name),
    /// On with the next rule (in maps).
    Continue,
}

impl Statement {
    /// Go on only if the field is this.
    pub fn is(field: Field, span: impl Into<Span>) -> Statement {
        Statement::Match(field, Compare::Is, Right::Span(span.into()))
    }

    /// Go on only if the field is not this.
    pub fn is_not(field: Field, span: impl Into<Span>) -> Statement {
        Statement::Match(field, Compare::IsNot, Right::Span(span.into()))
    }

    /// Go on only if the number lies within, bounds included.
    pub fn within(field: Field, first: u32, last: u32) -> Statement {
        Statement::is_span(field, Span::Range(Value::Number(first), Value::Number(last)).canonical())
    }

    fn is_span(field: Field, span: Span) -> Statement {
        Statement::Match(field, Compare::Is, Right::Span(span))
    }

    /// Go on only if the connection state has any of the bits of [`Ct`].
    pub fn ct_state(bits: u32) -> Statement {
        Statement::Match(Field::CtState, Compare::Is, Right::Bits(bits))
    }

    /// Go on only if the connection's destination was translated.
    pub fn is_dnated() -> Statement {
        Statement::Match(Field::CtStatus, Compare::Is, Right::Bits(Ct::DNAT))
    }

    /// Go on only with a packet of a connection none of whose addresses is translated.
    pub fn is_untranslated() -> Statement {
        Statement::Match(Field::CtStatus, Compare::IsNot, Right::Bits(Ct::TRANSLATED))
    }

    /// Go on only if the fields, concatenated, are in a set.
    pub fn within_set(key: impl Into<Vec<Field>>, set: impl Into<Name>) -> Statement {
        Statement::Lookup { key: key.into(), set: set.into(), negate: false }
    }

    /// Go on only if the fields, concatenated, are not in a set.
    pub fn outside_set(key: impl Into<Vec<Field>>, set: impl Into<Name>) -> Statement {
        Statement::Lookup { key: key.into(), set: set.into(), negate: true }
    }

    /// The verdict a map holds for the fields.
    pub fn verdict_map(key: impl Into<Vec<Field>>, map: impl Into<Name>) -> Statement {
        Statement::VerdictMap { key: key.into(), map: map.into() }
    }

    /// Accept.
    pub const ACCEPT: Statement = Statement::Verdict(Verdict::Accept);
    /// Drop.
    pub const DROP: Statement = Statement::Verdict(Verdict::Drop);
    /// Return.
    pub const RETURN: Statement = Statement::Verdict(Verdict::Return);

    /// Through a chain and back.
    pub fn jump(chain: impl Into<Name>) -> Statement {
        Statement::Verdict(Verdict::Jump(chain.into()))
    }

    /// Through a chain, not back.
    pub fn goto(chain: impl Into<Name>) -> Statement {
        Statement::Verdict(Verdict::Goto(chain.into()))
    }
}

impl Data {
    /// The verdict to go through a chain and back.
    pub fn jump(chain: impl Into<Name>) -> Data {
        Data::Verdict(Verdict::Jump(chain.into()))
    }

    /// The verdict to go through a chain, not back.
    pub fn goto(chain: impl Into<Name>) -> Data {
        Data::Verdict(Verdict::Goto(chain.into()))
    }
}
