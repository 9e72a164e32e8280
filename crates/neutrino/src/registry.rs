//! Everything there is: every resource, extension alias and role. A new one is a line here.

use agent::Compile;
use api::{QuotaConfig, Registry, Resource};
use dhcp::Dhcp;
use linuxbridge::LinuxBridge;
use metadata::{Metadata, Places};
use ml2::Dependents;
use model::{Network, Port, Router};
use rbac::Shareables;
use routing::Routing;
use routing::bfd::Process;
use std::net::IpAddr;

/// Where the roles have what the metadata role needs.
pub const PLACES: Places =
    Places { dhcp_netns: dhcp::netns, dhcp_link: dhcp::inner_link, router_netns: routing::netns, router_link: routing::interface_link };

/// How long DHCP clients may keep an address before they ask again, in seconds.
const LEASE_S: u32 = 86_400;

/// The resources and extensions that the API serves.
pub fn api(quotas: &QuotaConfig) -> Registry {
    Registry::new()
        .core_resource(network())
        .core_resource(ml2::subnet::resource())
        .core_resource(ml2::subnet_pool::resource())
        .core_resource(port())
        .member("ports", ml2::port::bindings::COLLECTION, ml2::port::bindings::collection)
        .resource(ml2::address_scope::resource())
        .resource(ml2::agent::resource())
        .collection(ml2::segment::COLLECTION, ml2::segment::collection)
        .resource(ml2::segment_range::resource())
        .collection(ml2::availability_zone::COLLECTION, ml2::availability_zone::collection)
        .links(ml2::dhcp::by_hand::networks_of_agent(), network())
        .links(ml2::dhcp::by_hand::agents_of_network(), ml2::agent::resource())
        .collection(ml2::ip_availability::COLLECTION, ml2::ip_availability::collection)
        .resource(security_groups::group::resource().with(logging::of_group()))
        .resource(security_groups::rule::resource())
        .resource(security_groups::address_group::resource())
        .resource(security_groups::default_rule::resource())
        .resource(security_groups::default_statefulness::resource())
        .resource(rbac::policy::resource())
        .resource(router())
        .resource(l3::floating_ip::resource().with(qos::attach::of_floating_ip()))
        .links(l3::schedule::by_hand::routers_of_agent(), router())
        .links(l3::schedule::by_hand::agents_of_router(), ml2::agent::resource())
        .child(l3::conntrack_helper::parent(), l3::conntrack_helper::resource())
        .resource(l3::ndp_proxy::resource())
        .resource(l3::local_ip::resource())
        .member_of(l3::local_ip::ALIAS, "local_ips", l3::local_ip::ASSOCIATIONS, l3::local_ip::associations)
        .collection(l3::floating_ip_pool::COLLECTION, l3::floating_ip_pool::collection)
        .collection(l3::auto_allocate::COLLECTION, l3::auto_allocate::collection)
        .child(l3::port_forwarding::parent(), l3::port_forwarding::resource())
        .resource(qos::policy::resource())
        .slice(qos::rule::register)
        .collection_of("qos", qos::rule_type::COLLECTION, qos::rule_type::collection)
        .resource(trunk::resource())
        .resource(flavors::flavor::resource())
        .resource(flavors::profile::resource())
        .slice(flavors::register)
        .resource(metering::label::resource())
        .resource(metering::rule::resource())
        .resource(logging::resource())
        .collection_of("logging", logging::LOGGABLE, logging::loggable)
        .quotas(quotas)
        .extensions(ml2::extensions())
        .extensions(security_groups::extensions())
        .extensions(rbac::extensions())
        .extensions(l3::extensions())
        .extensions(flavors::extensions())
        .previews([ml2::pvlan::preview()])
        .previews(l3::previews())
        .previews(qos::previews())
        .previews(trunk::previews())
        .previews(metering::previews())
        .previews([logging::preview()])
}

/// Networks, with what other slices add.
fn network() -> Resource<Network> {
    ml2::network::resource().with(qos::attach::of_network()).with(l3::router::of_network()).with(ml2::pvlan::of_network())
}

/// Ports, likewise.
fn port() -> Resource<Port> {
    let port = ml2::port::resource().with(qos::attach::of_port()).with(trunk::of_port()).with(logging::of_port());
    port.with(ml2::pvlan::of_port())
}

/// Routers, likewise.
fn router() -> Resource<Router> {
    l3::router::resource().with(l3::conntrack_helper::of_router()).with(qos::attach::of_router()).with(flavors::of_router())
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
        qos::policy::shareable(),
    ])
}

/// The roles of an agent, with what the operator says of them: name servers for DHCP servers, what watches next hops, and the role for metadata.
pub fn roles(dns_servers: Vec<IpAddr>, bfd: Process, metadata: Metadata) -> Vec<Box<dyn Compile>> {
    vec![
        Box::new(LinuxBridge),
        Box::new(Dhcp { bridge: linuxbridge::bridge, lease_s: LEASE_S, dns_servers }),
        Box::new(Routing { bridge: linuxbridge::bridge, bfd: Some(bfd) }),
        Box::new(metadata),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_declaration_is_whole() {
        let faults = api(&QuotaConfig::default()).audit(&auth::Policy::defaults());
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// What the table of aliases in docs/parity.md says of the API: alias and column.
    fn documented() -> BTreeMap<String, String> {
        let lines = include_str!("../../../docs/parity.md").lines();
        let rows = lines.skip_while(|line| !line.starts_with("| alias |")).skip(2).take_while(|line| line.starts_with('|'));
        let cell = |row: &str, at: usize| row.split('|').nth(at).unwrap_or_default().trim().trim_matches('`').to_owned();
        rows.map(|row| (cell(row, 1), cell(row, 2))).collect()
    }

    #[test]
    fn the_table_of_aliases_is_true() {
        let documented = documented();
        assert!(documented.len() > 100, "{documented:?}");
        let with =
            |word: &str| documented.iter().filter(|(_, said)| *said == word).map(|(alias, _)| alias.clone()).collect::<BTreeSet<_>>();
        let listed = |previews| {
            let listed = api(&QuotaConfig::default()).preview_extensions(previews).listed();
            listed.iter().map(|extension| extension.alias.to_owned()).collect::<BTreeSet<_>>()
        };
        let (always, all) = (listed(false), listed(true));
        let wrong = |word: &str, true_of: BTreeSet<String>| with(word).symmetric_difference(&true_of).cloned().collect::<Vec<_>>();
        assert_eq!(wrong("yes", always.clone()), Vec::<String>::new(), "listed and not yes in docs/parity.md, or the other way round");
        assert_eq!(wrong("preview", all.difference(&always).cloned().collect()), Vec::<String>::new(), "the same of previews");
    }
}
