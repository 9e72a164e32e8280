//! Segments one by one, networks with several, and routed networks.

use crate::Config;
use crate::testing::Api;
use model::{AgentType, Network, Port};
use serde_json::{Value, json};

/// Two hosts, each on a physical network of its own.
fn two_racks() -> Api {
    let api = Api::new();
    for (host, physical) in [("h1", "rack1"), ("h2", "rack2")] {
        api.agent_with(host, AgentType::LinuxBridge, json!({"bridge_mappings": {physical: "br0"}}));
        api.agent(host, AgentType::Dhcp, None);
    }
    api
}

fn flat(physical: &str) -> Value {
    json!({"provider:network_type": "flat", "provider:physical_network": physical})
}

fn kind(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

fn segments(api: &Api, network: &str) -> Vec<String> {
    let listed = api.show(&format!("segments?network_id={network}"));
    listed.as_array().expect("a list").iter().map(|segment| segment["id"].as_str().expect("an id").to_owned()).collect()
}

/// A network on both racks, with a subnet on each.
fn routed(api: &Api) -> (String, [String; 2], [String; 2]) {
    let network = api.make("network", json!({"segments": [flat("rack1"), flat("rack2")]}));
    let [one, two] = &segments(api, &network)[..] else { panic!("two segments") };
    let subnets =
        [(one, "10.1.0.0/24"), (two, "10.2.0.0/24")].map(|(segment, cidr)| api.subnet(&network, cidr, json!({"segment_id": segment})));
    (network, [one.clone(), two.clone()], subnets)
}

fn subnet_ids(port: &Value) -> Vec<&str> {
    port["fixed_ips"].as_array().expect("a list").iter().filter_map(|ip| ip["subnet_id"].as_str()).collect()
}

#[test]
fn a_segment_can_be_named_and_removed() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let [first] = &segments(&api, &network)[..] else { panic!("one segment") };
    let shown = api.show(&format!("segments/{first}"));
    assert_eq!((&shown["network_type"], &shown["name"], &shown["description"]), (&json!("vxlan"), &Value::Null, &json!("")));
    assert!(shown["created_at"].is_string() && shown["updated_at"].is_string());
    let put = |body: Value| api.ask("admin", "PUT", &format!("segments/{first}"), &json!({ "segment": body }));
    let (status, changed) = put(json!({"name": "s", "description": "d"}));
    let changed = &changed["segment"];
    assert_eq!(
        (status, &changed["name"], &changed["description"], &changed["revision_number"]),
        (200, &json!("s"), &json!("d"), &json!(1))
    );
    assert_eq!(put(json!({"name": null})).1["segment"]["name"], Value::Null);
    for wrong in [json!({"network_type": "flat"}), json!({"name": 5}), json!({"foo": 1})] {
        assert_eq!(put(wrong.clone()).0, 400, "{wrong}");
    }
    let body = json!({"network_id": network, "network_type": "flat", "physical_network": "phys", "name": "t"});
    let second = api.make("segment", body.clone());
    assert_eq!(api.refused("POST", "segments", &json!({ "segment": body })), kind(409, "FlatNetworkInUse"));
    assert_eq!(api.show("segments?name=t&fields=id"), json!([{"id": second}]));
    assert_eq!(api.show("segments?sort_key=network_type&sort_dir=asc&fields=network_type")[0], json!({"network_type": "flat"}));
    assert_eq!(api.show("segments?limit=1").as_array().map(Vec::len), Some(1));
    let listed = api.show(&format!("networks/{network}"));
    assert_eq!((listed["segments"].as_array().map(Vec::len), listed.get("provider:network_type")), (Some(2), None));
    api.accepted("DELETE", &format!("segments/{second}"), &Value::Null);
    assert_eq!(api.refused("GET", &format!("segments/{second}"), &Value::Null), kind(404, "SegmentNotFound"));
    let listed = api.show(&format!("networks/{network}"));
    assert_eq!((listed.get("segments"), &listed["provider:network_type"]), (None, &json!("vxlan")));
}

