//! Networks as a host's DHCP role must serve them.

use net::{Family, IpNet, Mac, NetworkId, PortId, SubnetId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::IpAddr;

/// A route that clients learn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Where to.
    pub destination: IpNet,
    /// By which neighbour.
    pub nexthop: IpAddr,
}

/// What DHCPv6 gives in a subnet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ipv6Dhcp {
    /// Addresses and options.
    Stateful,
    /// Options only.
    Stateless,
    /// Nothing: addresses come from router advertisements.
    None,
}

/// A subnet with DHCP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpSubnet {
    /// Its id.
    pub id: SubnetId,
    /// Its prefix.
    pub cidr: IpNet,
    /// The default router told to clients.
    pub gateway_ip: Option<IpAddr>,
    /// Told to clients; empty: the DHCP port's own address, whose dnsmasq forwards.
    pub dns_nameservers: Vec<IpAddr>,
    /// Told to clients as classless static routes.
    pub routes: Vec<Route>,
    /// For IPv6.
    pub ipv6: Ipv6Dhcp,
    /// No router has the gateway's address: clients are told that the way to the metadata service is the DHCP port.
    #[serde(default)]
    pub isolated: bool,
}

/// `dhcp/<network>`: a network that the host's DHCP role serves in `qdhcp-<network>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpNetwork {
    /// The network.
    pub network_id: NetworkId,
    /// Told to clients.
    pub mtu: u32,
    /// Domain of the clients' names: `openstacklocal`.
    pub dns_domain: SmolStr,
    /// A further domain, in which they have the same names: the network's own.
    #[serde(default)]
    pub network_domain: SmolStr,
    /// The DHCP port; its `port/…` and `network/…` units are there too, and its device is `tap…`.
    pub port_id: PortId,
    /// The DHCP port's MAC.
    pub mac: Mac,
    /// The DHCP port's addresses, each with its subnet's length.
    pub addresses: Vec<IpNet>,
    /// Subnets with DHCP, sorted by id.
    pub subnets: Vec<DhcpSubnet>,
    /// The metadata service answers here at its link-local address; one port of each network does.
    #[serde(default)]
    pub metadata_v6: bool,
}

/// An extra option of a client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpOption {
    /// Name or number, as dnsmasq takes it.
    pub name: SmolStr,
    /// Its value.
    pub value: SmolStr,
    /// In which protocol.
    pub family: Family,
}

/// `dhcp-host/<network>/<port>`: a client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpHost {
    /// The network.
    pub network_id: NetworkId,
    /// The port.
    pub port_id: PortId,
    /// Its MAC.
    pub mac: Mac,
    /// Its addresses, by subnet.
    pub addresses: Vec<(SubnetId, IpAddr)>,
    /// Its name in the DNS; none: `host-10-0-0-5`.
    #[serde(default)]
    pub hostname: Option<SmolStr>,
    /// A further domain in which it has the same name, in place of the network's own.
    #[serde(default)]
    pub domain: Option<SmolStr>,
    /// Extra options.
    #[serde(default)]
    pub options: Vec<DhcpOption>,
}
