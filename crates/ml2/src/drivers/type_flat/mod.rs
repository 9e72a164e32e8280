//! Flat networks: untagged on a physical network, which carries at most one.

use super::{Carried, TypeDriver};
use crate::Config;
use api::Fault;
use model::{Network, NetworkType, Segment};
use net::ProjectId;
use rand::rngs::SmallRng;
use world::World;

pub(super) struct Flat;

impl TypeDriver for Flat {
    fn network_type(&self) -> NetworkType {
        NetworkType::Flat
    }

    fn reserve(
        &self,
        world: &World,
        config: &Config,
        _rng: &mut SmallRng,
        _project: &ProjectId,
        asked: &Carried,
    ) -> Result<Carried, Fault> {
        let Some(physical) = asked.physical_network.as_deref().filter(|name| !name.is_empty()) else {
            return Err(Fault::invalid_input("physical_network required for flat provider network"));
        };
        if !config.flat_networks.iter().any(|name| name == "*" || name == physical) {
            return Err(Fault::invalid_input(format_args!("physical_network '{physical}' unknown for flat provider network")));
        }
        if asked.segmentation_id.is_some() {
            return Err(Fault::invalid_input("segmentation_id prohibited for flat provider network"));
        }
        if world.table::<Network>().has(Network::BY_SEGMENT, Segment::key(NetworkType::Flat, Some(physical), None)) {
            let message = format!("Unable to create the flat network. Physical network {physical} is in use.");
            return Err(Fault::new(409, "FlatNetworkInUse", message));
        }
        Ok(asked.clone())
    }

    /// Flat networks are an administrator's choice.
    fn allocate(&self, _world: &World, _config: &Config, _rng: &mut SmallRng, _project: &ProjectId) -> Option<Carried> {
        None
    }

    fn mtu(&self, config: &Config, physical_network: Option<&str>) -> u32 {
        physical_mtu(config, physical_network)
    }
}

/// The largest MTU on a physical network, tagged or not.
pub(super) fn physical_mtu(config: &Config, physical_network: Option<&str>) -> u32 {
    let of_physical = physical_network.and_then(|name| config.physical_network_mtus.get(name));
    of_physical.map_or(config.global_physnet_mtu, |mtu| config.global_physnet_mtu.min(*mtu))
}
