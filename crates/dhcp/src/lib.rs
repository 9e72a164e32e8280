//! The DHCP role: for each network it serves a namespace `qdhcp-<network>` with a dnsmasq that gives instances the addresses
//! their ports have, and nothing to anybody else.
//!
//! One program unit for each network, `dhcp/<network>`: the namespace, the veth of the DHCP port (the near end `tap…` is a port of the
//! network's bridge, the far end `ns-…` is dnsmasq's), its addresses and those of the metadata service, and dnsmasq with its files. The
//! files that list clients, options and names are read again at SIGHUP; only a change of subnets starts dnsmasq anew. dnsmasq knows
//! the names of the network's ports and of their addresses; other questions go to the operator's name servers, if there are any.
//! Networks of several projects may use the same prefix: each is a namespace.
//!
//! Deliberately absent: router advertisements (the router's), and answers about metadata (a role of its own).

mod files;
#[cfg(test)]
mod tests;
mod text;

use agent::{Compile, Compiled, Complaint, Facts, Intents, Release};
use dataplane::{Address, Daemon, Link, LinkKind, Name, Netns, Program, Route, RouteKey, UnitKey, Veth};
use intent::wire::Role;
use intent::{DhcpNetwork, Unit, UnitId, metadata_v4, metadata_v6};
use net::{Family, IpNet, NetworkId, PortId};
use smol_str::format_smolstr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The role's compiler.
#[derive(Clone, Debug)]
pub struct Dhcp {
    /// The bridge of a network, which the L2 dataplane of this host makes.
    pub bridge: fn(NetworkId) -> Name,
    /// How long clients may keep an address before they ask again, in seconds.
    pub lease_s: u32,
    /// Name servers that are asked what no port of a network is called; they are reached by the network's router.
    pub dns_servers: Vec<IpAddr>,
}

/// The namespace of a network's DHCP server.
pub fn netns(network: NetworkId) -> Netns {
    Netns::named(format_smolstr!("qdhcp-{network}"))
}

/// The link of a DHCP port inside its namespace.
pub fn inner_link(port: PortId) -> Name {
    format_smolstr!("ns-{}", port.short())
}

fn unit_key(network: NetworkId) -> UnitKey {
    UnitKey::new("dhcp", network)
}

