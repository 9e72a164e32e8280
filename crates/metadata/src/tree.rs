//! What an instance reads: the tree of EC2 (`/latest/meta-data/…`) and that of OpenStack (`/openstack/latest/…`), by HTTP or, the latter,
//! from a config drive.

use crate::describe::{Instance, Method, Nic, NicAddress};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use net::Family;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The versions of OpenStack's tree; all have what the newest has.
const OPENSTACK: [&str; 8] = ["2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2018-08-27", "latest"];
/// The versions of EC2's tree.
const EC2: [&str; 3] = ["1.0", "2009-04-04", "latest"];

/// Files by path, without a slash at either end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    /// What is said of a directory instead of the names in it.
    listings: BTreeMap<String, String>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// A file.
    File(&'a [u8]),
    /// A directory: the lines that list it.
    Listing(String),
}

impl Tree {
    /// Everything that an instance may ask for.
    pub fn of(instance: &Instance) -> Tree {
        let mut tree = Tree::default();
        for version in OPENSTACK {
            for (name, content) in openstack(instance) {
                tree.files.insert(format!("openstack/{version}/{name}"), content);
            }
        }
        for version in EC2 {
            tree.ec2(version, instance);
        }
        tree
    }

    /// What is on a config drive: the newest of OpenStack's tree under its names, and nothing of EC2's.
    pub fn drive(instance: &Instance) -> BTreeMap<String, Vec<u8>> {
        let files = openstack(instance).into_iter().map(|(name, content)| (format!("openstack/latest/{name}"), content));
        files.collect()
    }

    /// What is at a path; slashes more or less make no difference.
    pub fn get(&self, path: &str) -> Option<Node<'_>> {
        let path = path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        if let Some(content) = self.files.get(&path) {
            return Some(Node::File(content));
        }
        if let Some(listing) = self.listings.get(&path) {
            return Some(Node::Listing(listing.clone()));
        }
        let prefix = if path.is_empty() { path } else { path + "/" };
        let below = self.files.range(prefix.clone()..).map(|(name, _)| name).take_while(|name| name.starts_with(&prefix));
        let names: BTreeSet<String> = below.map(|name| entry(&name[prefix.len()..])).collect();
        (!names.is_empty()).then(|| Node::Listing(names.into_iter().collect::<Vec<_>>().join("\n")))
    }

    fn ec2(&mut self, version: &str, instance: &Instance) {
        let short: String = instance.uuid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let addresses = |family| instance.nic.addresses.iter().map(|address| address.address.addr()).find(move |a| Family::of(a) == family);
        let own = addresses(Family::V4).map(|address| address.to_string()).unwrap_or_default();
        let texts = [
            ("ami-id", "ami-00000000"),
            ("ami-launch-index", "0"),
            ("ami-manifest-path", "none"),
            ("hostname", &instance.hostname),
            ("instance-action", "none"),
            ("instance-id", &format!("i-{short}")),
            ("instance-type", "neutrino"),
            ("local-hostname", &instance.hostname),
            ("local-ipv4", &own),
            ("placement/availability-zone", "nova"),
            ("public-hostname", &instance.hostname),
            ("public-ipv4", ""),
            ("reservation-id", &format!("r-{short}")),
        ];
        let base = format!("{version}/meta-data");
        for (name, text) in texts {
            self.files.insert(format!("{base}/{name}"), text.as_bytes().to_vec());
        }
        for (at, (_, key)) in instance.keys.iter().enumerate() {
            self.files.insert(format!("{base}/public-keys/{at}/openssh-key"), key.clone().into_bytes());
        }
        if !instance.keys.is_empty() {
            let names = instance.keys.iter().enumerate().map(|(at, (name, _))| format!("{at}={name}"));
            self.listings.insert(format!("{base}/public-keys"), names.collect::<Vec<_>>().join("\n"));
        }
        if let Some(data) = user_data(instance) {
            self.files.insert(format!("{version}/user-data"), data);
        }
    }
}

/// How a file or directory is listed.
fn entry(rest: &str) -> String {
    rest.split_once('/').map_or_else(|| rest.to_owned(), |(directory, _)| format!("{directory}/"))
}

fn user_data(instance: &Instance) -> Option<Vec<u8>> {
    STANDARD.decode(instance.user_data.as_ref()?).ok()
}

/// The files of one version of OpenStack's tree.
fn openstack(instance: &Instance) -> Vec<(&'static str, Vec<u8>)> {
    let text = |value: &Value| value.to_string().into_bytes();
    let mut files = vec![
        ("meta_data.json", text(&meta_data(instance))),
        ("network_data.json", text(&network_data(&instance.nic))),
        ("vendor_data.json", text(&json!({}))),
        ("vendor_data2.json", text(&json!({}))),
    ];
    files.extend(user_data(instance).map(|data| ("user_data", data)));
    files
}

fn meta_data(instance: &Instance) -> Value {
    let keys = instance.keys.iter().map(|(name, data)| json!({"name": name, "type": "ssh", "data": data}));
    let by_name: serde_json::Map<String, Value> = instance.keys.iter().map(|(name, key)| (name.clone(), json!(key))).collect();
    json!({
        "uuid": instance.uuid,
        "name": instance.name,
        "hostname": instance.hostname,
        "project_id": instance.project_id,
        "launch_index": 0,
        "availability_zone": "nova",
        "meta": {},
        "keys": keys.collect::<Vec<_>>(),
        "public_keys": by_name,
        "devices": [],
    })
}

/// In Nova's form (its `network_data.json` schema).
fn network_data(nic: &Nic) -> Value {
    let link = json!({
        "id": nic.device,
        "vif_id": nic.port_id,
        "type": "tap",
        "mtu": nic.mtu,
        "ethernet_mac_address": nic.mac.to_string(),
    });
    let networks = nic.addresses.iter().enumerate().map(|(at, address)| network(nic, at, address));
    let services = nic.dns_nameservers.iter().map(|server| json!({"type": "dns", "address": server.to_string()}));
    json!({"links": [link], "networks": networks.collect::<Vec<_>>(), "services": services.collect::<Vec<_>>()})
}

fn network(nic: &Nic, at: usize, address: &NicAddress) -> Value {
    let v4 = Family::of_net(&address.address) == Family::V4;
    let kind = match (v4, address.method) {
        (true, Method::Dhcp) => "ipv4_dhcp",
        (true, _) => "ipv4",
        (false, Method::Dhcp) => "ipv6_dhcpv6-stateful",
        (false, Method::SlaacDhcp) => "ipv6_dhcpv6-stateless",
        (false, Method::Slaac) => "ipv6_slaac",
        (false, Method::Static) => "ipv6",
    };
    let mut network = json!({"id": format!("network{at}"), "type": kind, "link": nic.device, "network_id": nic.network_id});
    if kind != "ipv4_dhcp" {
        network["ip_address"] = json!(address.address.addr().to_string());
        network["netmask"] = json!(address.address.netmask().to_string());
        let everywhere = if v4 { "0.0.0.0" } else { "::" };
        let route = |gateway: IpAddr| json!({"network": everywhere, "netmask": everywhere, "gateway": gateway.to_string()});
        network["routes"] = json!(address.gateway.map(route).into_iter().collect::<Vec<_>>());
    }
    network
}
