//! Binding: which host a port is on, and how a mechanism driver plugs it there.

use super::{PortFault, object};
use crate::Config;
use crate::drivers::MECHANISM_DRIVERS;
use crate::port::provisioning;
use api::{Cell, Fault, Fields, View};
use model::{Binding, Network, Port, PortStatus, VifType, VnicType};
use net::HostName;
use serde_json::{Map, Value, json};
use world::World;

/// The longest `binding:profile`, in characters of JSON.
const MAX_PROFILE: usize = 4095;

/// What a request asks for: the binding's host, VNIC type and profile. Returns true when any of them changes.
pub(super) fn request(port: &mut Port, fields: &Fields) -> Result<bool, Fault> {
    let before = port.binding.clone();
    if fields.has("binding:host_id") {
        port.binding.host = HostName(fields.text("binding:host_id").unwrap_or_default());
        port.standby.retain(|standby| standby.binding.host != port.binding.host);
    }
    if let Some(vnic_type) = fields.text("binding:vnic_type").and_then(|word| VnicType::from_word(&word)) {
        if vnic_type != before.vnic_type && before.is_bound() {
            return Err(PortFault::InUse(port.id, port.network_id, port.device_id.clone()).into());
        }
        port.binding.vnic_type = vnic_type;
    }
    if let Some(profile) = object(fields, "binding:profile") {
        port.binding.profile = checked_profile(profile)?;
    }
    Ok(before != port.binding)
}

/// What the device of a new port must do of the forwarding is among the capabilities that Nova looks for.
pub(super) fn require_offload(port: &mut Port) -> Result<(), PortFault> {
    let Some(offload) = &port.hardware_offload_type else { return Ok(()) };
    let offload = Value::from(offload.as_str());
    let mut profile = port.binding.profile.clone();
    let capabilities = profile.entry("capabilities").or_insert_with(|| json!([]));
    match capabilities {
        Value::Array(there) if there.contains(&offload) => {}
        Value::Array(there) => there.push(offload),
        other => *other = json!([offload]),
    }
    port.binding.profile = checked_profile(profile)?;
    Ok(())
}

/// The profile with what an administrator said of the port's device.
pub(super) fn shown_profile<'a>(view: &View<'a, Port>) -> Cell<'a> {
    let profile = &view.record.binding.profile;
    let Some(trusted) = view.record.trusted else { return Cell::Json(profile) };
    let mut whole = profile.clone();
    whole.insert("trusted".to_owned(), trusted.into());
    Cell::made(whole)
}

/// Refuses a profile that is too large.
pub(super) fn checked_profile(profile: Map<String, Value>) -> Result<Map<String, Value>, PortFault> {
    let length = Value::Object(profile.clone()).to_string().chars().count();
    if length > MAX_PROFILE { Err(PortFault::ProfileTooLarge) } else { Ok(profile) }
}

/// How the port would be plugged by what a binding asks for: host, VNIC type and profile.
pub(super) fn prepared(world: &World, config: &Config, port: &Port, network: &Network, asked: Binding) -> Binding {
    let mut there = Port { binding: asked, ..port.clone() };
    rebind(world, config, &mut there, network);
    there.binding
}

/// Binds the port anew by what its binding asks for: its status starts from `DOWN` again. A port that no driver can bind
/// is `binding_failed`, which is an answer and not a fault.
pub(crate) fn rebind(world: &World, config: &Config, port: &mut Port, network: &Network) {
    let asked = &port.binding;
    let (host, vnic_type, profile) = (asked.host.clone(), asked.vnic_type, asked.profile.clone());
    port.binding = Binding { host, vnic_type, profile, ..Binding::default() };
    port.status = PortStatus::Down;
    if port.binding.host.is_empty() {
        provisioning::begin(world, port, network);
        return;
    }
    let bound = MECHANISM_DRIVERS.iter().find_map(|driver| Some((driver.name(), driver.bind(world, config, port, network)?)));
    match bound {
        None => port.binding.vif_type = VifType::BindingFailed,
        Some((name, bound)) => {
            port.binding.vif_type = bound.vif_type;
            port.binding.vif_details = bound.vif_details;
            port.binding.vif_details.insert("bound_drivers".to_owned(), json!({"0": name}));
            port.binding.segment = Some(bound.segment);
            port.binding.driver = Some(name.into());
        }
    }
    provisioning::begin(world, port, network);
}
