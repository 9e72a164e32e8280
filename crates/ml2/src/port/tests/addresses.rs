//! MACs and fixed IPs.

use crate::Config;
use crate::port::resource;
use crate::testing::{Lab, refused};
use api::{Settings, View};
use model::{IpAllocation, Port, Subnet};
use net::{Mac, NetworkId, PortId};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

fn addresses(lab: &Lab, port: PortId) -> Vec<String> {
    lab.get::<Port>(port).fixed_ips.iter().map(|ip| ip.ip_address.to_string()).collect()
}

fn lab() -> (Lab, NetworkId) {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    lab.subnet(network, json!({"cidr": "fd00::/64"})).expect("free");
    (lab, network)
}

#[test]
fn one_address_of_each_family() {
    let (mut lab, network) = lab();
    let port = lab.port(network, json!({})).expect("free");
    let port = lab.get::<Port>(port);
    assert_eq!(port.fixed_ips.len(), 2);
    assert!(port.fixed_ips[0].ip_address.is_ipv4() && port.fixed_ips[1].ip_address.is_ipv6());
    assert_eq!(port.ip_allocation, IpAllocation::Immediate);
    assert_eq!(port.mac_address.0[..3], [0xfa, 0x16, 0x3e]);
    assert_eq!(port.standard.revision_number, 1);
}

#[test]
fn none_asked_for() {
    let (mut lab, network) = lab();
    let port = lab.port(network, json!({"fixed_ips": []})).expect("legal");
    let port = lab.get::<Port>(port);
    assert_eq!((port.fixed_ips.len(), port.ip_allocation), (0, IpAllocation::None));
    assert_eq!(port.security_groups, [lab.default_group()]);
}

#[test]
fn refusals() {
    let (mut lab, network) = lab();
    let slaac = lab.subnet(network, json!({"cidr": "fd01::/64", "ipv6_address_mode": "slaac"})).expect("free");
    let other = lab.network();
    assert_eq!(refused(lab.port(other, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}]}))), (400, "InvalidInput"), "there are no subnets");
    let elsewhere = lab.subnet(other, json!({"cidr": "10.0.0.0/24"})).expect("free");
    lab.port(network, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}], "mac_address": "fa:16:3e:00:00:01"})).expect("free");
    let cases = [
        (json!({"fixed_ips": [{"ip_address": "10.0.0.9"}]}), (409, "IpAddressAlreadyAllocated")),
        (json!({"fixed_ips": [{"ip_address": "11.0.0.1"}]}), (400, "InvalidIpForNetwork")),
        (json!({"fixed_ips": [{"ip_address": "10.0.0.0"}]}), (400, "InvalidIpForSubnet")),
        (json!({"fixed_ips": [{"ip_address": "10.0.0.255"}]}), (400, "InvalidIpForSubnet")),
        (json!({"fixed_ips": [{"subnet_id": slaac, "ip_address": "10.0.0.7"}]}), (400, "InvalidIpForSubnet")),
        (json!({"fixed_ips": [{"ip_address": "fd01::5"}]}), (400, "AllocationOnAutoAddressSubnet")),
        (json!({"fixed_ips": [{"subnet_id": network}]}), (404, "SubnetNotFound")),
        (json!({"fixed_ips": [{"subnet_id": elsewhere}]}), (400, "InvalidInput")),
        (json!({"fixed_ips": [{}]}), (400, "InvalidInput")),
        (json!({"mac_address": "fa:16:3e:00:00:01"}), (409, "MacAddressInUse")),
    ];
    for (body, expected) in cases {
        let before = lab.count::<Port>();
        assert_eq!(refused(lab.port(network, body.clone())), expected, "{body}");
        assert_eq!(lab.count::<Port>(), before);
    }
    assert_eq!(refused(lab.port(NetworkId::MIN, json!({}))), (404, "NetworkNotFound"));
    let by_mac = json!({"mac_address": "fa:16:3e:00:00:02", "fixed_ips": [{"ip_address": "fd01::f816:3eff:fe00:2"}]});
    let port = lab.port(network, by_mac).expect("it is the automatic address");
    assert_eq!(addresses(&lab, port), ["fd01::f816:3eff:fe00:2"]);
}

