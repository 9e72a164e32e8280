//! What hosts are told of security groups.

use crate::rule::protocol;
use intent::{GroupRule, Remote, SecurityGroupIntent, Transport};
use model::{Direction, SecurityGroup, SecurityGroupRule};
use net::{IpNet, SecurityGroupId};
use world::World;

/// `group/<group>`, with its rules sorted by id.
pub fn group(world: &World, id: SecurityGroupId) -> Option<SecurityGroupIntent> {
    let group = world.get::<SecurityGroup>(&id)?;
    let rules = world.table::<SecurityGroupRule>().by(SecurityGroupRule::BY_GROUP, id);
    Some(SecurityGroupIntent { id, stateful: group.stateful, rules: rules.map(|rule| rule_of(rule)).collect() })
}

fn rule_of(rule: &SecurityGroupRule) -> GroupRule {
    let prefix = rule.remote_ip_prefix.as_deref().and_then(|text| text.parse::<IpNet>().ok()).map(|net| net.trunc());
    let remote = match (rule.remote_group_id, prefix) {
        (Some(group), _) => Remote::Group { group },
        (None, Some(prefix)) => Remote::Prefix { prefix },
        (None, None) => Remote::Any,
    };
    let direction = match rule.direction {
        Direction::Ingress => intent::Direction::Ingress,
        Direction::Egress => intent::Direction::Egress,
    };
    GroupRule { id: rule.id, direction, family: rule.ethertype, transport: transport(rule), remote }
}

fn transport(rule: &SecurityGroupRule) -> Transport {
    let Some(number) = rule.protocol.as_deref().and_then(protocol::number) else { return Transport::Any };
    let protocol = protocol::in_family(number, rule.ethertype);
    if protocol::is_icmp(protocol) {
        let byte = |value: Option<u16>| value.and_then(|value| u8::try_from(value).ok());
        return Transport::Icmp { icmp_type: byte(rule.port_range_min), code: byte(rule.port_range_max) };
    }
    match (rule.port_range_min, rule.port_range_max) {
        (Some(first), Some(last)) => Transport::Ports { protocol, first, last },
        _ => Transport::Protocol { protocol },
    }
}
