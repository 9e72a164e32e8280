//! MACs of ports: unique in their network.

use super::PortFault;
use crate::Config;
use api::{Fault, Kind};
use model::Port;
use net::{Mac, NetworkId};
use rand::Rng;
use rand::rngs::SmallRng;
use world::{Key, Table};

/// Random tries before giving up; with 24 random bits and a million ports in the network all of them fail once in 10^19 times.
const TRIES: usize = 16;

/// Refuses a MAC that another port of the network has.
pub(super) fn check(ports: &Table<Port>, network: NetworkId, mac: Mac) -> Result<(), PortFault> {
    if ports.has(Port::BY_MAC, Key::Mac(network.0, mac)) { Err(PortFault::MacInUse(network, mac)) } else { Ok(()) }
}

/// A MAC that no port of the network has: the base's first three octets, its fourth when that is not zero, the rest random.
pub(crate) fn generate(ports: &Table<Port>, config: &Config, rng: &mut SmallRng, network: NetworkId) -> Result<Mac, PortFault> {
    let base = config.base_mac.0;
    let fixed = if base[3] == 0 { 3 } else { 4 };
    for _ in 0..TRIES {
        let mut octets: [u8; 6] = rng.random();
        octets[..fixed].copy_from_slice(&base[..fixed]);
        if check(ports, network, Mac(octets)).is_ok() {
            return Ok(Mac(octets));
        }
    }
    Err(PortFault::NoMac(network))
}

/// What a binding's profile says of the device that the port is on: its MAC. Nothing counts before there is a host.
pub(super) fn of_device(port: &Port) -> Result<Option<Mac>, Fault> {
    let given = port.binding.profile.get("device_mac_address").filter(|_| !port.binding.host.is_empty());
    let Some(given) = given else { return Ok(None) };
    let canonical = Kind::Mac.check(given.clone()).map_err(|invalid| invalid.fault("binding:profile"))?;
    Ok(canonical.as_str().and_then(|text| text.parse().ok()))
}
