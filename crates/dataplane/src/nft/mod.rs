//! nftables as data: tables, chains, rules, sets and maps, and their text as `nft list ruleset` shows it.
//!
//! A table is usually shared: one unit declares it with its base chains, sets and maps; others contribute chains and
//! elements. Expressions cover filtering, marks, conntrack and NAT in the families bridge, inet, ip, ip6, arp and netdev.

mod field;
mod render;
mod rule;
mod set;
mod value;

pub use field::{Dependency, Field, Layer, Load};
pub use render::render;
pub use rule::{Compare, Ct, Limit, LimitUnit, Reject, Right, Rule, Statement, Target, Verdict};
pub use set::{DataType, Elements, MapData, SetSpec};
pub use value::{Data, Key, Span, Value, prefix_elements};

use crate::{Digest, Name};
use std::collections::BTreeMap;
use std::fmt;

/// The hooks and packets a table sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Frames passing a bridge.
    Bridge,
    /// IPv4 and IPv6.
    Inet,
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// ARP to and from this host.
    Arp,
    /// Frames at one device.
    Netdev,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Bridge => "bridge",
            Family::Inet => "inet",
            Family::Ip => "ip",
            Family::Ip6 => "ip6",
            Family::Arp => "arp",
            Family::Netdev => "netdev",
        })
    }
}

/// What tells tables of a namespace apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableKey {
    /// Its family.
    pub family: Family,
    /// Its name.
    pub name: Name,
}

impl TableKey {
    /// The key of this table.
    pub fn new(family: Family, name: impl Into<Name>) -> TableKey {
        TableKey { family, name: name.into() }
    }
}

impl fmt::Display for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.family, self.name)
    }
}

/// A helper of connection tracking, which rules give to connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CtHelper {
    /// The kernel's name of it.
    pub helper: Name,
    /// Number of the transport protocol of its connections.
    pub protocol: u8,
}

/// A table or one unit's share of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// This unit makes the table and removes it (with all in it).
    pub declared: bool,
    /// Chains by name.
    pub chains: BTreeMap<Name, Chain>,
    /// Conntrack helpers this unit makes and removes, by name.
    pub helpers: BTreeMap<Name, CtHelper>,
    /// Sets and maps this unit makes and removes, by name (both share the names).
    pub sets: BTreeMap<Name, SetSpec>,
    /// Elements this unit puts into sets and maps, its own or those of others.
    pub elements: BTreeMap<Name, Elements>,
}

impl Table {
    /// A table this unit makes.
    pub fn declared() -> Table {
        Table { declared: true, ..Table::default() }
    }

    /// Puts an element into a set, or into a map when there is data.
    pub fn element(&mut self, set: impl Into<Name>, key: impl Into<Key>, data: Option<Data>) {
        self.elements.entry(set.into()).or_default().insert(key.into(), data);
    }

    /// Adds another unit's share.
    pub fn merge(&mut self, other: &Table) {
        self.declared |= other.declared;
        self.chains.extend(other.chains.iter().map(|(name, chain)| (name.clone(), chain.clone())));
        self.helpers.extend(other.helpers.iter().map(|(name, helper)| (name.clone(), helper.clone())));
        self.sets.extend(other.sets.iter().map(|(name, spec)| (name.clone(), spec.clone())));
        for (set, elements) in &other.elements {
            let ours = self.elements.entry(set.clone()).or_default();
            ours.extend(elements.iter().map(|(key, data)| (key.clone(), data.clone())));
        }
    }
}

/// A list of rules, called from a hook or by other rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Where it is hooked in; `None` for a chain reached by jump or goto.
    pub base: Option<Base>,
    /// Its rules in order.
    pub rules: Vec<Rule>,
}

impl Chain {
    /// A chain reached by jump or goto.
    pub fn regular(rules: Vec<Rule>) -> Chain {
        Chain { base: None, rules }
    }

    /// A filter chain at a hook with this priority.
    pub fn filter(hook: Hook, priority: i32, policy: Policy, rules: Vec<Rule>) -> Chain {
        Chain { base: Some(Base { kind: ChainKind::Filter, hook, priority, policy, device: None }), rules }
    }

    /// The content hashes of the rules in order. A rule's hash is kept with it in the kernel.
    pub fn digests(&self) -> Vec<Digest> {
        self.rules.iter().map(Rule::digest).collect()
    }
}

/// Where a base chain is hooked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its type.
    pub kind: ChainKind,
    /// The hook.
    pub hook: Hook,
    /// Order among the chains of a hook: smaller runs first. The numbers are the family's (bridge filter is -200,
    /// conntrack of inet runs at -200, raw at -300).
    pub priority: i32,
    /// What happens to a packet no rule decides.
    pub policy: Policy,
    /// The device, for the family netdev.
    pub device: Option<Name>,
}

/// The type of a base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    /// Accept or drop.
    Filter,
    /// Network address translation: sees the first packet of each connection.
    Nat,
    /// Routes locally made packets again after a change.
    Route,
}

/// A point in a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Before routing or bridging.
    Prerouting,
    /// To this host.
    Input,
    /// Through this host.
    Forward,
    /// From this host.
    Output,
    /// After routing or bridging.
    Postrouting,
    /// Into a device (netdev, inet).
    Ingress,
    /// Out of a device (netdev).
    Egress,
}

/// The verdict at the end of a base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Let it pass.
    Accept,
    /// Drop it.
    Drop,
}