#[test]
fn refusals() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let post = |body: Value| api.refused("POST", "segments", &json!({ "segment": body }));
    let missing = "00000000-0000-4000-8000-000000000000";
    assert_eq!(post(json!({"network_id": missing, "network_type": "vxlan"})), kind(404, "NetworkNotFound"));
    assert_eq!(post(json!({"network_id": network, "network_type": "foo"})), kind(400, "InvalidInput"));
    for wrong in [
        json!({}),
        json!({"network_id": network}),
        json!({"network_type": "vxlan"}),
        json!({"network_id": "x", "network_type": "vxlan"}),
        json!({"network_id": network, "network_type": "vxlan", "segmentation_id": -1}),
        json!({"network_id": network, "network_type": "vxlan", "segmentation_id": "x"}),
        json!({"network_id": network, "network_type": "flat", "foo": 1}),
    ] {
        assert_eq!(post(wrong.clone()).0, 400, "{wrong}");
    }
    let [segment] = &segments(&api, &network)[..] else { panic!("one segment") };
    api.subnet(&network, "10.0.0.0/24", json!({ "segment_id": segment }));
    assert_eq!(api.refused("DELETE", &format!("segments/{segment}"), &Value::Null), kind(409, "SegmentInUse"));
    api.agent("h1", AgentType::LinuxBridge, None);
    let other = api.make("network", json!({}));
    api.make("port", json!({"network_id": other, "device_owner": "compute:nova", "binding:host_id": "h1"}));
    assert_eq!(api.refused("DELETE", &format!("segments/{}", segments(&api, &other)[0]), &Value::Null), kind(409, "SegmentInUse"));
    let member = |method: &str, path: &str, body: Value| api.ask("member", method, path, &body).0;
    assert_eq!(api.ask("member", "GET", "segments", &Value::Null), (200, json!({"segments": []})));
    assert_eq!(member("GET", &format!("segments/{segment}"), Value::Null), 404);
    assert_eq!(member("PUT", &format!("segments/{segment}"), json!({"segment": {"name": "x"}})), 404);
    assert_eq!(member("DELETE", &format!("segments/{segment}"), Value::Null), 404);
    assert_eq!(member("POST", "segments", json!({"segment": {"network_id": network, "network_type": "vxlan"}})), 403);
}

#[test]
fn networks_with_several_segments() {
    let api = Api::with(Config { vni_ranges: vec![(1, 2)], ..Config::default() });
    let vxlan = json!({"provider:network_type": "vxlan"});
    let network = api.make("network", json!({"segments": [vxlan, vxlan, flat("phys")]}));
    let record = api.world().get::<Network>(&network.parse().expect("an id")).expect("made").clone();
    let mut vnis: Vec<Option<u32>> = record.segments.iter().map(|segment| segment.segmentation_id).collect();
    vnis.sort_unstable();
    assert_eq!(vnis, [None, Some(1), Some(2)], "no identifier twice");
    let post = |body: Value| api.refused("POST", "networks", &json!({ "network": body }));
    assert_eq!(post(json!({"segments": [vxlan]})), kind(503, "NoNetworkAvailable"));
    assert_eq!(post(json!({"segments": [flat("x")], "provider:network_type": "flat"})), kind(400, "SegmentsSetInConjunctionWithProviders"));
    let exact = json!({"provider:network_type": "vxlan", "provider:segmentation_id": 9});
    assert_eq!(post(json!({"segments": [exact, exact]})), kind(400, "SegmentsContainDuplicateEntry"));
    for wrong in [json!({"segments": 5}), json!({"segments": [5]}), json!({"segments": [{"foo": 1}]}), json!({"segments": [{}, {}]})] {
        assert_eq!(post(wrong.clone()).0, 400, "{wrong}");
    }
    assert_eq!(api.refused("PUT", &format!("networks/{network}"), &json!({"network": {"segments": [vxlan]}})).0, 400);
    let member = api.ask("member", "POST", "networks", &json!({"network": {"segments": [vxlan]}}));
    assert_eq!(member.0, 403);
    assert_eq!(api.show("segments").as_array().map(Vec::len), Some(3), "refusals leave nothing");
}

#[test]
fn a_port_of_a_routed_network_waits_for_its_host() {
    let api = two_racks();
    let (network, _, [_, second]) = routed(&api);
    assert_eq!(api.show(&format!("networks/{network}"))["l2_adjacency"], json!(false));
    let port = api.make("port", json!({"network_id": network, "device_owner": "compute:nova"}));
    let path = format!("ports/{port}");
    let shown = api.show(&path);
    assert_eq!((&shown["ip_allocation"], &shown["fixed_ips"]), (&json!("deferred"), &json!([])));
    let shown = api.accepted("PUT", &path, &json!({"port": {"binding:host_id": "h2"}}))["port"].clone();
    assert_eq!(
        (&shown["ip_allocation"], subnet_ids(&shown), &shown["binding:vif_type"]),
        (&json!("immediate"), vec![second.as_str()], &json!("tap"))
    );
    let moved = api.refused("PUT", &path, &json!({"port": {"binding:host_id": "h1"}}));
    assert_eq!(moved, kind(409, "HostNotCompatibleWithFixedIps"));
    let at_once = api.make("port", json!({"network_id": network, "device_owner": "compute:nova", "binding:host_id": "h2"}));
    assert_eq!(subnet_ids(&api.show(&format!("ports/{at_once}"))), [second.as_str()]);
    let nowhere = api.refused("POST", "ports", &json!({"port": {"network_id": network, "binding:host_id": "h9"}}));
    assert_eq!(nowhere, kind(409, "HostNotConnectedToAnySegment"));
    let (status, answer) = api.ask("service", "POST", &format!("{path}/bindings"), &json!({"binding": {"host": "h1"}}));
    assert_eq!((status, &answer["NeutronError"]["type"]), (409, &json!("HostNotCompatibleWithFixedIps")));
    api.accepted("PUT", &path, &json!({"port": {"binding:host_id": null}}));
    assert_eq!(subnet_ids(&api.show(&path)), [second.as_str()], "its address is its own");
}

