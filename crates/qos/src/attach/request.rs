//! `resource_request` of a port: what Nova asks Placement for, so that an instance lands where its port's guarantees can be kept.
//!
//! One group for bandwidth and one for packets, each named by the port and its rules as the reference names it: an allocation that was made
//! there keeps its meaning here.

use super::port::effective;
use crate::rule::guarantees;
use model::{Network, Port, QosDirection, QosRule, QosRuleType, Segment};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;
use world::World;

/// What is asked for.
#[derive(Serialize)]
pub(super) struct Request {
    request_groups: Vec<Group>,
    /// The groups must come from one host.
    same_subtree: Vec<Uuid>,
}

/// Resources that one provider must have.
#[derive(Serialize)]
struct Group {
    id: Uuid,
    required: Vec<SmolStr>,
    resources: BTreeMap<&'static str, u32>,
}

/// None: nothing is guaranteed.
pub(super) fn of(world: &World, port: &Port) -> Option<Request> {
    let policy = effective(world, port)?;
    let bandwidth = guarantees(world, policy, QosRuleType::MinimumBandwidth);
    let packets = guarantees(world, policy, QosRuleType::MinimumPacketRate);
    let segment = world.get::<Network>(&port.network_id).and_then(|network| network.segments.first());
    let vnic = custom(&format!("VNIC_TYPE_{}", port.binding.vnic_type));
    let of_bandwidth = segment.map(|segment| group(port, &bandwidth, vec![of_segment(segment), vnic.clone()]));
    let groups = [of_bandwidth.flatten(), group(port, &packets, vec![vnic])];
    let request_groups: Vec<Group> = groups.into_iter().flatten().collect();
    let same_subtree: Vec<Uuid> = request_groups.iter().map(|group| group.id).collect();
    (!same_subtree.is_empty()).then_some(Request { request_groups, same_subtree })
}

fn group(port: &Port, rules: &[&Arc<QosRule>], required: Vec<SmolStr>) -> Option<Group> {
    if rules.is_empty() {
        return None;
    }
    let ids: Vec<String> = rules.iter().map(|rule| rule.id.to_string()).collect();
    let resources = rules.iter().map(|rule| (class(rule), rule.value)).collect();
    Some(Group { id: Uuid::new_v5(&port.id.0, ids.join(":").as_bytes()), required, resources })
}

/// The resource class of a rule.
fn class(rule: &QosRule) -> &'static str {
    match (rule.rule_type, rule.direction) {
        (QosRuleType::MinimumBandwidth, Some(QosDirection::Ingress)) => "NET_BW_IGR_KILOBIT_PER_SEC",
        (QosRuleType::MinimumBandwidth, _) => "NET_BW_EGR_KILOBIT_PER_SEC",
        (_, Some(QosDirection::Ingress)) => "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
        (_, Some(QosDirection::Egress)) => "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
        _ => "NET_PACKET_RATE_KILOPACKET_PER_SEC",
    }
}

/// The trait of hosts that reach the segment.
fn of_segment(segment: &Segment) -> SmolStr {
    match &segment.physical_network {
        Some(physical) => custom(&format!("PHYSNET_{physical}")),
        None => SmolStr::new_static("CUSTOM_NETWORK_TUNNEL_PROVIDER"),
    }
}

/// A name as Placement takes it: upper case, all that is no letter or digit one underscore.
fn custom(name: &str) -> SmolStr {
    let mut trait_name = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => trait_name.push(c.to_ascii_uppercase()),
            _ if trait_name.ends_with('_') => {}
            _ => trait_name.push('_'),
        }
    }
    format_smolstr!("CUSTOM_{trait_name}")
}
