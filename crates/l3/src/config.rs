//! What an operator may configure; filled once by the binary and found in the settings.

/// Options of this crate, with the defaults of the reference except where they say otherwise.
#[derive(Clone, Debug)]
pub struct Config {
    /// Extra routes of a router (`max_routes`).
    pub max_routes: usize,
    /// What a gateway that does not say does (`enable_snat_by_default`).
    pub enable_snat_by_default: bool,
    /// What a router that does not say does (`enable_default_route_ecmp`).
    pub enable_default_route_ecmp: bool,
    /// The same (`enable_default_route_bfd`).
    pub enable_default_route_bfd: bool,
    /// Routers of a dead L3 agent go to another (`allow_automatic_l3agent_failover`, false in the reference). The host that comes back is
    /// told what is not its any more before anything else.
    pub router_failover: bool,
    /// Routers can be distributed or highly available (extensions `dvr` and `l3-ha`).
    pub has_modes: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_routes: 30,
            enable_snat_by_default: true,
            enable_default_route_ecmp: false,
            enable_default_route_bfd: false,
            router_failover: true,
            has_modes: false,
        }
    }
}
