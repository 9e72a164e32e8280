//! Everything there is: every resource, extension alias and role. A new one is a line here.

use agent::Compile;
use api::{QuotaConfig, Registry};
use dhcp::Dhcp;
use linuxbridge::LinuxBridge;
use ml2::Dependents;
use routing::Routing;

/// How long DHCP clients may keep an address before they ask again, in seconds.
const LEASE_S: u32 = 86_400;

/// The resources and extensions that the API serves.
pub fn api(quotas: &QuotaConfig) -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::port::resource())
        .member("ports", ml2::port::bindings::COLLECTION, ml2::port::bindings::collection)
        .resource(ml2::agent::resource())
        .collection(ml2::segment::COLLECTION, ml2::segment::collection)
        .resource(ml2::segment_range::resource())
        .collection(ml2::availability_zone::COLLECTION, ml2::availability_zone::collection)
        .links(ml2::dhcp::by_hand::networks_of_agent(), ml2::network::resource())
        .links(ml2::dhcp::by_hand::agents_of_network(), ml2::agent::resource())
        .collection(ml2::ip_availability::COLLECTION, ml2::ip_availability::collection)
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .resource(l3::router::resource())
        .resource(l3::floating_ip::resource())
        .links(l3::schedule::by_hand::routers_of_agent(), l3::router::resource())
        .links(l3::schedule::by_hand::agents_of_router(), ml2::agent::resource())
        .child(l3::port_forwarding::parent(), l3::port_forwarding::resource())
        .quotas(quotas)
        .extensions(ml2::extensions())
        .extensions(security_groups::extensions())
        .extensions(l3::extensions())
}

/// The slices that depend on ports and agents, and hear of their changes.
pub fn dependents() -> Dependents {
    Dependents(vec![l3::dependent()])
}

/// The roles of an agent.
pub fn roles() -> Vec<Box<dyn Compile>> {
    vec![
        Box::new(LinuxBridge),
        Box::new(Dhcp { bridge: linuxbridge::bridge, lease_s: LEASE_S }),
        Box::new(Routing { bridge: linuxbridge::bridge }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_whole() {
        let faults = api(&QuotaConfig::default()).audit(&auth::Policy::defaults());
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
