//! The metadata role: instances ask at 169.254.169.254, or on the link at fe80::a9fe:a9fe, in the namespaces of their network's DHCP
//! server and of its routers, and one proxy process for the host answers in all of them.
//!
//! A process, not a task of the agent: it outlives the agent, so that an instance that boots while the agent is restarted or
//! upgraded is answered all the same, and what hostile guests send is read outside of the process that programs the host.
//! It is supervised like any daemon. What it must know lies in files that it watches, so that a change is one small file:
//!
//! | unit | file | what |
//! |---|---|---|
//! | `metadata/proxy` | `config.json` of the daemon | Nova's metadata API, or where instances are described |
//! | `metadata-space/dhcp/<network>`, `…/router/<router>` | `space-<namespace>` | which networks are behind which links ([`Space`]) |
//! | `metadata-clients/<network>` | `clients-<network>` | who asks, by address: a [`MetadataClient`] in JSON on each line |
//!
//! The addresses themselves are on the links that the DHCP and the L3 role make. [`tree`] is what instances read when there is no Nova.

pub mod describe;
mod files;
pub mod iso9660;
#[cfg(test)]
mod tests;
pub mod tree;

pub use files::{CLIENTS, Config, Nova, SPACE, Space, SpaceLink, read_clients};

use agent::{Compile, Compiled, Facts, Intents};
use dataplane::{ConfigFile, Daemon, Name, Netns, UnitKey};
use intent::wire::Role;
use intent::{DhcpNetwork, MetadataClient, RouterIntent, Unit, UnitId};
use net::{IpNet, NetworkId, PortId, RouterId};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

const SIGHUP: i32 = 1;

/// The role's compiler.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The program that is the proxy, by its path, and the arguments before those that this role adds.
    pub program: Vec<SmolStr>,
    /// Changes with the program, so that another one is started.
    pub build: SmolStr,
    /// What the operator says.
    pub config: Config,
    /// Where the other roles have their namespaces and links.
    pub places: Places,
}

/// The names of namespaces and links that other roles make.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The namespace of a network's DHCP server.
    pub dhcp_netns: fn(NetworkId) -> Netns,
    /// The link of a DHCP port in it.
    pub dhcp_link: fn(PortId) -> Name,
    /// The namespace of a router.
    pub router_netns: fn(RouterId) -> Netns,
    /// The link of a router's interface in it.
    pub router_link: fn(PortId) -> Name,
}

fn proxy_unit() -> UnitKey {
    UnitKey::new("metadata", "proxy")
}

/// Of a network's DHCP server, or of a router.
fn space_unit(of: UnitId) -> UnitKey {
    UnitKey::new("metadata-space", of)
}

fn clients_unit(network: NetworkId) -> UnitKey {
    UnitKey::new("metadata-clients", network)
}

impl Compile for Metadata {
    fn name(&self) -> &'static str {
        "metadata"
    }

    fn role(&self, _intents: &Intents, _facts: &Facts) -> Role {
        let nova = self.config.nova.as_ref().map(|nova| nova.url.as_str());
        let configurations = serde_json::json!({"metadata_proxy_driver": "neutrino", "nova_metadata_url": nova});
        Role {
            agent_type: "Metadata agent".to_owned(),
            binary: "neutron-metadata-agent".to_owned(),
            topic: "N/A".to_owned(),
            configurations: configurations.to_string(),
            availability_zone: String::new(),
            enforces: vec![],
        }
    }

    fn units(&self, intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        intents.iter().flat_map(|(id, _)| self.of(id)).collect()
    }

    fn concerned(&self, changed: &UnitId, _before: Option<&Unit>, _intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        self.of(changed).collect()
    }

    fn device_changed(&self, _device: &str, _intents: &Intents, _facts: &Facts) -> BTreeSet<UnitKey> {
        BTreeSet::new()
    }

    fn compile(&self, unit: &UnitKey, intents: &Intents, _facts: &Facts) -> Compiled {
        match unit.kind() {
            "metadata" if unit == &proxy_unit() && self.is_needed(intents) => Some(self.proxy()),
            "metadata-space" => self.space(unit, intents).map(|space| file(format_smolstr!("{SPACE}{}", space.netns), space.text())),
            "metadata-clients" => unit.id().parse().ok().and_then(|network| clients(network, intents)),
            _ => None,
        }
        .unwrap_or_default()
    }
}

impl Metadata {
    /// The program units that depend on an intent.
    fn of(&self, id: &UnitId) -> impl Iterator<Item = UnitKey> + use<> {
        let units = match *id {
            UnitId::Dhcp(_) | UnitId::Router(_) => vec![proxy_unit(), space_unit(*id)],
            UnitId::MetadataClient(network, _) => vec![clients_unit(network)],
            _ => Vec::new(),
        };
        units.into_iter()
    }

    fn is_needed(&self, intents: &Intents) -> bool {
        intents.dhcps().next().is_some() || intents.routers().next().is_some()
    }

    fn proxy(&self) -> Compiled {
        let words = ["--config", "{dir}/config.json", "--files", "{files}", "--build", self.build.as_str()];
        let daemon = Daemon {
            argv: self.program.iter().cloned().chain(words.map(SmolStr::new)).collect(),
            files: BTreeMap::from([(Name::new_static("config.json"), ConfigFile::at_start(self.config.text()))]),
            reload_signal: SIGHUP,
        };
        let mut compiled = Compiled::default();
        compiled.program.root().daemons.insert(Name::new_static("metadata"), daemon);
        compiled
    }

    fn space(&self, unit: &UnitKey, intents: &Intents) -> Option<Space> {
        match unit.id().parse().ok()? {
            UnitId::Dhcp(network) => intents.dhcp(network).map(|network| self.of_dhcp(network)),
            UnitId::Router(router) => intents.router(router).and_then(|router| self.of_router(router)),
            _ => None,
        }
    }

    fn of_dhcp(&self, network: &DhcpNetwork) -> Space {
        let name = (self.places.dhcp_link)(network.port_id);
        let link = SpaceLink { name, network_id: network.network_id, prefixes: Vec::new() };
        Space { netns: format_smolstr!("{}", (self.places.dhcp_netns)(network.network_id)), links: vec![link] }
    }

    fn of_router(&self, router: &RouterIntent) -> Option<Space> {
        let link = |port: &intent::RouterPort| SpaceLink {
            name: (self.places.router_link)(port.port_id),
            network_id: port.network_id,
            prefixes: port.addresses.iter().map(IpNet::trunc).collect(),
        };
        let links: Vec<SpaceLink> = router.interfaces.iter().map(link).collect();
        let answers = router.admin_state_up && !links.is_empty();
        answers.then(|| Space { netns: format_smolstr!("{}", (self.places.router_netns)(router.id)), links })
    }
}

fn clients(network: NetworkId, intents: &Intents) -> Option<Compiled> {
    let clients: Vec<&MetadataClient> = intents.metadata_clients(network).collect();
    if clients.is_empty() {
        return None;
    }
    let mut compiled = file(format_smolstr!("{CLIENTS}{network}"), files::clients_text(&clients));
    compiled.realises = clients.iter().map(|client| UnitId::MetadataClient(network, client.port_id)).collect();
    Some(compiled)
}

fn file(name: Name, content: String) -> Compiled {
    let mut compiled = Compiled::default();
    compiled.program.root().files.insert(name, content);
    compiled
}
