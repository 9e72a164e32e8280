//! `port/…` units.

use intent::{AllowedAddress, PortIntent};
use model::Port;
use net::{HostName, PortId};
use world::World;

pub(super) fn port(world: &World, host: &HostName, id: PortId) -> Option<PortIntent> {
    let port = world.get::<Port>(&id)?;
    let standby = port.bound_host() != Some(host);
    if standby {
        port.standby_on(host)?;
    }
    let pairs = port.allowed_address_pairs.iter();
    Some(PortIntent {
        id,
        network_id: port.network_id,
        device: port.tap_name(),
        device_owner: port.device_owner.clone(),
        mac: port.mac_address,
        addresses: port.fixed_ips.iter().map(|fixed_ip| fixed_ip.ip_address).collect(),
        admin_state_up: port.admin_state_up,
        port_security_enabled: port.port_security_enabled,
        security_groups: port.security_groups.clone(),
        allowed_addresses: pairs.map(|pair| AllowedAddress { address: pair.ip_address, mac: pair.mac_address }).collect(),
        standby,
    })
}
