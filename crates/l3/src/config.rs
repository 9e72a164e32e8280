//! What an operator may configure; filled once by the binary and found in the settings.

/// Options of this crate, with the defaults of the reference.
#[derive(Clone, Debug)]
pub struct Config {
    /// Extra routes of a router (`max_routes`).
    pub max_routes: usize,
    /// What a gateway that does not say does (`enable_snat_by_default`).
    pub enable_snat_by_default: bool,
    /// Routers of a dead L3 agent go to another (`allow_automatic_l3agent_failover`).
    pub router_failover: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config { max_routes: 30, enable_snat_by_default: true, router_failover: false }
    }
}
