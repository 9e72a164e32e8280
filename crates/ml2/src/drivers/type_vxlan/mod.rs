//! VXLAN networks (RFC 7348): a 24-bit network identifier each, unicast between the hosts that have ports.

use super::{Carried, TypeDriver};
use crate::free::{self, Space};
use crate::{Config, segment_range};
use api::Fault;
use model::{Network, NetworkType, Segment};
use net::{Family, ProjectId, Vni};
use rand::rngs::SmallRng;
use world::{Key, Table, World};

pub(super) struct Vxlan;

/// Outer UDP and VXLAN header and the inner Ethernet header, in bytes.
const OVERHEAD: u32 = 30;

fn key(vni: u32) -> Key {
    Segment::key(NetworkType::Vxlan, None, Some(vni))
}

impl TypeDriver for Vxlan {
    fn network_type(&self) -> NetworkType {
        NetworkType::Vxlan
    }

    fn reserve(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId, asked: &Carried) -> Result<Carried, Fault> {
        if asked.physical_network.is_some() {
            return Err(Fault::invalid_input("provider:physical_network specified for vxlan network"));
        }
        let Some(number) = asked.segmentation_id else {
            let nothing = || {
                Fault::new(
                    503,
                    "NoNetworkAvailable",
                    "Unable to create the network. No available network found in maximum allowed attempts.",
                )
            };
            return self.allocate(world, config, rng, project).ok_or_else(nothing);
        };
        let vni = Vni::try_from(number).map_err(|e| Fault::invalid_input(e.to_string().trim_end_matches('.')))?;
        if world.table::<Network>().has(Network::BY_SEGMENT, key(vni.get())) {
            let message = format!("Unable to create the network. The tunnel ID {vni} is in use.");
            return Err(Fault::new(409, "TunnelIdInUse", message));
        }
        Ok(asked.clone())
    }

    fn allocate(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId) -> Option<Carried> {
        let ranges = segment_range::free_for(world, config, NetworkType::Vxlan, project);
        let vni = ranges.into_iter().find_map(|ranges| free::any(&Vnis { networks: world.table(), ranges }, rng))?;
        let vni = u32::try_from(vni).expect("ranges of 32-bit numbers");
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

struct Vnis<'a> {
    networks: &'a Table<Network>,
    ranges: Vec<(u128, u128)>,
}

impl Space for Vnis<'_> {
    fn ranges(&self) -> &[(u128, u128)] {
        &self.ranges
    }

    fn is_used(&self, vni: u128) -> bool {
        u32::try_from(vni).is_ok_and(|vni| self.networks.has(Network::BY_SEGMENT, key(vni)))
    }

    fn used_from(&self, vni: u128) -> impl Iterator<Item = u128> {
        let from = u32::try_from(vni).unwrap_or(u32::MAX);
        self.networks.walk(Network::BY_SEGMENT, key(from)).map_while(|(key, _)| match key {
            Key::Texts(place, number) if place == NetworkType::Vxlan.as_str() => number.parse().ok(),
            _ => None,
        })
    }
}
