//! Ports.

use crate::{Standard, words};
use net::{Family, HostName, IpNet, Mac, NetworkId, PortId, ProjectId, QosPolicyId, SecurityGroupId, SegmentId, SubnetId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::net::IpAddr;
use world::{Index, Key, Record};

words! {
    /// `status` of a port.
    PortStatus {
        /// Wired and served.
        Active = "ACTIVE",
        /// An agent is at it.
        Build = "BUILD",
        /// Not wired.
        Down = "DOWN",
        /// It cannot be wired.
        Error = "ERROR",
        /// It is not wired by agents.
        NotApplicable = "N/A",
    }
}

words! {
    /// `binding:vnic_type`: what kind of virtual interface is asked for.
    VnicType {
        /// A software interface.
        Normal = "normal",
        /// SR-IOV virtual function.
        Direct = "direct",
        /// SR-IOV through macvtap.
        Macvtap = "macvtap",
        /// A physical machine's interface.
        Baremetal = "baremetal",
        /// A whole physical function.
        DirectPhysical = "direct-physical",
        /// virtio by an offloading forwarder.
        VirtioForwarder = "virtio-forwarder",
        /// A SmartNIC.
        SmartNic = "smart-nic",
        /// vDPA.
        Vdpa = "vdpa",
        /// An accelerator.
        AcceleratorDirect = "accelerator-direct",
        /// A whole accelerator.
        AcceleratorDirectPhysical = "accelerator-direct-physical",
        /// Managed from elsewhere.
        RemoteManaged = "remote-managed",
    }
}

words! {
    /// `binding:vif_type`: how the virtual interface is plugged.
    VifType {
        /// Not bound to a host.
        Unbound = "unbound",
        /// No mechanism driver could bind it.
        BindingFailed = "binding_failed",
        /// Open vSwitch.
        Ovs = "ovs",
        /// A Linux bridge, for Nova up to 33.
        Bridge = "bridge",
        /// A tap or veth that the agent finds and enslaves.
        Tap = "tap",
        /// On several hosts (distributed router ports).
        Distributed = "distributed",
    }
}

words! {
    /// `pvlan_type`: which ports of a private network one reaches.
    PvlanType {
        /// Promiscuous ones.
        Isolated = "isolated",
        /// All.
        Promiscuous = "promiscuous",
        /// Those of its community, and promiscuous ones.
        Community = "community",
    }
}

words! {
    /// `ip_allocation`.
    IpAllocation {
        /// At creation.
        Immediate = "immediate",
        /// Once the host is known.
        Deferred = "deferred",
        /// None asked for.
        None = "none",
    }
}

/// Values of `device_owner` that have a meaning.
pub mod device_owner {
    /// A router's port on a network, distributed.
    pub const ROUTER_INTERFACE_DISTRIBUTED: &str = "network:router_interface_distributed";
    /// A router's port on a network, one of several routers of an HA group.
    pub const HA_REPLICATED_INTERFACE: &str = "network:ha_router_replicated_interface";
    /// A router's port on an external network.
    pub const ROUTER_GATEWAY: &str = "network:router_gateway";
    /// A port of the network between the routers of an HA group.
    pub const ROUTER_HA: &str = "network:router_ha_interface";
    /// The port from which a distributed router translates addresses.
    pub const ROUTER_SNAT: &str = "network:router_centralized_snat";
    /// The address of a local IP.
    pub const LOCAL_IP: &str = "network:local_ip";
    /// A floating IP's port on its external network.
    pub const FLOATING_IP: &str = "network:floatingip";
    /// A host's port on an external network for floating IPs of distributed routers.
    pub const AGENT_GATEWAY: &str = "network:floatingip_agent_gateway";
    /// Present on every host.
    pub const DISTRIBUTED: &str = "network:distributed";
    /// A DHCP agent's port.
    pub const DHCP: &str = "network:dhcp";
    /// A router's port on a network.
    pub const ROUTER_INTERFACE: &str = "network:router_interface";
    /// Prefix of what belongs to the network itself.
    pub const NETWORK_PREFIX: &str = "network:";
    /// Prefix of instances: `compute:<availability zone>`.
    pub const COMPUTE_PREFIX: &str = "compute:";
}

/// An address of a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FixedIp {
    /// In which subnet.
    pub subnet_id: SubnetId,
    /// The address.
    pub ip_address: IpAddr,
}

/// Another address a port may send from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AddressPair {
    /// An address or prefix; shown without a length when it is a single address given so.
    pub ip_address: IpNet,
    /// True when it was given with a length.
    #[serde(default)]
    pub with_length: bool,
    /// With which MAC.
    pub mac_address: Mac,
}

/// An option that DHCP gives this port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ExtraDhcpOption {
    /// Name (dnsmasq's) or number.
    pub opt_name: SmolStr,
    /// Value.
    pub opt_value: SmolStr,
    /// 4 or 6.
    pub ip_version: Family,
}

