//! What is in the files that the proxy reads; written by this crate's units, read by the proxy with the same types.

use intent::MetadataClient;
use net::{IpNet, NetworkId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::path::PathBuf;

/// What the name of a [`Space`]'s file begins with.
pub const SPACE: &str = "space-";
/// What the name of a file of clients begins with.
pub const CLIENTS: &str = "clients-";

/// How the proxy answers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Config {
    /// Nova's metadata API; none: instances are those that are described in `instances`.
    #[serde(default)]
    pub nova: Option<Nova>,
    /// A directory with a description ([`crate::describe::Instance`]) of each instance, `<instance id>.json`.
    pub instances: PathBuf,
}

/// Nova's metadata API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Nova {
    /// Where it is: `http://192.0.2.1:8775`.
    pub url: SmolStr,
    /// With what instance ids are signed: Nova's `[neutron] metadata_proxy_shared_secret`.
    pub shared_secret: SmolStr,
}

/// A namespace in which instances ask.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Space {
    /// Its name.
    pub netns: SmolStr,
    /// The links by which they come.
    pub links: Vec<SpaceLink>,
}

/// A link in it, and who is behind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SpaceLink {
    /// Its name.
    pub name: SmolStr,
    /// The network.
    pub network_id: NetworkId,
    /// The prefixes of the network that answers to go out by this link; none: all. Another subnet of a network that a router is on may
    /// have the prefix of somebody else's behind the same router.
    pub prefixes: Vec<IpNet>,
}

impl Config {
    pub(crate) fn text(&self) -> String {
        json(self)
    }
}

impl Space {
    pub(crate) fn text(&self) -> String {
        json(self)
    }
}

/// A line for each.
pub(crate) fn clients_text(clients: &[&MetadataClient]) -> String {
    clients.iter().map(|client| json(client) + "\n").collect()
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("it has string keys and no failing serializers")
}

/// The clients of a file.
pub fn read_clients(text: &str) -> Result<Vec<MetadataClient>, serde_json::Error> {
    text.lines().map(serde_json::from_str).collect()
}
