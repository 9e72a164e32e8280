//! Port forwardings.

use crate::testing::Lab;
use serde_json::{Value, json};

fn refusal(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

struct Forwarded {
    lab: Lab,
    router: String,
    port: String,
    address: String,
    floating_ip: String,
}

fn forwarded() -> Forwarded {
    let lab = Lab::new();
    let router = lab.router();
    let port = lab.port(json!({}));
    let address = lab.show(&format!("ports/{port}"))["fixed_ips"][0]["ip_address"].as_str().expect("an address").to_owned();
    let floating_ip = lab.floating_ip(json!({}));
    Forwarded { lab, router, port, address, floating_ip }
}

impl Forwarded {
    fn path(&self) -> String {
        format!("floatingips/{}/port_forwardings", self.floating_ip)
    }

    fn body(&self, parts: Value) -> Value {
        let mut body = json!({
            "protocol": "tcp",
            "internal_port_id": self.port,
            "internal_ip_address": self.address,
            "internal_port": 80,
            "external_port": 8080,
        });
        for (name, value) in parts.as_object().expect("an object") {
            body[name] = value.clone();
        }
        json!({ "port_forwarding": body })
    }

    fn create(&self, parts: Value) -> String {
        let answer = self.lab.accepted("POST", &self.path(), self.body(parts));
        answer["port_forwarding"]["id"].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    fn refused(&self, parts: Value) -> (u16, String) {
        self.lab.refused("POST", &self.path(), self.body(parts))
    }

    fn shown(&self) -> Value {
        self.lab.show(&format!("floatingips/{}", self.floating_ip))
    }
}

#[test]
fn created_changed_and_removed() {
    let f = forwarded();
    let id = f.create(json!({}));
    let shown = f.lab.show(&format!("{}/{id}", f.path()));
    let expected = json!({
        "id": id,
        "external_port": 8080,
        "external_port_range": "8080:8080",
        "protocol": "tcp",
        "internal_port_id": f.port,
        "internal_ip_address": f.address,
        "internal_port": 80,
        "internal_port_range": "80:80",
        "description": "",
    });
    assert_eq!(shown, expected);
    let floating_ip = f.shown();
    assert_eq!((&floating_ip["router_id"], &floating_ip["port_id"]), (&json!(f.router), &Value::Null));
    let embedded = json!([{"id": id, "protocol": "tcp", "internal_ip_address": f.address, "internal_port_id": f.port, "internal_port": 80,
        "external_port": 8080}]);
    assert_eq!(floating_ip["port_forwardings"], embedded);
    let range =
        f.create(json!({"internal_port": null, "external_port": null, "internal_port_range": "100:120", "external_port_range": "200:220"}));
    let shown = f.lab.show(&format!("{}/{range}", f.path()));
    assert_eq!((&shown["external_port"], &shown["external_port_range"]), (&Value::Null, &json!("200:220")));
    assert_eq!(f.lab.show(&f.path()).as_array().map(Vec::len), Some(2));
    assert_eq!(f.lab.show(&format!("{}?external_port=8080", f.path()))[0]["id"], id.as_str());
    let changed = json!({"port_forwarding": {"external_port": 9090, "description": "d"}});
    let changed = f.lab.accepted("PUT", &format!("{}/{id}", f.path()), changed);
    let changed = &changed["port_forwarding"];
    assert_eq!((&changed["external_port_range"], &changed["description"]), (&json!("9090:9090"), &json!("d")));
    let busy = format!("floatingips/{}", f.floating_ip);
    let associate = json!({"floatingip": {"port_id": f.port}});
    assert_eq!(f.lab.refused("PUT", &busy, associate), refusal(409, "FipInUseByPortForwarding"));
    assert_eq!(f.lab.refused("DELETE", &busy, Value::Null), refusal(409, "FipInUseByPortForwarding"));
    let leave = json!({"subnet_id": f.lab.inside.1});
    let remove = format!("routers/{}/remove_router_interface", f.router);
    assert_eq!(f.lab.refused("PUT", &remove, leave), refusal(409, "RouterInterfaceInUseByFloatingIP"));
    for id in [id, range] {
        f.lab.accepted("DELETE", &format!("{}/{id}", f.path()), Value::Null);
    }
    assert_eq!(f.shown()["router_id"], Value::Null);
}

#[test]
fn what_is_refused() {
    let mut f = forwarded();
    f.create(json!({}));
    assert_eq!(f.refused(json!({})), refusal(400, "BadRequest"));
    let collision = "Bad port_forwarding request: There is a port collision with the external_port_range. The following ranges collide: \
                     8080:8080 and 8080:8080.";
    assert_eq!(f.lab.message("POST", &f.path(), f.body(json!({}))), collision);
    assert_eq!(f.refused(json!({"external_port": 8081})), refusal(400, "BadRequest"), "two ports that lead to one");
    f.create(json!({"protocol": "udp"}));
    let ranges = json!({"internal_port": null, "external_port": null, "internal_port_range": "1:9", "external_port_range": "8075:8083"});
    assert_eq!(f.refused(ranges), refusal(400, "BadRequest"), "overlapping ranges");
    let ranges = json!({"external_port": null, "external_port_range": "1:9"});
    assert_eq!(f.refused(ranges), refusal(400, "BadRequest"), "of different sizes");
    assert_eq!(f.refused(json!({"external_port": null})), refusal(400, "BadRequest"));
    assert_eq!(f.refused(json!({"external_port": 1, "external_port_range": "2:2"})), refusal(400, "BadRequest"));
    for wrong in [json!({"external_port": 0}), json!({"external_port_range": "9:1"}), json!({"protocol": "gre"}), json!({"x": 1})] {
        assert_eq!(f.refused(wrong), refusal(400, "HTTPBadRequest"));
    }
    assert_eq!(f.refused(json!({"external_port": 1, "internal_ip_address": "10.0.0.250"})), refusal(400, "BadRequest"));
    let nothing = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";
    assert_eq!(f.refused(json!({"external_port": 1, "internal_port_id": nothing})), refusal(404, "PortNotFound"));
    let (network, _) = f.lab.network(json!({}), "10.4.0.0/24");
    let port = f.lab.port(json!({"network_id": network, "fixed_ips": [{"ip_address": "10.4.0.9"}]}));
    let unreachable = json!({"external_port": 1, "internal_port_id": port, "internal_ip_address": "10.4.0.9"});
    assert_eq!(f.refused(unreachable), refusal(404, "ExternalGatewayForFloatingIPNotFound"));
    let path = f.path();
    assert_eq!(f.lab.refused("GET", &format!("{path}/{nothing}"), Value::Null), refusal(404, "PortForwardingNotFound"));
    (f.lab.project, f.lab.roles) = ("p2", "member");
    assert_eq!(f.lab.refused("GET", &path, Value::Null), refusal(404, "FloatingIPNotFound"));
    (f.lab.project, f.lab.roles) = ("p1", "reader");
    assert_eq!(f.lab.show(&path).as_array().map(Vec::len), Some(2));
    assert_eq!(f.refused(json!({"external_port": 1})), refusal(403, "PolicyNotAuthorized"));
}

#[test]
fn an_address_has_a_floating_ip_or_forwardings() {
    let f = forwarded();
    let id = f.create(json!({}));
    let body = json!({"floatingip": {"floating_network_id": f.lab.outside.0, "port_id": f.port}});
    assert_eq!(f.lab.refused("POST", "floatingips", body), refusal(400, "PortHasPortForwarding"));
    f.lab.accepted("DELETE", &format!("{}/{id}", f.path()), Value::Null);
    f.lab.floating_ip(json!({"port_id": f.port}));
    assert_eq!(f.refused(json!({})), refusal(409, "PortHasBindingFloatingIP"));
    let other = f.lab.port(json!({}));
    f.lab.accepted("PUT", &format!("floatingips/{}", f.floating_ip), json!({"floatingip": {"port_id": other}}));
    assert_eq!(f.refused(json!({})), refusal(409, "FipAssociated"));
}

#[test]
fn each_is_below_its_own_floating_ip() {
    let f = forwarded();
    let id = f.create(json!({}));
    let other = f.lab.floating_ip(json!({}));
    let other = format!("floatingips/{other}/port_forwardings");
    assert_eq!(f.lab.show(&other), json!([]));
    let page = f.lab.accepted("GET", &format!("{}?limit=1", f.path()), Value::Null);
    assert_eq!(page["port_forwardings"][0]["id"], id.as_str());
    let next = page["port_forwardings_links"][0]["href"].as_str().expect("an address");
    assert!(next.ends_with(&format!("{}?limit=1&marker={id}", f.path())), "{next}");
    assert_eq!(f.lab.refused("GET", &format!("{other}/{id}"), Value::Null), refusal(404, "PortForwardingNotFound"));
    assert_eq!(f.lab.refused("DELETE", &format!("{other}/{id}"), Value::Null), refusal(404, "PortForwardingNotFound"));
}

#[test]
fn the_path_alone_names_the_floating_ip() {
    let f = forwarded();
    let id = f.create(json!({}));
    let by_query = format!("{}?floatingip_id={}", f.path(), f.floating_ip);
    assert_eq!(f.lab.refused("GET", &by_query, Value::Null), refusal(400, "HTTPBadRequest"));
    assert_eq!(f.refused(json!({"floatingip_id": f.floating_ip, "external_port": 81})), refusal(400, "HTTPBadRequest"));
    let moved = json!({"port_forwarding": {"floatingip_id": f.lab.floating_ip(json!({}))}});
    assert_eq!(f.lab.message("PUT", &format!("{}/{id}", f.path()), moved), "Unrecognized attribute(s) 'floatingip_id'");
}

#[test]
fn a_port_that_goes_takes_its_forwardings() {
    let f = forwarded();
    f.create(json!({}));
    f.lab.accepted("DELETE", &format!("ports/{}", f.port), Value::Null);
    assert_eq!(f.lab.show(&f.path()), json!([]));
    assert_eq!((&f.shown()["router_id"], &f.shown()["port_forwardings"]), (&Value::Null, &json!([])));
}
