//! Routers, floating IPs and their port forwardings.
//!
//! A router's interfaces are ports with its id as `device_id` and a router's `device_owner`; they are not repeated here.

use crate::{HostRoute, Standard, words};
use net::{AgentId, FlavorId, FloatingIpId, NetworkId, PortForwardingId, PortId, ProjectId, QosPolicyId, RouterId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::net::{IpAddr, Ipv4Addr};
use world::{Index, Key, Record};

words! {
    /// `status` of a floating IP.
    FloatingIpStatus {
        /// An L3 agent carries it.
        Active = "ACTIVE",
        /// It leads nowhere, or is not carried yet.
        Down = "DOWN",
        /// The L3 agent cannot carry it.
        Error = "ERROR",
    }
}

words! {
    /// `protocol` of a port forwarding.
    ForwardedProtocol {
        /// RFC 9293.
        Tcp = "tcp",
        /// RFC 768.
        Udp = "udp",
        /// RFC 9260.
        Sctp = "sctp",
    }
}

impl ForwardedProtocol {
    /// Number of the IP protocol.
    pub fn number(self) -> u8 {
        match self {
            ForwardedProtocol::Tcp => 6,
            ForwardedProtocol::Udp => 17,
            ForwardedProtocol::Sctp => 132,
        }
    }
}

/// How a router leads out of the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gateway {
    /// The external network.
    pub network_id: NetworkId,
    /// Its port there; the port's addresses are `external_fixed_ips`.
    pub port_id: PortId,
    /// True: addresses are translated to the port's.
    pub enable_snat: bool,
}

/// A router.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Router {
    /// Its id.
    pub id: RouterId,
    /// Its owner.
    pub project_id: ProjectId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// False: it forwards nothing.
    pub admin_state_up: bool,
    /// `external_gateway_info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// Further gateways, on the same external network or on others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_gateways: Vec<Gateway>,
    /// True: what goes nowhere else is spread over its gateways; false: it leaves by the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enable_default_route_ecmp: bool,
    /// True: it uses next hops of its gateways only while they answer by BFD.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enable_default_route_bfd: bool,
    /// Routes besides those to its own networks, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<HostRoute>,
    /// Zones whose L3 agents may carry it; none: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub availability_zone_hints: Vec<SmolStr>,
    /// The L3 agents that carry it; a centralised router has one at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentId>,
    /// The flavor that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor_id: Option<FlavorId>,
    /// The QoS policy of its gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_qos_policy_id: Option<QosPolicyId>,
    /// True: each host with instances behind it is to carry it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distributed: bool,
    /// True: several hosts are to carry it, one at a time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ha: bool,
    /// The network of its project's highly available routers, while it is one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ha_network_id: Option<NetworkId>,
    /// True: it answers outside for addresses behind it, its NDP proxies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enable_ndp_proxy: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl Router {
    /// By owner.
    pub const BY_PROJECT: Index<Router> = Index::new(0);
    /// By L3 agent.
    pub const BY_AGENT: Index<Router> = Index::new(1);
    /// By external network.
    pub const BY_EXTERNAL_NETWORK: Index<Router> = Index::new(2);
    /// By the QoS policy of its gateway.
    pub const BY_QOS_POLICY: Index<Router> = Index::new(3);
    /// By flavor.
    pub const BY_FLAVOR: Index<Router> = Index::new(4);

    /// Its gateways, the first of them first.
    pub fn gateways(&self) -> impl Iterator<Item = Gateway> {
        self.gateway.into_iter().chain(self.more_gateways.iter().copied())
    }

    /// True when it has a gateway on this network.
    pub fn leads_to(&self, external: NetworkId) -> bool {
        self.gateways().any(|gateway| gateway.network_id == external)
    }
}

impl Record for Router {
    type Id = RouterId;
    const KIND: &'static str = "router";
    const INDEXES: usize = 5;