/// Where and how a port is plugged.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// `binding:host_id`; empty: unbound.
    pub host: HostName,
    /// `binding:vnic_type`.
    pub vnic_type: VnicType,
    /// `binding:vif_type`.
    pub vif_type: VifType,
    /// `binding:vif_details`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub vif_details: Map<String, Value>,
    /// `binding:profile`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub profile: Map<String, Value>,
    /// The segment that the mechanism driver chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    /// The mechanism driver that bound it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<SmolStr>,
}

impl Default for Binding {
    fn default() -> Self {
        Binding {
            host: HostName::default(),
            vnic_type: VnicType::Normal,
            vif_type: VifType::Unbound,
            vif_details: Map::new(),
            profile: Map::new(),
            segment: None,
            driver: None,
        }
    }
}

impl Binding {
    /// True when a mechanism driver has bound it.
    pub fn is_bound(&self) -> bool {
        !matches!(self.vif_type, VifType::Unbound | VifType::BindingFailed)
    }
}

/// A binding to a further host, where the port is prepared and carries nothing until it is activated: `INACTIVE`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Standby {
    /// Where and how it would be plugged.
    pub binding: Binding,
    /// True when the host's L2 agent has wired it.
    #[serde(default)]
    pub prepared: bool,
}

/// Who named a port: what the keywords of a domain (`<user_name>`) stand for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DnsKeywords {
    /// `<project_name>`.
    pub project_name: SmolStr,
    /// `<user_id>`.
    pub user_id: SmolStr,
    /// `<user_name>`.
    pub user_name: SmolStr,
}

/// What still has to happen before a bound port is `ACTIVE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Provisioning {
    /// The L2 agent has not wired it.
    #[serde(default)]
    pub l2: bool,
    /// The DHCP agent does not know its addresses yet.
    #[serde(default)]
    pub dhcp: bool,
}

impl Provisioning {
    /// Nothing is waited for.
    pub fn is_done(&self) -> bool {
        !self.l2 && !self.dhcp
    }
}

/// A port.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Port {
    /// Its id.
    pub id: PortId,
    /// Its owner; empty for ports of the deployment itself.
    pub project_id: ProjectId,
    /// The network it is on.
    pub network_id: NetworkId,
    /// Its name, not unique.
    pub name: SmolStr,
    /// Unique in the network.
    pub mac_address: Mac,
    /// False: it carries nothing.
    pub admin_state_up: bool,
    /// Its status.
    pub status: PortStatus,
    /// What uses it: an instance's id.
    pub device_id: SmolStr,
    /// What kind of thing uses it; see [`device_owner`].
    pub device_owner: SmolStr,
    /// Its addresses.
    pub fixed_ips: Vec<FixedIp>,
    /// How it got them.
    pub ip_allocation: IpAllocation,
    /// Sorted.
    pub security_groups: Vec<SecurityGroupId>,
    /// False: no filter and no anti-spoofing.
    pub port_security_enabled: bool,
    /// Further addresses it may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_address_pairs: Vec<AddressPair>,
    /// Further DHCP options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_dhcp_opts: Vec<ExtraDhcpOption>,
    /// What it is called in the DNS; empty: after its addresses.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub dns_name: SmolStr,
    /// The domain of that name outside of its network.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub dns_domain: SmolStr,
    /// What keywords in that domain stand for, when it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_keywords: Option<DnsKeywords>,
    /// Where it is plugged.
    pub binding: Binding,
    /// `data_plane_status`, as whoever watches the network told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_plane_status: Option<SmolStr>,
    /// `device_profile`: what an accelerator for it must be (Cyborg's word).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_profile: Option<SmolStr>,
    /// `numa_affinity_policy`: how near to its instance its device must be (Nova's word).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numa_affinity_policy: Option<SmolStr>,
    /// `trusted`: whether its device may change its own MAC and mode (Nova's word, for virtual functions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// Its link stays up when that of the physical network goes down; the contrary of `propagate_uplink_status` (for virtual functions).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignores_uplink_status: bool,
    /// `hardware_offload_type`: what its device must do of the forwarding (Nova's word).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_offload_type: Option<SmolStr>,
    /// `hints`: what a backend may do better for it, by backend.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hints: Map<String, Value>,
    /// Where it is prepared besides, in order of hosts, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standby: Vec<Standby>,
    /// What is waited for.
    #[serde(default)]
    pub provisioning: Provisioning,
    /// Its own QoS policy; without, that of its network holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos_policy_id: Option<QosPolicyId>,
    /// `pvlan_type`, on a private network; none: promiscuous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvlan_type: Option<PvlanType>,
    /// `pvlan_community`, of those that are in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pvlan_community: Option<SmolStr>,
    /// Common attributes.
    pub standard: Standard,
}

