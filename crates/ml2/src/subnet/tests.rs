//! Subnets: prefixes, DHCP, gateways, pools, IPv6 modes, removal.

use super::{kinds, resource};
use crate::testing::{Lab, refused};
use api::Fault;
use model::{AllocationPool, Port, Subnet};
use net::{NetworkId, SubnetId, eui64};
use serde_json::{Value, json};

fn pools(lab: &Lab, id: SubnetId) -> Vec<String> {
    let text = |pool: &AllocationPool| format!("{}-{}", pool.start, pool.end);
    lab.get::<Subnet>(id).allocation_pools.iter().map(text).collect()
}

#[test]
fn gateways_and_pools_that_follow_from_the_prefix() {
    let cases: [(Value, Option<&str>, &[&str]); 12] = [
        (json!({"cidr": "10.0.0.0/24"}), Some("10.0.0.1"), &["10.0.0.2-10.0.0.254"]),
        (json!({"cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.254"}), Some("10.0.0.254"), &["10.0.0.1-10.0.0.253"]),
        (json!({"cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.9"}), Some("10.0.0.9"), &["10.0.0.1-10.0.0.8", "10.0.0.10-10.0.0.254"]),
        (json!({"cidr": "10.0.0.0/24", "gateway_ip": null}), None, &["10.0.0.1-10.0.0.254"]),
        (json!({"cidr": "10.0.0.0/24", "gateway_ip": "10.9.0.1"}), Some("10.9.0.1"), &["10.0.0.1-10.0.0.254"]),
        (json!({"cidr": "10.0.0.0/31", "enable_dhcp": false, "gateway_ip": null}), None, &["10.0.0.0-10.0.0.1"]),
        (json!({"cidr": "10.0.0.7/32", "enable_dhcp": false, "gateway_ip": null}), None, &["10.0.0.7-10.0.0.7"]),
        (json!({"cidr": "10.0.0.8/32", "enable_dhcp": false}), Some("10.0.0.9"), &["10.0.0.8-10.0.0.8"]),
        (json!({"cidr": "fd00::/127", "enable_dhcp": false}), Some("fd00::"), &["fd00::1-fd00::1"]),
        (json!({"cidr": "fd00::7/128", "enable_dhcp": false}), Some("fd00::7"), &["fd00::7-fd00::7"]),
        (json!({"cidr": "fd00::/64"}), Some("fd00::"), &["fd00::1-fd00::ffff:ffff:ffff:ffff"]),
        (json!({"cidr": "fd00::/64", "gateway_ip": "fe80::1"}), Some("fe80::1"), &["fd00::1-fd00::ffff:ffff:ffff:ffff"]),
    ];
    for (body, gateway, expected) in cases {
        let mut lab = Lab::new();
        let network = lab.network();
        let id = lab.subnet(network, body.clone()).unwrap_or_else(|e| panic!("{body}: {e}"));
        assert_eq!(lab.get::<Subnet>(id).gateway_ip, gateway.map(|ip| ip.parse().unwrap()), "{body}");
        assert_eq!(pools(&lab, id), expected, "{body}");
    }
}

fn try_one(body: Value) -> Result<SubnetId, Fault> {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.20.0.0/24"})).expect("the first");
    lab.subnet(network, body)
}

