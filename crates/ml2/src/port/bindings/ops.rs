//! Create, update, activate and delete of bindings.

use super::BindingFault;
use crate::network::NetworkFault;
use crate::port::binding::{checked_profile, prepared, rebind};
use crate::port::eligible::check_host;
use crate::port::provisioning;
use api::{Fault, Op};
use model::{Binding, Network, Port, PortStatus, Standby, VifType, VnicType, device_owner};
use net::HostName;
use serde_json::{Map, Value};
use std::sync::Arc;
use world::World;

/// Prefix of shared file systems' ports.
const SHARED_FILE_SYSTEM: &str = "manila:";

/// What a request asks for.
#[derive(Clone, Default, Debug)]
pub(super) struct Asked {
    pub(super) host: Option<HostName>,
    pub(super) vnic_type: Option<VnicType>,
    pub(super) profile: Option<Map<String, Value>>,
}

/// The port with an id as a client wrote it, when it can have several bindings.
pub(super) fn find<'w>(world: &'w World, id: &str) -> Result<&'w Arc<Port>, BindingFault> {
    let port = id.parse().ok().and_then(|id| world.get::<Port>(&id)).ok_or_else(|| BindingFault::NoPort(id.to_owned()))?;
    let movable = [device_owner::COMPUTE_PREFIX, SHARED_FILE_SYSTEM];
    if movable.iter().any(|prefix| port.device_owner.starts_with(prefix)) { Ok(port) } else { Err(BindingFault::NotMovable(port.id)) }
}

fn open(op: &Op<'_>, id: &str) -> Result<(Port, Arc<Network>), Fault> {
    let port = Port::clone(find(op.tx.world(), id)?);
    let network = op.tx.get::<Network>(&port.network_id).cloned().ok_or(NetworkFault::NotFound(port.network_id))?;
    Ok((port, network))
}

fn close(op: &mut Op<'_>, mut port: Port) -> Port {
    if op.tx.get::<Port>(&port.id).is_some_and(|before| **before != port) {
        port.standard.touch(op.tx.context.now);
        op.tx.put(port.clone());
    }
    port
}

fn has(port: &Port, host: &HostName) -> bool {
    port.binding.host == *host || port.standby.iter().any(|standby| standby.binding.host == *host)
}

/// How the port is plugged by what is asked for; a host where nobody can do it is refused.
fn bind(op: &Op<'_>, port: &Port, network: &Network, asked: Binding) -> Result<Standby, Fault> {
    let host = asked.host.clone();
    check_host(op.tx.world(), port, &host)?;
    let binding = prepared(op.tx.world(), op.settings.get(), port, network, asked);
    if binding.vif_type == VifType::BindingFailed {
        return Err(BindingFault::Failed(port.id, host).into());
    }
    Ok(Standby { binding, prepared: false })
}

fn insert(port: &mut Port, standby: Standby) {
    let at = port.standby.partition_point(|there| there.binding.host < standby.binding.host);
    port.standby.insert(at, standby);
}

pub(super) fn create(op: &mut Op<'_>, id: &str, asked: &Asked) -> Result<Port, Fault> {
    let (mut port, network) = open(op, id)?;
    let host = asked.host.clone().unwrap_or_default();
    if has(&port, &host) {
        return Err(BindingFault::Exists(port.id, host).into());
    }
    let profile = checked_profile(asked.profile.clone().unwrap_or_default())?;
    let vnic_type = asked.vnic_type.unwrap_or(VnicType::Normal);
    let standby = bind(op, &port, &network, Binding { host, vnic_type, profile, ..Binding::default() })?;
    insert(&mut port, standby);
    Ok(close(op, port))
}

/// Binds anew when something changes, the active binding too.
pub(super) fn update(op: &mut Op<'_>, id: &str, host: &HostName, asked: &Asked) -> Result<Port, Fault> {
    let (mut port, network) = open(op, id)?;
    let is_active = port.binding.host == *host;
    let there = port.standby.iter().position(|standby| standby.binding.host == *host);
    let before = match there {
        Some(at) => port.standby[at].binding.clone(),
        None if is_active => port.binding.clone(),
        None => return Err(BindingFault::NotFound(port.id, host.clone()).into()),
    };
    let wanted = Binding {
        host: asked.host.clone().unwrap_or_else(|| host.clone()),
        vnic_type: asked.vnic_type.unwrap_or(before.vnic_type),
        profile: checked_profile(asked.profile.clone().unwrap_or_else(|| before.profile.clone()))?,
        ..Binding::default()
    };
    if wanted.host != *host && has(&port, &wanted.host) {
        return Err(BindingFault::Exists(port.id, wanted.host).into());
    }
    if (&wanted.host, wanted.vnic_type, &wanted.profile) == (&before.host, before.vnic_type, &before.profile) {
        return Ok(port);
    }
    let bound = bind(op, &port, &network, wanted)?;
    match there {
        Some(at) => {
            port.standby.remove(at);
            insert(&mut port, bound);
        }
        None => {
            port.binding = bound.binding;
            begin(op, &mut port, &network);
        }
    }
    Ok(close(op, port))
}

/// The port's status starts anew with a binding.
fn begin(op: &Op<'_>, port: &mut Port, network: &Network) {
    port.status = PortStatus::Down;
    provisioning::begin(op.tx.world(), port, network);
}

/// The port is on this host from now on. Its old host keeps a binding that is plugged nowhere, for who made it to remove.
pub(super) fn activate(op: &mut Op<'_>, id: &str, host: &HostName) -> Result<Port, Fault> {
    let (mut port, network) = open(op, id)?;
    if port.binding.host == *host {
        return Err(BindingFault::Active(port.id, host.clone()).into());
    }
    let at = port.standby.iter().position(|standby| standby.binding.host == *host);
    let at = at.ok_or_else(|| BindingFault::NotFound(port.id, host.clone()))?;
    let mut chosen = port.standby.remove(at).binding;
    if !chosen.is_bound() {
        chosen = bind(op, &port, &network, chosen)?.binding;
    }
    let Binding { host, vnic_type, profile, .. } = std::mem::replace(&mut port.binding, chosen);
    if !host.is_empty() {
        insert(&mut port, Standby { binding: Binding { host, vnic_type, profile, ..Binding::default() }, prepared: false });
    }
    begin(op, &mut port, &network);
    Ok(close(op, port))
}

/// Without its active binding a port is on no host.
pub(super) fn delete(op: &mut Op<'_>, id: &str, host: &HostName) -> Result<(), Fault> {
    let (mut port, network) = open(op, id)?;
    if port.binding.host == *host {
        port.binding = Binding { vnic_type: port.binding.vnic_type, ..Binding::default() };
        rebind(op.tx.world(), op.settings.get(), &mut port, &network);
    } else {
        let at = port.standby.iter().position(|standby| standby.binding.host == *host);
        port.standby.remove(at.ok_or_else(|| BindingFault::NotFound(port.id, host.clone()))?);
    }
    close(op, port);
    Ok(())
}
