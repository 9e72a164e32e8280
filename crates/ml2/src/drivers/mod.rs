//! Drivers: how networks are carried (type drivers) and who plugs ports (mechanism drivers).
//!
//! A driver is a folder here and a line in one of the two arrays. All of them are pure: what they reserve is in the network's
//! record, so nothing has to be released, and what they know of a host is its agent's report.

mod mech_linuxbridge;
mod type_flat;
mod type_local;
mod type_vlan;
mod type_vxlan;

use crate::Config;
use api::Fault;
use model::{Agent, Network, NetworkType, Port, Segment, VifType};
use net::{HostName, ProjectId, SegmentId};
use rand::rngs::SmallRng;
use serde_json::{Map, Value};
use smol_str::SmolStr;
use world::World;

/// What a network is carried by, before it has an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carried {
    /// `provider:physical_network`.
    pub physical_network: Option<SmolStr>,
    /// `provider:segmentation_id`.
    pub segmentation_id: Option<u32>,
}

/// A way to carry networks: a value of `provider:network_type`.
pub trait TypeDriver: Sync {
    /// Its word.
    fn network_type(&self) -> NetworkType;

    /// Checks what an administrator asked for a project's network and completes it from what is free; 400, or 409 when it is taken.
    fn reserve(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId, asked: &Carried) -> Result<Carried, Fault>;

    /// Something free for a project's network; none: nothing is left.
    fn allocate(&self, world: &World, config: &Config, rng: &mut SmallRng, project: &ProjectId) -> Option<Carried>;

    /// The largest MTU of a network carried so, in bytes.
    fn mtu(&self, config: &Config, physical_network: Option<&str>) -> u32;
}

/// How a port is plugged on its host.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    /// Over which segment of the network.
    pub segment: SegmentId,
    /// `binding:vif_type`.
    pub vif_type: VifType,
    /// `binding:vif_details`, without `bound_drivers`.
    pub vif_details: Map<String, Value>,
}

/// Who plugs ports on hosts with a kind of agent.
pub trait MechanismDriver: Sync {
    /// Its name in `bound_drivers`.
    fn name(&self) -> &'static str;

    /// Plugs the port on its host; none: this driver cannot.
    fn bind(&self, world: &World, config: &Config, port: &Port, network: &Network) -> Option<Bound>;
}

/// The type drivers.
pub static TYPE_DRIVERS: [&dyn TypeDriver; 4] = [&type_local::Local, &type_flat::Flat, &type_vlan::Vlan, &type_vxlan::Vxlan];

/// The mechanism drivers, in the order in which they are asked.
pub static MECHANISM_DRIVERS: [&dyn MechanismDriver; 1] = [&mech_linuxbridge::LinuxBridge];

/// The segment of a routed network that a host reaches: the first whose physical network an agent of the host knows.
pub fn reached<'n>(world: &World, host: &HostName, network: &'n Network) -> Option<&'n Segment> {
    let agents: Vec<_> = world.table::<Agent>().by(Agent::BY_HOST, host).collect();
    let knows = |physical: &str| agents.iter().any(|agent| mech_linuxbridge::has_mapping(agent, physical));
    network.segments.iter().find(|segment| segment.physical_network.as_deref().is_some_and(knows))
}

/// The refusal of a network of a type of which nothing is left.
fn nothing_free() -> Fault {
    Fault::new(503, "NoNetworkAvailable", "Unable to create the network. No available network found in maximum allowed attempts.")
}

/// The driver of a type, if there is one.
pub fn type_driver(network_type: NetworkType) -> Option<&'static dyn TypeDriver> {
    TYPE_DRIVERS.iter().copied().find(|driver| driver.network_type() == network_type)
}