#[test]
fn updates_keep_what_they_can() {
    let (mut lab, network) = lab();
    let v4 = *lab.world.table::<Subnet>().iter().find(|s| s.cidr.addr().is_ipv4()).map(|s| &s.id).expect("made");
    let port = lab.port(network, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}, {"ip_address": "10.0.0.8"}]})).expect("free");
    lab.update(resource(), port, json!({"fixed_ips": [{"subnet_id": v4}]})).expect("it has one there");
    assert_eq!(addresses(&lab, port), ["10.0.0.9"]);
    lab.update(resource(), port, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}, {"subnet_id": v4}]})).expect("one more");
    assert_eq!(addresses(&lab, port)[0], "10.0.0.9");
    assert_eq!(addresses(&lab, port).len(), 2);
    lab.update(resource(), port, json!({"fixed_ips": [{"ip_address": "10.0.0.7"}]})).expect("free");
    assert_eq!(addresses(&lab, port), ["10.0.0.7"]);
    let other = lab.port(network, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}]}));
    other.expect("it was given back");
    assert_eq!(
        refused(lab.update(resource(), port, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}]}))),
        (409, "IpAddressAlreadyAllocated")
    );
    let before = lab.get::<Port>(port);
    lab.update(resource(), port, json!({"fixed_ips": [{"ip_address": "10.0.0.7"}]})).expect("no change");
    assert_eq!(before, lab.get(port));
}

#[test]
fn a_new_mac_moves_automatic_addresses_only() {
    let (mut lab, network) = lab();
    lab.subnet(network, json!({"cidr": "fd01::/64", "ipv6_address_mode": "slaac"})).expect("free");
    let port = lab.port(network, json!({"mac_address": "fa:16:3e:00:00:01"})).expect("free");
    let before = addresses(&lab, port);
    lab.update(resource(), port, json!({"mac_address": "fa:16:3e:00:00:02"})).expect("unbound");
    let after = addresses(&lab, port);
    assert_eq!(before[..2], after[..2]);
    assert_eq!((before[2].as_str(), after[2].as_str()), ("fd01::f816:3eff:fe00:1", "fd01::f816:3eff:fe00:2"));
    lab.update(resource(), port, json!({"mac_address": null})).expect("any");
    let mac = lab.get::<Port>(port).mac_address;
    assert!(mac != "fa:16:3e:00:00:02".parse::<Mac>().unwrap() && mac.0[..3] == [0xfa, 0x16, 0x3e]);
}

