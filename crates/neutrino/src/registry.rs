//! Everything there is: every resource, extension alias and role. A new one is a line here.

use agent::Compile;
use api::{QuotaConfig, Registry};
use dhcp::Dhcp;
use linuxbridge::LinuxBridge;
use ml2::Dependents;
use rbac::Shareables;
use routing::Routing;

/// How long DHCP clients may keep an address before they ask again, in seconds.
const LEASE_S: u32 = 86_400;

/// The resources and extensions that the API serves.
pub fn api(quotas: &QuotaConfig) -> Registry {
    Registry::new()
        .core_resource(ml2::network::resource())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::subnet_pool::resource())
        .core_resource(ml2::port::resource())
        .resource(ml2::address_scope::resource())
        .resource(ml2::agent::resource())
        .collection(ml2::ip_availability::COLLECTION, ml2::ip_availability::collection)
        .resource(security_groups::group::resource())
        .resource(security_groups::rule::resource())
        .resource(security_groups::address_group::resource())
        .resource(rbac::policy::resource())
        .resource(l3::router::resource())
        .resource(l3::floating_ip::resource())
        .child(l3::port_forwarding::parent(), l3::port_forwarding::resource())
        .quotas(quotas)
        .extensions(ml2::extensions())
        .extensions(security_groups::extensions())
        .extensions(rbac::extensions())
        .extensions(l3::extensions())
}

/// The slices that depend on ports and agents, and hear of their changes.
pub fn dependents() -> Dependents {
    Dependents(vec![l3::dependent()])
}

/// The types of objects that projects can share with each other.
pub fn shareables() -> Shareables {
    Shareables(vec![
        ml2::network::shareable(),
        ml2::address_scope::shareable(),
        ml2::subnet_pool::shareable(),
        security_groups::group::shareable(),
        security_groups::address_group::shareable(),
    ])
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
