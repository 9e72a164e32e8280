use api::{Registry, Settings};
use apikit::Lab;
use auth::Policy;
use serde_json::{Value, json};
use std::sync::Arc;

const SINGLE_NODE: &str = "neutron.services.l3_router.service_providers.single_node.SingleNodeDriver";
const NONE: &str = "9efe63d0-836f-4cc2-b00c-468e63aa614e";

fn registry() -> Registry {
    Registry::new()
        .resource(l3::router::resource().with(crate::of_router()))
        .resource(crate::flavor::resource())
        .resource(crate::profile::resource())
        .slice(crate::register)
        .extensions(crate::extensions())
        .previews(l3::previews())
}

/// As an administrator.
fn lab() -> Lab {
    Lab::new(registry(), settings(false))
}

fn settings(has_modes: bool) -> Settings {
    let l3 = l3::Config { has_modes, ..l3::Config::default() };
    Settings::new().with(Arc::new(ml2::Config::default())).with(Arc::new(ml2::Heartbeats::new())).with(Arc::new(l3))
}

fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn flavor(lab: &Lab) -> String {
    lab.create("flavor", json!({"name": "f", "service_type": "L3_ROUTER_NAT"}))
}

fn profile(lab: &Lab) -> String {
    lab.create("service_profile", json!({ "driver": SINGLE_NODE }))
}

fn associate(lab: &Lab, flavor: &str, profile: &str) -> (u16, Value) {
    lab.ask("POST", &format!("flavors/{flavor}/service_profiles"), json!({"service_profile": {"id": profile}}))
}

#[test]
fn declarations_hold_together() {
    assert_eq!(registry().audit(&Policy::defaults()), Vec::<String>::new());
}

#[test]
fn flavors() {
    let mut lab = lab();
    let id = flavor(&lab);
    let path = format!("flavors/{id}");
    let shown = json!({
        "id": id, "name": "f", "description": "", "service_type": "L3_ROUTER_NAT", "enabled": true, "service_profiles": [],
    });
    assert_eq!(lab.show(&path), shown);
    let profile = profile(&lab);
    let changed = lab.update(&path, "flavor", json!({"description": null, "enabled": false, "service_profiles": [profile]}));
    assert_eq!(
        (&changed["description"], &changed["enabled"], &changed["service_profiles"]),
        (&Value::Null, &json!(false), &json!([profile]))
    );
    let unknown = json!({"flavor": {"service_profiles": [NONE], "name": "x"}});
    assert_eq!(lab.refused("PUT", &path, unknown), refused(404, "ServiceProfileNotFound"));
    assert_eq!(lab.show(&path)["name"], "f");
    let body = |service_type: &str| json!({"flavor": {"service_type": service_type}});
    assert_eq!(lab.refused("POST", "flavors", body("nope")), refused(400, "InvalidServiceType"));
    assert_eq!(lab.refused("POST", "flavors", json!({"flavor": {}})), refused(400, "HTTPBadRequest"));
    lab.create("flavor", json!({"service_type": "FLAVORS"}));
    lab.member();
    assert_eq!(lab.show("flavors?service_type=L3_ROUTER_NAT").as_array().map(Vec::len), Some(1), "everybody sees them");
    assert_eq!(lab.refused("POST", "flavors", body("FLAVORS")), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("DELETE", &path, Value::Null), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.show("service_profiles"), json!([]));
    assert_eq!(lab.refused("GET", &format!("service_profiles/{profile}"), Value::Null), refused(404, "HTTPNotFound"));
    lab.admin();
    lab.accepted("DELETE", &path, Value::Null);
    assert_eq!(lab.refused("GET", &path, Value::Null), refused(404, "FlavorNotFound"));
}

