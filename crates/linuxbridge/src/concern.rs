//! Which program units there are, and which a change touches.

use crate::compile::is_filtered;
use crate::name::{addresses_unit, filter_unit, group_unit, members_unit, network_unit, port_unit, remote_unit};
use agent::{Facts, Intents};
use dataplane::UnitKey;
use intent::{Carrier, NetworkIntent, PortIntent, Remote, SecurityGroupIntent, Unit, UnitId};
use net::{AddressGroupId, NetworkId, PortId, SecurityGroupId, VlanId};
use std::collections::BTreeSet;

pub(crate) fn units(intents: &Intents) -> BTreeSet<UnitKey> {
    let mut units = BTreeSet::new();
    for (_, unit) in intents.iter() {
        match unit {
            Unit::Network(network) => units.extend([filter_unit(), network_unit(network.id)]),
            Unit::Remote(remote) => _ = units.insert(remote_unit(remote.network_id, remote.port_id)),
            Unit::SecurityGroup(group) => {
                units.insert(group_unit(group.id));
                units.extend(remote_groups(group).map(members_unit));
                units.extend(address_groups(group).map(addresses_unit));
            }
            Unit::Port(port) => units.extend([filter_unit(), port_unit(port.id)]),
            Unit::Member(_) | Unit::AddressGroup(_) | Unit::Dhcp(_) | Unit::DhcpHost(_) => {}
            Unit::Router(_) | Unit::FloatingIp(_) | Unit::PortForwarding(_) | Unit::NdpProxy(_) => {}
            Unit::ConntrackHelper(_) | Unit::MetadataClient(_) => {}
        }
    }
    units
}

