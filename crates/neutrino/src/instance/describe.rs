//! What an instance is told of itself: by the metadata service, or on a config drive.

use super::port::{Leg, text};
use super::record::Record;
use super::{AddArgs, Kind};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use metadata::describe::{Instance, Method, Nic, NicAddress};
use metadata::iso9660;
use metadata::tree::Tree;
use net::IpNet;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf, absolute};

/// Bytes of user data at most, as Nova has it.
const USER_DATA: usize = 65_535;

/// What the caller gives the instance.
pub struct Given {
    keys: Vec<(String, String)>,
    user_data: Option<Vec<u8>>,
}

impl Given {
    /// Reads the files that the arguments name.
    pub fn read(args: &AddArgs) -> Result<Given> {
        let keys = args.keys.iter().map(|path| key(path)).collect::<Result<Vec<_>>>()?;
        let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
        let user_data = args.user_data.as_deref().map(read).transpose()?;
        let length = user_data.as_ref().map_or(0, Vec::len);
        ensure!(length <= USER_DATA, "user data of {length} bytes: {USER_DATA} are allowed");
        Ok(Given { keys, user_data })
    }
}

/// A public key and its name.
fn key(path: &Path) -> Result<(String, String)> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let key = text.trim();
    ensure!(!key.is_empty() && key.lines().count() == 1 && !key.contains("PRIVATE"), "{} is no public key: one line", path.display());
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("key");
    Ok((name.to_owned(), key.to_owned()))
}

/// The directory that is a namespace's config drive, below the files of its instance; none when the path cannot be told in full.
pub fn directory(files: &Path) -> Option<PathBuf> {
    absolute(files.join("config-drive")).ok()
}

/// Makes the config drive of an instance and answers where it is: an image for a guest, a directory for a namespace.
pub fn drive(files: &Path, kind: Kind, instance: &Instance) -> Result<PathBuf> {
    let tree = Tree::drive(instance);
    let path = match kind {
        Kind::Netns => directory(files).context("the state directory has no path")?,
        Kind::Qemu => absolute(files.join("config-drive.iso"))?,
    };
    let write = |path: &Path, content: &[u8]| {
        fs::create_dir_all(path.parent().unwrap_or(files))?;
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(content)
    };
    let written = match kind {
        Kind::Netns => tree.iter().try_for_each(|(name, content)| write(&path.join(name), content)),
        Kind::Qemu => write(&path, &iso9660::image("config-2", &tree).context("a config drive of so much")?),
    };
    written.with_context(|| format!("writing the config drive {}", path.display()))?;
    Ok(path)
}

/// The largest packet of a network, in bytes.
pub fn mtu(network: &Value) -> u32 {
    network["mtu"].as_u64().and_then(|mtu| u32::try_from(mtu).ok()).filter(|mtu| *mtu > 0).unwrap_or(1500)
}

/// The description of an instance whose port is made.
pub fn instance(record: &Record, given: &Given, network: &Value, legs: &[Leg], no_dhcp: bool) -> Result<Instance> {
    let port = record.port.as_ref().context("an instance is described when it has a port")?;
    let address = |leg: &Leg| {
        let method = if no_dhcp { Method::Static } else { leg.method };
        Ok(NicAddress { address: IpNet::new(leg.address, leg.prefix_len)?, gateway: leg.gateway, method })
    };
    let servers: BTreeSet<_> = legs.iter().flat_map(|leg| leg.dns_nameservers.iter().copied()).collect();
    Ok(Instance {
        uuid: record.device_id.clone(),
        project_id: record.project_id.clone(),
        name: record.name.clone(),
        hostname: record.name.clone(),
        keys: given.keys.clone(),
        user_data: given.user_data.as_ref().map(|data| STANDARD.encode(data)),
        nic: Nic {
            port_id: port.id.clone(),
            network_id: text(network, "id").to_owned(),
            device: record.device().unwrap_or_default(),
            mac: port.mac_address.parse().context("the port has a MAC that is none")?,
            mtu: mtu(network),
            addresses: legs.iter().map(address).collect::<Result<_>>()?,
            dns_nameservers: servers.into_iter().collect(),
        },
    })
}
