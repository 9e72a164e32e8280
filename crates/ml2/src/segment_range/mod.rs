//! `network_segment_ranges`: which segmentation ids networks of projects get (extension `network-segment-range`).
//!
//! A project's network takes an id of the ranges that are the project's own, then of those for everybody; the ranges of the configuration are
//! among these, shown as `default`. An administrator who names an id may have any. VLANs are counted by physical network, which a range makes known.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::RangeFault;
pub use ops::follow_configuration;
pub(crate) use ops::{free_for, vlan_networks};

use crate::Config;
use crate::place::Place;
use api::{Attribute, Cell, Kind, Prepare, Resource, View, schema};
use model::{Network, NetworkType, SegmentRange};
use net::{ProjectId, VlanId, Vni};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use world::World;

/// The highest id of any type: a GRE key.
const HIGHEST: i64 = 4_294_967_295;
/// How many free ids are shown of a range.
const SHOWN: usize = 65_536;

/// The resource.
pub fn resource() -> Resource<SegmentRange> {
    let not_found = |id: &str| format!("Network Segment Range {id} could not be found.");
    Resource {
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        prepare: Some(Prepare { needed: |world, _| !ops::is_shown(world), run: |op, _| ops::refresh(op) }),
        is_scoped: false,
        revision_number: Some(|range| range.standard.revision_number),
        ..Resource::new("network_segment_range", "network_segment_ranges", "NetworkSegmentRangeNotFound", not_found)
    }
    .tagged()
}

type A = Attribute<SegmentRange>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("default", Kind::Bool, |v| Cell::Bool(v.record.default)).filter(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(v.record.project_id.is_none())).post_or(true).filter(),
        A::new("project_id", Kind::Text(255), |v| Cell::optional(v.record.project_id.as_ref().map(ProjectId::as_str), Cell::Str))
            .shown_as(|| schema::nullable(schema::text(255)))
            .post()
            .filter()
            .sort(),
        A::new("network_type", Kind::Word(&["vlan", "vxlan", "gre", "geneve"]), |v| Cell::Str(v.record.network_type.as_str()))
            .required()
            .filter(),
        A::new("physical_network", Kind::TextOrNull(64), |v| Cell::Str(v.record.physical_network.as_deref().unwrap_or(""))).post().filter(),
        A::new("minimum", Kind::IntRange(1, HIGHEST), |v| Cell::Int(v.record.minimum.into())).required().put(),
        A::new("maximum", Kind::IntRange(1, HIGHEST), |v| Cell::Int(v.record.maximum.into())).required().put(),
        A::new("used", Kind::ObjectOrNull, used).shown_as(schema::dictionary),
        A::new("available", Kind::UuidList, available).shown_as(|| schema::list(schema::integer())),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

/// The ids that networks have within a range, with the network, in order.
fn taken<'w>(world: &'w World, range: &SegmentRange) -> impl Iterator<Item = (u32, &'w Network)> {
    let maximum = range.maximum;
    let ids = Place::of(range).taken_from(world, range.minimum).take_while(move |(id, _)| *id <= maximum);
    ids.filter_map(|(id, network)| Some((id, &**world.get::<Network>(&network)?)))
}

fn used<'a>(view: &View<'a, SegmentRange>) -> Cell<'a> {
    let taken = taken(view.world, view.record);
    Cell::made(taken.map(|(id, network)| (id.to_string(), Value::from(network.project_id.as_str()))).collect::<Map<_, _>>())
}

fn available<'a>(view: &View<'a, SegmentRange>) -> Cell<'a> {
    let range = view.record;
    let taken: BTreeSet<u32> = taken(view.world, range).map(|(id, _)| id).collect();
    Cell::made((range.minimum..=range.maximum).filter(|id| !taken.contains(id)).take(SHOWN).collect::<Vec<u32>>())
}

/// The highest id that networks of a type can have.
fn highest(network_type: NetworkType) -> u32 {
    if network_type == NetworkType::Vlan { VlanId::MAX } else { Vni::MAX }
}

/// The ranges of the configuration, with where they are.
fn configured(config: &Config) -> impl Iterator<Item = (Place<'_>, (u32, u32))> {
    let vlans = config.vlan_ranges.iter().map(|range| (Place::vlans(&range.physical_network), (range.first.into(), range.last.into())));
    vlans.chain(config.vni_ranges.iter().map(|range| (Place::tunnels(NetworkType::Vxlan), *range)))
}