pub(crate) fn concerned(changed: &UnitId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey> {
    match changed {
        UnitId::Network(network) => network_concerns(*network, before, intents, facts),
        UnitId::Remote(network, port) => [network_unit(*network), remote_unit(*network, *port)].into(),
        UnitId::SecurityGroup(group) => group_concerns(*group, before, intents),
        UnitId::Member(group, _) => [members_unit(*group)].into(),
        UnitId::AddressGroup(group) => [addresses_unit(*group)].into(),
        UnitId::Port(port) => port_concerns(*port, before, intents),
        UnitId::Dhcp(_) | UnitId::Router(_) => ports_of_roles(before, intents.get(changed), intents),
        UnitId::DhcpHost(..) | UnitId::FloatingIp(..) | UnitId::PortForwarding(..) | UnitId::NdpProxy(..) => BTreeSet::new(),
        UnitId::ConntrackHelper(..) | UnitId::MetadataClient(..) => BTreeSet::new(),
    }
}

fn network_concerns(network: NetworkId, before: Option<&Unit>, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey> {
    let mut units = BTreeSet::from([filter_unit(), network_unit(network)]);
    units.extend(intents.remotes(network).map(|remote| remote_unit(network, remote.port_id)));
    units.extend(intents.ports().filter(|port| port.network_id == network).map(|port| port_unit(port.id)));
    // A physical link carries one flat network, and one with each tag: another may get it now, or lose it.
    let before = before.and_then(|unit| if let Unit::Network(before) = unit { Some(before) } else { None });
    for place in [before, intents.network(network)].into_iter().flatten().filter_map(|network| attachment(network, facts)) {
        let same = intents.networks().filter(|other| attachment(other, facts) == Some(place));
        units.extend(same.map(|other| network_unit(other.id)));
    }
    units
}

/// The ports whose links another role makes: one that is made anew is in no group.
fn ports_of_roles(before: Option<&Unit>, now: Option<&Unit>, intents: &Intents) -> BTreeSet<UnitKey> {
    let mut ports = Vec::new();
    for unit in [before, now].into_iter().flatten() {
        match unit {
            Unit::Dhcp(network) => ports.push(network.port_id),
            Unit::Router(router) => {
                let further = router.further_gateways.iter().map(|further| &further.port);
                ports.extend(router.gateway.iter().chain(further).chain(&router.interfaces).map(|port| port.port_id));
            }
            _ => {}
        }
    }
    ports.into_iter().filter(|port| intents.port(*port).is_some()).map(port_unit).collect()
}

/// Another port that wants the same device gets it now, or loses it.
fn port_concerns(port: PortId, before: Option<&Unit>, intents: &Intents) -> BTreeSet<UnitKey> {
    let before = before.and_then(|unit| if let Unit::Port(before) = unit { Some(before) } else { None });
    let devices: Vec<&str> = [before, intents.port(port)].into_iter().flatten().map(|port| port.device.as_str()).collect();
    let same = intents.ports().filter(|other| devices.contains(&other.device.as_str()));
    let mut units: BTreeSet<UnitKey> = same.map(|other| port_unit(other.id)).chain([filter_unit(), port_unit(port)]).collect();
    // The first filtered port of a network and the last change what its bridge is like.
    let filtered = |port: Option<&PortIntent>| port.filter(|port| is_filtered(port)).map(|port| port.network_id);
    let (before, now) = (filtered(before), filtered(intents.port(port)));
    let changed = [before, now].into_iter().flatten().filter(|_| before != now);
    units.extend(changed.filter(|network| !has_filtered(*network, intents, Some(port))).map(network_unit));
    units
}

/// A network has a filtered port on this host, besides one.
pub(crate) fn has_filtered(network: NetworkId, intents: &Intents, besides: Option<PortId>) -> bool {
    intents.ports().any(|port| port.network_id == network && Some(port.id) != besides && is_filtered(port))
}

fn group_concerns(group: SecurityGroupId, before: Option<&Unit>, intents: &Intents) -> BTreeSet<UnitKey> {
    let before = before.and_then(|unit| if let Unit::SecurityGroup(before) = unit { Some(before) } else { None });
    let now = intents.security_group(group);
    let mut units = BTreeSet::from([group_unit(group)]);
    for group in [before, now].into_iter().flatten() {
        units.extend(remote_groups(group).map(members_unit));
        units.extend(address_groups(group).map(addresses_unit));
    }
    if before.map(|group| group.stateful) != now.map(|group| group.stateful) {
        units.extend(intents.ports().filter(|port| port.security_groups.contains(&group)).map(|port| port_unit(port.id)));
    }
    units
}

pub(crate) fn device_changed(device: &str, intents: &Intents, facts: &Facts) -> BTreeSet<UnitKey> {
    let ports = intents.ports().filter(|port| port.device == device).map(|port| port_unit(port.id));
    let attached = intents.networks().filter(|network| attachment(network, facts).is_some_and(|(link, _)| link == device));
    ports.chain(attached.map(|network| network_unit(network.id))).collect()
}

/// The physical network that carries a network, and with which tag; none: untagged.
pub(crate) fn physical(network: &NetworkIntent) -> Option<(&str, Option<VlanId>)> {
    match &network.carrier {
        Carrier::Flat { physical_network } => Some((physical_network, None)),
        Carrier::Vlan { physical_network, vlan } => Some((physical_network, Some(*vlan))),
        Carrier::Local | Carrier::Vxlan { .. } => None,
    }
}

/// The link of this host that leads to a network's physical network, and with which tag.
pub(crate) fn attachment<'f>(network: &NetworkIntent, facts: &'f Facts) -> Option<(&'f str, Option<VlanId>)> {
    let (name, vlan) = physical(network)?;
    Some((facts.physical_networks.get(name)?, vlan))
}

/// The groups that rules of a group name as remote.
pub(crate) fn remote_groups(group: &SecurityGroupIntent) -> impl Iterator<Item = SecurityGroupId> {
    group.rules.iter().filter_map(|rule| match rule.remote {
        Remote::Group { group } => Some(group),
        Remote::Any | Remote::Prefix { .. } | Remote::AddressGroup { .. } => None,
    })
}

/// The address groups that rules of a group name.
pub(crate) fn address_groups(group: &SecurityGroupIntent) -> impl Iterator<Item = AddressGroupId> {
    group.rules.iter().filter_map(|rule| match rule.remote {
        Remote::AddressGroup { address_group } => Some(address_group),
        Remote::Any | Remote::Prefix { .. } | Remote::Group { .. } => None,
    })
}