impl Compile for Dhcp {
    fn name(&self) -> &'static str {
        "dhcp"
    }

    fn role(&self, intents: &Intents, _facts: &Facts) -> Role {
        let subnets: usize = intents.dhcps().map(|network| network.subnets.len()).sum();
        let ports: usize = intents.dhcps().map(|network| intents.dhcp_hosts(network.network_id).count()).sum();
        let configurations = serde_json::json!({
            "dhcp_driver": "dnsmasq",
            "dhcp_lease_duration": self.lease_s,
            "networks": intents.dhcps().count(),
            "subnets": subnets,
            "ports": ports,
        });
        Role {
            agent_type: "DHCP agent".to_owned(),
            binary: "neutron-dhcp-agent".to_owned(),
            topic: "dhcp_agent".to_owned(),
            configurations: configurations.to_string(),
            availability_zone: String::new(),
            enforces: vec![],
        }
    }

    fn units(&self, intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        intents.dhcps().map(|network| unit_key(network.network_id)).collect()
    }

    fn concerned(&self, changed: &UnitId, _before: Option<&Unit>, _intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        match changed {
            UnitId::Dhcp(network) | UnitId::DhcpHost(network, _) => [unit_key(*network)].into(),
            _ => BTreeSet::new(),
        }
    }

    fn device_changed(&self, _device: &str, _intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    fn compile(&self, unit: &UnitKey, intents: &Intents, _facts: &Facts) -> Compiled {
        let network = if unit.kind() == "dhcp" { unit.id().parse().ok() } else { None };
        match network.and_then(|network| intents.dhcp(network)) {
            Some(network) => self.network(network, intents),
            None => Compiled::default(),
        }
    }

    fn releases(&self, changed: &UnitId, before: Option<&Unit>, intents: &Intents) -> Vec<Release> {
        match (changed, before) {
            (UnitId::DhcpHost(network, _), Some(Unit::DhcpHost(before))) => {
                let Some(network) = intents.dhcp(*network) else { return Vec::new() };
                let now = match intents.get(changed) {
                    Some(Unit::DhcpHost(now)) if now.mac == before.mac => now.addresses.as_slice(),
                    _ => &[],
                };
                let left = before.addresses.iter().filter(|(_, address)| now.iter().all(|(_, now)| now != address));
                left.filter_map(|(_, address)| release(network, *address, before.mac)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The default routes by the routers of its subnets.
fn outside(network: &DhcpNetwork, link: &Name) -> BTreeMap<RouteKey, Route> {
    let mut routes = BTreeMap::new();
    for subnet in network.subnets.iter().filter(|subnet| !subnet.isolated) {
        let Some(gateway) = subnet.gateway_ip.filter(|gateway| subnet.cidr.contains(gateway)) else { continue };
        let any = match Family::of(&gateway) {
            Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let all = IpNet::new(any, 0).expect("0 is a prefix length of both families");
        routes.entry(RouteKey::main(all)).or_insert_with(|| Route::via(link.clone(), gateway));
    }
    routes
}

fn release(network: &DhcpNetwork, address: IpAddr, mac: net::Mac) -> Option<Release> {
    let IpAddr::V4(address) = address else { return None };
    let server: Ipv4Addr = network.addresses.iter().find_map(|own| match own {
        IpNet::V4(own) if own.contains(&address) => Some(own.addr()),
        _ => None,
    })?;
    Some(Release { netns: netns(network.network_id), link: inner_link(network.port_id), server, address, mac })
}

impl Dhcp {
    fn network(&self, network: &DhcpNetwork, intents: &Intents) -> Compiled {
        let hosts: Vec<_> = intents.dhcp_hosts(network.network_id).collect();
        let (daemon, mut complaints) = files::dnsmasq(network, &hosts, self);
        let realises = hosts.iter().map(|host| UnitId::DhcpHost(host.network_id, host.port_id)).chain([UnitId::Dhcp(network.network_id)]);
        let mut compiled = Compiled { realises: realises.collect(), ..Compiled::default() };
        if network.mac.is_group() || network.mac.is_zero() {
            let reason = format!("{} cannot be the MAC of its DHCP port", network.mac);
            complaints.push(Complaint { unit: UnitId::Dhcp(network.network_id), reason });
            return Compiled { complaints, ..Compiled::default() };
        }
        self.links(network, &mut compiled.program);
        let space = compiled.program.netns(&netns(network.network_id));
        space.daemons.extend(daemon.map(|daemon: Daemon| (Name::new_static("dnsmasq"), daemon)));
        compiled.complaints = complaints;
        compiled
    }

    fn links(&self, network: &DhcpNetwork, program: &mut Program) {
        let netns = netns(network.network_id);
        let inner = inner_link(network.port_id);
        let veth = Veth { peer: inner.clone(), peer_netns: netns.clone(), peer_mac: Some(network.mac) };
        let near = Link { mtu: Some(network.mtu), master: Some((self.bridge)(network.network_id)), ..Link::new(LinkKind::Veth(veth)) };
        program.root().links.insert(format_smolstr!("tap{}", network.port_id.short()), near);
        let space = program.netns(&netns);
        space.create = true;
        // A tenant's router has nothing to say to the server.
        space.sysctls.insert("net.ipv6.conf.default.accept_ra".into(), "0".into());
        space.links.insert(inner.clone(), Link { mtu: Some(network.mtu), mac: Some(network.mac), ..Link::new(LinkKind::Peer) });
        // Instances ask here for their metadata too, through this server or on the link.
        let metadata = [metadata_v4()].into_iter().chain(network.metadata_v6.then(metadata_v6));
        let addresses = network.addresses.iter().copied().chain(metadata);
        if !self.dns_servers.is_empty() {
            space.routes = outside(network, &inner);
        }
        space.addresses = addresses.map(|net| Address::new(inner.clone(), net)).collect();
    }
}
