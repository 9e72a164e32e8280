//! An instance as it is told to itself: what a compute service knows of it, for `neutrino instance` where there is none.

use net::{IpNet, Mac};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// Its id: `device_id` of its port.
    pub uuid: String,
    /// Its project. A port of another project that claims to be this instance's is told nothing.
    pub project_id: String,
    /// Its name.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// Public keys by name, in the form of OpenSSH.
    #[serde(default)]
    pub keys: Vec<(String, String)>,
    /// What it was given at its creation, in base64 (RFC 4648): any bytes.
    #[serde(default)]
    pub user_data: Option<String>,
    /// Its NIC.
    pub nic: Nic,
}

/// A NIC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Nic {
    /// The port.
    pub port_id: String,
    /// The network.
    pub network_id: String,
    /// Name of the device on the host.
    pub device: String,
    /// Its MAC.
    pub mac: Mac,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Its addresses.
    pub addresses: Vec<NicAddress>,
    /// Name servers.
    #[serde(default)]
    pub dns_nameservers: Vec<IpAddr>,
}

/// How an instance comes by an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// It is told here.
    Static,
    /// By DHCP, or stateful DHCPv6.
    Dhcp,
    /// By router advertisements.
    Slaac,
    /// By router advertisements, and DHCPv6 for the rest.
    SlaacDhcp,
}

/// An address of a NIC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NicAddress {
    /// The address with its subnet's length.
    pub address: IpNet,
    /// The default router.
    pub gateway: Option<IpAddr>,
    /// How the instance comes by it.
    pub method: Method,
}