#[test]
fn addresses_of_a_routed_port_are_of_one_segment() {
    let api = two_racks();
    let (network, _, [first, second]) = routed(&api);
    let ask = |subnets: &[&String]| {
        let fixed_ips: Vec<Value> = subnets.iter().map(|id| json!({ "subnet_id": id })).collect();
        json!({"network_id": network, "fixed_ips": fixed_ips})
    };
    let port = api.make("port", ask(&[&second]));
    assert_eq!(api.show(&format!("ports/{port}"))["ip_allocation"], "immediate");
    let both = api.refused("POST", "ports", &json!({"port": ask(&[&first, &second])}));
    assert_eq!(both, kind(400, "FixedIpsSubnetsNotOnSameSegment"));
    let mut elsewhere = ask(&[&first]);
    elsewhere["binding:host_id"] = json!("h2");
    assert_eq!(api.refused("POST", "ports", &json!({ "port": elsewhere })), kind(400, "InvalidInput"));
}

#[test]
fn each_segment_has_a_dhcp_server_of_its_own() {
    let api = two_racks();
    let (network, _, subnets) = routed(&api);
    let world = api.world();
    let mut servers: Vec<(String, String)> = Vec::new();
    for port in world.table::<Port>().iter().filter(|port| port.device_owner == "network:dhcp") {
        let [ip] = &port.fixed_ips[..] else { panic!("one address: {port:?}") };
        servers.push((port.binding.host.to_string(), ip.subnet_id.to_string()));
    }
    servers.sort_unstable();
    assert_eq!(servers, [("h1".to_owned(), subnets[0].clone()), ("h2".to_owned(), subnets[1].clone())]);
    assert_eq!(api.show(&format!("networks/{network}/dhcp-agents")).as_array().map(Vec::len), Some(2));
    // A host that comes later, its bridges last, serves its rack.
    let third = api.make("segment", json!({"network_id": network, "network_type": "flat", "physical_network": "rack3"}));
    let subnet = api.subnet(&network, "10.3.0.0/24", json!({ "segment_id": third }));
    let servers = || api.show(&format!("ports?device_owner=network:dhcp&fixed_ips=subnet_id={subnet}"));
    assert_eq!(servers(), json!([]));
    let agent = api.agent("h3", AgentType::Dhcp, None);
    api.agent_with("h3", AgentType::LinuxBridge, json!({"bridge_mappings": {"rack3": "br0"}}));
    assert_eq!(servers()[0]["binding:host_id"], "h3");
    api.act(move |op| crate::agent::agent_down(op, agent));
    assert_eq!(servers().as_array().map(Vec::len), Some(0), "nobody else reaches it");
}

