//! Who is behind which link, as the agent wrote it.

use intent::MetadataClient;
use metadata::{CLIENTS, SPACE, Space, SpaceLink, read_clients};
use net::{NetworkId, link_local_eui64};
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// The files as they were read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    stamps: BTreeMap<SmolStr, Stamp>,
    spaces: BTreeMap<SmolStr, Arc<Space>>,
    clients: HashMap<NetworkId, Arc<Clients>>,
}

/// Another content is another of these: files are replaced, never written over.
type Stamp = (u64, i64, i64, u64);

/// The clients of a network.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    by_address: HashMap<IpAddr, Arc<MetadataClient>>,
}

impl Clients {
    fn of(clients: Vec<MetadataClient>) -> Clients {
        let mut by_address = HashMap::new();
        for client in clients {
            let client = Arc::new(client);
            by_address.insert(IpAddr::V6(link_local_eui64(client.mac)), Arc::clone(&client));
            by_address.extend(client.addresses.iter().map(|address| (*address, Arc::clone(&client))));
        }
        Clients { by_address }
    }
}

impl Tables {
    /// What is in the directory now; none when it is the same. A file that makes no sense is as one that is not there: nobody it names
    /// is answered.
    pub(crate) fn refreshed(&self, directory: &Path) -> io::Result<Option<Tables>> {
        let stamps = stamps(directory)?;
        if stamps == self.stamps {
            return Ok(None);
        }
        let mut tables = self.clone();
        let gone: Vec<&SmolStr> = self.stamps.keys().filter(|name| !stamps.contains_key(*name)).collect();
        gone.into_iter().for_each(|name| tables.forget(name));
        for name in stamps.iter().filter(|(name, stamp)| self.stamps.get(*name) != Some(*stamp)).map(|(name, _)| name) {
            tables.forget(name);
            match std::fs::read_to_string(directory.join(name.as_str())) {
                Ok(text) => tables.read(name, &text).unwrap_or_else(|error| tracing::error!(%name, %error, "a file makes no sense")),
                // Gone since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        tables.stamps = stamps;
        Ok(Some(tables))
    }

    fn forget(&mut self, name: &str) {
        if let Some(netns) = name.strip_prefix(SPACE) {
            self.spaces.remove(netns);
        }
        if let Some(network) = name.strip_prefix(CLIENTS).and_then(|id| id.parse().ok()) {
            self.clients.remove(&network);
        }
    }

    fn read(&mut self, name: &str, text: &str) -> serde_json::Result<()> {
        if let Some(netns) = name.strip_prefix(SPACE) {
            self.spaces.insert(netns.into(), Arc::new(serde_json::from_str(text)?));
        } else if let Some(network) = name.strip_prefix(CLIENTS).and_then(|id| id.parse().ok()) {
            self.clients.insert(network, Arc::new(Clients::of(read_clients(text)?)));
        }
        Ok(())
    }

    /// The namespaces in which to listen.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = &Arc<Space>> {
        self.spaces.values()
    }

    /// Who asks from an address in a namespace. `link` names the link of a source that says which, as link-local ones do.
    pub(crate) fn client(&self, netns: &str, source: IpAddr, link: impl FnOnce() -> Option<SmolStr>) -> Option<Arc<MetadataClient>> {
        let space = self.spaces.get(netns)?;
        let link = if is_link_local(source) {
            let name = link()?;
            space.links.iter().find(|link| link.name == name)?
        } else {
            space.links.iter().find(|link| leads_to(link, source))?
        };
        self.clients.get(&link.network_id)?.by_address.get(&source).cloned()
    }
}

/// Answers to the address leave by the link.
fn leads_to(link: &SpaceLink, address: IpAddr) -> bool {
    link.prefixes.is_empty() || link.prefixes.iter().any(|prefix| prefix.contains(&address))
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.segments()[0] & 0xffc0 == 0xfe80)
}

fn stamps(directory: &Path) -> io::Result<BTreeMap<SmolStr, Stamp>> {
    let mut stamps = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // What is being written has another name until it is whole.
        if !(name.starts_with(SPACE) || name.starts_with(CLIENTS)) || name.ends_with(".new") {
            continue;
        }
        match entry.metadata() {
            Ok(data) => _ = stamps.insert(name.into(), (data.ino(), data.mtime(), data.mtime_nsec(), data.size())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(stamps)
}
