//! Subnets.

use crate::{Standard, words};
use net::{Family, IpNet, NetworkId, ProjectId, SegmentId, SubnetId, SubnetPoolId, first_address};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::net::{IpAddr, Ipv6Addr};
use world::{Index, Key, Record};

words! {
    /// `ipv6_ra_mode` and `ipv6_address_mode`.
    Ipv6Mode {
        /// Addresses by stateless autoconfiguration, nothing by DHCPv6.
        Slaac = "slaac",
        /// Addresses and options by DHCPv6.
        Dhcpv6Stateful = "dhcpv6-stateful",
        /// Addresses by stateless autoconfiguration, options by DHCPv6.
        Dhcpv6Stateless = "dhcpv6-stateless",
    }
}

/// A range of addresses that ports may be given, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AllocationPool {
    /// First address.
    pub start: IpAddr,
    /// Last address.
    pub end: IpAddr,
}

/// A route that instances of the subnet learn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HostRoute {
    /// Where to.
    pub destination: IpNet,
    /// By which neighbour.
    pub nexthop: IpAddr,
}

/// `subnetpool_id` of subnets whose prefix is delegated.
pub const PREFIX_DELEGATION: &str = "prefix_delegation";

/// The prefix of a delegated subnet before and after it has one, `::/64`.
pub fn provisional_prefix() -> IpNet {
    IpNet::new(Ipv6Addr::UNSPECIFIED.into(), 64).expect("64 is a prefix length of IPv6")
}

/// A subnet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Its owner.
    pub project_id: ProjectId,
    /// The network it is on.
    pub network_id: NetworkId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// Its prefix, without host bits.
    pub cidr: IpNet,
    /// The pool that its prefix is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnetpool_id: Option<SubnetPoolId>,
    /// Its prefix comes from outside, by IPv6 prefix delegation to the router that it is behind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delegated: bool,
    /// The default router's address.
    pub gateway_ip: Option<IpAddr>,
    /// Sorted, not overlapping.
    pub allocation_pools: Vec<AllocationPool>,
    /// True: DHCP agents answer in it.
    pub enable_dhcp: bool,
    /// In the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_nameservers: Vec<IpAddr>,
    /// Further routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_routes: Vec<HostRoute>,
    /// Who sends router advertisements, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_ra_mode: Option<Ipv6Mode>,
    /// How instances get addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_address_mode: Option<Ipv6Mode>,
    /// Owners of the ports that get addresses in it; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_types: Vec<SmolStr>,
    /// The segment of its network that it is on, when the network is a routed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_id: Option<SegmentId>,
    /// True: addresses in it are published by an external DNS service, whatever its network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dns_publish_fixed_ip: bool,
    /// Common attributes.
    pub standard: Standard,
}

impl Subnet {
    /// By network.
    pub const BY_NETWORK: Index<Subnet> = Index::new(0);
    /// By owner.
    pub const BY_PROJECT: Index<Subnet> = Index::new(1);

    /// By `Key::Address` of its pool and its first address: the prefixes of a pool that are in use, in order.
    pub const BY_POOL: Index<Subnet> = Index::new(2);

    /// Its address family.
    pub fn family(&self) -> Family {
        Family::of_net(&self.cidr)
    }

    /// True while its prefix stands for one that nobody has delegated yet.
    pub fn is_provisional(&self) -> bool {
        self.delegated && self.cidr == provisional_prefix()
    }

    /// True when a port's address in it follows from its MAC (EUI-64) and is not taken from a pool.
    pub fn is_auto_address(&self) -> bool {
        let auto = |mode| matches!(mode, Some(Ipv6Mode::Slaac | Ipv6Mode::Dhcpv6Stateless));
        auto(self.ipv6_address_mode) || (self.ipv6_address_mode.is_none() && auto(self.ipv6_ra_mode))
    }
}

impl Record for Subnet {
    type Id = SubnetId;
    const KIND: &'static str = "subnet";
    const INDEXES: usize = 3;

    fn id(&self) -> SubnetId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_NETWORK, self.network_id.into());
        put(Self::BY_PROJECT, (&self.project_id).into());
        if let Some(pool) = self.subnetpool_id {
            put(Self::BY_POOL, Key::Address(pool.0, first_address(&self.cidr)));
        }
    }
}
