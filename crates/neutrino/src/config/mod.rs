//! `DIR/neutrino.toml`: what an operator sets. Every option has a default, so the file need not be there.

mod external_dns;
mod services;

use anyhow::{Context, Result};
use auth::identity::keystone;
pub use external_dns::ExternalDnsConfig;
use net::HostName;
use serde::Deserialize;
pub use services::{NotificationsConfig, NovaConfig, UserConfig};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// This host, for the agent.
    pub agent: AgentConfig,
    /// What the API serves.
    pub api: ApiConfig,
    /// Whom the metadata proxy of this host asks.
    pub metadata: MetadataConfig,
    /// Networks: types, ranges, MTU.
    pub ml2: Ml2Config,
    /// What routers do that do not say.
    pub l3: L3Config,
    /// Who is given networks and routers, and when a host counts as dead.
    pub scheduler: SchedulerConfig,
    /// Keystone, for `--auth keystone`.
    pub identity: IdentityConfig,
    /// Nova, which is told of its ports; nobody when absent.
    pub nova: Option<NovaConfig>,
    /// Where names are published; nowhere when absent.
    pub external_dns: Option<ExternalDnsConfig>,
    /// A message bus, which is told what clients do; none when absent.
    pub notifications: Option<NotificationsConfig>,
    /// Default quotas by resource (`port = 500`); -1 is no limit.
    pub quota: BTreeMap<SmolStr, i64>,
}

/// `[agent]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// The host's name; the system's when absent.
    pub host: Option<HostName>,
    /// The tunnel address; the address of the default route's link, or 127.0.0.1, when absent.
    pub local_ip: Option<IpAddr>,
    /// Seconds between two words to the server that the agent is alive.
    pub report_interval: Option<u64>,
    /// The zone of the host's DHCP and L3 agents; `nova` when absent.
    pub availability_zone: Option<SmolStr>,
    /// Name servers that the DHCP servers of networks ask what they do not know, through the network's router; none: they answer for
    /// the network's own names alone.
    pub dns_servers: Vec<IpAddr>,
    /// Physical network to link: `physnet1 = "eth1"`.
    pub physical_networks: BTreeMap<SmolStr, SmolStr>,
}

/// `[api]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Serve extensions, too, that hosts do not enforce yet.
    pub preview_extensions: bool,
}

/// `[metadata]`: both or neither.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataConfig {
    /// Nova's metadata API, `http://192.0.2.1:8775`; without it instances made by `neutrino instance` are answered.
    pub nova_url: Option<SmolStr>,
    /// Nova's `[neutron] metadata_proxy_shared_secret`.
    pub shared_secret: Option<SmolStr>,
}

/// `[ml2]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ml2Config {
    /// Types for tenants' networks, tried in order.
    pub tenant_network_types: Option<Vec<SmolStr>>,
    /// VNIs that tenants' networks get, as `"first:last"`.
    pub vni_ranges: Option<Vec<SmolStr>>,
    /// VLANs that tenants' networks get, as `"physical network:first:last"` or `"physical network"` for all; only physical networks named here
    /// may carry VLANs.
    pub network_vlan_ranges: Option<Vec<SmolStr>>,
    /// Physical networks that flat networks may use; `"*"`: any.
    pub flat_networks: Option<Vec<SmolStr>>,
    /// MTU of the underlay.
    pub global_physnet_mtu: Option<u32>,
    /// MTU by physical network, where it is less.
    pub physical_network_mtus: BTreeMap<SmolStr, u32>,
    /// Domain of instances' names; `openstacklocal` when absent.
    pub dns_domain: Option<SmolStr>,
    /// IPv6 subnets of the default pool have their prefixes delegated from outside.
    pub ipv6_pd_enabled: bool,
    /// What `binding:vif_type` Linux bridge ports answer: `tap`, or `bridge` for Nova before 34.
    pub linuxbridge_vif_type: Option<SmolStr>,
}

/// `[l3]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L3Config {
    /// Routers that do not say spread what goes nowhere else over their gateways.
    pub enable_default_route_ecmp: bool,
    /// They watch next hops by BFD.
    pub enable_default_route_bfd: bool,
}

/// `[scheduler]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchedulerConfig {
    /// DHCP agents that serve each network.
    pub dhcp_agents_per_network: Option<usize>,
    /// Zones of networks and routers that do not ask for any.
    pub default_availability_zones: Vec<SmolStr>,
    /// Seconds of silence after which a host's agents count as dead.
    pub agent_down_time: Option<u64>,
    /// Networks of a dead DHCP agent go to another one.
    pub dhcp_failover: Option<bool>,
    /// Routers of a dead L3 agent go to another one.
    pub router_failover: Option<bool>,
}

/// `[identity]`: which Keystone is asked about tokens, and as whom.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// Where Keystone is.
    pub auth_url: Option<String>,
    /// What clients are told; `auth_url` when absent.
    pub www_authenticate_uri: Option<String>,
    /// The service user; `neutron` when absent.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Its project; `service` when absent.
    pub project_name: Option<String>,
    /// The user's domain; `Default` when absent.
    pub user_domain_name: Option<String>,
    /// The project's domain; `Default` when absent.
    pub project_domain_name: Option<String>,
    /// Certificates that vouch for Keystone's; the system's when absent.
    pub cafile: Option<PathBuf>,
    /// Seconds for which Keystone's word about a token counts; 300 when absent.
    pub token_cache_s: Option<u64>,
    /// Roles of which a service token must have one; `service` when absent.
    pub service_token_roles: Option<Vec<String>>,
}

impl IdentityConfig {
    /// The service user alone.
    pub fn user(&self) -> UserConfig {
        UserConfig {
            auth_url: self.auth_url.clone(),
            username: self.username.clone(),
            password: self.password.clone(),
            project_name: self.project_name.clone(),
            user_domain_name: self.user_domain_name.clone(),
            project_domain_name: self.project_domain_name.clone(),
            cafile: self.cafile.clone(),
        }
    }

    /// With the defaults filled in.
    pub fn keystone(&self) -> Result<keystone::Config> {
        let mut config = keystone::Config::new(self.user().credentials("--auth keystone", "[identity]")?);
        config.www_authenticate_uri.clone_from(&self.www_authenticate_uri);
        if let Some(seconds) = self.token_cache_s {
            config.cache = Duration::from_secs(seconds);
        }
        if let Some(roles) = &self.service_token_roles {
            config.service_token_roles.clone_from(roles);
        }
        Ok(config)
    }
}

impl Config {
    /// Reads the file; the defaults when there is none.
    pub fn read(path: &Path) -> Result<Config> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
}