#[test]
fn service_profiles() {
    let lab = lab();
    let id = lab.create("service_profile", json!({"metainfo": "m"}));
    let path = format!("service_profiles/{id}");
    assert_eq!(lab.show(&path), json!({"id": id, "description": "", "driver": "", "enabled": true, "metainfo": "m"}));
    let create = |body: Value| lab.refused("POST", "service_profiles", json!({ "service_profile": body }));
    assert_eq!(create(json!({})), refused(400, "ServiceProfileEmpty"));
    assert_eq!(create(json!({"driver": "nope"})), refused(404, "ServiceProfileDriverNotFound"));
    assert_eq!(create(json!({"metainfo": {"a": 1}})), refused(400, "HTTPBadRequest"));
    let empty = json!({"service_profile": {"metainfo": ""}});
    assert_eq!(lab.refused("PUT", &path, empty), refused(400, "ServiceProfileEmpty"));
    assert_eq!(lab.update(&path, "service_profile", json!({ "driver": SINGLE_NODE }))["driver"], SINGLE_NODE);
    let flavor = flavor(&lab);
    associate(&lab, &flavor, &id);
    let in_use = refused(409, "ServiceProfileInUse");
    assert_eq!(lab.refused("PUT", &path, json!({"service_profile": {"enabled": false}})), in_use);
    assert_eq!(lab.refused("DELETE", &path, Value::Null), in_use);
    lab.accepted("DELETE", &format!("flavors/{flavor}"), Value::Null);
    lab.accepted("DELETE", &path, Value::Null);
}

#[test]
fn associations() {
    let mut lab = lab();
    let (flavor, profile) = (flavor(&lab), profile(&lab));
    let path = format!("flavors/{flavor}/service_profiles");
    let next = format!("flavors/{flavor}/next_providers");
    assert_eq!(lab.refused("GET", &next, Value::Null), refused(404, "FlavorServiceProfileBindingNotFound"));
    assert_eq!(associate(&lab, &flavor, &profile), (201, json!({"service_profile": {"id": profile}})));
    assert_eq!(lab.show(&path), json!([{"id": profile}]));
    assert_eq!(lab.show(&format!("{path}/{profile}")), json!({"id": profile}));
    assert_eq!(lab.show(&next), json!([{"driver": SINGLE_NODE, "provider": "single_node"}]));
    let body = |id: &str| json!({"service_profile": {"id": id}});
    assert_eq!(lab.refused("POST", &path, body(&profile)), refused(409, "FlavorServiceProfileBindingExists"));
    assert_eq!(lab.refused("POST", &path, body(NONE)), refused(404, "ServiceProfileNotFound"));
    assert_eq!(lab.refused("POST", &path, body("x")), refused(400, "HTTPBadRequest"));
    assert_eq!(lab.refused("POST", &path, json!({"service_profile": {}})), refused(400, "HTTPBadRequest"));
    assert_eq!(lab.refused("POST", &format!("flavors/{NONE}/service_profiles"), body(&profile)), refused(404, "FlavorNotFound"));
    for id in [NONE, "x"] {
        assert_eq!(lab.refused("DELETE", &format!("{path}/{id}"), Value::Null), refused(404, "FlavorServiceProfileBindingNotFound"));
    }
    lab.member();
    assert_eq!(lab.show(&next)[0]["provider"], "single_node");
    assert_eq!(lab.show(&path), json!([]));
    assert_eq!(lab.refused("GET", &format!("{path}/{profile}"), Value::Null), refused(404, "HTTPNotFound"));
    assert_eq!(lab.refused("POST", &path, body(&profile)), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("DELETE", &format!("{path}/{profile}"), Value::Null), refused(403, "PolicyNotAuthorized"));
    assert_eq!(lab.refused("PUT", &path, json!({})), refused(405, "HTTPMethodNotAllowed"));
    lab.admin();
    lab.accepted("DELETE", &format!("{path}/{profile}"), Value::Null);
    assert_eq!(lab.show(&format!("flavors/{flavor}"))["service_profiles"], json!([]));
}

