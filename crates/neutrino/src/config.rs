//! `DIR/neutrino.toml`: what an operator sets. Every option has a default, so the file need not be there.

use anyhow::{Context, Result};
use net::HostName;
use serde::Deserialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// This host, for the agent.
    pub agent: AgentConfig,
    /// Networks: types, ranges, MTU.
    pub ml2: Ml2Config,
    /// Who is given networks and routers, and when a host counts as dead.
    pub scheduler: SchedulerConfig,
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
    /// Physical network to link: `physnet1 = "eth1"`.
    pub physical_networks: BTreeMap<SmolStr, SmolStr>,
}

/// `[ml2]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ml2Config {
    /// Types for tenants' networks, tried in order.
    pub tenant_network_types: Option<Vec<SmolStr>>,
    /// VNIs that tenants' networks get, as `"first:last"`.
    pub vni_ranges: Option<Vec<SmolStr>>,
    /// Physical networks that flat networks may use; `"*"`: any.
    pub flat_networks: Option<Vec<SmolStr>>,
    /// MTU of the underlay.
    pub global_physnet_mtu: Option<u32>,
    /// What `binding:vif_type` Linux bridge ports answer: `tap`, or `bridge` for Nova before 34.
    pub linuxbridge_vif_type: Option<SmolStr>,
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
