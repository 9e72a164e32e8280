//! Ports as the database has them.

use model::{Binding, Port};
use net::PortId;
use serde_json::{Value, json};
use uuid::Uuid;

pub const SERVER: &str = "7c9b1c9e-8a3f-4a5e-9d63-000000000001";
pub const NETWORK: &str = "7c9b1c9e-8a3f-4a5e-9d63-000000000002";
pub const PORT: PortId = PortId(Uuid::from_u128(3));

pub fn bound(host: &str, profile: Value) -> Binding {
    serde_json::from_value(json!({"host": host, "vnic_type": "normal", "vif_type": "tap", "profile": profile})).expect("a binding")
}

/// A port of a server, with these fields different.
pub fn port(different: Value) -> Port {
    let mut port = json!({
        "id": PORT, "project_id": "p", "network_id": NETWORK, "name": "", "mac_address": "fa:16:3e:00:00:01", "admin_state_up": true,
        "status": "DOWN", "device_id": SERVER, "device_owner": "compute:nova", "ip_allocation": "immediate", "security_groups": [],
        "fixed_ips": [{"subnet_id": NETWORK, "ip_address": "10.0.0.5"}], "port_security_enabled": true, "binding": bound("h1", json!({})),
        "standard": {"created_at": 0, "updated_at": 0, "revision_number": 0},
    });
    for (name, value) in different.as_object().expect("fields") {
        port[name] = value.clone();
    }
    serde_json::from_value(port).expect("a port")
}
