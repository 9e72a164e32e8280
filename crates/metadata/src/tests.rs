//! The law of the frame, what the proxy is told, and what instances read.

use crate::describe::{Instance, Method, Nic, NicAddress};
use crate::tree::{Node, Tree};
use crate::{Config, Metadata, Nova, Places, Space, read_clients};
use agent::{Compile, Compiled, Facts, Intents};
use dataplane::{Netns, UnitKey};
use intent::*;
use net::{IpNet, NetworkId, PortId, RouterId};
use proptest::prelude::*;
use smol_str::format_smolstr;
use std::collections::BTreeMap;
use uuid::Uuid;

fn uuid(kind: u8, number: u8) -> Uuid {
    let mut bytes = [0; 16];
    (bytes[0], bytes[15]) = (kind, number);
    Uuid::from_bytes(bytes)
}

fn network(number: u8) -> NetworkId {
    NetworkId(uuid(0x10, number))
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a prefix")
}

fn role(nova: Option<Nova>) -> Metadata {
    Metadata {
        program: vec!["neutrino".into(), "metadata-proxy".into()],
        build: "1".into(),
        config: Config { nova, instances: "/state/instances/metadata".into() },
        places: Places {
            dhcp_netns: |network| Netns::named(format_smolstr!("qdhcp-{network}")),
            dhcp_link: |port| format_smolstr!("ns-{port}"),
            router_netns: |router| Netns::named(format_smolstr!("qrouter-{router}")),
            router_link: |port| format_smolstr!("qr-{port}"),
        },
    }
}

fn dhcp(number: u8, port: u8) -> Unit {
    Unit::Dhcp(DhcpNetwork {
        network_id: network(number),
        mtu: 1450,
        dns_domain: "openstacklocal".into(),
        network_domain: Default::default(),
        port_id: PortId(uuid(0xa0, port)),
        mac: "fa:16:3e:00:00:02".parse().expect("a MAC"),
        addresses: vec![net("10.0.0.2/24")],
        subnets: vec![],
        metadata_v6: true,
    })
}

fn router(number: u8, up: bool, networks: &[u8]) -> Unit {
    let interface = |on: &u8| RouterPort {
        port_id: PortId(uuid(0xb0 + number, *on)),
        network_id: network(*on),
        mac: "fa:16:3e:00:00:01".parse().expect("a MAC"),
        mtu: 1450,
        addresses: vec![net(&format!("10.0.{on}.1/24"))],
        subnets: vec![],
        metadata_v6: false,
        scopes: Scopes::default(),
    };
    Unit::Router(RouterIntent {
        id: RouterId(uuid(0x40, number)),
        admin_state_up: up,
        enable_snat: true,
        gateway: None,
        further_gateways: vec![],
        ecmp: false,
        bfd: false,
        interfaces: networks.iter().map(interface).collect(),
        routes: vec![],
        ndp_proxy: false,
        conntrack_helpers: false,
    })
}

fn client(on: u8, number: u8) -> Unit {
    Unit::MetadataClient(MetadataClient {
        network_id: network(on),
        port_id: PortId(uuid(0xc0, number)),
        mac: format!("fa:16:3e:00:01:{number:02x}").parse().expect("a MAC"),
        addresses: vec![format!("10.0.{on}.{number}").parse().expect("an address")],
        instance_id: format!("instance-{number}").into(),
        project_id: "p".into(),
    })
}

fn everything(role: &Metadata, intents: &Intents) -> BTreeMap<UnitKey, Compiled> {
    let facts = Facts::default();
    role.units(intents, &facts).into_iter().map(|unit| (unit.clone(), role.compile(&unit, intents, &facts))).collect()
}

fn shown(programs: &BTreeMap<UnitKey, Compiled>) -> Vec<(String, String, &Vec<UnitId>)> {
    let filled = programs.iter().filter(|(_, compiled)| !compiled.is_empty());
    filled.map(|(unit, compiled)| (unit.to_string(), format!("{:?}", compiled.program), &compiled.realises)).collect()
}

fn files(programs: &BTreeMap<UnitKey, Compiled>) -> BTreeMap<String, String> {
    let spaces = programs.values().flat_map(|compiled| compiled.program.namespaces.values());
    spaces.flat_map(|space| space.files.iter().map(|(name, text)| (name.to_string(), text.clone()))).collect()
}

proptest! {
    #[test]
    fn incremental_is_recomputed(ops in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..3, any::<[bool; 2]>()), 1..40)) {
        let (role, facts) = (role(None), Facts::default());
        let mut intents = Intents::default();
        let mut programs = BTreeMap::new();
        for (kind, number, other, [up, put]) in ops {
            let unit = match kind {
                0 => dhcp(number, other),
                1 => router(number, up, &(0..other).collect::<Vec<_>>()),
                _ => client(number, other),
            };
            let id = unit.id();
            let before = if put { intents.put(unit) } else { intents.remove(&id) };
            for unit in role.concerned(&id, before.as_ref(), &intents, &facts) {
                programs.insert(unit.clone(), role.compile(&unit, &intents, &facts));
            }
            let all = everything(&role, &intents);
            prop_assert_eq!(shown(&programs), shown(&all));
        }
    }
}