    fn id(&self) -> RouterId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        for agent in &self.agents {
            put(Self::BY_AGENT, (*agent).into());
        }
        for gateway in self.gateways() {
            put(Self::BY_EXTERNAL_NETWORK, gateway.network_id.into());
        }
        if let Some(policy) = self.gateway_qos_policy_id {
            put(Self::BY_QOS_POLICY, policy.into());
        }
        if let Some(flavor) = self.flavor_id {
            put(Self::BY_FLAVOR, flavor.into());
        }
    }
}

/// A floating IP.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FloatingIp {
    /// Its id.
    pub id: FloatingIpId,
    /// Its owner.
    pub project_id: ProjectId,
    /// The external network.
    pub floating_network_id: NetworkId,
    /// Its address there.
    pub floating_ip_address: Ipv4Addr,
    /// The port that holds the address.
    pub floating_port_id: PortId,
    /// The router that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_id: Option<RouterId>,
    /// The port that it leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_id: Option<PortId>,
    /// Which of the port's addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_ip_address: Option<Ipv4Addr>,
    /// Its status.
    pub status: FloatingIpStatus,
    /// Its QoS policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos_policy_id: Option<QosPolicyId>,
    /// Its name in an external DNS service; empty: that of the port that it leads to.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub dns_name: SmolStr,
    /// The domain of that name.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub dns_domain: SmolStr,
    /// Common attributes.
    pub standard: Standard,
}

impl FloatingIp {
    /// By owner.
    pub const BY_PROJECT: Index<FloatingIp> = Index::new(0);
    /// By the port that it leads to.
    pub const BY_PORT: Index<FloatingIp> = Index::new(1);
    /// By router.
    pub const BY_ROUTER: Index<FloatingIp> = Index::new(2);
    /// By external network.
    pub const BY_NETWORK: Index<FloatingIp> = Index::new(3);
    /// By `Key::Text` of its address.
    pub const BY_ADDRESS: Index<FloatingIp> = Index::new(4);
    /// By its QoS policy.
    pub const BY_QOS_POLICY: Index<FloatingIp> = Index::new(5);
}

impl Record for FloatingIp {
    type Id = FloatingIpId;
    const KIND: &'static str = "floatingip";
    const INDEXES: usize = 6;

    fn id(&self) -> FloatingIpId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_PROJECT, (&self.project_id).into());
        if let Some(port) = self.port_id {
            put(Self::BY_PORT, port.into());
        }
        if let Some(router) = self.router_id {
            put(Self::BY_ROUTER, router.into());
        }
        put(Self::BY_NETWORK, self.floating_network_id.into());
        put(Self::BY_ADDRESS, Key::Text(format_smolstr!("{}", self.floating_ip_address)));
        if let Some(policy) = self.qos_policy_id {
            put(Self::BY_QOS_POLICY, policy.into());
        }
    }
}

/// Ports of a floating IP that lead to a port behind its router.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PortForwarding {
    /// Its id.
    pub id: PortForwardingId,
    /// The floating IP's owner.
    pub project_id: ProjectId,
    /// The floating IP.
    pub floatingip_id: FloatingIpId,
    /// The port that it leads to.
    pub internal_port_id: PortId,
    /// Which of the port's addresses.
    pub internal_ip_address: Ipv4Addr,
    /// The protocol.
    pub protocol: ForwardedProtocol,
    /// Ports outside, both ends included.
    pub external_ports: (u16, u16),
    /// Ports inside, both ends included; as many as outside.
    pub internal_ports: (u16, u16),
    /// Free text of the owner.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub description: SmolStr,
}

impl PortForwarding {
    /// By floating IP.
    pub const BY_FLOATING_IP: Index<PortForwarding> = Index::new(0);
    /// By the port that it leads to.
    pub const BY_PORT: Index<PortForwarding> = Index::new(1);

    /// The address that it leads to.
    pub fn internal_ip(&self) -> IpAddr {
        IpAddr::V4(self.internal_ip_address)
    }
}

impl Record for PortForwarding {
    type Id = PortForwardingId;
    const KIND: &'static str = "port_forwarding";
    const INDEXES: usize = 2;

    fn id(&self) -> PortForwardingId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_FLOATING_IP, self.floatingip_id.into());
        put(Self::BY_PORT, self.internal_port_id.into());
    }
}
