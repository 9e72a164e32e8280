//! `group/…`: the rules of a security group; `members/…`: who is in a group that rules name as remote; `addresses/…`: the prefixes
//! of an address group that rules name.

use super::complaint;
use crate::pipeline::{IPV4, IPV6, Variant, Way};
use agent::{Compiled, Facts, Intents};
use dataplane::Name;
use dataplane::nft::{Chain, DataType, Field, Rule, SetSpec, Statement, prefix_elements};
use intent::{Direction, GroupRule, Remote, SecurityGroupIntent, Transport, UnitId};
use net::{AddressGroupId, Family, IpNet, SecurityGroupId};
use smol_str::format_smolstr;

/// The chain of a group's rules: `sg-<first 11 characters of its id>-in`.
pub(super) fn chain(group: SecurityGroupId, way: Way) -> Name {
    format_smolstr!("sg-{}-{}", group.short(), way.word())
}

/// The set of its members' addresses.
fn members(group: SecurityGroupId, family: Family) -> Name {
    format_smolstr!("members{}-{}", family.version(), group.short())
}

/// The set of an address group's prefixes.
fn addresses(group: AddressGroupId, family: Family) -> Name {
    format_smolstr!("addresses{}-{}", family.version(), group.short())
}

pub(super) fn compile(group: &SecurityGroupIntent, facts: &Facts) -> Compiled {
    let mut compiled = Compiled::default();
    let unit = UnitId::SecurityGroup(group.id);
    let mut chains = [(Way::In, Vec::new()), (Way::Out, Vec::new())];
    for rule in &group.rules {
        match statements(rule) {
            Ok(statements) => {
                let at = if rule.direction == Direction::Ingress { 0 } else { 1 };
                chains[at].1.push(Rule::new(rule.id.to_string(), statements));
            }
            Err(reason) => compiled.complaints.push(complaint(unit, format!("rule {}: {reason}", rule.id))),
        }
    }
    let table = compiled.program.root().tables.entry(Variant::of(facts).rules_table()).or_default();
    for (way, rules) in chains {
        table.chains.insert(chain(group.id, way), Chain::regular(rules));
    }
    compiled.realises.push(unit);
    compiled
}

fn statements(rule: &GroupRule) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    let family = rule.family;
    let side = match (rule.direction, family) {
        (Direction::Ingress, Family::V4) => Field::IpSaddr,
        (Direction::Egress, Family::V4) => Field::IpDaddr,
        (Direction::Ingress, Family::V6) => Field::Ip6Saddr,
        (Direction::Egress, Family::V6) => Field::Ip6Daddr,
    };
    let protocol = if family == Family::V4 { IPV4 } else { IPV6 };
    match rule.remote {
        Remote::Any => statements.push(Statement::is(Field::Protocol, protocol)),
        Remote::Prefix { prefix } if Family::of_net(&prefix) != family => {
            return Err(format!("{prefix} is not of {}", family.ethertype()));
        }
        Remote::Prefix { prefix } if prefix.prefix_len() == 0 => statements.push(Statement::is(Field::Protocol, protocol)),
        Remote::Prefix { prefix } => statements.push(Statement::is(side, prefix)),
        Remote::Group { group } => statements.push(Statement::within_set([side], members(group, family))),
        Remote::AddressGroup { address_group } => statements.push(Statement::within_set([side], addresses(address_group, family))),
    }
    transport(&mut statements, rule.transport, family)?;
    statements.push(Statement::ACCEPT);
    Ok(statements)
}

fn transport(statements: &mut Vec<Statement>, transport: Transport, family: Family) -> Result<(), String> {
    match transport {
        Transport::Any => {}
        Transport::Protocol { protocol } => statements.push(Statement::is(Field::L4proto, protocol)),
        Transport::Ports { first, last, .. } if first > last => return Err(format!("ports {first} to {last} are none")),
        Transport::Ports { protocol, first, last } => {
            let field = match protocol {
                6 => Field::TcpDport,
                17 => Field::UdpDport,
                132 => Field::SctpDport,
                33 | 136 => Field::ThDport,
                other => return Err(format!("protocol {other} has no ports")),
            };
            if field == Field::ThDport {
                statements.push(Statement::is(Field::L4proto, protocol));
            }
            statements.push(Statement::within(field, first.into(), last.into()));
        }
        Transport::Icmp { icmp_type, code } => {
            let (protocol, type_field, code_field) = match family {
                Family::V4 => (1_u8, Field::IcmpType, Field::IcmpCode),
                Family::V6 => (58_u8, Field::Icmpv6Type, Field::Icmpv6Code),
            };
            match icmp_type {
                Some(number) => statements.push(Statement::is(type_field, number)),
                None => statements.push(Statement::is(Field::L4proto, protocol)),
            }
            statements.extend(code.map(|number| Statement::is(code_field, number)));
        }
    }
    Ok(())
}

pub(super) fn compile_members(group: SecurityGroupId, intents: &Intents, facts: &Facts) -> Compiled {
    let mut compiled = Compiled::default();
    let all = || intents.members(group).flat_map(|member| &member.addresses).copied();
    sets(&mut compiled, facts, |family| members(group, family), all);
    compiled.realises.extend(intents.members(group).map(|member| UnitId::Member(group, member.port_id)));
    compiled
}

pub(super) fn compile_addresses(id: AddressGroupId, intents: &Intents, facts: &Facts) -> Compiled {
    let mut compiled = Compiled::default();
    let group = intents.address_group(id);
    sets(&mut compiled, facts, |family| addresses(id, family), || group.iter().flat_map(|group| &group.addresses).copied());
    compiled.realises.extend(group.map(|group| UnitId::AddressGroup(group.id)));
    compiled
}

/// A set of each family with what is of it.
fn sets<I: Iterator<Item = IpNet>>(compiled: &mut Compiled, facts: &Facts, name: impl Fn(Family) -> Name, all: impl Fn() -> I) {
    let table = compiled.program.root().tables.entry(Variant::of(facts).rules_table()).or_default();
    for (family, data_type) in [(Family::V4, DataType::Ipv4), (Family::V6, DataType::Ipv6)] {
        table.sets.insert(name(family), SetSpec::intervals([data_type]));
        let ours: Vec<IpNet> = all().filter(|net| Family::of_net(net) == family).collect();
        for key in prefix_elements(ours) {
            table.element(name(family), key, None);
        }
    }
}
