//! What a host must know, computed from the world: pure functions from a world and a host to units.
//!
//! [`full`] is the definition. [`unit`] computes one unit by its key and says nothing when the host must not have it, so a host gets
//! what concerns it and no more: its ports, their networks, where frames to those networks' other ports go, the groups of its
//! ports, the members of the groups that those groups' rules name, what its DHCP role serves, the routers that its L3 role carries and the instances that may ask it for
//! their metadata. Which keys a change may have touched is told by [`crate::concern`].

pub(crate) mod dhcp;
pub(crate) mod group;
pub(crate) mod metadata;
pub(crate) mod network;
mod port;
pub(crate) mod router;

pub use group::{UnresolvableRule, resolve};

use group::remote_groups;

use intent::{Unit, UnitId};
use ml2::Config;
use model::Port;
use net::HostName;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use world::{Index, Key, Record, Table, World};

/// The unit that a host has under a key; none when it must not have it.
pub fn unit(config: &Config, world: &World, host: &HostName, id: &UnitId) -> Option<Unit> {
    match *id {
        UnitId::Network(id) => network::network(config, world, host, id).map(Unit::Network),
        UnitId::Remote(network, id) => network::remote(world, host, network, id).map(Unit::Remote),
        UnitId::SecurityGroup(id) => group::group(world, host, id).map(Unit::SecurityGroup),
        UnitId::Member(group, id) => group::member(world, host, group, id).map(Unit::Member),
        UnitId::AddressGroup(id) => group::address_group(world, host, id).map(Unit::AddressGroup),
        UnitId::Dhcp(id) => dhcp::network(config, world, host, id).map(Unit::Dhcp),
        UnitId::DhcpHost(network, id) => dhcp::client(config, world, host, network, id).map(Unit::DhcpHost),
        UnitId::Router(id) => router::router(config, world, host, id).map(Unit::Router),
        UnitId::FloatingIp(router, id) => router::floating_ip(world, host, router, id).map(Unit::FloatingIp),
        UnitId::PortForwarding(router, id) => router::port_forwarding(world, host, router, id).map(Unit::PortForwarding),
        UnitId::NdpProxy(router, id) => router::ndp_proxy(world, host, router, id).map(Unit::NdpProxy),
        UnitId::ConntrackHelper(router, id) => router::conntrack_helper(world, host, router, id).map(Unit::ConntrackHelper),
        UnitId::MetadataClient(network, id) => metadata::client(world, host, network, id).map(Unit::MetadataClient),
        UnitId::Port(id) => port::port(world, host, id).map(Unit::Port),
    }
}

/// All units of a host.
pub fn full(config: &Config, world: &World, host: &HostName) -> BTreeMap<UnitId, Unit> {
    let units = keys(world, host).into_iter().filter_map(|id| Some((id, unit(config, world, host, &id)?)));
    units.collect()
}

/// Keys among which all keys of a host are.
fn keys(world: &World, host: &HostName) -> BTreeSet<UnitId> {
    let mut keys = BTreeSet::new();
    let mut groups = BTreeSet::new();
    let ports = world.table::<Port>();
    let bound = ports.by(Port::BY_HOST, host).filter(|port| port.binding.is_bound());
    for port in bound.chain(ports.by(Port::BY_STANDBY_HOST, host)) {
        keys.insert(UnitId::Port(port.id));
        if keys.insert(UnitId::Network(port.network_id)) {
            let others = ports.ids(Port::BY_NETWORK, port.network_id);
            keys.extend(others.map(|other| UnitId::Remote(port.network_id, *other)));
        }
        groups.extend(port.security_groups.iter().copied());
    }
    let mut remote = BTreeSet::new();
    for group in groups {
        keys.insert(UnitId::SecurityGroup(group));
        remote.extend(remote_groups(world, group));
        keys.extend(group::address_groups(world, group).into_iter().map(UnitId::AddressGroup));
    }
    for group in remote {
        keys.extend(world.table::<Port>().ids(Port::BY_SECURITY_GROUP, group).map(|port| UnitId::Member(group, *port)));
    }
    let mut answered = dhcp::scheduled(world, host);
    for network in answered.iter().copied() {
        keys.insert(UnitId::Dhcp(network));
        keys.extend(world.table::<Port>().ids(Port::BY_NETWORK, network).map(|port| UnitId::DhcpHost(network, *port)));
    }
    for router in router::scheduled(world, host) {
        keys.extend(router::keys(world, router));
        answered.extend(metadata::networks_of(world, router));
    }
    for network in answered {
        keys.extend(world.table::<Port>().ids(Port::BY_NETWORK, network).map(|port| UnitId::MetadataClient(network, *port)));
    }
    keys
}

/// The hosts under `Key::UuidText(of, host)` of an index, each once, in order; costs their number and not that of the records.
fn hosts_under<R: Record>(table: &Table<R>, index: Index<R>, of: uuid::Uuid) -> Vec<HostName> {
    let mut hosts = Vec::new();
    let mut from = SmolStr::default();
    while let Some((Key::UuidText(at, host), _)) = table.walk(index, Key::UuidText(of, from)).next() {
        if *at != of {
            break;
        }
        hosts.push(HostName(host.clone()));
        // The next text in order.
        from = smol_str::format_smolstr!("{host}\0");
    }
    hosts
}
