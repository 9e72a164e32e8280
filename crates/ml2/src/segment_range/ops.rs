//! Create, update and delete of segment ranges, and which ids a project's network may get.

use super::{RangeFault, configured, highest, taken};
use crate::Config;
use crate::place::Place;
use api::{Fault, Fields, Op};
use model::{NetworkType, SegmentRange, Standard};
use net::{ProjectId, SegmentRangeId};
use smol_str::SmolStr;
use std::sync::Arc;
use world::World;

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<SegmentRangeId, Fault> {
    let word = fields.text("network_type").unwrap_or_default();
    let network_type = NetworkType::from_word(&word).filter(|word| matches!(word, NetworkType::Vlan | NetworkType::Vxlan));
    let network_type = network_type.ok_or_else(|| RangeFault::Unsupported(word.to_string()))?;
    let physical_network = fields.text("physical_network").filter(|name| !name.is_empty() && network_type == NetworkType::Vlan);
    if network_type == NetworkType::Vlan && physical_network.is_none() {
        return Err(RangeFault::NoPhysicalNetwork.into());
    }
    let is_shared = fields.bool("shared").unwrap_or(true);
    let project = fields.text("project_id").filter(|project| !project.is_empty());
    if !is_shared && project.is_none() {
        return Err(RangeFault::NoProject.into());
    }
    let range = SegmentRange {
        id: SegmentRangeId(op.tx.context.uuid()),
        name: fields.text("name").unwrap_or_default(),
        default: false,
        project_id: project.filter(|_| !is_shared).map(ProjectId),
        network_type,
        physical_network,
        minimum: bound(fields, "minimum").unwrap_or_default(),
        maximum: bound(fields, "maximum").unwrap_or_default(),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    };
    check(op.tx.world(), &range)?;
    let id = range.id;
    op.tx.put(range);
    Ok(id)
}

fn bound(fields: &Fields, name: &str) -> Option<u32> {
    fields.int(name).map(|id| u32::try_from(id).unwrap_or(u32::MAX))
}

/// Ranges of the configuration may be cut into pieces, others do not overlap.
fn check(world: &World, range: &SegmentRange) -> Result<(), RangeFault> {
    if range.minimum > range.maximum || range.maximum > highest(range.network_type) {
        return Err(RangeFault::Invalid(range.minimum, range.maximum));
    }
    let others = ranges(world, Place::of(range)).filter(|other| !other.default && other.id != range.id);
    let overlapping = others.filter(|other| range.minimum <= other.maximum && range.maximum >= other.minimum);
    let overlapping: Vec<SegmentRangeId> = overlapping.map(|other| other.id).collect();
    if overlapping.is_empty() { Ok(()) } else { Err(RangeFault::Overlaps(overlapping)) }
}

fn ranges<'w>(world: &'w World, place: Place<'w>) -> impl Iterator<Item = &'w Arc<SegmentRange>> {
    let of_type = world.table::<SegmentRange>().by(SegmentRange::BY_TYPE, place.network_type.as_str());
    of_type.filter(move |range| Place::of(range) == place)
}

