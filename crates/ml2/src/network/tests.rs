//! Networks: segments, MTU, sharing, removal.

use super::resource;
use crate::testing::{Lab, refused};
use crate::{Config, VlanRange};
use auth::Caller;
use model::{Network, NetworkType, Port, RbacPolicy, Subnet};
use net::{NetworkId, VlanId};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn a_project_gets_a_vxlan_network_and_its_default_group() {
    let mut lab = Lab::new();
    let id = lab.network();
    let network = lab.get::<Network>(id);
    assert_eq!(network.segments[0].network_type, NetworkType::Vxlan);
    assert_eq!(super::effective_mtu(lab.settings.get::<Config>(), &network), 1450);
    let group = lab.default_group();
    assert_eq!(lab.rules(group), 4, "egress and ingress from itself, in both families");
}

#[test]
fn provider_attributes() {
    let mut lab = Lab::new();
    let cases = [
        (json!({"provider:network_type": "foo"}), (400, "InvalidInput")),
        (json!({"provider:network_type": "vlan", "provider:segmentation_id": 5}), (400, "InvalidInput")),
        (json!({"provider:segmentation_id": 5}), (400, "InvalidInput")),
        (json!({"provider:physical_network": "x"}), (400, "InvalidInput")),
        (json!({"provider:network_type": "flat"}), (400, "InvalidInput")),
        (json!({"provider:network_type": "local", "provider:segmentation_id": 5}), (400, "InvalidInput")),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": 0}), (400, "InvalidInput")),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": 16_777_216}), (400, "InvalidInput")),
        (json!({"provider:network_type": "vxlan", "provider:physical_network": "x"}), (400, "InvalidInput")),
    ];
    for (body, expected) in cases {
        assert_eq!(refused(lab.create(resource(), body.clone())), expected, "{body}");
    }
    let specific = json!({"provider:network_type": "vxlan", "provider:segmentation_id": 70_000});
    let id = lab.create(resource(), specific.clone()).expect("outside the configured ranges is an administrator's right");
    assert_eq!(refused(lab.create(resource(), specific.clone())), (409, "TunnelIdInUse"));
    let flat = json!({"provider:network_type": "flat", "provider:physical_network": "phys"});
    lab.create(resource(), flat.clone()).expect("free");
    assert_eq!(refused(lab.create(resource(), flat)), (409, "FlatNetworkInUse"));
    assert_eq!(refused(lab.update(resource(), id, json!({"provider:segmentation_id": 6}))), (400, "InvalidInput"));
    lab.delete(resource(), id).expect("unused");
    lab.create(resource(), specific).expect("free again");
}

fn vlans(physical: &str, first: u32, last: u32) -> VlanRange {
    let id = |id| VlanId::try_from(id).expect("a VLAN");
    VlanRange { physical_network: physical.into(), first: id(first), last: id(last) }
}

fn vlan(physical: &str, id: impl Into<Option<i64>>) -> serde_json::Value {
    json!({"provider:network_type": "vlan", "provider:physical_network": physical, "provider:segmentation_id": id.into()})
}

#[test]
fn vlans_of_an_administrator() {
    let mut lab = Lab::with(Config { vlan_ranges: vec![vlans("a", 1, 2), vlans("b", 1, 1)], ..Config::default() });
    let mut said = |body| lab.create(resource(), body).expect_err("a refusal").message;
    let invalid = |reason: &str| format!("Invalid input for operation: {reason}.");
    assert_eq!(said(vlan("c", 5)), invalid("physical_network 'c' unknown for VLAN provider network"));
    let no_place = json!({"provider:network_type": "vlan", "provider:segmentation_id": 5});
    assert_eq!(said(no_place), invalid("segmentation_id requires physical_network for VLAN provider network"));
    for id in [0, -1, 4095, i64::from(u32::MAX) + 2] {
        assert_eq!(said(vlan("a", id)), invalid("segmentation_id out of range (1 through 4094)"));
    }
    let specific = lab.create(resource(), vlan("a", 4094)).expect("outside of the ranges is an administrator's right");
    let fault = lab.create(resource(), vlan("a", 4094)).expect_err("a refusal");
    assert_eq!((fault.status, fault.kind), (409, "VlanIdInUse"));
    assert_eq!(fault.message, "Unable to create the network. The VLAN 4094 on physical network a is in use.");
    lab.create(resource(), vlan("b", 4094)).expect("another physical network");
    lab.delete(resource(), specific).expect("unused");
    lab.create(resource(), vlan("a", 4094)).expect("free again");
    let given = [(); 2].map(|()| lab.create(resource(), vlan("a", None)).expect("free"));
    assert_eq!(given.map(|id| tag(&lab, id)).into_iter().flatten().collect::<BTreeSet<_>>(), [1, 2].into());
    assert_eq!(refused(lab.create(resource(), vlan("a", None))), (503, "NoNetworkAvailable"));
    let anywhere = lab.create(resource(), json!({"provider:network_type": "vlan"})).expect("b has one");
    assert_eq!(lab.get::<Network>(anywhere).segments[0].physical_network.as_deref(), Some("b"));
    assert_eq!(refused(lab.create(resource(), json!({"provider:network_type": "vlan"}))), (503, "NoNetworkAvailable"));
}

