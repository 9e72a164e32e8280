//! Prefixes that hosts say routers were delegated: whose word counts, and what becomes of it.

use super::super::prefix_delegated;
use crate::testing::Lab;
use model::AgentType;
use net::{HostName, IpNet, RouterId, SubnetId};
use serde_json::{Value, json};

const NONE: &str = "::/64";

/// A router on host `h1` with a gateway, and a delegated subnet behind it.
struct Delegated {
    lab: Lab,
    router: String,
    network: String,
    subnet: String,
}

impl Delegated {
    fn new() -> Delegated {
        let lab = Lab::new();
        lab.agent("h1", AgentType::L3);
        let router = lab.router();
        let network = lab.create("network", json!({}));
        let subnet = subnet(&lab, &network);
        lab.add(&router, json!({ "subnet_id": subnet }));
        Delegated { lab, router, network, subnet }
    }

    /// What a host says, and what is wrong with it.
    fn says(&self, host: &'static str, router: &str, prefix: Option<&str>) -> Result<(), &'static str> {
        let router: RouterId = router.parse().expect("an id");
        let subnet: SubnetId = self.subnet.parse().expect("an id");
        let prefix: Option<IpNet> = prefix.map(|prefix| prefix.parse().expect("a prefix"));
        self.lab.act(move |op| prefix_delegated(op, router, subnet, prefix, &HostName::from(host)))
    }

    fn shown(&self) -> Value {
        self.lab.show(&format!("subnets/{}", self.subnet))
    }

    fn cidr(&self) -> Value {
        self.shown()["cidr"].clone()
    }
}

fn subnet(lab: &Lab, network: &str) -> String {
    let mode = "slaac";
    let body = json!({
        "network_id": network, "ip_version": 6, "subnetpool_id": "prefix_delegation", "ipv6_ra_mode": mode, "ipv6_address_mode": mode,
    });
    lab.create("subnet", body)
}

#[test]
fn addresses_keep_their_places() {
    let there = Delegated::new();
    let port = there.lab.create("port", json!({"network_id": there.network, "mac_address": "fa:16:3e:00:00:05"}));
    let address = || there.lab.show(&format!("ports/{port}"))["fixed_ips"][0]["ip_address"].clone();
    assert_eq!((there.cidr(), address()), (json!(NONE), json!("::f816:3eff:fe00:5")));
    for (prefix, first) in [("2001:db8:1::/64", "2001:db8:1:0"), ("2001:db8:2:ff00::/56", "2001:db8:2:ff00")] {
        assert_eq!(there.says("h1", &there.router, Some(prefix)), Ok(()));
        let shown = there.shown();
        assert_eq!(address(), format!("{first}:f816:3eff:fe00:5"));
        let base = first.trim_end_matches(":0");
        assert_eq!((&shown["cidr"], &shown["gateway_ip"]), (&json!(format!("{base}::/64")), &json!(format!("{base}::1"))));
        let pool = json!([{"start": format!("{base}::2"), "end": format!("{first}:ffff:ffff:ffff:ffff")}]);
        assert_eq!(shown["allocation_pools"], pool);
    }
    assert_eq!(there.says("h1", &there.router, None), Ok(()));
    assert_eq!((there.cidr(), address()), (json!(NONE), json!("::f816:3eff:fe00:5")));
}

#[test]
fn only_the_host_of_the_router_that_asks_is_heard() {
    let mut there = Delegated::new();
    there.lab.agent("h2", AgentType::L3);
    assert_eq!(there.says("h2", &there.router, Some("2001:db8:1::/64")), Ok(()));
    let stranger = there.lab.create("router", json!({"external_gateway_info": {"network_id": there.lab.outside.0}}));
    for host in ["h1", "h2"] {
        assert_eq!(there.says(host, &stranger, Some("2001:db8:1::/64")), Ok(()));
    }
    assert_eq!(there.cidr(), NONE, "none of them has a say");
    // Another subnet of the router, or of the network, has these addresses; others are nobody's to have.
    there.lab.admin();
    let mine = there.lab.create("network", json!({"project_id": "p1"}));
    there.lab.member();
    let taken = there.lab.create("subnet", json!({"network_id": mine, "ip_version": 6, "cidr": "2001:db8:77::/64"}));
    there.lab.add(&there.router, json!({ "subnet_id": taken }));
    for bad in ["2001:db8:77::/64", "2001:db8::/32", "fe80::/64", "ff00::/16", "::/64", "2001:db8:1::/65", "10.0.0.0/8"] {
        assert!(there.says("h1", &there.router, Some(bad)).is_err(), "{bad}");
    }
    assert_eq!(there.cidr(), NONE);
    assert_eq!(there.says("h1", &there.router, Some("2001:db8:1::/64")), Ok(()));
    // Ordinary subnets are not for hosts to change.
    let ordinary = Delegated { subnet: taken.clone(), ..there };
    assert_eq!(ordinary.says("h1", &ordinary.router, Some("2001:db8:2::/64")), Ok(()));
    assert_eq!(ordinary.cidr(), "2001:db8:77::/64");
}

#[test]
fn a_prefix_goes_with_the_interface_and_with_the_gateway() {
    let there = Delegated::new();
    let router = format!("routers/{}", there.router);
    let interface = json!({ "subnet_id": there.subnet });
    assert_eq!(there.says("h1", &there.router, Some("2001:db8:1::/64")), Ok(()));
    there.lab.accepted("PUT", &router, json!({"router": {"external_gateway_info": null}}));
    assert_eq!(there.cidr(), NONE, "nobody to ask");
    assert_eq!(there.says("h1", &there.router, Some("2001:db8:1::/64")), Ok(()));
    assert_eq!(there.cidr(), NONE, "too late");
    there.lab.accepted("PUT", &router, json!({"router": {"external_gateway_info": {"network_id": there.lab.outside.0}}}));
    assert_eq!(there.says("h1", &there.router, Some("2001:db8:3::/64")), Ok(()));
    assert_eq!(there.cidr(), "2001:db8:3::/64");
    there.lab.accepted("PUT", &format!("{router}/remove_router_interface"), interface);
    assert_eq!(there.cidr(), NONE, "nobody's any more");
}

#[test]
fn a_further_gateway_may_go() {
    let mut there = Delegated::new();
    there.lab.admin();
    let (second, _) = there.lab.network(json!({"router:external": true}), "198.51.100.0/24");
    there.lab.member();
    let router = format!("routers/{}", there.router);
    let further = json!({"router": {"external_gateways": [{"network_id": second}]}});
    there.lab.accepted("PUT", &format!("{router}/add_external_gateways"), further.clone());
    assert_eq!(there.says("h1", &there.router, Some("2001:db8:1::/64")), Ok(()));
    there.lab.accepted("PUT", &format!("{router}/remove_external_gateways"), further);
    assert_eq!(there.cidr(), "2001:db8:1::/64", "it came by the first");
}
