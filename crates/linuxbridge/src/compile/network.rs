//! `network/…`: the bridge of a network and its uplink; `remote/…`: where frames to ports of other hosts go.

use super::{complaint, refused};
use crate::concern::{attachment, has_filtered, physical};
use crate::name;
use crate::pipeline::{self, Part, Variant};
use agent::{Compiled, Complaint, Facts, Intents};
use dataplane::{Bridge, FdbEntry, Link, LinkKind, Name, Namespace, Neighbour, Vlan, Vxlan};
use intent::{Carrier, NetworkIntent, RemotePort, UnitId};
use net::{VlanId, Vni};
use smol_str::format_smolstr;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) fn compile(network: &NetworkIntent, intents: &Intents, facts: &Facts) -> Compiled {
    let unit = UnitId::Network(network.id);
    let Some(zone) = facts.allocations.get(pipeline::ZONES, &network.id.to_string()) else {
        return refused(unit, "all 65535 conntrack zones of this host are in use");
    };
    let mut compiled = Compiled::default();
    let root = compiled.program.root();
    let bridge = name::bridge(network.id);
    let nf_call = Variant::of(facts) == Variant::Hybrid && has_filtered(network.id, intents, None);
    let kind = LinkKind::Bridge(Bridge { nf_call, ..Bridge::default() });
    let link = Link { mtu: Some(network.mtu), up: network.admin_state_up, ..Link::new(kind) };
    root.links.insert(bridge.clone(), link);
    // The host itself is no neighbour of tenants.
    root.sysctls.insert(format_smolstr!("net.ipv6.conf.{bridge}.disable_ipv6"), "1".into());
    let table = root.tables.entry(Variant::of(facts).rules_table()).or_default();
    pipeline::bridge_elements(table, network.id, zone);
    let uplink = match &network.carrier {
        Carrier::Local => Ok(None),
        Carrier::Vxlan { vni } => vxlan(root, network, *vni, intents, facts).map(Some),
        Carrier::Flat { .. } if !network.admin_state_up => Ok(None),
        Carrier::Flat { .. } => flat(network, intents, facts).map(Some),
        Carrier::Vlan { vlan: id, .. } => vlan(root, network, *id, intents, facts).map(Some),
    };
    match uplink {
        Ok(None) => compiled.realises.push(unit),
        Ok(Some((name, link))) => {
            let root = compiled.program.root();
            let part = if link.kind == LinkKind::Existing { Part::FlatUplink } else { Part::Uplink };
            pipeline::part(root.tables.entry(pipeline::bridge_table()).or_default(), &name, part);
            if link.kind == LinkKind::Existing && !facts.devices.contains(&name) {
                compiled.complaints.push(complaint(unit, absent(&name)));
            } else {
                compiled.realises.push(unit);
            }
            root.links.insert(name, link);
        }
        Err(complaint) => compiled.complaints.push(complaint),
    }
    compiled
}

fn vxlan(root: &mut Namespace, network: &NetworkIntent, vni: Vni, intents: &Intents, facts: &Facts) -> Result<(Name, Link), Complaint> {
    let Some(local) = facts.local_ip else {
        return Err(complaint(UnitId::Network(network.id), "it is a VXLAN network and this host has no tunnel address (local_ip)"));
    };
    let name = name::vxlan(vni);
    let mut kind = Vxlan { proxy: facts.arp_responder, ..Vxlan::unicast(vni, local) };
    kind.dst_port = facts.vxlan_port.unwrap_or(kind.dst_port);
    let link = Link {
        mtu: Some(network.mtu),
        master: Some(name::bridge(network.id)),
        up: network.admin_state_up,
        ..Link::new(LinkKind::Vxlan(kind))
    };
    // What the host would say for itself goes to the other hosts' tenants.
    root.sysctls.insert(format_smolstr!("net.ipv6.conf.{name}.disable_ipv6"), "1".into());
    let vteps: BTreeSet<IpAddr> = intents.remotes(network.id).map(|remote| remote.vtep).filter(|vtep| reachable(*vtep, local)).collect();
    root.fdb.extend(vteps.into_iter().map(|vtep| FdbEntry::flood(name.clone(), vtep)));
    Ok((name, link))
}

/// The link by which frames of other hosts come to a network.
pub(super) fn uplink(network: &NetworkIntent, facts: &Facts) -> Option<Name> {
    match &network.carrier {
        Carrier::Local => None,
        Carrier::Vxlan { vni } => facts.local_ip.map(|_| name::vxlan(*vni)),
        Carrier::Flat { .. } => attachment(network, facts).map(|(link, _)| link.into()),
        Carrier::Vlan { vlan, .. } => attachment(network, facts).map(|(link, _)| name::vlan(link, *vlan)),
    }
}

