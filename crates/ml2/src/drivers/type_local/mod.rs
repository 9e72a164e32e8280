//! Local networks: each host has its own, nothing is carried between hosts.

use super::{Carried, TypeDriver};
use crate::Config;
use api::Fault;
use model::NetworkType;
use net::ProjectId;
use rand::rngs::SmallRng;
use world::World;

pub(super) struct Local;

impl TypeDriver for Local {
    fn network_type(&self) -> NetworkType {
        NetworkType::Local
    }

    fn reserve(
        &self,
        _world: &World,
        _config: &Config,
        _rng: &mut SmallRng,
        _project: &ProjectId,
        asked: &Carried,
    ) -> Result<Carried, Fault> {
        let prohibited = |what| Fault::invalid_input(format_args!("{what} prohibited for local provider network"));
        if asked.physical_network.is_some() {
            return Err(prohibited("physical_network"));
        }
        if asked.segmentation_id.is_some() {
            return Err(prohibited("segmentation_id"));
        }
        Ok(asked.clone())
    }

    fn allocate(&self, _world: &World, _config: &Config, _rng: &mut SmallRng, _project: &ProjectId) -> Option<Carried> {
        Some(Carried { physical_network: None, segmentation_id: None })
    }

    fn mtu(&self, config: &Config, _physical_network: Option<&str>) -> u32 {
        config.global_physnet_mtu
    }
}