fn tag(lab: &Lab, id: NetworkId) -> Option<u32> {
    lab.get::<Network>(id).segments[0].segmentation_id
}

#[test]
fn projects_get_vlans_and_then_what_comes_next() {
    let types = vec![NetworkType::Vlan, NetworkType::Vxlan];
    let ranges = vec![vlans("a", 7, 7), vlans("b", 7, 8)];
    let mtus = [("a".into(), 9000), ("b".into(), 1400)].into();
    let mut lab = Lab::with(Config { project_network_types: types, vlan_ranges: ranges, physical_network_mtus: mtus, ..Config::default() });
    let made: Vec<NetworkId> = (0..4).map(|_| lab.network()).collect();
    let segments = made.iter().map(|id| lab.get::<Network>(*id).segments[0].clone());
    let places: BTreeSet<_> =
        segments.map(|s| (s.physical_network, s.segmentation_id.filter(|_| s.network_type == NetworkType::Vlan))).collect();
    let on = |physical: &str, id| (Some(physical.into()), Some(id));
    assert_eq!(places, [on("a", 7), on("b", 7), on("b", 8), (None, None)].into());
    let mtu = |id| super::effective_mtu(lab.settings.get::<Config>(), &lab.get::<Network>(id));
    assert_eq!(made.iter().map(|id| mtu(*id)).collect::<Vec<_>>(), [1500, 1400, 1400, 1450]);
}

#[test]
fn the_number_of_a_vlan_can_change() {
    let mut lab = Lab::with(Config { vlan_ranges: vec![vlans("a", 1, 10)], ..Config::default() });
    let id = lab.create(resource(), vlan("a", 5)).expect("free");
    let other = lab.create(resource(), vlan("a", 6)).expect("free");
    let port = lab.port(id, json!({})).expect("a port does not hinder it");
    let to = |id: i64| json!({"provider:segmentation_id": id});
    let segment = lab.get::<Network>(id).segments[0].id;
    lab.update(resource(), id, to(7)).expect("free");
    assert_eq!((tag(&lab, id), lab.get::<Network>(id).segments[0].id), (Some(7), segment));
    assert_eq!(refused(lab.update(resource(), other, to(7))), (409, "VlanIdInUse"));
    assert_eq!(refused(lab.update(resource(), other, to(4095))), (400, "InvalidInput"));
    assert_eq!(tag(&lab, other), Some(6), "a refusal changes nothing");
    lab.update(resource(), other, to(5)).expect("its former one is free");
    assert_eq!(refused(lab.update(resource(), id, json!({"provider:physical_network": "b"}))), (400, "InvalidInput"));
    let two = json!({"segments": [vlan("a", 8), vlan("a", 9)]});
    let two = lab.create(resource(), two).expect("two segments");
    assert_eq!(refused(lab.update(resource(), two, to(10))), (400, "InvalidInput"));
    assert_eq!(lab.get::<Port>(port).network_id, id);
}

#[test]
fn flat_networks_are_limited_by_configuration() {
    let mut lab = Lab::with(Config { flat_networks: vec!["a".into()], ..Config::default() });
    let body = |physical: &str| json!({"provider:network_type": "flat", "provider:physical_network": physical});
    assert_eq!(refused(lab.create(resource(), body("b"))), (400, "InvalidInput"));
    lab.create(resource(), body("a")).expect("configured");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn identifiers_are_never_given_twice_and_all_of_them_are_given(first in 1u32..50, size in 0u32..12, removed in 0usize..12) {
        let mut lab = Lab::with(Config { vni_ranges: vec![(first, first + size)], ..Config::default() });
        let mut made: Vec<NetworkId> = (0..=size).map(|_| lab.network()).collect();
        prop_assert_eq!(refused(lab.create(resource(), json!({}))), (503, "NoNetworkAvailable"));
        if removed < made.len() {
            lab.delete(resource(), made.remove(removed)).expect("unused");
            made.push(lab.network());
        }
        let vnis: BTreeSet<u32> = made.iter().filter_map(|id| lab.get::<Network>(*id).segments[0].segmentation_id).collect();
        prop_assert_eq!(vnis, (first..=first + size).collect());
    }
}