impl Port {
    /// A port of which nothing else is said: up, not bound, with port security and without addresses.
    pub fn new(id: PortId, network_id: NetworkId, project_id: ProjectId, mac_address: Mac, standard: Standard) -> Port {
        Port {
            id,
            project_id,
            network_id,
            name: SmolStr::default(),
            mac_address,
            admin_state_up: true,
            status: PortStatus::Down,
            device_id: SmolStr::default(),
            device_owner: SmolStr::default(),
            fixed_ips: Vec::new(),
            ip_allocation: IpAllocation::Immediate,
            security_groups: Vec::new(),
            port_security_enabled: true,
            allowed_address_pairs: Vec::new(),
            extra_dhcp_opts: Vec::new(),
            dns_name: SmolStr::default(),
            dns_domain: SmolStr::default(),
            dns_keywords: None,
            binding: Binding::default(),
            data_plane_status: None,
            device_profile: None,
            numa_affinity_policy: None,
            trusted: None,
            ignores_uplink_status: false,
            hardware_offload_type: None,
            hints: Map::new(),
            standby: Vec::new(),
            provisioning: Provisioning::default(),
            qos_policy_id: None,
            pvlan_type: None,
            pvlan_community: None,
            standard,
        }
    }

    /// By network.
    pub const BY_NETWORK: Index<Port> = Index::new(0);
    /// By owner.
    pub const BY_PROJECT: Index<Port> = Index::new(1);
    /// By `device_id`, when there is one.
    pub const BY_DEVICE: Index<Port> = Index::new(2);
    /// By host, when bound to one.
    pub const BY_HOST: Index<Port> = Index::new(3);
    /// By `Key::Address` of subnet and address.
    pub const BY_ADDRESS: Index<Port> = Index::new(4);
    /// By `Key::Mac` of network and MAC.
    pub const BY_MAC: Index<Port> = Index::new(5);
    /// By security group.
    pub const BY_SECURITY_GROUP: Index<Port> = Index::new(6);
    /// By `Key::TextUuid` of device owner and network, when there is an owner.
    pub const BY_OWNER: Index<Port> = Index::new(7);

    /// By `Key::UuidText` of network and host, when a mechanism driver has bound it; also of hosts where it is prepared.
    pub const BY_NETWORK_HOST: Index<Port> = Index::new(8);
    /// By `Key::UuidText` of each security group and the host, when a mechanism driver has bound it; also of hosts where it is prepared.
    pub const BY_GROUP_HOST: Index<Port> = Index::new(9);
    /// By its own QoS policy.
    pub const BY_QOS_POLICY: Index<Port> = Index::new(10);
    /// By hosts where it is prepared.
    pub const BY_STANDBY_HOST: Index<Port> = Index::new(11);

    /// The host that it is bound to; none when it is unbound or could not be bound.
    pub fn bound_host(&self) -> Option<&HostName> {
        self.binding.is_bound().then_some(&self.binding.host)
    }

    /// The binding with which it is prepared on a host.
    pub fn standby_on(&self, host: &HostName) -> Option<&Standby> {
        self.standby_hosts().any(|there| there == host).then(|| self.standby.iter().find(|standby| standby.binding.host == *host))?
    }

    /// The hosts where it is prepared.
    pub fn standby_hosts(&self) -> impl Iterator<Item = &HostName> {
        self.standby.iter().filter(|standby| standby.binding.is_bound()).map(|standby| &standby.binding.host)
    }

    /// All hosts that must know it: the one that it is bound to, and those where it is prepared.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.bound_host().into_iter().chain(self.standby_hosts())
    }

    /// Name of its tap on the host: `tap` and the first 11 characters of the id.
    pub fn tap_name(&self) -> SmolStr {
        smol_str::format_smolstr!("tap{}", self.id.short())
    }
}

impl Record for Port {
    type Id = PortId;
    const KIND: &'static str = "port";
    const INDEXES: usize = 12;

    fn id(&self) -> PortId {
        self.id
    }

    fn project_id(&self) -> Option<&ProjectId> {
        Some(&self.project_id)
    }

    fn index(&self, put: &mut dyn FnMut(Index<Self>, Key)) {
        put(Self::BY_NETWORK, self.network_id.into());
        put(Self::BY_PROJECT, (&self.project_id).into());
        if !self.device_id.is_empty() {
            put(Self::BY_DEVICE, Key::Text(self.device_id.clone()));
        }
        if !self.binding.host.is_empty() {
            put(Self::BY_HOST, (&self.binding.host).into());
        }
        for fixed_ip in &self.fixed_ips {
            put(Self::BY_ADDRESS, Key::Address(fixed_ip.subnet_id.0, fixed_ip.ip_address));
        }
        put(Self::BY_MAC, Key::Mac(self.network_id.0, self.mac_address));
        for group in &self.security_groups {
            put(Self::BY_SECURITY_GROUP, (*group).into());
        }
        if !self.device_owner.is_empty() {
            put(Self::BY_OWNER, Key::TextUuid(self.device_owner.clone(), self.network_id.0));
        }
        if let Some(policy) = self.qos_policy_id {
            put(Self::BY_QOS_POLICY, policy.into());
        }
        for host in self.standby_hosts() {
            put(Self::BY_STANDBY_HOST, host.into());
        }
        for host in self.hosts() {
            put(Self::BY_NETWORK_HOST, Key::UuidText(self.network_id.0, host.0.clone()));
            for group in &self.security_groups {
                put(Self::BY_GROUP_HOST, Key::UuidText(group.0, host.0.clone()));
            }
        }
    }
}
