//! What changes of ports and floating IPs are to Nova.

mod support;

use model::{FloatingIp, Port, PortStatus, Standby};
use nova::{Event, events};
use serde_json::{Value, json};
use support::{NETWORK, PORT, SERVER, bound, port};
use world::{Context, Tx, World};

fn world() -> World {
    World::empty(std::sync::Arc::new(model::schema()))
}

/// What Nova is told of a step, as it is told.
fn told(world: &mut World, step: impl FnOnce(&mut Tx)) -> Vec<Value> {
    let mut tx = Tx::new(world.clone(), Context::new(net::Timestamp(0), "req-1".into(), 1));
    step(&mut tx);
    let (after, change) = tx.finish();
    *world = after;
    events(&change, world).iter().map(|event: &Event| serde_json::to_value(event).expect("plain data")).collect()
}

fn update(world: &mut World, with: impl FnOnce(&mut Port)) -> Vec<Value> {
    told(world, |tx| assert!(tx.update::<Port>(&PORT, with)))
}

fn changed() -> Value {
    json!({"name": "network-changed", "server_uuid": SERVER, "tag": PORT})
}

fn wiring(name: &str, status: &str) -> Value {
    json!({"name": name, "server_uuid": SERVER, "tag": PORT, "status": status})
}

fn plugged() -> Value {
    wiring("network-vif-plugged", "completed")
}

#[test]
fn the_life_of_a_port() {
    let mut world = world();
    assert!(told(&mut world, |tx| tx.put(port(json!({"device_owner": "", "device_id": ""})))).is_empty());
    assert!(update(&mut world, |port| port.name = "x".into()).is_empty(), "it is no server's");
    let is_servers = |port: &mut Port| (port.device_owner, port.device_id) = ("compute:nova".into(), SERVER.into());
    assert_eq!(update(&mut world, is_servers), [changed()]);
    assert_eq!(update(&mut world, |port| port.binding = bound("h2", json!({}))), [changed()]);
    assert!(update(&mut world, |port| port.status = PortStatus::Build).is_empty());
    assert!(update(&mut world, |port| port.provisioning.l2 = false).is_empty(), "not wired yet");
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Active), [plugged()]);
    assert!(update(&mut world, |port| port.standard.touch(net::Timestamp(9))).is_empty());
    assert_eq!(update(&mut world, |port| port.security_groups.clear()), Vec::<Value>::new(), "the same as before");
    assert_eq!(update(&mut world, |port| port.fixed_ips.clear()), [changed()]);
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Down), [wiring("network-vif-unplugged", "completed")]);
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Error), [wiring("network-vif-plugged", "failed")]);
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Active), [plugged()]);
    let gone = json!({"name": "network-vif-deleted", "server_uuid": SERVER, "tag": PORT});
    assert_eq!(told(&mut world, |tx| _ = tx.remove::<Port>(&PORT)), [gone]);
}

#[test]
fn ports_of_others_are_not_told_of() {
    for (owner, device) in [("network:dhcp", SERVER), ("compute:nova", "no-uuid"), ("compute:nova", ""), ("baremetal:none", SERVER)] {
        let mut world = world();
        told(&mut world, |tx| tx.put(port(json!({"device_owner": owner, "device_id": device}))));
        assert!(update(&mut world, |port| port.status = PortStatus::Active).is_empty(), "{owner} {device}");
        assert!(told(&mut world, |tx| _ = tx.remove::<Port>(&PORT)).is_empty(), "{owner} {device}");
    }
}

#[test]
fn a_port_that_is_given_away() {
    let mut world = world();
    told(&mut world, |tx| tx.put(port(json!({"status": "ACTIVE"}))));
    let away = |port: &mut Port| {
        (port.device_owner, port.device_id, port.status) = ("".into(), "".into(), PortStatus::Down);
    };
    assert!(update(&mut world, away).is_empty(), "who gives it back knows");
}

#[test]
fn a_live_migration() {
    let mut world = world();
    told(&mut world, |tx| tx.put(port(json!({"status": "ACTIVE"}))));
    let standby = Standby { binding: bound("h2", json!({})), prepared: false };
    assert!(update(&mut world, |port| port.standby = vec![standby]).is_empty());
    let moving = |port: &mut Port| {
        port.binding = bound("h1", json!({"migrating_to": "h2"}));
        port.status = PortStatus::Down;
    };
    assert_eq!(update(&mut world, moving), [changed(), wiring("network-vif-unplugged", "completed")]);
    assert!(update(&mut world, |port| port.status = PortStatus::Active).is_empty(), "the next host is not ready");
    assert_eq!(update(&mut world, |port| port.standby[0].prepared = true), [plugged()], "while its binding is inactive");
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Down), [wiring("network-vif-unplugged", "completed")]);
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Active), [plugged()], "both are ready");
    let arrived = |port: &mut Port| {
        (port.binding, port.standby, port.status) = (bound("h2", json!({})), Vec::new(), PortStatus::Down);
    };
    assert_eq!(update(&mut world, arrived), [changed(), wiring("network-vif-unplugged", "completed")]);
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Active), [plugged()]);
}

#[test]
fn a_migration_that_nobody_ended_is_in_nobodys_way() {
    let mut world = world();
    let standby = json!([{"binding": bound("h2", json!({})), "prepared": false}]);
    told(&mut world, |tx| tx.put(port(json!({"standby": standby}))));
    assert_eq!(update(&mut world, |port| port.status = PortStatus::Active), [plugged()], "a start at home");
}

#[test]
fn floating_ips() {
    let mut world = world();
    told(&mut world, |tx| tx.put(port(json!({}))));
    let floating_ip = |port: Value| -> FloatingIp {
        let standard = json!({"created_at": 0, "updated_at": 0, "revision_number": 0});
        let floating_ip = json!({
            "id": "7c9b1c9e-8a3f-4a5e-9d63-00000000000f", "project_id": "p", "floating_network_id": NETWORK, "floating_ip_address": "203.0.113.9",
            "floating_port_id": "7c9b1c9e-8a3f-4a5e-9d63-0000000000ff", "port_id": port, "status": "DOWN", "standard": standard,
        });
        serde_json::from_value(floating_ip).expect("a floating IP")
    };
    let (free, leading) = (floating_ip(Value::Null), floating_ip(json!(PORT)));
    let id = free.id;
    assert!(told(&mut world, |tx| tx.put(free.clone())).is_empty());
    assert_eq!(told(&mut world, |tx| tx.put(leading.clone())), [changed()]);
    let active = |floating_ip: &mut FloatingIp| floating_ip.status = model::FloatingIpStatus::Active;
    assert!(told(&mut world, |tx| assert!(tx.update::<FloatingIp>(&id, active))).is_empty(), "Nova knows it already");
    assert_eq!(told(&mut world, |tx| tx.put(free)), [changed()]);
    assert_eq!(told(&mut world, |tx| tx.put(leading)), [changed()]);
    assert_eq!(told(&mut world, |tx| _ = tx.remove::<FloatingIp>(&id)), [changed()]);
}
