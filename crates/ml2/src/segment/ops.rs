//! Create, update and delete of segments.

use super::{SegmentFault, find};
use crate::network::{NetworkFault, PHYSICAL, SEGMENTATION, TYPE, check_maximum, new_segment};
use crate::port::is_auto_deleted;
use crate::{Config, dhcp};
use api::{Fault, Fields, Op};
use model::{Network, Port, Subnet};
use net::{SegmentId, SubnetId};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::sync::Arc;

fn text(given: &Map<String, Value>, name: &str) -> Option<SmolStr> {
    given.get(name).and_then(Value::as_str).map(SmolStr::new)
}

/// Adds a segment to a network, as the driver of its type has it.
pub(super) fn create(op: &mut Op<'_>, given: &Map<String, Value>) -> Result<SegmentId, Fault> {
    let word = text(given, "network_id").unwrap_or_default();
    let found = word.parse().ok().and_then(|id| op.tx.get::<Network>(&id));
    let mut network = Network::clone(found.ok_or_else(|| NetworkFault::unknown(&word))?);
    let mut asked = Fields::default();
    for (name, provider) in [("network_type", TYPE), ("physical_network", PHYSICAL), ("segmentation_id", SEGMENTATION)] {
        asked.set(provider, given.get(name).cloned().unwrap_or_default());
    }
    let mut segment = new_segment(op, &network.project_id, &asked)?;
    segment.name = text(given, "name");
    segment.standard.description = text(given, "description").unwrap_or_default();
    let id = segment.id;
    network.segments.push(segment);
    if let Some(mtu) = network.mtu {
        check_maximum(op.settings.get::<Config>(), &network.segments, mtu)?;
    }
    op.tx.put(network);
    Ok(id)
}

pub(super) fn update(op: &mut Op<'_>, id: &str, given: &Map<String, Value>) -> Result<SegmentId, Fault> {
    let (network, segment) = find(op.tx.world(), id)?;
    let (network, mut new) = (network.id, segment.clone());
    if given.contains_key("name") {
        new.name = text(given, "name");
    }
    if given.contains_key("description") {
        new.standard.description = text(given, "description").unwrap_or_default();
    }
    let (id, now) = (new.id, op.tx.context.now);
    op.tx.update::<Network>(&network, |network| {
        if let Some(there) = network.segments.iter_mut().find(|there| there.id == id && **there != new) {
            new.standard.touch(now);
            *there = new.clone();
        }
    });
    Ok(id)
}

/// Removes a segment that nothing is on but DHCP servers.
pub(super) fn delete(op: &mut Op<'_>, id: &str) -> Result<(), Fault> {
    let (network, segment) = find(op.tx.world(), id)?;
    let (network, segment) = (network.id, segment.id);
    let subnets = op.tx.table::<Subnet>().by(Subnet::BY_NETWORK, network);
    let subnets: Vec<SubnetId> = subnets.filter(|subnet| subnet.segment_id == Some(segment)).map(|subnet| subnet.id).collect();
    if !subnets.is_empty() {
        return Err(SegmentFault::HasSubnets(id.to_owned(), subnets).into());
    }
    let ports = op.tx.table::<Port>().by(Port::BY_NETWORK, network);
    let bound: Vec<Arc<Port>> = ports.filter(|port| port.binding.segment == Some(segment)).cloned().collect();
    if bound.iter().any(|port| !is_auto_deleted(port)) {
        return Err(SegmentFault::HasPorts(id.to_owned(), bound.len()).into());
    }
    op.tx.update::<Network>(&network, |network| network.segments.retain(|there| there.id != segment));
    for port in bound {
        op.tx.remove::<Port>(&port.id);
    }
    dhcp::schedule(op, network);
    Ok(())
}
