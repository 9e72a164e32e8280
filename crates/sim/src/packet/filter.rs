//! An interpreter of nft rules: what the chains of a hook say of a packet.
//!
//! It follows the kernel: a rule whose field a packet does not have does not match, whichever way it compares; a lookup without
//! an element ends its rule; accept ends the base chain and not the hook. Statements that no program here uses are refused.

use super::track::{Seen, Tuple};
use super::{Body, Load, Packet};
use dataplane::Name;
use dataplane::nft::{
    Chain, Compare, Data, Dependency, Family, Field, Hook, Policy, Right, Rule, Span, Statement, Table, TableKey, Target, Value, Verdict,
};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known of a packet besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// Link it came by, as the hook's family sees it.
    pub iif: Option<Name>,
    /// Link it leaves by.
    pub oif: Option<Name>,
    /// Bridge of the link it came by.
    pub bridge: Option<Name>,
    /// Packet mark.
    pub mark: u32,
    /// Conntrack zone set by a rule.
    pub zone: u16,
    /// What conntrack says of it.
    pub seen: Seen,
}

/// Tables of a network namespace.
pub type Tables = BTreeMap<TableKey, Table>;

/// The priorities at which a family has base chains at a hook, in order.
pub fn priorities(tables: &Tables, family: Family, hook: Hook) -> Vec<i32> {
    let mut priorities: Vec<i32> = bases(tables, family, hook).map(|(priority, ..)| priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    priorities
}

/// True when the packet passes the chains of a hook at a priority.
pub fn passes(tables: &Tables, family: Family, hook: Hook, priority: i32, packet: &Packet, meta: &mut Meta) -> bool {
    bases(tables, family, hook).filter(|(at, ..)| *at == priority).all(|(_, policy, table, chain)| {
        let mut run = Run { family, table, packet, meta };
        run.chain(chain).unwrap_or(policy == Policy::Accept)
    })
}

fn bases(tables: &Tables, family: Family, hook: Hook) -> impl Iterator<Item = (i32, Policy, &Table, &Chain)> {
    let of_family = tables.iter().filter(move |(key, _)| key.family == family);
    let chains = of_family.flat_map(|(_, table)| table.chains.values().map(move |chain| (table, chain)));
    chains.filter_map(move |(table, chain)| {
        let base = chain.base.as_ref().filter(|base| base.hook == hook)?;
        Some((base.priority, base.policy, table, chain))
    })
}

struct Run<'a> {
    family: Family,
    table: &'a Table,
    packet: &'a Packet,
    meta: &'a mut Meta,
}

/// What follows a rule.
enum Next {
    Rule,
    Verdict(Verdict),
}