#[test]
fn a_fourth_octet_of_the_base_is_kept() {
    let mut lab = Lab::with(Config { base_mac: "fa:16:3e:77:00:00".parse().unwrap(), ..Config::default() });
    let network = lab.network();
    let port = lab.port(network, json!({})).expect("no addresses without subnets");
    assert_eq!(lab.get::<Port>(port).mac_address.0[..4], [0xfa, 0x16, 0x3e, 0x77]);
    assert_eq!(addresses(&lab, port).len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Any order of creates, removals and reads: an address is in a pool, held once, and given as long as one is free.
    #[test]
    fn addresses_of_pools(steps in proptest::collection::vec((0u8..4, 0usize..40), 1..60), first in 2u8..20, size in 0u8..12) {
        let mut lab = Lab::new();
        let network = lab.network();
        let (start, end) = (format!("10.0.0.{first}"), format!("10.0.0.{}", first + size));
        let body = json!({"cidr": "10.0.0.0/24", "allocation_pools": [{"start": start, "end": end}]});
        lab.subnet(network, body).expect("free");
        let (low, high): (IpAddr, IpAddr) = (start.parse().unwrap(), end.parse().unwrap());
        let mut held: Vec<(PortId, IpAddr)> = Vec::new();
        for (what, which) in steps {
            if what == 0 && !held.is_empty() {
                let (port, _) = held.remove(which % held.len());
                lab.delete(resource(), port).expect("there");
                continue;
            }
            match lab.port(network, json!({})) {
                Ok(port) => {
                    let ip = lab.get::<Port>(port).fixed_ips[0].ip_address;
                    prop_assert!((low..=high).contains(&ip));
                    held.push((port, ip));
                }
                Err(fault) => {
                    prop_assert_eq!(fault.kind, "IpAddressGenerationFailure");
                    prop_assert_eq!(held.len(), usize::from(size) + 1);
                }
            }
            let distinct: BTreeSet<IpAddr> = held.iter().map(|(_, ip)| *ip).collect();
            prop_assert_eq!(distinct.len(), held.len());
        }
    }
}

#[test]
fn another_subnet_serves_when_the_first_is_full() {
    let mut lab = Lab::new();
    let network = lab.network();
    for net in ["10.0.0.0", "10.0.1.0"] {
        let one = format!("{}9", &net[..net.len() - 1]);
        let pool = json!([{"start": one, "end": one}]);
        lab.subnet(network, json!({"cidr": format!("{net}/24"), "allocation_pools": pool})).expect("free");
    }
    let ports: Vec<PortId> = (0..2).map(|_| lab.port(network, json!({})).expect("free")).collect();
    let given: BTreeSet<String> = ports.into_iter().flat_map(|port| addresses(&lab, port)).collect();
    assert_eq!(given.into_iter().collect::<Vec<_>>(), ["10.0.0.9", "10.0.1.9"]);
    assert_eq!(refused(lab.port(network, json!({}))), (409, "IpAddressGenerationFailure"));
}

#[test]
fn filters() {
    let (mut lab, network) = lab();
    let port = lab.port(network, json!({"fixed_ips": [{"ip_address": "10.0.0.9"}]})).expect("free");
    let record = lab.get::<Port>(port);
    let subnet = record.fixed_ips[0].subnet_id;
    let settings = Settings::new();
    let view = View { world: &lab.world, caller: &lab.caller, settings: &settings, record: &*record };
    let matches = |values: &[&str]| crate::port::filter::fixed_ips(values).map(|matcher| matcher(&view));
    let of_subnet = format!("subnet_id={subnet}");
    assert_eq!(matches(&["ip_address=10.0.0.9"]), Ok(true));
    assert_eq!(matches(&["ip_address=10.0.0.8", "ip_address=10.0.0.9"]), Ok(true));
    assert_eq!(matches(&["ip_address=10.0.0.8", &of_subnet]), Ok(false));
    assert_eq!(matches(&["ip_address_substr=0.0.", &of_subnet]), Ok(true));
    assert_eq!(matches(&["ip_address_substr=0.0.1"]), Ok(false));
    let fault = matches(&["foo"]).expect_err("no form").fault("fixed_ips");
    assert_eq!(fault.message, "Invalid input for operation: 'foo' is not of the form <key>=[value].");
    let table = resource().narrow;
    let narrow = |attribute: &str, value: &str| table.iter().find(|(name, _)| *name == attribute)?.1.find(&lab.world, value);
    for (attribute, value) in
        [("fixed_ips", "ip_address=10.0.0.9"), ("fixed_ips", &of_subnet), ("network_id", &network.to_string()), ("project_id", "p1")]
    {
        assert_eq!(narrow(attribute, value), Some(vec![port]), "{attribute}={value}");
    }
    assert_eq!(narrow("fixed_ips", "ip_address=10.0.0.8"), Some(vec![]));
    assert_eq!(narrow("name", "x"), None);
}

#[test]
fn what_clients_may_send() {
    use crate::port::kinds;
    let wrong: [(api::Kind, Value); 9] = [
        (kinds::FIXED_IPS, json!(null)),
        (kinds::FIXED_IPS, json!([{"ip_address": "x"}])),
        (kinds::FIXED_IPS, json!([{"ip_address": "10.0.0.1", "subnet_id": null}])),
        (kinds::FIXED_IPS, json!([{"ip_address": "10.0.0.1"}, {"ip_address": "10.0.0.1"}])),
        (kinds::ADDRESS_PAIRS, json!([5])),
        (kinds::DHCP_OPTIONS, json!([{"opt_name": "a"}])),
        (kinds::DHCP_OPTIONS, json!([{"opt_name": "", "opt_value": "b"}])),
        (kinds::DHCP_OPTIONS, json!([{"opt_name": "a", "opt_value": "b\nc"}])),
        (kinds::DHCP_OPTIONS, json!([{"opt_name": "a", "opt_value": "b", "ip_version": 5}])),
    ];
    for (kind, value) in wrong {
        assert!(kind.check(value.clone()).is_err(), "{value}");
    }
    let given = json!([{"ip_address": "FD00::1", "other": 1}]);
    assert_eq!(kinds::FIXED_IPS.check(given), Ok(json!([{"ip_address": "fd00::1"}])));
    assert_eq!(kinds::MAC.check(json!(null)), Ok(json!(null)));
    let option = kinds::DHCP_OPTIONS.check(json!([{"opt_name": "router", "opt_value": ""}]));
    assert_eq!(option, Ok(json!([{"opt_name": "router", "opt_value": "", "ip_version": 4}])));
}