/// What networks have of a range stays in it.
pub(super) fn update(op: &mut Op<'_>, range: &Arc<SegmentRange>, fields: &Fields) -> Result<(), Fault> {
    if range.default {
        return Err(RangeFault::ReadOnly(range.id).into());
    }
    let mut new = SegmentRange::clone(range);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    new.minimum = bound(fields, "minimum").unwrap_or(range.minimum);
    new.maximum = bound(fields, "maximum").unwrap_or(range.maximum);
    let mut held = taken(op.tx.world(), range);
    if held.any(|(id, _)| !(new.minimum..=new.maximum).contains(&id)) {
        return Err(RangeFault::Referenced(range.id).into());
    }
    drop(held);
    check(op.tx.world(), &new)?;
    if new != **range {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

pub(super) fn delete(op: &mut Op<'_>, range: &Arc<SegmentRange>) -> Result<(), Fault> {
    if range.default {
        return Err(RangeFault::ReadOnly(range.id).into());
    }
    if taken(op.tx.world(), range).next().is_some() {
        return Err(RangeFault::Referenced(range.id).into());
    }
    op.tx.remove::<SegmentRange>(&range.id);
    Ok(())
}

/// The physical networks that may carry VLANs, each once.
pub(crate) fn vlan_networks<'w>(world: &'w World, config: &'w Config) -> Vec<&'w str> {
    let made = world.table::<SegmentRange>().by(SegmentRange::BY_TYPE, NetworkType::Vlan.as_str()).filter(|range| !range.default);
    let mut networks: Vec<&str> = Vec::new();
    for place in configured(config).map(|(place, _)| place).chain(made.map(|range| Place::of(range))) {
        networks.extend(place.physical_network.filter(|name| !networks.contains(name)));
    }
    networks
}

/// The ranges that a project's network is given an id of: those tried first, and those tried then.
pub(crate) fn free_for(world: &World, config: &Config, place: Place<'_>, project: &ProjectId) -> [Vec<(u128, u128)>; 2] {
    let bounds = |range: &SegmentRange| (u128::from(range.minimum), u128::from(range.maximum));
    let own = ranges(world, place).filter(|range| range.project_id.as_ref() == Some(project));
    let shared = ranges(world, place).filter(|range| range.project_id.is_none() && !range.default).map(|range| bounds(range));
    let configured = configured(config).filter(|(there, _)| *there == place).map(|(_, (first, last))| (first.into(), last.into()));
    let foreign = ranges(world, place).filter(|range| range.project_id.as_ref().is_some_and(|owner| owner != project));
    let foreign: Vec<(u128, u128)> = foreign.map(|range| bounds(range)).collect();
    [own.map(|range| bounds(range)).collect(), without(shared.chain(configured).collect(), &foreign)]
}

/// Ranges without the parts that are in others; in order, overlapping ones joined.
pub(super) fn without(mut ranges: Vec<(u128, u128)>, others: &[(u128, u128)]) -> Vec<(u128, u128)> {
    for (first, last) in others {
        let cut = |(low, high): (u128, u128)| {
            let before = (low < *first).then(|| (low, high.min(first.saturating_sub(1))));
            let after = (high > *last).then(|| (low.max(last + 1), high));
            before.into_iter().chain(after)
        };
        ranges = ranges.into_iter().flat_map(cut).collect();
    }
    ranges.sort_unstable();
    let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match joined.last_mut() {
            Some(last) if low <= last.1 + 1 => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    joined
}

fn defaults(world: &World) -> Vec<&Arc<SegmentRange>> {
    world.table::<SegmentRange>().iter().filter(|range| range.default).collect()
}

/// True once the ranges of the configuration are shown.
pub(super) fn is_shown(world: &World) -> bool {
    !defaults(world).is_empty()
}

/// After a start: what is shown of the configuration is what it says now.
pub fn follow_configuration(op: &mut Op<'_>) -> Result<(), Fault> {
    if is_shown(op.tx.world()) { refresh(op) } else { Ok(()) }
}

/// Shows the ranges of the configuration among the others; changes nothing when they are there.
pub(super) fn refresh(op: &mut Op<'_>) -> Result<(), Fault> {
    let config = op.settings.get::<Config>();
    let wanted: Vec<(Place<'_>, (u32, u32))> = configured(config).collect();
    let there: Vec<Arc<SegmentRange>> = defaults(op.tx.world()).into_iter().cloned().collect();
    let is = |range: &SegmentRange, wanted: &(Place<'_>, (u32, u32))| (Place::of(range), (range.minimum, range.maximum)) == *wanted;
    for range in there.iter().filter(|range| !wanted.iter().any(|wanted| is(range, wanted))) {
        op.tx.remove::<SegmentRange>(&range.id);
    }
    for (place, (minimum, maximum)) in wanted.iter().filter(|wanted| !there.iter().any(|range| is(range, wanted))) {
        let range = SegmentRange {
            id: SegmentRangeId(op.tx.context.uuid()),
            name: SmolStr::default(),
            default: true,
            project_id: None,
            network_type: place.network_type,
            physical_network: place.physical_network.map(SmolStr::new),
            minimum: *minimum,
            maximum: *maximum,
            standard: Standard::new(op.tx.context.now, SmolStr::default()),
        };
        op.tx.put(range);
    }
    Ok(())
}
