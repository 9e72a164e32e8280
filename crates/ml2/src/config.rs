//! What an operator may configure; filled once by the binary and found in the settings.

use model::NetworkType;
use net::{Family, Mac, VlanId};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// VLANs of a physical network, both ends included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VlanRange {
    /// The physical network.
    pub physical_network: SmolStr,
    /// The lowest.
    pub first: VlanId,
    /// The highest.
    pub last: VlanId,
}

/// Options of this crate, with the defaults of the reference.
#[derive(Clone, Debug)]
pub struct Config {
    /// Types that a network without provider attributes gets, in order of preference (`tenant_network_types`).
    pub project_network_types: Vec<NetworkType>,
    /// VXLAN network identifiers for such networks, both ends included (`vni_ranges`).
    pub vni_ranges: Vec<(u32, u32)>,
    /// VLANs for such networks, and by naming them the physical networks that may carry VLANs (`network_vlan_ranges`).
    pub vlan_ranges: Vec<VlanRange>,
    /// Physical networks that may carry flat networks; `*` is any (`flat_networks`).
    pub flat_networks: Vec<SmolStr>,
    /// Bytes; the MTU of the physical network below everything (`global_physnet_mtu`).
    pub global_physnet_mtu: u32,
    /// Bytes; the MTU between tunnel endpoints, 0: as `global_physnet_mtu` (`path_mtu`).
    pub path_mtu: u32,
    /// Bytes, by physical network where it differs (`physical_network_mtus`).
    pub physical_network_mtus: BTreeMap<SmolStr, u32>,
    /// The family of tunnels' outer header (`overlay_ip_version`).
    pub overlay_ip_version: Family,
    /// Domain of instances' names (`dns_domain`).
    pub dns_domain: SmolStr,
    /// An external DNS service publishes names (`external_dns_driver`).
    pub external_dns: bool,
    /// The first three octets of generated MACs, four when the fourth is not zero (`base_mac`).
    pub base_mac: Mac,
    /// Per subnet (`max_dns_nameservers`).
    pub max_dns_nameservers: usize,
    /// Per subnet (`max_subnet_host_routes`).
    pub max_subnet_host_routes: usize,
    /// Per port (`max_allowed_address_pair`).
    pub max_allowed_address_pairs: usize,
    /// IPv6 subnets of the default pool have their prefixes delegated (`ipv6_pd_enabled`).
    pub ipv6_pd_enabled: bool,
    /// How many DHCP agents serve a network (`dhcp_agents_per_network`).
    pub dhcp_agents_per_network: usize,
    /// Zones of networks and routers without hints; none: any (`default_availability_zones`).
    pub default_availability_zones: Vec<SmolStr>,
    /// Networks of a dead DHCP agent go to another (`allow_automatic_dhcp_failover`).
    pub dhcp_failover: bool,
    /// Agents take part in scheduling as soon as they first report (`enable_new_agents`).
    pub enable_new_agents: bool,
    /// Answer `binding:vif_type` `bridge`, which Nova up to 33 plugs itself, in place of `tap`.
    pub vif_type_bridge: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            project_network_types: vec![NetworkType::Vxlan],
            vni_ranges: vec![(1, 65_536)],
            vlan_ranges: Vec::new(),
            flat_networks: vec![SmolStr::new_static("*")],
            global_physnet_mtu: 1500,
            path_mtu: 0,
            physical_network_mtus: BTreeMap::new(),
            overlay_ip_version: Family::V4,
            dns_domain: SmolStr::new_static("openstacklocal"),
            external_dns: false,
            base_mac: Mac([0xfa, 0x16, 0x3e, 0, 0, 0]),
            max_dns_nameservers: 5,
            max_subnet_host_routes: 20,
            max_allowed_address_pairs: 10,
            ipv6_pd_enabled: false,
            dhcp_agents_per_network: 1,
            default_availability_zones: Vec::new(),
            dhcp_failover: true,
            enable_new_agents: true,
            vif_type_bridge: false,
        }
    }
}
