//! Routers as a host's L3 role must carry them.

use crate::Route;
use net::{
    AddressScopeId, ConntrackHelperId, FloatingIpId, IpNet, Mac, NdpProxyId, NetworkId, PortForwardingId, PortId, RouterId, SubnetId,
};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How a router says that clients of a subnet get their addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RaMode {
    /// They make them from the prefix.
    Slaac,
    /// They make them from the prefix, and ask DHCPv6 for the rest.
    Dhcpv6Stateless,
    /// DHCPv6 gives them.
    Dhcpv6Stateful,
}

/// A subnet of a network that a router is on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouterSubnet {
    /// Its id.
    pub id: SubnetId,
    /// Its prefix.
    pub cidr: IpNet,
    /// Its default router; need not be inside the prefix.
    pub gateway_ip: Option<IpAddr>,
    /// What the router advertises of it on an interface; none: nothing.
    #[serde(default)]
    pub ra_mode: Option<RaMode>,
    /// Name servers told with an advertisement.
    #[serde(default)]
    pub dns_nameservers: Vec<IpAddr>,
    /// This router is to have its prefix delegated from outside: the host asks for one on the gateway, says which it got, and goes on
    /// asking.
    #[serde(default)]
    pub delegated: bool,
}

impl RouterSubnet {
    /// True while its prefix, `::/64`, stands for one that nobody has delegated yet. It is on no link then.
    pub fn is_provisional(&self) -> bool {
        self.cidr.addr().is_ipv6() && self.cidr.network().is_unspecified()
    }
}

/// A port of a router.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouterPort {
    /// The port; its `port/…` and `network/…` units are there too, and its device is `tap…`.
    pub port_id: PortId,
    /// The network it is on.
    pub network_id: NetworkId,
    /// Its MAC.
    pub mac: Mac,
    /// Largest IP packet on the network in bytes.
    pub mtu: u32,
    /// Its addresses, each with its subnet's length. They end on the router itself.
    pub addresses: Vec<IpNet>,
    /// Subnets of the network, sorted by id: of an interface those it has an address in; of a gateway all, so that those it has
    /// no address in are reached on the link. The default route leads to the `gateway_ip` of those it has an address in.
    pub subnets: Vec<RouterSubnet>,
    /// The metadata service answers here at its link-local address; one port of each network does.
    #[serde(default)]
    pub metadata_v6: bool,
    /// The address scopes of the network.
    #[serde(default)]
    pub scopes: Scopes,
}

/// The address scopes of a network, by family. A router passes a packet between networks of one scope, or of none, only; a packet
/// whose source or destination it translates excepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Scopes {
    /// Of its IPv4 addresses.
    #[serde(default)]
    pub v4: Option<AddressScopeId>,
    /// Of its IPv6 addresses.
    #[serde(default)]
    pub v6: Option<AddressScopeId>,
}

/// A gateway besides the first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FurtherGateway {
    /// The port.
    pub port: RouterPort,
    /// As [`RouterIntent::enable_snat`].
    pub enable_snat: bool,
}

/// `router/<router>`: a router that the host's L3 role carries in `qrouter-<router>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouterIntent {
    /// Its id.
    pub id: RouterId,
    /// False: it forwards nothing.
    pub admin_state_up: bool,
    /// True: what leaves by the gateway from networks of the interfaces does so with the gateway's address, IPv4 only.
    pub enable_snat: bool,
    /// Its port on the external network.
    #[serde(default)]
    pub gateway: Option<RouterPort>,
    /// Its further ports on external networks, several on one and on others. Packets that go nowhere else leave by the first that has
    /// a way on; floating IPs are on the first of their network.
    #[serde(default)]
    pub further_gateways: Vec<FurtherGateway>,
    /// True: such packets are spread over all gateways that have a way on, connection by connection.
    #[serde(default)]
    pub ecmp: bool,
    /// True: next hops of default routes are watched by BFD, and used only while they answer.
    #[serde(default)]
    pub bfd: bool,
    /// Its other ports, sorted by id.
    pub interfaces: Vec<RouterPort>,
    /// Extra routes.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// True: from outside, of the IPv6 addresses of networks that are of the outside's address scope, those of its NDP proxies are
    /// reached only.
    #[serde(default)]
    pub ndp_proxy: bool,
    /// True: it has conntrack helpers, units of their own.
    #[serde(default)]
    pub conntrack_helpers: bool,
}

/// `floating-ip/<router>/<floating IP>`: a floating IP of such a router. It answers at the gateway, whatever is behind it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FloatingIpIntent {
    /// Its id.
    pub id: FloatingIpId,
    /// The router that has it.
    pub router_id: RouterId,
    /// The external network; none: the first gateway's.
    #[serde(default)]
    pub network_id: Option<NetworkId>,
    /// The address outside.
    pub floating_ip_address: Ipv4Addr,
    /// The instance's address behind the router; none: only port forwardings use it.
    #[serde(default)]
    pub fixed_ip_address: Option<Ipv4Addr>,
}

/// `port-forwarding/<router>/<port forwarding>`: a port, or a range of them, of a floating IP of such a router. The floating IP's
/// own unit is there too.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PortForwardingIntent {
    /// Its id.
    pub id: PortForwardingId,
    /// The router.
    pub router_id: RouterId,
    /// The floating IP.
    pub floating_ip_id: FloatingIpId,
    /// The address outside.
    pub floating_ip_address: Ipv4Addr,
    /// Number of the IP protocol: TCP, UDP or SCTP.
    pub protocol: u8,
    /// Ports outside, both ends included.
    pub external_ports: (u16, u16),
    /// The instance's address.
    pub internal_ip_address: Ipv4Addr,
    /// Ports inside, both ends included; as many as outside, and the same number apart.
    pub internal_ports: (u16, u16),
}

/// `ndp-proxy/<router>/<NDP proxy>`: an address behind such a router, for which it answers neighbour solicitations at its gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NdpProxyIntent {
    /// Its id.
    pub id: NdpProxyId,
    /// The router.
    pub router_id: RouterId,
    /// The instance's address.
    pub ip_address: Ipv6Addr,
}

/// `conntrack-helper/<router>/<conntrack helper>`: new connections through such a router to a port have further ones of theirs, which
/// they announce, pass with them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConntrackHelperIntent {
    /// Its id.
    pub id: ConntrackHelperId,
    /// The router.
    pub router_id: RouterId,
    /// Name of the application's protocol: `ftp`.
    pub helper: SmolStr,
    /// Number of the IP protocol: TCP or UDP.
    pub protocol: u8,
    /// Where connections go.
    pub port: u16,
}
