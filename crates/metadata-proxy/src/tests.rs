//! Who asks, and what Nova is told of it.

use crate::nova::{headers, sign};
use crate::serve::Asker;
use crate::tables::Tables;
use http::{HeaderMap, Method};
use intent::MetadataClient;
use metadata::{Nova, Space, SpaceLink};
use net::{NetworkId, PortId};
use smol_str::SmolStr;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

fn network(number: u128) -> NetworkId {
    NetworkId(Uuid::from_u128(number))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn client(on: u128, number: u8, address: &str) -> MetadataClient {
    MetadataClient {
        network_id: network(on),
        port_id: PortId(Uuid::from_u128(number.into())),
        mac: "fa:16:3e:00:00:05".parse().expect("a MAC"),
        addresses: vec![ip(address)],
        instance_id: format!("{number}").into(),
        project_id: "p".into(),
    }
}

fn link(name: &str, on: u128, prefixes: &[&str]) -> SpaceLink {
    SpaceLink {
        name: name.into(),
        network_id: network(on),
        prefixes: prefixes.iter().map(|prefix| prefix.parse().expect("a prefix")).collect(),
    }
}

fn write(directory: &Path, name: &str, lines: &[String]) {
    std::fs::write(directory.join("w"), lines.join("\n")).expect("a file");
    std::fs::rename(directory.join("w"), directory.join(name)).expect("a file");
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("JSON")
}

/// Network 1 with a DHCP server, and a router on networks 1 and 2; 2 has a further subnet with the prefix of 1's.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let (one, two) = (format!("clients-{}", network(1)), format!("clients-{}", network(2)));
    write(directory.path(), &one, &[json(&client(1, 5, "10.0.1.5"))]);
    write(directory.path(), &two, &[json(&client(2, 6, "10.0.2.6")), json(&client(2, 7, "10.0.1.7"))]);
    let dhcp = Space { netns: "qdhcp-1".into(), links: vec![link("ns-1", 1, &[])] };
    let router = Space { netns: "qrouter-1".into(), links: vec![link("qr-1", 1, &["10.0.1.0/24"]), link("qr-2", 2, &["10.0.2.0/24"])] };
    write(directory.path(), "space-qdhcp-1", &[json(&dhcp)]);
    write(directory.path(), "space-qrouter-1", &[json(&router)]);
    directory
}

fn asks(tables: &Tables, netns: &str, source: &str, link: &str) -> Option<SmolStr> {
    tables.client(netns, ip(source), || Some(link.into())).map(|client| client.instance_id.clone())
}

#[test]
fn a_port_is_known_by_namespace_and_address() {
    let directory = directory();
    let tables = Tables::default().refreshed(directory.path()).expect("readable").expect("new");
    assert!(tables.refreshed(directory.path()).expect("readable").is_none(), "nothing has changed");
    assert_eq!(asks(&tables, "qdhcp-1", "10.0.1.5", "").as_deref(), Some("5"));
    assert_eq!(asks(&tables, "qrouter-1", "10.0.1.5", "").as_deref(), Some("5"));
    assert_eq!(asks(&tables, "qrouter-1", "10.0.2.6", "").as_deref(), Some("6"));
    for (netns, source) in [("qdhcp-1", "10.0.2.6"), ("qdhcp-2", "10.0.1.5"), ("qrouter-1", "10.0.9.9"), ("qrouter-1", "10.0.1.7")] {
        assert_eq!(asks(&tables, netns, source, ""), None, "{source} in {netns}");
    }
    // The same MAC on two networks: the link says which it is.
    let local = "fe80::f816:3eff:fe00:5";
    assert_eq!(asks(&tables, "qrouter-1", local, "qr-1").as_deref(), Some("5"));
    assert!(asks(&tables, "qrouter-1", local, "qr-2").is_some_and(|instance| instance != "5"));
    assert_eq!(asks(&tables, "qrouter-1", local, "qg-1"), None);
    assert!(tables.client("qrouter-1", ip(local), || None).is_none());
}

#[test]
fn what_changes_is_read_again_and_what_makes_no_sense_is_nobody() {
    let directory = directory();
    let first = Tables::default().refreshed(directory.path()).expect("readable").expect("new");
    let name = format!("clients-{}", network(1));
    write(directory.path(), &name, &[json(&client(1, 8, "10.0.1.8"))]);
    let second = first.refreshed(directory.path()).expect("readable").expect("changed");
    assert_eq!((asks(&second, "qdhcp-1", "10.0.1.5", ""), asks(&second, "qdhcp-1", "10.0.1.8", "").as_deref()), (None, Some("8")));
    write(directory.path(), &name, &["{".to_owned()]);
    let third = second.refreshed(directory.path()).expect("readable").expect("changed");
    assert_eq!(asks(&third, "qdhcp-1", "10.0.1.8", ""), None);
    assert_eq!(asks(&third, "qrouter-1", "10.0.2.6", "").as_deref(), Some("6"), "its neighbours are unharmed");
    std::fs::remove_file(directory.path().join("space-qrouter-1")).expect("removed");
    let fourth = third.refreshed(directory.path()).expect("readable").expect("changed");
    assert_eq!((asks(&fourth, "qrouter-1", "10.0.2.6", ""), fourth.spaces().count()), (None, 1));
}

#[test]
fn nova_is_told_by_signed_headers() {
    // By `printf … | openssl dgst -sha256 -hmac secret`.
    assert_eq!(sign("secret", "x"), "117eca332f7e13ccb8e4574e4f33daa212a9231353670c2b8b4797df0bb77afa");
    let nova = Nova { url: "http://192.0.2.1:8775".into(), shared_secret: "secret".into() };
    let asker = |instance: &str| Asker {
        client: Arc::new(MetadataClient { instance_id: instance.into(), ..client(1, 5, "10.0.1.5") }),
        source: ip("10.0.1.5"),
    };
    let mut of_guest = HeaderMap::new();
    of_guest.insert("x-instance-id", "other".parse().expect("a value"));
    of_guest.insert("content-type", "text/plain".parse().expect("a value"));
    let told = headers(&nova, &asker("x"), &Method::GET, &of_guest).expect("headers");
    let mut names: Vec<&str> = told.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["x-forwarded-for", "x-instance-id", "x-instance-id-signature", "x-tenant-id"]);
    assert_eq!(told["x-instance-id"], "x");
    assert_eq!(told["x-instance-id-signature"], sign("secret", "x"));
    assert!(headers(&nova, &asker("x"), &Method::POST, &of_guest).expect("headers").contains_key("content-type"));
    assert!(headers(&nova, &asker("a\nb"), &Method::GET, &of_guest).is_none(), "a device that would be a header of its own");
}