#[test]
fn refusals() {
    let pool = |start: &str, end: &str| json!({"start": start, "end": end});
    let routes: Vec<Value> = (0..21).map(|n| json!({"destination": format!("10.{n}.0.0/16"), "nexthop": "10.30.0.9"})).collect();
    let cases = [
        (json!({"cidr": null}), (400, "BadRequest")),
        (json!({"cidr": "10.30.0.0/31", "enable_dhcp": false}), (409, "IpamValueInvalid")),
        (json!({"cidr": "10.30.0.0/24", "prefixlen": 24}), (400, "BadRequest")),
        (json!({"cidr": null, "subnetpool_id": "7c9b1c9e-8a3f-4a5e-9d63-000000000001"}), (404, "SubnetPoolNotFound")),
        (json!({"cidr": "10.20.0.0/16"}), (400, "InvalidInput")),
        (json!({"cidr": "10.20.0.128/25"}), (400, "InvalidInput")),
        (json!({"cidr": "10.20.1.0/31"}), (400, "InvalidInput")),
        (json!({"cidr": "224.0.0.0/24"}), (400, "InvalidInput")),
        (json!({"cidr": "127.1.0.0/24"}), (400, "InvalidInput")),
        (json!({"cidr": "0.0.0.0/8"}), (400, "InvalidInput")),
        (json!({"cidr": "::/64"}), (400, "InvalidInput")),
        (json!({"cidr": "fd00::/127"}), (400, "InvalidInput")),
        (json!({"cidr": "fd00::/64", "ip_version": 4}), (400, "InvalidInput")),
        (json!({"cidr": "10.30.0.0/24", "gateway_ip": "10.30.0.0"}), (400, "InvalidInput")),
        (json!({"cidr": "10.30.0.0/24", "gateway_ip": "10.30.0.255"}), (400, "InvalidInput")),
        (json!({"cidr": "10.30.0.0/24", "gateway_ip": "fd00::1"}), (400, "InvalidInput")),
        (json!({"cidr": "10.30.0.0/24", "dns_nameservers": ["fd00::1"]}), (400, "InvalidInput")),
        (json!({"cidr": "10.30.0.0/24", "host_routes": [{"destination": "fd00::/64", "nexthop": "10.30.0.9"}]}), (400, "InvalidInput")),
        (json!({"cidr": "10.30.0.0/24", "ipv6_ra_mode": "slaac"}), (400, "InvalidInput")),
        (json!({"cidr": "fd00::/80", "ipv6_address_mode": "slaac"}), (400, "InvalidInput")),
        (json!({"cidr": "fd00::/64", "ipv6_address_mode": "slaac", "enable_dhcp": false}), (400, "InvalidInput")),
        (
            json!({"cidr": "10.30.0.0/24", "dns_nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5", "1.1.1.6"]}),
            (400, "DNSNameServersExhausted"),
        ),
        (json!({"cidr": "10.30.0.0/24", "host_routes": routes}), (400, "HostRoutesExhausted")),
        (json!({"cidr": "10.30.0.0/24", "allocation_pools": [pool("10.30.0.9", "10.30.0.8")]}), (400, "InvalidAllocationPool")),
        (json!({"cidr": "10.30.0.0/24", "allocation_pools": [pool("fd00::1", "fd00::2")]}), (400, "InvalidAllocationPool")),
        (json!({"cidr": "10.30.0.0/24", "allocation_pools": [pool("10.30.0.9", "10.30.1.8")]}), (400, "OutOfBoundsAllocationPool")),
        (json!({"cidr": "10.30.0.0/24", "allocation_pools": [pool("10.30.0.9", "10.30.0.255")]}), (400, "OutOfBoundsAllocationPool")),
        (
            json!({"cidr": "10.30.0.0/24", "allocation_pools": [pool("10.30.0.9", "10.30.0.20"), pool("10.30.0.2", "10.30.0.9")]}),
            (409, "OverlappingAllocationPools"),
        ),
        (
            json!({"cidr": "10.30.0.0/24", "allocation_pools": [pool("10.30.0.1", "10.30.0.20")]}),
            (409, "GatewayConflictWithAllocationPools"),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(refused(try_one(body.clone())), expected, "{body}");
    }
}

#[test]
fn the_words_that_clients_have_seen() {
    let message = |body| try_one(body).expect_err("a refusal").message;
    assert_eq!(
        message(json!({"cidr": "10.20.1.0/31"})),
        "Invalid input for operation: Subnet has a prefix length that is incompatible with DHCP service enabled."
    );
    assert_eq!(
        message(json!({"cidr": "0.0.0.0/8"})),
        "Invalid input for operation: First IP '0.0.0.0' of network is not supported if enable_dhcp is True.."
    );
    assert_eq!(
        message(json!({"cidr": "2001:db8:2::/64", "ip_version": 4})),
        "Invalid input for operation: cidr '2001:db8:2::/64' does not match the ip_version '4'."
    );
    let overlap = message(json!({"cidr": "10.20.0.0/24", "gateway_ip": "10.21.0.1"}));
    assert!(overlap.starts_with("Invalid input for operation: Requested subnet with cidr: 10.20.0.0/24 for network: "), "{overlap}");
}

#[test]
fn what_clients_may_send() {
    let reason = |kind: api::Kind, value: Value, name: &str| kind.check(value).expect_err("a refusal").fault(name).message;
    assert_eq!(
        reason(kinds::NAMESERVERS, json!(["1.1.1.1", "1.1.1.1"]), "dns_nameservers"),
        "Invalid input for dns_nameservers. Reason: Duplicate nameserver '1.1.1.1'."
    );
    assert_eq!(
        kinds::POOLS.check(json!([{"start": "10.0.0.2", "end": "10.0.0.3"}])),
        Ok(json!([{"start": "10.0.0.2", "end": "10.0.0.3"}]))
    );
    for none in [json!(null), json!([]), json!({})] {
        assert_eq!(kinds::POOLS.check(none), Ok(json!([])));
    }
    for wrong in [json!("x"), json!([1]), json!([{"start": "10.0.0.2"}]), json!([{"start": "x", "end": "10.0.0.2"}])] {
        assert!(kinds::POOLS.check(wrong.clone()).is_err(), "{wrong}");
    }
    let route = json!({"destination": "10.0.0.0/8", "nexthop": "10.0.0.1"});
    assert_eq!(kinds::HOST_ROUTES.check(json!([route])), Ok(json!([route])));
    assert!(kinds::HOST_ROUTES.check(json!([route, route])).is_err());
    assert!(kinds::IP_VERSION.check(json!(5)).is_err());
}