#[test]
fn routers_by_flavor() {
    let mut lab = lab();
    let (flavor, profile) = (flavor(&lab), profile(&lab));
    let router = |flavor: Value| json!({"router": {"flavor_id": flavor}});
    assert_eq!(lab.refused("POST", "routers", router(json!(flavor))), refused(404, "FlavorServiceProfileBindingNotFound"));
    associate(&lab, &flavor, &profile);
    lab.member();
    for unknown in [json!(NONE), json!("x"), Value::Null, json!({"a": 1})] {
        assert_eq!(lab.refused("POST", "routers", router(unknown)), refused(404, "FlavorNotFound"));
    }
    let id = lab.create("router", json!({ "flavor_id": flavor }));
    assert_eq!(lab.show(&format!("routers/{id}"))["flavor_id"], flavor.as_str());
    let plain = lab.create("router", json!({}));
    assert_eq!(lab.show(&format!("routers/{plain}"))["flavor_id"], Value::Null);
    assert_eq!(lab.refused("PUT", &format!("routers/{id}"), router(json!(flavor))), refused(400, "HTTPBadRequest"));
    lab.admin();
    assert_eq!(lab.refused("DELETE", &format!("flavors/{flavor}"), Value::Null), refused(409, "FlavorInUse"));
    let disabled = lab.create("service_profile", json!({"driver": SINGLE_NODE, "enabled": false}));
    lab.update(&format!("flavors/{flavor}"), "flavor", json!({"service_profiles": [disabled]}));
    assert_eq!(lab.refused("POST", "routers", router(json!(flavor))), refused(503, "ServiceProfileDisabled"));
    let words = lab.create("service_profile", json!({"metainfo": "words"}));
    lab.update(&format!("flavors/{flavor}"), "flavor", json!({"service_profiles": [words]}));
    assert_eq!(lab.refused("POST", "routers", router(json!(flavor))), refused(404, "ServiceProfileDriverNotFound"));
    lab.accepted("DELETE", &format!("routers/{id}"), Value::Null);
    lab.accepted("DELETE", &format!("flavors/{flavor}"), Value::Null);
}

#[test]
fn flavors_of_distributed_and_highly_available_routers() {
    let driver = |module: &str| json!({"driver": format!("neutron.services.l3_router.service_providers.{module}")});
    let without = lab();
    let dvr = || driver("dvr.DvrDriver");
    assert_eq!(
        without.refused("POST", "service_profiles", json!({"service_profile": dvr()})),
        refused(404, "ServiceProfileDriverNotFound"),
        "where routers cannot be so"
    );
    let lab = Lab::new(registry().preview_extensions(true), settings(true));
    let names = lab.show("service-providers?fields=name&sort_key=name&sort_dir=asc");
    assert_eq!(names, json!([{"name": "dvr"}, {"name": "dvrha"}, {"name": "ha"}, {"name": "single_node"}]));
    let flavor = flavor(&lab);
    let profile = lab.create("service_profile", dvr());
    associate(&lab, &flavor, &profile);
    let router = |more: &str, value: bool| json!({"router": {"flavor_id": flavor, more: value}});
    for (attribute, value) in [("distributed", false), ("ha", true)] {
        assert_eq!(lab.refused("POST", "routers", router(attribute, value)), refused(400, "InvalidInput"));
    }
    let id = lab.create("router", json!({"flavor_id": flavor, "distributed": true, "admin_state_up": false}));
    let path = format!("routers/{id}");
    assert_eq!(lab.refused("PUT", &path, json!({"router": {"distributed": false}})), refused(400, "InvalidInput"));
    assert_eq!(lab.update(&path, "router", json!({"distributed": true, "name": "same"}))["distributed"], true);
}

#[test]
fn service_providers() {
    let mut lab = lab();
    let all = json!([{"service_type": "L3_ROUTER_NAT", "name": "single_node", "default": false}]);
    assert_eq!(lab.show("service-providers"), all);
    assert_eq!(lab.show("service_providers?name=single_node&default=False&fields=name"), json!([{"name": "single_node"}]));
    assert_eq!(lab.show("service-providers?name=ha"), json!([]));
    assert_eq!(lab.refused("GET", "service-providers?x=1", Value::Null), refused(400, "HTTPBadRequest"));
    assert_eq!(lab.refused("GET", "service-providers/x", Value::Null), refused(404, "HTTPNotFound"));
    assert_eq!(lab.refused("POST", "service-providers", json!({})), refused(405, "HTTPMethodNotAllowed"));
    lab.member();
    assert_eq!(lab.show("service-providers"), all);
}
