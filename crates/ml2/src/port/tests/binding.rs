//! Binding and provisioning.

use crate::Config;
use crate::port::provisioning::{dhcp_ready, port_building, port_failed, port_unwired, port_wired};
use crate::port::resource;
use crate::testing::{Api, Lab, refused};
use model::{AgentType, Port, PortStatus, Provisioning, VifType};
use net::{HostName, NetworkId, PortId};
use serde_json::{Value, json};

fn lab() -> (Lab, NetworkId) {
    let mut lab = Lab::new();
    lab.bridge_agent("h1", 1);
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    (lab, network)
}

fn host() -> HostName {
    HostName::from("h1")
}

fn instance(host: &str) -> Value {
    json!({"device_id": "i1", "device_owner": "compute:nova", "binding:host_id": host})
}

fn state(lab: &Lab, port: PortId) -> (VifType, PortStatus, Provisioning) {
    let port = lab.get::<Port>(port);
    (port.binding.vif_type, port.status, port.provisioning)
}

const WIRED: Provisioning = Provisioning { l2: false, dhcp: false };
const UNWIRED: Provisioning = Provisioning { l2: true, dhcp: false };

#[test]
fn bound_as_a_tap() {
    let (mut lab, network) = lab();
    let port = lab.port(network, instance("h1")).expect("free");
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, UNWIRED));
    let port = lab.get::<Port>(port);
    let details = json!({"port_filter": true, "connectivity": "l2", "bound_drivers": {"0": "linuxbridge"}});
    assert_eq!(Value::Object(port.binding.vif_details.clone()), details);
    assert!(port.binding.segment.is_some());
}

#[test]
fn as_a_bridge_for_older_novas() {
    let mut lab = Lab::with(Config { vif_type_bridge: true, ..Config::default() });
    lab.bridge_agent("h1", 1);
    let network = lab.network();
    let port = lab.port(network, instance("h1")).expect("free");
    assert_eq!(state(&lab, port).0, VifType::Bridge);
}

#[test]
fn nobody_binds() {
    let failed = (VifType::BindingFailed, PortStatus::Down, WIRED);
    let (mut lab, network) = lab();
    let no_agent = lab.port(network, instance("h9")).expect("an answer, not a fault");
    assert_eq!(state(&lab, no_agent), failed);
    let mut other = instance("h1");
    other["binding:vnic_type"] = json!("direct");
    let other = lab.port(network, other).expect("an answer");
    assert_eq!(state(&lab, other), failed);
    lab.agent("h2", AgentType::LinuxBridge, json!({"tunnel_types": ["gre"], "tunneling_ip": "192.0.2.2"}));
    let no_vxlan = lab.port(network, instance("h2")).expect("an answer");
    assert_eq!(state(&lab, no_vxlan), failed);
    lab.agent("h3", AgentType::LinuxBridge, json!({"tunnel_types": ["vxlan"]}));
    let no_endpoint = lab.port(network, instance("h3")).expect("an answer");
    assert_eq!(state(&lab, no_endpoint), failed);
    let agent = lab.bridge_agent("h4", 4);
    lab.act(|op| crate::agent::agent_down(op, agent));
    let dead = lab.port(network, instance("h4")).expect("an answer");
    assert_eq!(state(&lab, dead), failed);
    lab.act(|op| crate::agent::agent_up(op, agent));
    assert_eq!(state(&lab, dead), failed, "an instance's port is its compute service's to retry");
    lab.update(crate::agent::resource(), agent, json!({"admin_state_up": false})).expect("an operator");
    let disabled = lab.port(network, instance("h4")).expect("an answer");
    assert_eq!(state(&lab, disabled), failed);
}

#[test]
fn physical_networks_need_a_mapping_and_local_ones_nothing() {
    let mut lab = Lab::new();
    lab.bridge_agent("h1", 1);
    lab.agent("h2", AgentType::LinuxBridge, json!({}));
    let flat = json!({"provider:network_type": "flat", "provider:physical_network": "phys"});
    let flat = lab.create(crate::network::resource(), flat).expect("free");
    let local = lab.create(crate::network::resource(), json!({"provider:network_type": "local"})).expect("free");
    let mut vif_type = |network, host| {
        let port = lab.port(network, instance(host)).expect("an answer");
        state(&lab, port).0
    };
    assert_eq!([vif_type(flat, "h1"), vif_type(flat, "h2")], [VifType::Tap, VifType::BindingFailed]);
    assert_eq!([vif_type(local, "h1"), vif_type(local, "h2")], [VifType::Tap, VifType::Tap]);
}

