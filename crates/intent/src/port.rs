//! Ports as a host must wire them.

use net::{IpNet, Mac, NetworkId, PortId, SecurityGroupId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::IpAddr;

/// A source that anti-spoofing lets pass besides the port's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AllowedAddress {
    /// Address or prefix.
    pub address: IpNet,
    /// With which MAC.
    pub mac: Mac,
}

/// `port/<port>`: a port bound to the host.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PortIntent {
    /// Its id.
    pub id: PortId,
    /// The network it is on; its unit is there too.
    pub network_id: NetworkId,
    /// Name of the device that the instance's side brings: `tap…`.
    pub device: SmolStr,
    /// What uses it: `compute:nova`, `network:dhcp`. The DHCP and the L3 role make the devices of their own ports themselves.
    pub device_owner: SmolStr,
    /// Its MAC.
    pub mac: Mac,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// False: it carries nothing.
    pub admin_state_up: bool,
    /// False: neither filter nor anti-spoofing.
    pub port_security_enabled: bool,
    /// The groups whose rules apply; none: nothing passes but what every port may (DHCP, ARP, ND).
    pub security_groups: Vec<SecurityGroupId>,
    /// Further sources that pass.
    pub allowed_addresses: Vec<AllowedAddress>,
    /// True: it is on another host and is only prepared here; it carries nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standby: bool,
}
