//! The L3 role: for each router it carries a namespace `qrouter-<router>` that forwards between the router's ports and translates
//! addresses at its gateway.
//!
//! Program units are `bfd/process` (see `bfd.rs`), `router/<router>` (namespace, ports, routes, an nft table with its rules and maps, and radvd), and for each
//! floating IP, port forwarding, NDP proxy and conntrack helper a unit that puts its elements into these maps: a further floating IP on a router that has a thousand
//! costs as much as the first. Projects may use the same prefixes: each router is a namespace.
//!
//! `pipeline.rs` has the nft table and is to be read first. Deliberately absent: answers about metadata (a role of its own),
//! high availability.

mod advertise;
pub mod bfd;
mod concern;
mod conntrack_helpers;
mod cuts;
mod delegations;
mod elements;
mod links;
mod pipeline;
mod routes;
mod scopes;
mod symmetric;
#[cfg(test)]
mod tests;

use agent::{Compile, Compiled, Complaint, Cut, Delegation, Facts, Intents, NextHops};
use dataplane::{Name, Netns, UnitKey};
use intent::wire::Role;
use intent::{Unit, UnitId};
use net::{ConntrackHelperId, FloatingIpId, NdpProxyId, NetworkId, PortForwardingId, PortId, RouterId};
use smol_str::format_smolstr;
use std::collections::BTreeSet;

/// The role's compiler.
#[derive(Clone, Debug)]
pub struct Routing {
    /// The bridge of a network, which the L2 dataplane of this host makes.
    pub bridge: fn(NetworkId) -> Name,
    /// What watches next hops; none: nobody starts it here.
    pub bfd: Option<bfd::Process>,
}

/// The namespace of a router.
pub fn netns(router: RouterId) -> Netns {
    Netns::named(format_smolstr!("qrouter-{router}"))
}

/// The link of an interface inside the router's namespace.
pub fn interface_link(port: PortId) -> Name {
    format_smolstr!("qr-{}", port.short())
}

/// The link of a gateway inside the router's namespace.
pub fn gateway_link(port: PortId) -> Name {
    format_smolstr!("qg-{}", port.short())
}

pub(crate) fn router_unit(router: RouterId) -> UnitKey {
    UnitKey::new("router", router)
}

pub(crate) fn floating_ip_unit(router: RouterId, id: FloatingIpId) -> UnitKey {
    UnitKey::new("floating-ip", format_args!("{router}/{id}"))
}

pub(crate) fn forwarding_unit(router: RouterId, id: PortForwardingId) -> UnitKey {
    UnitKey::new("port-forwarding", format_args!("{router}/{id}"))
}

pub(crate) fn proxy_unit(router: RouterId, id: NdpProxyId) -> UnitKey {
    UnitKey::new("ndp-proxy", format_args!("{router}/{id}"))
}

pub(crate) fn helper_unit(router: RouterId, id: ConntrackHelperId) -> UnitKey {
    UnitKey::new("conntrack-helper", format_args!("{router}/{id}"))
}

/// A unit of which nothing can be.
pub(crate) fn refused(unit: UnitId, reason: impl Into<String>) -> Compiled {
    Compiled { complaints: vec![Complaint { unit, reason: reason.into() }], ..Compiled::default() }
}

impl Compile for Routing {
    fn name(&self) -> &'static str {
        "l3"
    }

    fn role(&self, intents: &Intents, _facts: &Facts) -> Role {
        let interfaces: usize = intents.routers().map(|router| router.interfaces.len()).sum();
        let floating_ips: usize = intents.routers().map(|router| intents.floating_ips(router.id).count()).sum();
        let configurations = serde_json::json!({
            "agent_mode": "legacy",
            "handle_internal_only_routers": true,
            "routers": intents.routers().count(),
            "ex_gw_ports": intents.routers().map(|router| router.gateway.iter().count() + router.further_gateways.len()).sum::<usize>(),
            "interfaces": interfaces,
            "floating_ips": floating_ips,
            "extensions": ["port_forwarding", "ndp_proxy", "conntrack_helper"],
        });
        Role {
            agent_type: "L3 agent".to_owned(),
            binary: "neutron-l3-agent".to_owned(),
            topic: "l3_agent".to_owned(),
            configurations: configurations.to_string(),
            availability_zone: String::new(),
            enforces: vec![],
        }
    }

    fn units(&self, intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        concern::units(intents)
    }

    fn concerned(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        concern::concerned(changed, before, intents)
    }

    fn device_changed(&self, _device: &str, _intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    fn next_hops_changed(&self, before: &NextHops, intents: &Intents, facts: &Facts) -> (BTreeSet<UnitKey>, Vec<Cut>) {
        bfd::changed(before, intents, facts)
    }

    fn compile(&self, unit: &UnitKey, intents: &Intents, facts: &Facts) -> Compiled {
        if *unit == bfd::unit() {
            return self.process(intents);
        }
        let compiled = match unit.as_str().parse() {
            Ok(UnitId::Router(id)) => intents.router(id).map(|router| self.router(router, facts)),
            Ok(UnitId::FloatingIp(router, id)) => {
                intents.floating_ip(router, id).map(|floating_ip| elements::floating_ip(floating_ip, intents))
            }
            Ok(UnitId::PortForwarding(router, id)) => {
                intents.port_forwarding(router, id).map(|forwarding| elements::forwarding(forwarding, intents))
            }
            Ok(UnitId::NdpProxy(router, id)) => intents.ndp_proxy(router, id).map(|proxy| elements::ndp_proxy(proxy, intents)),
            Ok(UnitId::ConntrackHelper(router, id)) => {
                intents.conntrack_helper(router, id).map(|helper| conntrack_helpers::conntrack_helper(helper, intents))
            }
            _ => None,
        };
        compiled.unwrap_or_default()
    }

    fn delegations(&self, intents: &Intents) -> Vec<Delegation> {
        intents.routers().flat_map(delegations::of).collect()
    }

    fn cuts(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents, _facts: &Facts) -> Vec<Cut> {
        cuts::cuts(changed, before, intents)
    }
}