/// The whole matrix: which pairs of modes are accepted, and where a port's address comes from.
#[test]
fn ipv6_modes() {
    let modes = [None, Some("slaac"), Some("dhcpv6-stateful"), Some("dhcpv6-stateless")];
    for ra in modes {
        for address in modes {
            let mut lab = Lab::new();
            let network = lab.network();
            let result = lab.subnet(network, json!({"cidr": "fd01::/64", "ipv6_ra_mode": ra, "ipv6_address_mode": address}));
            if ra.is_some() && address.is_some() && ra != address {
                assert_eq!(refused(result), (400, "InvalidInput"), "{ra:?} {address:?}");
                continue;
            }
            let id = result.unwrap_or_else(|e| panic!("{ra:?} {address:?}: {e}"));
            let port = lab.port(network, json!({})).expect("an address");
            let port = lab.get::<Port>(port);
            let automatic = matches!(address.or(ra), Some("slaac" | "dhcpv6-stateless"));
            let by_mac = eui64(&lab.get::<Subnet>(id).cidr, port.mac_address).expect("IPv6");
            assert_eq!(port.fixed_ips[0].ip_address == by_mac, automatic, "{ra:?} {address:?}");
            assert_eq!(port.fixed_ips.len(), 1);
            let off = lab.update(resource(), id, json!({"enable_dhcp": false}));
            assert_eq!(off.is_err(), ra.is_some() || address.is_some(), "{ra:?} {address:?}");
        }
    }
}

fn addresses(lab: &Lab, port: net::PortId) -> Vec<String> {
    lab.get::<Port>(port).fixed_ips.iter().map(|ip| ip.ip_address.to_string()).collect()
}

#[test]
fn automatic_subnets_come_to_ports_and_leave_them() {
    let mut lab = Lab::new();
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.3.0.0/24"})).expect("free");
    let port = lab.port(network, json!({"mac_address": "fa:16:3e:41:9b:7a"})).expect("free");
    let router = lab.port(network, json!({"device_owner": "network:router_interface"})).expect("free");
    let revision = lab.get::<Port>(port).standard.revision_number;
    let slaac = lab.subnet(network, json!({"cidr": "fd00::/64", "ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"})).expect("free");
    assert_eq!(addresses(&lab, port)[1], "fd00::f816:3eff:fe41:9b7a");
    assert_eq!(addresses(&lab, router).len(), 1);
    assert_eq!(lab.get::<Port>(port).standard.revision_number, revision + 1);
    lab.delete(resource(), slaac).expect("automatic addresses do not hold it");
    assert_eq!(addresses(&lab, port).len(), 1);
}

#[test]
fn removal_and_use() {
    let mut lab = Lab::new();
    let network = lab.network();
    let subnet = lab.subnet(network, json!({"cidr": "10.3.0.0/24"})).expect("free");
    let router = lab
        .port(network, json!({"device_owner": "network:router_interface", "fixed_ips": [{"ip_address": "10.3.0.1"}]}))
        .expect("a router's port");
    assert_eq!(refused(lab.update(resource(), subnet, json!({"gateway_ip": "10.3.0.2"}))), (409, "GatewayIpInUse"));
    assert_eq!(refused(lab.delete(resource(), subnet)), (409, "SubnetInUse"));
    lab.delete(crate::port::resource(), router).expect("there is no router");
    let narrow = json!({"allocation_pools": [{"start": "10.3.0.100", "end": "10.3.0.110"}]});
    lab.update(resource(), subnet, narrow).expect("inside");
    assert_eq!(pools(&lab, subnet), ["10.3.0.100-10.3.0.110"]);
    lab.update(resource(), subnet, json!({"gateway_ip": null})).expect("unused");
    lab.delete(resource(), subnet).expect("unused");
    assert_eq!(lab.count::<Subnet>(), 0);
}

#[test]
fn unknown_networks() {
    let mut lab = Lab::new();
    assert_eq!(refused(lab.subnet(NetworkId::MIN, json!({"cidr": "10.0.0.0/24"}))), (404, "NetworkNotFound"));
}
