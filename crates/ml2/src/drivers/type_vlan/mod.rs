//! VLAN networks (IEEE 802.1Q): tagged on a physical network, 4094 of them on each.
//!
//! The physical networks that may carry VLANs are those of ranges, configured or made by an administrator (`network_segment_ranges`).

use super::type_flat::physical_mtu;
use super::{Carried, TypeDriver, nothing_free};
use crate::Config;
use crate::place::Place;
use crate::segment_range::{free_for, vlan_networks};
use api::Fault;
use model::NetworkType;
use net::{ProjectId, VlanId};
use rand::rngs::SmallRng;
use world::World;

pub(super) struct Vlan;

impl TypeDriver for Vlan {
    fn network_type(&self) -> NetworkType {
        NetworkType::Vlan
    }

    fn reserve(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId, asked: &Carried) -> Result<Carried, Fault> {
        let physical = asked.physical_network.as_deref().filter(|name| !name.is_empty());
        if let Some(name) = physical.filter(|name| !vlan_networks(world, config).contains(name)) {
            return Err(Fault::invalid_input(format_args!("physical_network '{name}' unknown for VLAN provider network")));
        }
        let Some(number) = asked.segmentation_id else {
            return allocate(world, config, rng, project, physical).ok_or_else(nothing_free);
        };
        let Some(physical) = physical else {
            return Err(Fault::invalid_input("segmentation_id requires physical_network for VLAN provider network"));
        };
        if VlanId::try_from(number).is_err() {
            return Err(Fault::invalid_input(format_args!("segmentation_id out of range ({} through {})", VlanId::MIN, VlanId::MAX)));
        }
        if Place::vlans(physical).has(world, number) {
            let message = format!("Unable to create the network. The VLAN {number} on physical network {physical} is in use.");
            return Err(Fault::new(409, "VlanIdInUse", message));
        }
        Ok(asked.clone())
    }

    fn allocate(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId) -> Option<Carried> {
        allocate(world, config, rng, project, None)
    }

    fn mtu(&self, config: &Config, physical_network: Option<&str>) -> u32 {
        physical_mtu(config, physical_network)
    }
}

/// A VLAN that is free on this physical network, or on any; the project's own ranges go first, wherever they are.
fn allocate(world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId, physical: Option<&str>) -> Option<Carried> {
    let places = vlan_networks(world, config).into_iter().filter(|name| physical.is_none_or(|asked| asked == *name)).map(Place::vlans);
    let places: Vec<_> = places.map(|place| (place, free_for(world, config, place, project))).collect();
    let rounds = (0..2).flat_map(|round| places.iter().map(move |(place, ranges)| (*place, &ranges[round])));
    let mut free = rounds.filter_map(|(place, ranges)| Some((place, place.any_free(world, ranges, rng)?)));
    let (place, id) = free.next()?;
    Some(Carried { physical_network: place.physical_network.map(Into::into), segmentation_id: Some(id) })
}