impl Run<'_> {
    /// True: accepted, false: dropped, none: back to the caller.
    fn chain(&mut self, chain: &Chain) -> Option<bool> {
        for rule in &chain.rules {
            match self.rule(rule) {
                Next::Rule | Next::Verdict(Verdict::Continue) => {}
                Next::Verdict(Verdict::Accept) => return Some(true),
                Next::Verdict(Verdict::Drop) => return Some(false),
                Next::Verdict(Verdict::Return) => return None,
                Next::Verdict(Verdict::Goto(to)) => return self.named(&to),
                Next::Verdict(Verdict::Jump(to)) => {
                    let verdict = self.named(&to);
                    if verdict.is_some() {
                        return verdict;
                    }
                }
            }
        }
        None
    }

    /// The kernel refuses rules that name a chain which is not there.
    fn named(&mut self, name: &Name) -> Option<bool> {
        let table = self.table;
        self.chain(table.chains.get(name).unwrap_or_else(|| panic!("no chain {name}")))
    }

    fn rule(&mut self, rule: &Rule) -> Next {
        for statement in &rule.statements {
            let goes_on = match statement {
                Statement::Match(field, compare, right) => self.field(*field).is_some_and(|value| compares(*compare, right, &value)),
                Statement::Lookup { key, set, negate } => match self.key(key) {
                    Some(key) => self.find(set, &key).is_some() != *negate,
                    None => false,
                },
                Statement::VerdictMap { key, map } => match self.key(key).and_then(|key| self.find(map, &key)) {
                    Some(Some(Data::Verdict(verdict))) => return Next::Verdict(verdict.clone()),
                    Some(other) => panic!("map {map} has {other:?} where a verdict should be"),
                    None => false,
                },
                Statement::Set(target, value) => self.set(*target, *value),
                Statement::SetFromMap { target, key, map } => match self.key(key).and_then(|key| self.find(map, &key)) {
                    Some(Some(Data::Value(Value::Number(number)))) => {
                        let number = *number;
                        self.set(*target, number)
                    }
                    Some(other) => panic!("map {map} has {other:?} where a number should be"),
                    None => false,
                },
                Statement::Counter => true,
                Statement::Verdict(verdict) => return Next::Verdict(verdict.clone()),
                other => panic!("the interpreter does not know {other:?}"),
            };
            if !goes_on {
                break;
            }
        }
        Next::Rule
    }

    fn set(&mut self, target: Target, value: u32) -> bool {
        match target {
            Target::Mark => self.meta.mark = value,
            Target::CtZone => self.meta.zone = u16::try_from(value).expect("zones have 16 bits"),
            Target::CtMark if self.meta.seen.connection.is_none() => return false,
            Target::CtMark => self.meta.seen.mark = value,
        }
        true
    }

    fn key(&self, fields: &[Field]) -> Option<Vec<Value>> {
        fields.iter().map(|field| self.field(*field)).collect()
    }

    /// The element of a set or map; the kernel refuses rules that name a set which is not there.
    fn find(&self, set: &Name, key: &[Value]) -> Option<&Option<Data>> {
        assert!(self.table.sets.contains_key(set), "no set {set}");
        let elements = self.table.elements.get(set)?;
        let within = |(spans, value): (&Span, &Value)| span_has(spans, value);
        elements.iter().find(|(spans, _)| spans.0.len() == key.len() && spans.0.iter().zip(key).all(within)).map(|(_, data)| data)
    }

    fn field(&self, field: Field) -> Option<Value> {
        let there = match field.dependency() {
            None => true,
            Some(Dependency::Protocol(ether_type)) => self.packet.ether_type() == ether_type,
            Some(Dependency::L4proto(protocol)) => self.load().is_some_and(|load| load.protocol() == protocol),
        };
        if there { self.metadata(field).or_else(|| self.header(field)).or_else(|| self.transport(field)) } else { None }
    }

    /// The tuple of the first packet of its connection.
    fn original(&self) -> Option<&Tuple> {
        self.meta.seen.connection.as_ref().map(|((_, first), _)| first)
    }

    fn load(&self) -> Option<&Load> {
        if let Body::Ip { load, .. } = &self.packet.body { Some(load) } else { None }
    }

    fn metadata(&self, field: Field) -> Option<Value> {
        // A name that is not there reads as nothing, which no set contains.
        let name = |name: &Option<Name>| Some(Value::Name(name.clone().unwrap_or_default()));
        match field {
            Field::Iifname => name(&self.meta.iif),
            Field::Oifname => name(&self.meta.oif),
            Field::Ibrname if self.family == Family::Bridge => name(&self.meta.bridge),
            Field::Mark => Some(self.meta.mark.into()),
            Field::CtState => Some(self.meta.seen.state.into()),
            Field::CtMark => self.meta.seen.connection.map(|_| self.meta.seen.mark.into()),
            Field::CtDirection => self.meta.seen.connection.map(|(_, forth)| u8::from(!forth).into()),
            Field::CtZone => self.meta.seen.connection.map(|((zone, _), _)| zone.into()),
            Field::CtOriginalIpSaddr => self.original().map(|first| first.source).filter(IpAddr::is_ipv4).map(Value::from),
            Field::CtOriginalIpDaddr => self.original().map(|first| first.destination).filter(IpAddr::is_ipv4).map(Value::from),
            Field::CtOriginalIp6Saddr => self.original().map(|first| first.source).filter(IpAddr::is_ipv6).map(Value::from),
            Field::CtOriginalIp6Daddr => self.original().map(|first| first.destination).filter(IpAddr::is_ipv6).map(Value::from),
            Field::CtOriginalDport => self.original().map(|first| first.to.into()),
            Field::Protocol => Some(self.packet.ether_type().into()),
            Field::EtherType => Some(self.packet.ether_type().into()),
            Field::EtherSaddr => Some(self.packet.source.into()),
            Field::EtherDaddr => Some(self.packet.destination.into()),
            Field::L4proto => self.load().map(|load| load.protocol().into()),
            _ => None,
        }
    }

    fn header(&self, field: Field) -> Option<Value> {
        match (&self.packet.body, field) {
            (Body::Arp { mac, .. }, Field::ArpSaddrEther) => Some((*mac).into()),
            (Body::Arp { sender, .. }, Field::ArpSaddrIp) => Some((*sender).into()),
            (Body::Arp { target, .. }, Field::ArpDaddrIp) => Some((*target).into()),
            (Body::Ip { source, .. }, Field::IpSaddr | Field::Ip6Saddr) => Some((*source).into()),
            (Body::Ip { destination, .. }, Field::IpDaddr | Field::Ip6Daddr) => Some((*destination).into()),
            _ => None,
        }
    }

    fn transport(&self, field: Field) -> Option<Value> {
        match (self.load()?, field) {
            (Load::Ports { source, .. }, Field::TcpSport | Field::UdpSport | Field::SctpSport | Field::ThSport) => Some((*source).into()),
            (Load::Ports { destination, .. }, Field::TcpDport | Field::UdpDport | Field::SctpDport | Field::ThDport) => {
                Some((*destination).into())
            }
            (Load::Icmp { kind, .. }, Field::IcmpType | Field::Icmpv6Type) => Some((*kind).into()),
            (Load::Icmp { code, .. }, Field::IcmpCode | Field::Icmpv6Code) => Some((*code).into()),
            (Load::Icmp { target, .. }, Field::NdTarget) => target.map(|target| IpAddr::from(target).into()),
            _ => None,
        }
    }
}

fn compares(compare: Compare, right: &Right, value: &Value) -> bool {
    let holds = match (right, value) {
        (Right::Span(span), value) => span_has(span, value),
        (Right::Bits(bits), Value::Number(number)) => number & bits != 0,
        (Right::Masked { mask, value }, Value::Number(number)) => number & mask == *value,
        (Right::NamePrefix(prefix), Value::Name(name)) => name.starts_with(prefix.as_str()),
        (right, value) => panic!("{value:?} cannot be compared with {right:?}"),
    };
    holds == (compare == Compare::Is)
}

fn span_has(span: &Span, value: &Value) -> bool {
    match (span, value) {
        (Span::One(one), value) => one == value,
        (Span::Prefix(net), Value::Ip(address)) => net.contains(address),
        (Span::Range(Value::Ip(first), Value::Ip(last)), Value::Ip(address)) => {
            first.is_ipv4() == address.is_ipv4() && (first..=last).contains(&address)
        }
        (Span::Range(Value::Number(first), Value::Number(last)), Value::Number(number)) => (first..=last).contains(&number),
        (span, value) => panic!("{value:?} cannot be looked up in {span:?}"),
    }
}
