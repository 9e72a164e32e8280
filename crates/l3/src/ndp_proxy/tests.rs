//! NDP proxies.

use crate::testing::Lab;
use model::NdpProxy;
use serde_json::{Value, json};

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

/// An external network and one of `p1`, both of one IPv6 address scope.
struct Scoped {
    lab: Lab,
    outside: String,
    inside: String,
    subnet: String,
    pool: String,
}

fn scoped() -> Scoped {
    let mut lab = Lab::new();
    lab.admin();
    let scope = lab.create_at("address-scopes", "address_scope", json!({"name": "s", "ip_version": 6, "shared": true}));
    let pool = json!({"name": "p", "prefixes": ["2001:db8::/56"], "default_prefixlen": 64, "address_scope_id": scope, "shared": true});
    let pool = lab.create("subnetpool", pool);
    let outside = lab.create("network", json!({"router:external": true}));
    lab.create("subnet", json!({"network_id": outside, "ip_version": 6, "subnetpool_id": pool}));
    lab.member();
    let inside = lab.create("network", json!({}));
    let subnet = lab.create("subnet", json!({"network_id": inside, "ip_version": 6, "subnetpool_id": pool}));
    Scoped { lab, outside, inside, subnet, pool }
}

impl Scoped {
    fn gateway(&self) -> Value {
        json!({"network_id": self.outside})
    }

    /// A router with NDP proxies between the two networks.
    fn router(&self) -> String {
        let router = self.lab.create("router", json!({"external_gateway_info": self.gateway(), "enable_ndp_proxy": true}));
        self.lab.add(&router, json!({"subnet_id": self.subnet}));
        router
    }

    fn port(&self) -> String {
        self.lab.port(json!({"network_id": self.inside}))
    }

    fn proxy(&self, router: &str, port: &str) -> String {
        self.lab.create_at("ndp-proxies", "ndp_proxy", json!({"router_id": router, "port_id": port}))
    }

    fn refused(&self, body: Value) -> (u16, String) {
        self.lab.refused("POST", "ndp_proxies", json!({"ndp_proxy": body}))
    }
}

#[test]
fn a_life() {
    let mut s = scoped();
    let (router, port) = (s.router(), s.port());
    let body = json!({"name": "n", "description": "d", "router_id": router, "port_id": port});
    let id = s.lab.create_at("ndp_proxies", "ndp_proxy", body);
    let path = format!("ndp-proxies/{id}");
    let shown = s.lab.show(&path);
    let address = s.lab.show(&format!("ports/{port}"))["fixed_ips"][0]["ip_address"].clone();
    let expected = [
        ("name", json!("n")),
        ("description", json!("d")),
        ("router_id", json!(router)),
        ("port_id", json!(port)),
        ("project_id", json!("p1")),
    ];
    for (name, value) in expected {
        assert_eq!(shown[name], value, "{name}");
    }
    assert_eq!(shown["ip_address"], address);
    assert_eq!(s.lab.show(&format!("ndp_proxies?router_id={router}"))[0]["id"], id.as_str());
    let changed = s.lab.update(&path, "ndp_proxy", json!({"name": "m"}));
    assert_eq!((&changed["name"], &changed["description"], &changed["revision_number"]), (&json!("m"), &json!("d"), &json!(1)));
    assert_eq!(s.lab.refused("PUT", &path, json!({"ndp_proxy": {"port_id": port}})), refusal(400, "HTTPBadRequest"));
    assert_eq!(s.refused(json!({"router_id": router, "port_id": port})), refusal(409, "NeutronDbObjectDuplicateEntry"));
    (s.lab.project, s.lab.roles) = ("p2", "member");
    assert_eq!(s.lab.refused("GET", &path, Value::Null), refusal(404, "NDPProxyNotFound"));
    assert_eq!(s.lab.refused("DELETE", &path, Value::Null), refusal(404, "NDPProxyNotFound"));
    s.lab.member();
    s.lab.roles = "reader";
    assert_eq!(s.lab.refused("DELETE", &path, Value::Null), refusal(403, "PolicyNotAuthorized"));
    s.lab.member();
    s.lab.accepted("DELETE", &path, Value::Null);
    assert_eq!(s.lab.refused("GET", &path, Value::Null), refusal(404, "NDPProxyNotFound"));
}