#[test]
fn what_the_proxy_reads() {
    let secret = Nova { url: "http://192.0.2.1:8775".into(), shared_secret: "s\"{}".into() };
    let role = role(Some(secret));
    let mut intents = Intents::default();
    assert!(everything(&role, &intents).is_empty(), "nothing to answer, nothing that runs");
    for unit in
        [dhcp(1, 1), router(1, true, &[1, 2]), router(2, false, &[1]), router(3, true, &[]), client(1, 5), client(1, 6), client(2, 7)]
    {
        intents.put(unit);
    }
    let programs = everything(&role, &intents);
    let proxy = &programs[&crate::proxy_unit()].program.namespaces[&Netns::ROOT].daemons["metadata"];
    let config: Config = serde_json::from_str(&proxy.files["config.json"].content).expect("a configuration");
    assert_eq!(config, role.config);
    let files = files(&programs);
    let names: Vec<&str> = files.keys().map(|name| name.split_once('-').map_or("", |(kind, _)| kind)).collect();
    assert_eq!(names, ["clients", "clients", "space", "space"], "of what is down, or has no interface, nothing: {files:?}");
    let of_router = files.iter().find(|(name, _)| name.starts_with("space-qrouter")).expect("a router");
    let space: Space = serde_json::from_str(of_router.1).expect("a space");
    let prefixes: Vec<(NetworkId, String)> = space.links.iter().map(|link| (link.network_id, link.prefixes[0].to_string())).collect();
    assert_eq!(prefixes, [(network(1), "10.0.1.0/24".to_owned()), (network(2), "10.0.2.0/24".to_owned())]);
    let clients = read_clients(&files[&format!("clients-{}", network(1))]).expect("clients");
    assert_eq!(clients.into_iter().map(Unit::MetadataClient).collect::<Vec<_>>(), [client(1, 5), client(1, 6)]);
}

/// An instance with a key and user data.
fn instance() -> Instance {
    let address = |text: &str, gateway: Option<&str>, method| NicAddress {
        address: net(text),
        gateway: gateway.map(|gateway| gateway.parse().expect("an address")),
        method,
    };
    Instance {
        uuid: "1b4e28ba-2fa1-41d2-883f-0016d3cca427".to_owned(),
        project_id: "p".to_owned(),
        name: "web".to_owned(),
        hostname: "web".to_owned(),
        keys: vec![("me".to_owned(), "ssh-ed25519 AAAA me".to_owned())],
        user_data: Some("AAEC/w==".to_owned()),
        nic: Nic {
            port_id: "2b4e28ba-2fa1-41d2-883f-0016d3cca427".to_owned(),
            network_id: "3b4e28ba-2fa1-41d2-883f-0016d3cca427".to_owned(),
            device: "tap2b4e28ba-2f".to_owned(),
            mac: "fa:16:3e:00:00:05".parse().expect("a MAC"),
            mtu: 1450,
            addresses: vec![
                address("10.0.0.5/24", Some("10.0.0.1"), Method::Dhcp),
                address("192.0.2.5/24", Some("192.0.2.1"), Method::Static),
                address("fd00::5/64", None, Method::Slaac),
            ],
            dns_nameservers: vec!["192.0.2.53".parse().expect("an address")],
        },
    }
}

fn text(tree: &Tree, path: &str) -> String {
    match tree.get(path) {
        Some(Node::File(bytes)) => String::from_utf8(bytes.to_vec()).expect("text"),
        Some(Node::Listing(text)) => text,
        None => panic!("nothing at {path}"),
    }
}

#[test]
fn what_instances_read() {
    let tree = Tree::of(&instance());
    assert_eq!(text(&tree, "/"), "1.0/\n2009-04-04/\nlatest/\nopenstack/");
    assert_eq!(text(&tree, "/latest"), "meta-data/\nuser-data");
    assert_eq!(text(&tree, "//latest/meta-data/public-keys//"), "0=me");
    assert_eq!(text(&tree, "/latest/meta-data/public-keys/0"), "openssh-key");
    assert_eq!(text(&tree, "/latest/meta-data/public-keys/0/openssh-key"), "ssh-ed25519 AAAA me");
    assert_eq!(text(&tree, "/latest/meta-data/instance-id"), "i-1b4e28ba");
    assert_eq!(text(&tree, "/latest/meta-data/local-ipv4"), "10.0.0.5");
    assert_eq!(tree.get("/latest/user-data"), Some(Node::File(&[0, 1, 2, 255])), "any bytes");
    assert_eq!(text(&tree, "/openstack/2018-08-27"), "meta_data.json\nnetwork_data.json\nuser_data\nvendor_data.json\nvendor_data2.json");
    for nothing in ["/latest/nothing", "/latest/meta-data/public-keys/1", "/../etc", "/late", "/latest/meta-data/ami-id/x"] {
        assert_eq!(tree.get(nothing), None, "{nothing}");
    }
    let json = |path| serde_json::from_str::<serde_json::Value>(&text(&tree, path)).expect("JSON");
    let told = json("/openstack/latest/meta_data.json");
    assert_eq!(
        (&told["uuid"], &told["public_keys"]["me"]),
        (&"1b4e28ba-2fa1-41d2-883f-0016d3cca427".into(), &"ssh-ed25519 AAAA me".into())
    );
    let network = json("/openstack/latest/network_data.json");
    let kinds: Vec<_> = network["networks"].as_array().expect("a list").iter().map(|network| network["type"].clone()).collect();
    assert_eq!(kinds, ["ipv4_dhcp", "ipv4", "ipv6_slaac"]);
    assert_eq!(network["networks"][1]["routes"][0]["gateway"], "192.0.2.1");
    assert_eq!(network["networks"][1]["netmask"], "255.255.255.0");
    let bare = Tree::of(&Instance { keys: vec![], user_data: None, ..instance() });
    assert_eq!((bare.get("/latest/user-data"), bare.get("/latest/meta-data/public-keys")), (None, None));
}
