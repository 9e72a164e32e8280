//! Snapshots: what is told, and the program it becomes, in `programs/<case>/`.

use super::text::text;
use super::*;
use agent::Cut;

/// Compiles everything and compares with the snapshots of the case, one for each unit.
fn check(case: &str, facts: &mut Facts, units: impl IntoIterator<Item = Unit>) {
    let intents = tell(units, facts);
    let mut all = String::new();
    for unit in LinuxBridge.units(&intents, facts) {
        if unit.as_str() != "filter/host" || case.starts_with("filter") {
            all += &text(unit.as_str(), &LinuxBridge.compile(&unit, &intents, facts));
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("programs/{case}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("program", all));
}

fn both(case: &str, units: &[Unit], devices: &[u8]) {
    for (variant, bridge_conntrack) in [("native", true), ("hybrid", false)] {
        let mut facts = facts(bridge_conntrack);
        facts.devices.extend(devices.iter().map(|number| port(*number, 0, &[]).device));
        check(&format!("{case}-{variant}"), &mut facts, units.iter().cloned());
    }
}

#[test]
fn filter() {
    both("filter", &[Unit::Network(network(1, Carrier::Local)), Unit::Port(port(5, 1, &[]))], &[5]);
}

#[test]
fn frames_lose_their_mark_behind_the_rules_of_the_receiver_only_where_there_are_some() {
    let filter = |unfiltered: bool| {
        let port = PortIntent { port_security_enabled: !unfiltered, ..port(5, 1, &[]) };
        let mut facts = facts(false);
        let intents = tell([Unit::Network(network(1, Carrier::Local)), Unit::Port(port)], &mut facts);
        text("filter/host", &LinuxBridge.compile(&crate::name::filter_unit(), &intents, &facts))
    };
    assert!(filter(false).contains("chain postrouting"));
    assert!(!filter(true).contains("chain postrouting"));
}

#[test]
fn port_with_the_default_group() {
    let units = [
        Unit::Network(vxlan(1)),
        Unit::SecurityGroup(default_group(1)),
        Unit::Member(member(1, 5, &["10.0.0.5/32", "fd00::5/128"])),
        Unit::Member(member(1, 9, &["10.0.0.9/32", "10.0.0.8/32"])),
        Unit::Port(port(5, 1, &[1])),
    ];
    both("default-group", &units, &[5]);
}

#[test]
fn cuts_that_are_looked_for() {
    for (variant, bridge_conntrack) in [("native", true), ("hybrid", false)] {
        let mut facts = facts(bridge_conntrack);
        let all = |family: u8| Cut::all(dataplane::Netns::ROOT, 1, net::Family::try_from(family).expect("a family"));
        let ssh = |port: &str| Cut { protocol: Some(6), destination: Some(net(port)), destination_ports: Some((22, 23)), ..all(4) };
        let from_member = |source: &str| Cut { source: Some(net(source)), destination: Some(net("fd00::5/128")), ..all(6) };
        facts.cuts.extend([ssh("10.0.0.5/32"), ssh("10.0.0.4/32"), ssh("10.0.1.0/24"), from_member("fd00::9/128")]);
        facts.cuts.insert(Cut { zone: 2, source: Some(net("10.0.0.5/32")), ..all(4) });
        check(&format!("cuts-{variant}"), &mut facts, [Unit::Network(network(1, Carrier::Local))]);
    }
}

#[test]
fn rules_of_every_shape() {
    use Direction::{Egress, Ingress};
    let prefix = |text| Remote::Prefix { prefix: net(text) };
    let ports = |protocol, first, last| Transport::Ports { protocol, first, last };
    let rules = vec![
        rule(1, Ingress, 4, ports(6, 22, 22), prefix("198.51.100.0/24")),
        rule(2, Ingress, 6, ports(17, 1000, 2000), Remote::Any),
        rule(3, Ingress, 4, Transport::Icmp { icmp_type: Some(8), code: Some(0) }, Remote::Any),
        rule(4, Ingress, 6, Transport::Icmp { icmp_type: None, code: None }, prefix("2001:db8::/32")),
        rule(5, Egress, 4, Transport::Protocol { protocol: 47 }, prefix("0.0.0.0/0")),
        rule(6, Egress, 4, ports(132, 1, 65535), Remote::Group { group: group_id(2) }),
        rule(7, Egress, 6, ports(33, 5, 6), Remote::Any),
        rule(8, Ingress, 4, Transport::Any, prefix("2001:db8::/32")),
        rule(9, Ingress, 4, ports(6, 9, 8), Remote::Any),
    ];
    let units = [Unit::Network(network(1, Carrier::Local)), Unit::SecurityGroup(group(1, false, rules)), Unit::Port(port(5, 1, &[1]))];
    both("rules", &units, &[]);
}

#[test]
fn address_groups() {
    use Direction::{Egress, Ingress};
    let list = |number| Remote::AddressGroup { address_group: address_group_id(number) };
    let rules = vec![
        rule(1, Ingress, 4, Transport::Protocol { protocol: 6 }, list(1)),
        rule(2, Egress, 6, Transport::Any, list(1)),
        rule(3, Ingress, 4, Transport::Any, list(2)),
    ];
    let units = [
        Unit::Network(network(1, Carrier::Local)),
        Unit::SecurityGroup(group(1, true, rules)),
        Unit::AddressGroup(address_group(1, &["198.51.100.0/24", "198.51.100.7/32", "203.0.113.9/32", "2001:db8::/32"])),
        Unit::Port(port(5, 1, &[1])),
    ];
    both("address-groups", &units, &[]);
}

#[test]
fn allowed_address_pairs() {
    let mut port = port(5, 1, &[]);
    let pair = |address: &str, mac: &str| AllowedAddress { address: net(address), mac: mac.parse().expect("a MAC") };
    port.allowed_addresses = vec![
        pair("10.0.0.100/32", "fa:16:3e:00:00:05"),
        pair("10.1.0.0/16", "00:00:5e:00:01:01"),
        pair("2001:db8:1::/64", "fa:16:3e:00:00:05"),
    ];
    both("address-pairs", &[Unit::Network(network(1, Carrier::Local)), Unit::Port(port)], &[5]);
}

#[test]
fn ports_that_are_not_filtered() {
    let mut open = port(5, 1, &[]);
    open.port_security_enabled = false;
    let mut dhcp = port(6, 1, &[]);
    dhcp.device_owner = "network:dhcp".into();
    let mut down = port(7, 1, &[]);
    down.admin_state_up = false;
    let units = [Unit::Network(network(1, Carrier::Local)), Unit::Port(open), Unit::Port(dhcp), Unit::Port(down)];
    both("unfiltered", &units, &[5, 6, 7]);
}

#[test]
fn tunnels() {
    let units = [
        Unit::Network(vxlan(1)),
        Unit::Remote(remote(1, 20, "192.0.2.2")),
        Unit::Remote(remote(1, 21, "192.0.2.2")),
        Unit::Remote(remote(1, 22, "192.0.2.3")),
        Unit::Remote(remote(1, 23, "192.0.2.1")),
    ];
    check("tunnels", &mut facts(false), units.clone());
    let mut old = facts(false);
    (old.arp_responder, old.vxlan_port) = (true, Some(8472));
    check("tunnels-with-arp-responder", &mut old, units.clone());
    let mut none = facts(false);
    none.local_ip = None;
    check("tunnels-without-address", &mut none, units);
}

#[test]
fn physical_networks() {
    let flat = |number, physical: &str| Unit::Network(network(number, Carrier::Flat { physical_network: physical.into() }));
    let mut there = facts(false);
    there.devices.insert("eth1".into());
    check("flat", &mut there, [flat(1, "physnet1"), flat(2, "physnet1"), flat(3, "physnet2")]);
    check("flat-absent", &mut facts(false), [flat(1, "physnet1")]);
}

fn vlan(number: u8, physical: &str, id: u32) -> Unit {
    Unit::Network(network(number, Carrier::Vlan { physical_network: physical.into(), vlan: id.try_into().expect("a VLAN") }))
}

#[test]
fn vlans() {
    let mut there = facts(false);
    there.physical_networks.insert("physnet2".into(), "enp129s0f0np0".into());
    there.physical_networks.insert("physnet3".into(), "eth1".into());
    there.devices.extend(["eth1".into(), "enp129s0f0np0".into()]);
    let flat = Unit::Network(network(1, Carrier::Flat { physical_network: "physnet1".into() }));
    // Beside a flat network on the same link; of a link with a long name; of a VLAN that is there by another name; of no link at all.
    let units = [flat, vlan(2, "physnet1", 5), vlan(3, "physnet2", 4094), vlan(4, "physnet3", 5), vlan(5, "physnet4", 5)];
    check("vlan", &mut there, units);
    check("vlan-absent", &mut facts(false), [vlan(1, "physnet1", 5)]);
}

#[test]
fn vlans_on_a_kernel_without_them() {
    let mut lacking = Facts { vlan_links: false, ..facts(false) };
    lacking.devices.insert("eth1".into());
    lacking.devices.extend([5, 6].map(|number| port(number, 0, &[]).device));
    let ports = [Unit::Port(port(5, 1, &[])), Unit::Port(port(6, 2, &[]))];
    check("vlan-unknown", &mut lacking, [vlan(1, "physnet1", 5), Unit::Network(vxlan(2))].into_iter().chain(ports));
}

/// Upstream's names: clouds that are taken over have them.
#[test]
fn names_of_vlan_links_fit_the_kernel() {
    let of = |link: &str, id: u32| crate::name::vlan(link, id.try_into().expect("a VLAN"));
    assert_eq!(of("eth1", 5), "eth1.5");
    assert_eq!(of("0123456789", 4094), "0123456789.4094");
    assert_eq!(of("enp129s0f0np0", 1), "enp197e4a1.1");
    assert_ne!(of("enp129s0f0np1", 1), of("enp129s0f0np0", 1));
}

#[test]
fn what_is_told_wrong_is_refused() {
    let mut foreign = port(5, 1, &[9]);
    foreign.device = "eth0".into();
    let mut taken = port(6, 1, &[]);
    taken.device = port(7, 1, &[]).device;
    let units = [
        Unit::Network(network(1, Carrier::Local)),
        Unit::Port(foreign),
        Unit::Port(taken),
        Unit::Port(port(7, 1, &[9])),
        Unit::Port(port(8, 2, &[])),
    ];
    both("refused", &units, &[]);
}

#[test]
fn nothing_that_could_judge() {
    let open = Unit::Port(PortIntent { port_security_enabled: false, ..port(6, 1, &[]) });
    let units = [Unit::Network(network(1, Carrier::Local)), Unit::Port(port(5, 1, &[])), open];
    check("unjudged", &mut Facts { br_netfilter: false, ..facts(false) }, units);
}
