//! Port security, groups, address pairs, DHCP options.

use crate::port::resource;
use crate::testing::{Lab, refused};
use model::Port;
use net::NetworkId;
use serde_json::{Value, json};

fn lab() -> (Lab, NetworkId) {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    (lab, network)
}

#[test]
fn what_goes_together_on_create() {
    let (mut lab, network) = lab();
    let group = lab.default_group();
    let stateless = lab.create(security_groups::group::resource(), json!({"name": "s", "stateful": false})).expect("free");
    let pairs = json!([{"ip_address": "10.0.0.77"}]);
    let many: Vec<Value> = (0..11).map(|n| json!({"ip_address": format!("10.0.0.{n}")})).collect();
    let cases = [
        (json!({"port_security_enabled": false, "security_groups": [group]}), (400, "PortSecurityAndIPRequiredForSecurityGroups")),
        (json!({"port_security_enabled": false, "allowed_address_pairs": pairs}), (409, "AddressPairAndPortSecurityRequired")),
        (json!({"device_owner": "network:dhcp", "security_groups": [group]}), (400, "PortSecurityAndIPRequiredForSecurityGroups")),
        (json!({"security_groups": [network]}), (404, "SecurityGroupNotFound")),
        (json!({"security_groups": [group, stateless]}), (409, "SecurityGroupConflict")),
        (json!({"allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:01"}]}), (400, "AllowedAddressPairsMissingIP")),
        (json!({"allowed_address_pairs": [{"ip_address": "x"}]}), (400, "HTTPBadRequest")),
        (json!({"allowed_address_pairs": [{"ip_address": "224.0.0.1"}]}), (400, "HTTPBadRequest")),
        (json!({"allowed_address_pairs": [{"ip_address": "1.1.1.1"}, {"ip_address": "1.1.1.1"}]}), (400, "DuplicateAddressPairInRequest")),
        (json!({"allowed_address_pairs": many}), (400, "AllowedAddressPairExhausted")),
    ];
    for (body, expected) in cases {
        assert_eq!(refused(lab.port(network, body.clone())), expected, "{body}");
    }
    let off = lab.port(network, json!({"port_security_enabled": false})).expect("allowed");
    assert!(lab.get::<Port>(off).security_groups.is_empty());
    let own = lab.port(network, json!({"device_owner": "network:dhcp"})).expect("allowed");
    let own = lab.get::<Port>(own);
    assert!(own.security_groups.is_empty() && !own.port_security_enabled);
    let none = lab.port(network, json!({"security_groups": []})).expect("allowed");
    assert!(lab.get::<Port>(none).security_groups.is_empty());
}

#[test]
fn foreign_groups_are_not_found() {
    let (mut lab, network) = lab();
    lab.caller = auth::Caller::member("p2");
    let foreign = lab.create(security_groups::group::resource(), json!({"name": "x"})).expect("free");
    lab.caller = auth::Caller::member("p1");
    assert_eq!(refused(lab.port(network, json!({"security_groups": [foreign]}))), (404, "SecurityGroupNotFound"));
}

#[test]
fn what_goes_together_on_update() {
    let (mut lab, network) = lab();
    let group = lab.default_group();
    let port = lab.port(network, json!({"allowed_address_pairs": [{"ip_address": "10.0.0.0/28"}]})).expect("free");
    let off = |more: Value| {
        let mut body = json!({"port_security_enabled": false});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(refused(lab.update(resource(), port, off(json!({})))), (409, "AddressPairAndPortSecurityRequired"));
    let no_pairs = json!({"allowed_address_pairs": []});
    assert_eq!(refused(lab.update(resource(), port, off(no_pairs))), (409, "PortSecurityPortHasSecurityGroup"));
    let groups = json!({"allowed_address_pairs": [], "security_groups": [group]});
    assert_eq!(refused(lab.update(resource(), port, off(groups))), (400, "PortSecurityAndIPRequiredForSecurityGroups"));
    lab.update(resource(), port, off(json!({"allowed_address_pairs": [], "security_groups": []}))).expect("nothing is left");
    assert_eq!(
        refused(lab.update(resource(), port, json!({"security_groups": [group]}))),
        (400, "PortSecurityAndIPRequiredForSecurityGroups")
    );
    lab.update(resource(), port, json!({"port_security_enabled": true, "security_groups": [group]})).expect("on again");
    assert_eq!(lab.get::<Port>(port).security_groups, [group]);
}

#[test]
fn pairs_are_shown_as_given() {
    let (mut lab, network) = lab();
    let body =
        json!({"mac_address": "fa:16:3e:00:00:01", "allowed_address_pairs": [{"ip_address": "10.0.0.7"}, {"ip_address": "10.9.0.5/16"}]});
    let port = lab.port(network, body).expect("free");
    let shown: Vec<_> = lab.get::<Port>(port).allowed_address_pairs.iter().map(crate::port::kinds::shown_pair).collect();
    let mac = "fa:16:3e:00:00:01";
    let expected = json!([{"ip_address": "10.0.0.7", "mac_address": mac}, {"ip_address": "10.9.0.0/16", "mac_address": mac}]);
    assert_eq!(serde_json::to_value(shown).unwrap(), expected);
}

#[test]
fn dhcp_options_are_merged_by_name_and_family() {
    let (mut lab, network) = lab();
    let option = |name: &str, value: Value, version: u8| json!({"opt_name": name, "opt_value": value, "ip_version": version});
    let body = json!({"extra_dhcp_opts": [option("a", json!("1"), 4), option("a", json!("2"), 6), option("b", json!(null), 4)]});
    let port = lab.port(network, body).expect("free");
    assert_eq!(lab.get::<Port>(port).extra_dhcp_opts.len(), 2);
    let change = json!({"extra_dhcp_opts": [option("a", json!(null), 4), option("a", json!("3"), 6), option("c", json!("4"), 4)]});
    lab.update(resource(), port, change).expect("merged");
    let options: Vec<_> =
        lab.get::<Port>(port).extra_dhcp_opts.iter().map(|o| format!("{}{}={}", o.opt_name, o.ip_version.version(), o.opt_value)).collect();
    assert_eq!(options, ["a6=3", "c4=4"]);
}