#[test]
fn moved_and_taken_away() {
    let (mut lab, network) = lab();
    lab.bridge_agent("h2", 2);
    let port = lab.port(network, instance("h1")).expect("free");
    lab.act(|op| port_wired(op, port, &host()));
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Active, WIRED));
    lab.update(resource(), port, json!({"name": "x", "binding:host_id": "h1"})).expect("the same host");
    assert_eq!(state(&lab, port).1, PortStatus::Active);
    lab.update(resource(), port, json!({"binding:host_id": "h2"})).expect("moved");
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, UNWIRED));
    assert!(!lab.act(|op| port_wired(op, port, &host())), "a stale report");
    assert_eq!(state(&lab, port).1, PortStatus::Down);
    lab.update(resource(), port, json!({"binding:host_id": null})).expect("taken away");
    assert_eq!(state(&lab, port), (VifType::Unbound, PortStatus::Down, WIRED));
}

#[test]
fn what_a_bound_port_keeps() {
    let (mut lab, network) = lab();
    let port = lab.port(network, instance("h1")).expect("free");
    assert_eq!(refused(lab.update(resource(), port, json!({"mac_address": "fa:16:3e:00:00:01"}))), (409, "PortBound"));
    assert_eq!(refused(lab.update(resource(), port, json!({"binding:vnic_type": "direct"}))), (409, "PortInUse"));
    let large = json!({"binding:profile": {"a": "x".repeat(4100)}});
    assert_eq!(refused(lab.update(resource(), port, large)), (400, "InvalidInput"));
    lab.update(resource(), port, json!({"binding:profile": {"a": "b"}})).expect("small");
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, UNWIRED));
}

#[test]
fn from_down_to_active_and_back() {
    let (mut lab, network) = lab();
    lab.dhcp_agent("h1");
    let port = lab.port(network, instance("h1")).expect("free");
    let waiting = Provisioning { l2: true, dhcp: true };
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, waiting));
    let revision = |lab: &Lab| lab.get::<Port>(port).standard.revision_number;
    let before = revision(&lab);
    assert!(lab.act(|op| port_building(op, port, &host())));
    assert_eq!((state(&lab, port).1, revision(&lab)), (PortStatus::Build, before + 1));
    assert!(lab.act(|op| port_wired(op, port, &host())));
    assert_eq!((state(&lab, port).1, revision(&lab)), (PortStatus::Build, before + 1), "what is waited for is not the client's business");
    assert_eq!(lab.act(|op| dhcp_ready(op, [port])), [port]);
    assert_eq!((state(&lab, port).1, revision(&lab)), (PortStatus::Active, before + 2));
    assert!(!lab.act(|op| port_wired(op, port, &host())) && lab.act(|op| dhcp_ready(op, [port])).is_empty(), "twice is once");
    assert!(!lab.act(|op| port_building(op, port, &host())), "an adopted port stays active");
    lab.update(resource(), port, json!({"fixed_ips": [{"ip_address": "10.0.0.99"}]})).expect("free");
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Active, Provisioning { l2: false, dhcp: true }));
    lab.act(|op| dhcp_ready(op, [port]));
    assert!(lab.act(|op| port_unwired(op, port, &host())));
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, UNWIRED));
    assert!(lab.act(|op| port_failed(op, port, &host())));
    assert_eq!(state(&lab, port).1, PortStatus::Error);
    lab.act(|op| port_wired(op, port, &host()));
    assert_eq!(state(&lab, port).1, PortStatus::Active);
}

#[test]
fn who_does_not_become_active() {
    let (mut lab, network) = lab();
    let mut down = instance("h1");
    down["admin_state_up"] = json!(false);
    let down = lab.port(network, down).expect("free");
    lab.act(|op| port_wired(op, down, &host()));
    assert_eq!(state(&lab, down).1, PortStatus::Down);
    lab.act(|op| port_building(op, down, &host()));
    assert_eq!(state(&lab, down).1, PortStatus::Down);
    let failed = lab.port(network, instance("h9")).expect("an answer");
    lab.act(|op| port_wired(op, failed, &HostName::from("h9")));
    assert_eq!(state(&lab, failed).1, PortStatus::Down);
    assert!(!lab.act(|op| port_wired(op, PortId::MIN, &host())));
}