#[test]
fn mtu() {
    let mut lab = Lab::new();
    let too_big = lab.create(resource(), json!({"mtu": 1451})).expect_err("too big");
    assert_eq!(too_big.message, "Invalid input for operation: Requested MTU is too big, maximum is 1450.");
    let id = lab.network();
    lab.update(resource(), id, json!({"mtu": 10})).expect("nothing needs more");
    assert_eq!(refused(lab.subnet(id, json!({"cidr": "10.0.0.0/24"}))), (409, "NetworkMTUSubnetConflict"));
    lab.update(resource(), id, json!({"mtu": 0})).expect("as computed again");
    lab.subnet(id, json!({"cidr": "10.0.0.0/24"})).expect("1450 is enough");
    assert_eq!(refused(lab.update(resource(), id, json!({"mtu": 67}))), (409, "NetworkMTUSubnetConflict"));
    lab.update(resource(), id, json!({"mtu": 68})).expect("enough for IPv4");
    assert_eq!(refused(lab.subnet(id, json!({"cidr": "fd00::/64"}))), (409, "NetworkMTUSubnetConflict"));
    assert_eq!(refused(lab.update(resource(), id, json!({"mtu": 1500}))), (400, "InvalidInput"));
}

#[test]
fn overlays_over_ipv6_and_small_paths() {
    let config = Config { overlay_ip_version: net::Family::V6, path_mtu: 1400, ..Config::default() };
    assert_eq!(super::maximum_mtu(&config, &Lab::new().segments()), 1400 - 40 - 30);
}

impl Lab {
    fn segments(mut self) -> Vec<model::Segment> {
        let id = self.network();
        self.get::<Network>(id).segments.clone()
    }
}

#[test]
fn only_real_changes_are_revisions() {
    let mut lab = Lab::new();
    let id = lab.network();
    let before = lab.get::<Network>(id);
    lab.update(resource(), id, json!({"name": "n"})).expect("no change");
    assert_eq!(before, lab.get(id));
    lab.update(resource(), id, json!({"name": "m"})).expect("a change");
    assert_eq!(lab.get::<Network>(id).standard.revision_number, before.standard.revision_number + 1);
    lab.subnet(id, json!({"cidr": "10.0.0.0/24"})).expect("free");
    assert_eq!(lab.get::<Network>(id).standard.revision_number, before.standard.revision_number + 2);
}

#[test]
fn sharing_cannot_be_taken_back_from_its_users() {
    let mut lab = Lab::new();
    let id = lab.create(resource(), json!({"shared": true, "router:external": true})).expect("an administrator");
    lab.caller = Caller::member("p2");
    lab.port(id, json!({})).expect("shared");
    lab.caller = Caller::admin("p1");
    assert_eq!(refused(lab.update(resource(), id, json!({"shared": false}))), (409, "InvalidSharedSetting"));
    lab.port(id, json!({"device_owner": "network:router_gateway"})).expect("a gateway");
    assert_eq!(refused(lab.update(resource(), id, json!({"router:external": false}))), (409, "ExternalNetworkInUse"));
}

#[test]
fn others_do_not_see_it() {
    let mut lab = Lab::new();
    let id = lab.network();
    lab.caller = Caller::member("p2");
    assert_eq!(refused(lab.port(id, json!({}))), (404, "NetworkNotFound"));
}

#[test]
fn removal_takes_what_belongs_to_it() {
    let mut lab = Lab::new();
    lab.bridge_agent("h1", 1);
    lab.dhcp_agent("h1");
    let id = lab.network();
    lab.subnet(id, json!({"cidr": "10.0.0.0/24"})).expect("free");
    lab.subnet(id, json!({"cidr": "fd00::/64"})).expect("free");
    assert_eq!((lab.count::<Subnet>(), lab.count::<Port>()), (2, 1));
    let port = lab.port(id, json!({})).expect("free");
    let fault = lab.delete(resource(), id).expect_err("in use");
    assert_eq!((fault.status, fault.kind), (409, "NetworkInUse"));
    assert!(fault.message.ends_with(&format!("id for these ports is: {port}.")), "{}", fault.message);
    lab.delete(crate::port::resource(), port).expect("free to go");
    lab.delete(resource(), id).expect("only its own ports are left");
    assert!(lab.is_empty_of_networks());
}

/// What servers wrote before there were policies about networks.
#[test]
fn networks_without_policies_get_them() {
    let mut lab = Lab::new();
    let common = lab.create(resource(), json!({"shared": true, "router:external": true})).expect("an administrator");
    let own = lab.network();
    lab.act(|op| rbac::access::forget(op, common.0, |_| true));
    assert!(super::visible(&lab.world, &Caller::member("p2"), common).is_ok(), "shared it is all the same");
    assert_eq!(super::lacking(&lab.world).len(), 1);
    lab.act(super::complete_policies);
    assert!(super::lacking(&lab.world).is_empty());
    let of = |network: NetworkId| lab.world.table::<RbacPolicy>().count(RbacPolicy::BY_OBJECT, network.0);
    assert_eq!((of(common), of(own)), (2, 0));
}