/// Why nothing of a network can leave this host, whatever is plugged in.
pub(super) fn obstacle(network: &NetworkIntent, facts: &Facts) -> Option<&'static str> {
    let lacks = matches!(network.carrier, Carrier::Vlan { .. }) && !facts.vlan_links;
    lacks.then_some(
        "it is a VLAN network and this kernel has no VLAN links (802.1Q): load the module 8021q, or run a kernel with CONFIG_VLAN_8021Q, and \
         start the agent again",
    )
}

/// A tunnel address of another host, of the family of ours.
fn reachable(vtep: IpAddr, local: IpAddr) -> bool {
    vtep != local && vtep.is_ipv4() == local.is_ipv4() && !vtep.is_unspecified() && !vtep.is_multicast()
}

fn flat(network: &NetworkIntent, intents: &Intents, facts: &Facts) -> Result<(Name, Link), Complaint> {
    let link = physical_link(network, intents, facts)?;
    Ok((link, Link { master: Some(name::bridge(network.id)), ..Link::new(LinkKind::Existing) }))
}

fn vlan(root: &mut Namespace, network: &NetworkIntent, id: VlanId, intents: &Intents, facts: &Facts) -> Result<(Name, Link), Complaint> {
    let wrong = |reason: String| complaint(UnitId::Network(network.id), reason);
    if let Some(obstacle) = obstacle(network, facts) {
        return Err(wrong(obstacle.to_owned()));
    }
    let device = physical_link(network, intents, facts)?;
    if !facts.devices.contains(&device) {
        return Err(wrong(absent(&device)));
    }
    let name = name::vlan(&device, id);
    // The dots of a parameter's name part it; that of the link's is written as a slash.
    root.sysctls.insert(format_smolstr!("net.ipv6.conf.{}.disable_ipv6", name.replace('.', "/")), "1".into());
    let kind = LinkKind::Vlan(Vlan { device, id });
    Ok((name, Link { master: Some(name::bridge(network.id)), up: network.admin_state_up, ..Link::new(kind) }))
}

fn absent(link: &str) -> String {
    format!("link {link}, which leads to its physical network, is not there")
}

/// The link that leads to a network's physical network, unless another network is on it already.
fn physical_link(network: &NetworkIntent, intents: &Intents, facts: &Facts) -> Result<Name, Complaint> {
    let wrong = |reason: String| complaint(UnitId::Network(network.id), reason);
    let (physical, vlan) = physical(network).expect("it is on a physical network");
    let Some(place) = attachment(network, facts) else {
        return Err(wrong(format!("this host has no link to physical network {physical}")));
    };
    let first = intents.networks().find(|other| attachment(other, facts) == Some(place)).map_or(network.id, |other| other.id);
    match vlan {
        _ if first == network.id => Ok(place.0.into()),
        None => Err(wrong(format!("physical network {physical} carries flat network {first} already"))),
        Some(vlan) => Err(wrong(format!("VLAN {vlan} on link {} carries network {first} already", place.0))),
    }
}

pub(super) fn compile_remote(remote: &RemotePort, intents: &Intents, facts: &Facts) -> Compiled {
    let unit = UnitId::Remote(remote.network_id, remote.port_id);
    let mut compiled = Compiled::default();
    let Some(network) = intents.network(remote.network_id) else {
        return refused(unit, format!("its network {} was not told", remote.network_id));
    };
    if let (Carrier::Vxlan { vni }, Some(local)) = (&network.carrier, facts.local_ip) {
        let link = name::vxlan(*vni);
        if remote.mac.is_group() || remote.mac.is_zero() {
            return refused(unit, format!("{} is not the MAC of a port", remote.mac));
        }
        if !reachable(remote.vtep, local) {
            return refused(unit, format!("its tunnel address {} cannot be reached from {local}", remote.vtep));
        }
        let root = compiled.program.root();
        root.fdb.insert(FdbEntry { link: link.clone(), mac: remote.mac, remote: remote.vtep });
        if facts.arp_responder {
            let at = |address: &IpAddr| Neighbour { link: link.clone(), address: *address, mac: remote.mac };
            root.neighbours.extend(remote.addresses.iter().map(at));
        }
    }
    compiled.realises.push(unit);
    compiled
}