#[test]
fn subnets_are_all_on_segments_or_none_is() {
    let api = two_racks();
    let (network, [one, _], [first, _]) = routed(&api);
    let post = |network: &str, segment: &Value| {
        let body = json!({"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24", "segment_id": segment});
        api.refused("POST", "subnets", &json!({ "subnet": body }))
    };
    assert_eq!(post(&network, &Value::Null), kind(400, "SubnetsNotAllAssociatedWithSegments"));
    let other = api.make("network", json!({}));
    assert_eq!(post(&other, &json!(one)), kind(400, "NetworkIdsDontMatch"));
    assert_eq!(post(&other, &json!("00000000-0000-4000-8000-000000000000")), kind(404, "SegmentNotFound"));
    assert_eq!(post(&other, &json!("x")).0, 400);
    let put = |subnet: &str, segment: &Value| api.refused("PUT", &format!("subnets/{subnet}"), &json!({"subnet": {"segment_id": segment}}));
    assert_eq!(put(&first, &Value::Null), kind(400, "SubnetsNotAllAssociatedWithSegments"));
    let plain = api.subnet(&other, "10.9.0.0/24", json!({}));
    let segment = segments(&api, &other)[0].clone();
    api.accepted("PUT", &format!("subnets/{plain}"), &json!({"subnet": {"segment_id": segment}}));
    assert_eq!(api.show(&format!("subnets?segment_id={segment}"))[0]["id"], plain.as_str());
    assert_eq!(put(&plain, &Value::Null), kind(400, "SubnetSegmentAssociationChangeNotAllowed"));
    let two = api.make("network", json!({"segments": [flat("a"), flat("b")]}));
    let lone = api.subnet(&two, "10.8.0.0/24", json!({}));
    assert_eq!(put(&lone, &json!(segments(&api, &two)[0])), kind(400, "NoUpdateSubnetWhenMultipleSegmentsOnNetwork"));
    let member = api.ask("member", "PUT", &format!("subnets/{lone}"), &json!({"subnet": {"segment_id": null}}));
    assert_eq!(member.0, 403);
}

#[test]
fn instances_learn_the_ways_to_other_segments() {
    let api = two_racks();
    let (_, _, [first, second]) = routed(&api);
    let routes = |subnet: &str| api.show(&format!("subnets/{subnet}"))["host_routes"].clone();
    let to = |destination: &str, nexthop: &str| json!({"destination": destination, "nexthop": nexthop});
    assert_eq!([routes(&first), routes(&second)], [json!([to("10.2.0.0/24", "10.1.0.1")]), json!([to("10.1.0.0/24", "10.2.0.1")])]);
    let gateway = json!({"gateway_ip": "10.1.0.254", "allocation_pools": [{"start": "10.1.0.9", "end": "10.1.0.99"}]});
    api.accepted("PUT", &format!("subnets/{first}"), &json!({ "subnet": gateway }));
    assert_eq!(routes(&first), json!([to("10.2.0.0/24", "10.1.0.254")]));
    let wide = json!({"subnet": {"host_routes": [to("10.0.0.0/8", "10.1.0.7")]}});
    api.accepted("PUT", &format!("subnets/{first}"), &wide);
    assert_eq!(routes(&first), json!([to("10.0.0.0/8", "10.1.0.7")]), "it leads there already");
    api.accepted("DELETE", &format!("subnets/{first}"), &Value::Null);
    assert_eq!(routes(&second), json!([]));
}

#[test]
fn subnets_for_ports_of_some_owners() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let one = api.subnet(&network, "10.1.0.0/24", json!({"service_types": ["test:one", "network:distributed"]}));
    let two = api.subnet(&network, "10.2.0.0/24", json!({"service_types": ["test:two"]}));
    let port = |owner: &str| json!({"network_id": network, "device_owner": owner});
    let of = |owner: &str| api.show(&format!("ports/{}", api.make("port", port(owner))));
    assert_eq!((subnet_ids(&of("test:one")), subnet_ids(&of("test:two"))), (vec![one.as_str()], vec![two.as_str()]));
    let refused = api.refused("POST", "ports", &json!({"port": port("test:three")}));
    assert_eq!(refused, kind(409, "IpAddressGenerationFailureNoMatchingSubnet"));
    let all = api.subnet(&network, "10.3.0.0/24", json!({}));
    assert_eq!((subnet_ids(&of("test:three")), subnet_ids(&of("test:one"))), (vec![all.as_str()], vec![one.as_str()]), "own subnets first");
    api.agent("h1", AgentType::Dhcp, None);
    let served = api.show(&format!("ports?network_id={network}&device_owner=network:dhcp"));
    assert_eq!(subnet_ids(&served[0]).len(), 3, "DHCP is in all of them");
    let before = api.show(&format!("subnets/{all}"))["revision_number"].as_i64();
    let put = |types: Value| api.ask("admin", "PUT", &format!("subnets/{all}"), &json!({"subnet": {"service_types": types}}));
    assert_eq!(put(json!(["compute:"])).1["subnet"]["service_types"], json!(["compute:"]));
    assert!(api.show(&format!("subnets/{all}"))["revision_number"].as_i64() > before);
    assert_eq!(put(json!([])).1["subnet"]["service_types"], json!([]));
    assert_eq!(put(json!(["x:y"])).1["NeutronError"]["type"], "InvalidSubnetServiceType");
    for wrong in [json!("compute:"), json!([5])] {
        assert_eq!(put(wrong.clone()).0, 400, "{wrong}");
    }
}
