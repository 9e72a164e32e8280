//! VXLAN networks (RFC 7348): a 24-bit network identifier each, unicast between the hosts that have ports.

use super::{Carried, TypeDriver, nothing_free};
use crate::Config;
use crate::place::Place;
use crate::segment_range::free_for;
use api::Fault;
use model::NetworkType;
use net::{Family, ProjectId, Vni};
use rand::rngs::SmallRng;
use world::World;

pub(super) struct Vxlan;

/// Outer UDP and VXLAN header and the inner Ethernet header, in bytes.
const OVERHEAD: u32 = 30;

const VNIS: Place<'static> = Place::tunnels(NetworkType::Vxlan);

impl TypeDriver for Vxlan {
    fn network_type(&self) -> NetworkType {
        NetworkType::Vxlan
    }

    fn reserve(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId, asked: &Carried) -> Result<Carried, Fault> {
        if asked.physical_network.is_some() {
            return Err(Fault::invalid_input("provider:physical_network specified for vxlan network"));
        }
        let Some(number) = asked.segmentation_id else {
            return self.allocate(world, config, rng, project).ok_or_else(nothing_free);
        };
        let vni = Vni::try_from(number).map_err(|e| Fault::invalid_input(e.to_string().trim_end_matches('.')))?;
        if VNIS.has(world, vni.get()) {
            let message = format!("Unable to create the network. The tunnel ID {vni} is in use.");
            return Err(Fault::new(409, "TunnelIdInUse", message));
        }
        Ok(asked.clone())
    }

    fn allocate(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId) -> Option<Carried> {
        let ranges = free_for(world, config, VNIS, project);
        let vni = ranges.iter().find_map(|ranges| VNIS.any_free(world, ranges, rng))?;
        Some(Carried { physical_network: None, segmentation_id: Some(vni) })
    }

    fn mtu(&self, config: &Config, _physical_network: Option<&str>) -> u32 {
        let path = if config.path_mtu == 0 { config.global_physnet_mtu } else { config.global_physnet_mtu.min(config.path_mtu) };
        let outer = match config.overlay_ip_version {
            Family::V4 => 20,
            Family::V6 => 40,
        };
        path.saturating_sub(outer + OVERHEAD)
    }
}
