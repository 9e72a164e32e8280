//! What an operator says about this host.

use net::HostName;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The frame's options.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host's name, as `binding:host_id` has it.
    pub host: HostName,
    /// Where the agent keeps the numbers it gave out. Made when absent.
    pub state: PathBuf,
    /// Tunnel address; none: no VXLAN networks on this host.
    pub local_ip: Option<IpAddr>,
    /// Physical networks, with the link that leads to each.
    pub physical_networks: BTreeMap<SmolStr, SmolStr>,
    /// UDP port of VXLAN; none: 4789.
    pub vxlan_port: Option<u16>,
    /// See [`crate::Facts::arp_responder`].
    pub arp_responder: bool,
    /// The kernel tracks connections in the bridge family and knows the bridge's name there (probed).
    pub bridge_conntrack: bool,
    /// Bridged packets can pass the hooks of the inet family (probed).
    pub br_netfilter: bool,
    /// The kernel has VLAN links (probed).
    pub vlan_links: bool,
    /// Shown with the agents.
    pub availability_zone: SmolStr,
    /// How often the server hears of the agent.
    pub heartbeat: Duration,
    /// How often the kernel is read again and drift repaired.
    pub resync: Duration,
}

impl Config {
    /// Defaults for a host without tunnels: heartbeat every 10 s, drift repaired every 60 s.
    pub fn new(host: HostName, state: impl Into<PathBuf>) -> Config {
        Config {
            host,
            state: state.into(),
            local_ip: None,
            physical_networks: BTreeMap::new(),
            vxlan_port: None,
            arp_responder: false,
            bridge_conntrack: false,
            br_netfilter: false,
            vlan_links: false,
            availability_zone: SmolStr::new_static("nova"),
            heartbeat: Duration::from_secs(10),
            resync: Duration::from_secs(60),
        }
    }
}
