//! Where segmentation ids tell networks apart: all of a tunnel type, or the VLANs of one physical network.

use crate::free::{self, Space};
use model::{Network, NetworkType, Segment, SegmentRange};
use net::NetworkId;
use rand::rngs::SmallRng;
use world::{Key, World};

/// A set of segmentation ids of which each carries one network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place<'a> {
    /// The type.
    pub network_type: NetworkType,
    /// The physical network, for VLANs.
    pub physical_network: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// All ids of a type of tunnels.
    pub(crate) const fn tunnels(network_type: NetworkType) -> Place<'static> {
        Place { network_type, physical_network: None }
    }

    /// The VLANs of a physical network.
    pub(crate) fn vlans(physical_network: &'a str) -> Place<'a> {
        Place { network_type: NetworkType::Vlan, physical_network: Some(physical_network) }
    }

    /// Where a range is.
    pub(crate) fn of(range: &'a SegmentRange) -> Place<'a> {
        Place { network_type: range.network_type, physical_network: range.physical_network.as_deref() }
    }

    fn key(self, id: u32) -> Key {
        Segment::key(self.network_type, self.physical_network, Some(id))
    }

    /// True when a network has the id.
    pub(crate) fn has(self, world: &World, id: u32) -> bool {
        world.table::<Network>().has(Network::BY_SEGMENT, self.key(id))
    }

    /// The ids that networks have from this one on, with the network, in order.
    pub(crate) fn taken_from(self, world: &World, id: u32) -> impl Iterator<Item = (u32, NetworkId)> {
        let first = self.key(id);
        world.table::<Network>().walk(Network::BY_SEGMENT, first.clone()).map_while(move |(key, network)| match (key, &first) {
            (Key::Texts(place, number), Key::Texts(own, _)) if place == own => Some((number.parse().ok()?, *network)),
            _ => None,
        })
    }

    /// Any id of these ranges that no network has.
    pub(crate) fn any_free(self, world: &World, ranges: &[(u128, u128)], rng: &mut SmallRng) -> Option<u32> {
        let id = free::any(&Ids { place: self, world, ranges }, rng)?;
        Some(u32::try_from(id).expect("ranges of 32-bit numbers"))
    }
}

struct Ids<'a> {
    place: Place<'a>,
    world: &'a World,
    ranges: &'a [(u128, u128)],
}

impl Space for Ids<'_> {
    fn ranges(&self) -> &[(u128, u128)] {
        self.ranges
    }

    fn is_used(&self, id: u128) -> bool {
        u32::try_from(id).is_ok_and(|id| self.place.has(self.world, id))
    }

    fn used_from(&self, id: u128) -> impl Iterator<Item = u128> {
        self.place.taken_from(self.world, u32::try_from(id).unwrap_or(u32::MAX)).map(|(id, _)| id.into())
    }
}
