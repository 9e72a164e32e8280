//! `group/…` and `member/…` units.

use super::hosts_under;
use intent::{AddressGroupIntent, Direction, GroupMember, GroupRule, Remote, SecurityGroupIntent, Transport};
use model::{AddressGroup, Port, SecurityGroup, SecurityGroupRule};
use net::{AddressGroupId, HostName, IpNet, PortId, SecurityGroupId, SecurityGroupRuleId};
use security_groups::rule::protocol;
use std::collections::BTreeSet;
use world::{Key, World};

/// A stored rule that means nothing a host could enforce; it is left out, so that what it allowed does not pass.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("security group rule {rule} is left out: {reason}")]
pub struct UnresolvableRule {
    /// The rule.
    pub rule: SecurityGroupRuleId,
    /// What is wrong with it.
    pub reason: String,
}

pub(super) fn group(world: &World, host: &HostName, id: SecurityGroupId) -> Option<SecurityGroupIntent> {
    if !has_ports(world, host, id) {
        return None;
    }
    let group = world.get::<SecurityGroup>(&id)?;
    let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, id);
    // Complaints are logged when the rule is committed and not at each projection.
    let rules = rules.filter_map(|rule| resolve(rule).ok()).collect();
    Some(SecurityGroupIntent { id, stateful: group.stateful, rules })
}

pub(super) fn member(world: &World, host: &HostName, group: SecurityGroupId, id: PortId) -> Option<GroupMember> {
    let port = world.get::<Port>(&id).filter(|port| port.security_groups.contains(&group))?;
    if !needs_members(world, host, group) {
        return None;
    }
    let fixed_ips = port.fixed_ips.iter().map(|fixed_ip| IpNet::from(fixed_ip.ip_address));
    let mut addresses: Vec<IpNet> = fixed_ips.chain(port.allowed_address_pairs.iter().map(|pair| pair.ip_address)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    (!addresses.is_empty()).then_some(GroupMember { group_id: group, port_id: id, addresses })
}

pub(super) fn address_group(world: &World, host: &HostName, id: AddressGroupId) -> Option<AddressGroupIntent> {
    let group = world.get::<AddressGroup>(&id)?;
    let mut rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_ADDRESS_GROUP, id);
    let is_named = rules.any(|rule| has_ports(world, host, rule.security_group_id) && is_enforced(world, rule));
    is_named.then(|| AddressGroupIntent { id, addresses: group.addresses.clone() })
}

pub(crate) fn has_ports(world: &World, host: &HostName, group: SecurityGroupId) -> bool {
    world.table::<Port>().has(Port::BY_GROUP_HOST, Key::UuidText(group.0, host.0.clone()))
}

/// True when a rule of a group on the host names this group as remote.
pub(crate) fn needs_members(world: &World, host: &HostName, group: SecurityGroupId) -> bool {
    let mut rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_REMOTE_GROUP, group);
    rules.any(|rule| has_ports(world, host, rule.security_group_id) && is_enforced(world, rule))
}

fn is_enforced(world: &World, rule: &SecurityGroupRule) -> bool {
    world.get::<SecurityGroup>(&rule.security_group_id).is_some() && resolve(rule).is_ok()
}

/// The groups that a group's rules name as remote.
pub(crate) fn remote_groups(world: &World, group: SecurityGroupId) -> BTreeSet<SecurityGroupId> {
    let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group);
    rules.filter_map(|rule| rule.remote_group_id).collect()
}

/// The address groups that a group's rules name.
pub(crate) fn address_groups(world: &World, group: SecurityGroupId) -> BTreeSet<AddressGroupId> {
    let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, group);
    rules.filter_map(|rule| rule.remote_address_group_id).collect()
}

/// The hosts with groups whose rules name this address group.
pub(crate) fn address_group_hosts(world: &World, id: AddressGroupId) -> BTreeSet<HostName> {
    let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_ADDRESS_GROUP, id);
    let groups: BTreeSet<SecurityGroupId> = rules.map(|rule| rule.security_group_id).collect();
    groups.into_iter().flat_map(|group| group_hosts(world, group)).collect()
}

/// The hosts that have bound ports of a group.
pub(crate) fn group_hosts(world: &World, group: SecurityGroupId) -> Vec<HostName> {
    hosts_under(world.table::<Port>(), Port::BY_GROUP_HOST, group.0)
}

/// The hosts with groups whose rules name this group as remote.
pub(crate) fn remote_group_hosts(world: &World, group: SecurityGroupId) -> BTreeSet<HostName> {
    let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_REMOTE_GROUP, group);
    let groups: BTreeSet<SecurityGroupId> = rules.filter(|rule| is_enforced(world, rule)).map(|rule| rule.security_group_id).collect();
    groups.into_iter().flat_map(|group| group_hosts(world, group)).collect()
}

/// A rule as hosts enforce it.
pub fn resolve(rule: &SecurityGroupRule) -> Result<GroupRule, UnresolvableRule> {
    let wrong = |reason: String| UnresolvableRule { rule: rule.id, reason };
    let direction = match rule.direction {
        model::Direction::Ingress => Direction::Ingress,
        model::Direction::Egress => Direction::Egress,
    };
    let remote = match (&rule.remote_ip_prefix, rule.remote_group_id, rule.remote_address_group_id) {
        (_, Some(group), _) => Remote::Group { group },
        (_, None, Some(address_group)) => Remote::AddressGroup { address_group },
        (None, None, None) => Remote::Any,
        (Some(prefix), None, None) => {
            let prefix: IpNet = prefix.parse().map_err(|_| wrong(format!("'{prefix}' is not a prefix")))?;
            if net::Family::of_net(&prefix) != rule.ethertype {
                return Err(wrong(format!("{prefix} is not of {}", rule.ethertype.ethertype())));
            }
            Remote::Prefix { prefix: prefix.trunc() }
        }
    };
    Ok(GroupRule { id: rule.id, direction, family: rule.ethertype, transport: transport(rule).map_err(wrong)?, remote })
}

fn transport(rule: &SecurityGroupRule) -> Result<Transport, String> {
    let range = (rule.port_range_min, rule.port_range_max);
    let Some(word) = rule.protocol.as_deref() else {
        return if range == (None, None) { Ok(Transport::Any) } else { Err("it has ports but no protocol".to_owned()) };
    };
    let number = protocol::number(word).ok_or_else(|| format!("protocol '{word}' is unknown"))?;
    if protocol::is_any(word) {
        return Ok(Transport::Any);
    }
    let number = protocol::in_family(number, rule.ethertype);
    // ICMPv6 in an IPv4 rule is a protocol like any other.
    let of_family = (number == protocol::ICMP) == (rule.ethertype == net::Family::V4);
    if protocol::is_icmp(number) && of_family {
        let octet = |value: Option<u16>| value.map(u8::try_from).transpose().map_err(|_| "its ICMP type or code is over 255".to_owned());
        return match (octet(range.0)?, octet(range.1)?) {
            (None, Some(_)) => Err("it has an ICMP code but no type".to_owned()),
            (icmp_type, code) => Ok(Transport::Icmp { icmp_type, code }),
        };
    }
    match range {
        (None, None) => Ok(Transport::Protocol { protocol: number }),
        _ if !protocol::has_ports(number) => Err(format!("protocol '{word}' has no ports")),
        (first, last) => {
            let (first, last) = (first.unwrap_or(0), last.unwrap_or(u16::MAX));
            if first <= last { Ok(Transport::Ports { protocol: number, first, last }) } else { Err(format!("ports {first} to {last}")) }
        }
    }
}