#[test]
fn ports_without_dhcp_do_not_wait_for_it() {
    let (mut lab, network) = lab();
    lab.dhcp_agent("h1");
    let no_owner = lab.port(network, json!({"binding:host_id": "h1"})).expect("free");
    let no_address = lab.port(network, {
        let mut body = instance("h1");
        body["fixed_ips"] = json!([]);
        body
    });
    for port in [no_owner, no_address.expect("legal")] {
        assert_eq!(state(&lab, port).2, UNWIRED);
    }
}

#[test]
fn nobody_waits_for_what_will_not_come() {
    let (mut lab, network) = lab();
    lab.dhcp_agent("h1");
    let [first, second] = [(); 2].map(|()| lab.port(network, instance("h1")).expect("free"));
    for port in [first, second] {
        lab.act(|op| port_wired(op, port, &host()));
        assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, Provisioning { l2: false, dhcp: true }));
    }
    lab.update(resource(), first, json!({"fixed_ips": []})).expect("legal");
    assert_eq!(state(&lab, first), (VifType::Tap, PortStatus::Active, Provisioning::default()));
    let subnet = lab.get::<Port>(second).fixed_ips[0].subnet_id;
    lab.update(crate::subnet::resource(), subnet, json!({"enable_dhcp": false})).expect("legal");
    assert_eq!(state(&lab, second), (VifType::Tap, PortStatus::Active, Provisioning::default()));
}

#[test]
fn a_server_that_is_not_plugged_is_not_waited_for() {
    let mut lab = Lab::new();
    let agent = lab.bridge_agent("h1", 1);
    lab.bridge_agent("h2", 2);
    lab.dhcp_agent("h1");
    lab.update(crate::agent::resource(), agent, json!({"admin_state_up": false})).expect("legal");
    let network = lab.network();
    lab.subnet(network, json!({"cidr": "10.0.0.0/24"})).expect("free");
    let port = lab.port(network, instance("h2")).expect("free");
    assert_eq!(state(&lab, port), (VifType::Tap, PortStatus::Down, UNWIRED));
}

#[test]
fn words_of_other_services_are_kept_for_them() {
    let api = Api::new();
    let network = api.make("network", json!({}));
    let port = api.make("port", json!({"network_id": network, "device_profile": "fpga", "numa_affinity_policy": "socket"}));
    let path = format!("ports/{port}");
    let shown = |api: &Api| ["data_plane_status", "device_profile", "numa_affinity_policy"].map(|name| api.show(&path)[name].clone());
    assert_eq!(shown(&api), [Value::Null, json!("fpga"), json!("socket")]);
    let put = |roles: &str, body: Value| api.ask(roles, "PUT", &path, &json!({ "port": body })).0;
    assert_eq!(put("data_plane_integrator", json!({"data_plane_status": "DOWN"})), 404, "who may not update ports may not this either");
    assert_eq!(put("member", json!({"data_plane_status": "DOWN"})), 403);
    assert_eq!(put("member,data_plane_integrator", json!({"data_plane_status": "DOWN"})), 200);
    assert_eq!(put("member", json!({"numa_affinity_policy": null})), 200);
    assert_eq!(shown(&api), [json!("DOWN"), json!("fpga"), Value::Null]);
    assert_eq!(put("admin", json!({"data_plane_status": null})), 200);
    for wrong in [json!({"data_plane_status": "x"}), json!({"device_profile": "y"}), json!({"numa_affinity_policy": "near"})] {
        assert_eq!(put("admin", wrong.clone()), 400, "{wrong}");
    }
    assert_eq!(shown(&api), [Value::Null, json!("fpga"), Value::Null]);
    let post = |body: Value| api.refused("POST", "ports", &json!({ "port": body })).0;
    assert_eq!(post(json!({"network_id": network, "data_plane_status": "ACTIVE"})), 400);
    assert_eq!(post(json!({"network_id": network, "device_profile": 5})), 400);
}