#[test]
fn where_a_router_can_have_some() {
    let s = scoped();
    let plain = json!({"network_id": s.lab.outside.0});
    let create = |body: Value| s.lab.refused("POST", "routers", json!({"router": body}));
    let not_valid = refusal(409, "RouterGatewayNotValid");
    assert_eq!(create(json!({"enable_ndp_proxy": true})), not_valid, "without a gateway");
    assert_eq!(create(json!({"enable_ndp_proxy": true, "external_gateway_info": plain})), not_valid, "without IPv6");
    let id = s.lab.create("router", json!({"external_gateway_info": plain}));
    let path = format!("routers/{id}");
    let put = |body: Value| s.lab.refused("PUT", &path, json!({"router": body}));
    assert_eq!(put(json!({"enable_ndp_proxy": true})), not_valid);
    let moved = s.lab.update(&path, "router", json!({"external_gateway_info": s.gateway()}));
    assert_eq!(moved["enable_ndp_proxy"], false, "nobody asked for it");
    assert_eq!(s.lab.update(&path, "router", json!({"enable_ndp_proxy": true}))["enable_ndp_proxy"], true);
    assert_eq!(s.lab.update(&path, "router", json!({"name": "n", "enable_ndp_proxy": null}))["enable_ndp_proxy"], true);
    assert_eq!(put(json!({"enable_ndp_proxy": true, "external_gateway_info": {}})), not_valid);
    assert_eq!(put(json!({"enable_ndp_proxy": "maybe"})), refusal(400, "InvalidInput"));
    assert_eq!(s.lab.update(&path, "router", json!({"external_gateway_info": {}}))["enable_ndp_proxy"], false, "it goes with the gateway");
}

#[test]
fn what_is_refused() {
    let mut s = scoped();
    let (router, port) = (s.router(), s.port());
    let v4 = s.lab.port(json!({}));
    assert_eq!(s.refused(json!({"router_id": router, "port_id": v4})), refusal(409, "PortUnreachableRouter"), "on another network");
    s.lab.add(&router, json!({"subnet_id": s.lab.inside.1}));
    assert_eq!(s.refused(json!({"router_id": router, "port_id": v4})), refusal(400, "BadRequest"), "no IPv6 address");
    for (address, kind) in [("10.0.0.9", "InvalidAddress"), ("2001:db8::9", "InvalidAddress")] {
        assert_eq!(s.refused(json!({"router_id": router, "port_id": port, "ip_address": address})), refusal(400, kind));
    }
    let nothing = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";
    assert_eq!(s.refused(json!({"router_id": router, "port_id": nothing})), refusal(404, "PortNotFound"));
    assert_eq!(s.refused(json!({"router_id": nothing, "port_id": port})), refusal(404, "RouterNotFound"));
    assert_eq!(s.refused(json!({"router_id": router})), refusal(400, "HTTPBadRequest"));
    s.lab.admin();
    let other = s.lab.create_at("address-scopes", "address_scope", json!({"name": "o", "ip_version": 6, "shared": true}));
    let pool = json!({"name": "o", "prefixes": ["fd00::/48"], "default_prefixlen": 64, "address_scope_id": other, "shared": true});
    let pool = s.lab.create("subnetpool", pool);
    s.lab.member();
    let network = s.lab.create("network", json!({}));
    let subnet = s.lab.create("subnet", json!({"network_id": network, "ip_version": 6, "subnetpool_id": pool}));
    s.lab.add(&router, json!({"subnet_id": subnet}));
    let far = s.lab.port(json!({"network_id": network}));
    assert_eq!(s.refused(json!({"router_id": router, "port_id": far})), refusal(409, "AddressScopeConflict"));
    s.lab.update(&format!("routers/{router}"), "router", json!({"enable_ndp_proxy": false}));
    assert_eq!(s.refused(json!({"router_id": router, "port_id": port})), refusal(409, "RouterNDPProxyNotEnable"));
    (s.lab.project, s.lab.roles) = ("p2", "member");
    assert_eq!(s.refused(json!({"router_id": router, "port_id": port})), refusal(404, "PortNotFound"));
}

#[test]
fn what_it_needs_stays_and_what_it_is_of_takes_it_along() {
    let s = scoped();
    let (router, port) = (s.router(), s.port());
    let id = s.proxy(&router, &port);
    let path = format!("routers/{router}");
    let put = |body: Value| s.lab.refused("PUT", &path, json!({"router": body}));
    assert_eq!(put(json!({"external_gateway_info": null})), refusal(409, "RouterGatewayInUseByNDPProxy"));
    assert_eq!(put(json!({"external_gateway_info": {"network_id": s.lab.outside.0}})), refusal(409, "RouterGatewayInUseByNDPProxy"));
    let interface = json!({"subnet_id": s.subnet});
    let remove = format!("{path}/remove_router_interface");
    assert_eq!(s.lab.refused("PUT", &remove, interface.clone()), refusal(409, "RouterInterfaceInUseByNDPProxy"));
    let further = s.lab.create("subnet", json!({"network_id": s.inside, "ip_version": 6, "subnetpool_id": s.pool}));
    s.lab.update(&format!("ports/{port}"), "port", json!({"fixed_ips": [{"subnet_id": further}]}));
    assert!(s.lab.get::<NdpProxy>(&id).is_none(), "its address is gone");
    s.lab.update(&format!("ports/{port}"), "port", json!({"fixed_ips": [{"subnet_id": s.subnet}]}));
    let id = s.proxy(&router, &port);
    s.lab.accepted("DELETE", &format!("ports/{port}"), Value::Null);
    assert!(s.lab.get::<NdpProxy>(&id).is_none(), "its port is gone");
    s.lab.accepted("PUT", &remove, interface);
    s.lab.accepted("DELETE", &path, Value::Null);
}
