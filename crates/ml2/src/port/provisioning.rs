//! From `DOWN` to `ACTIVE`: a bound port waits for its L2 agent and, where DHCP serves it, for the DHCP agent.
//!
//! These are the operations that agents' reports cause. Each is idempotent, and each bumps the port's revision number only when its status
//! changes: what is still waited for is the server's own business.

use crate::dhcp;
use api::Op;
use model::{Network, Port, PortStatus, Provisioning, device_owner};
use net::{HostName, NetworkId, PortId, SubnetId};
use std::sync::Arc;
use world::World;

/// What a port just bound (or unbound) waits for.
pub(super) fn begin(world: &World, port: &mut Port, network: &Network) {
    let bound = port.binding.is_bound();
    port.provisioning = Provisioning { l2: bound, dhcp: bound && waits_for_dhcp(world, port, network) };
}

/// What a port waits for whose addresses or MAC changed; its status stays, unless it waited for addresses that it has no more.
pub(super) fn readdressed(world: &World, port: &mut Port, network: &Network) {
    let waited = port.provisioning.dhcp;
    port.provisioning.dhcp = port.binding.is_bound() && waits_for_dhcp(world, port, network);
    if waited && !port.provisioning.dhcp {
        activate_when_done(port);
    }
}

/// Ports without an owner and of routers and DHCP servers do not wait for DHCP.
fn waits_for_dhcp(world: &World, port: &Port, network: &Network) -> bool {
    let exempt = matches!(
        port.device_owner.as_str(),
        "" | device_owner::ROUTER_INTERFACE
            | device_owner::ROUTER_INTERFACE_DISTRIBUTED
            | device_owner::HA_REPLICATED_INTERFACE
            | device_owner::ROUTER_GATEWAY
            | device_owner::ROUTER_SNAT
            | device_owner::ROUTER_HA
            | device_owner::DHCP
            | device_owner::FLOATING_IP
            | device_owner::AGENT_GATEWAY
    );
    let served = |id: SubnetId| world.get::<model::Subnet>(&id).is_some_and(|subnet| dhcp::serves(subnet));
    !exempt && dhcp::is_served(world, network) && port.fixed_ips.iter().any(|ip| served(ip.subnet_id))
}

fn change(op: &mut Op<'_>, id: PortId, with: impl FnOnce(&mut Port)) -> bool {
    let Some(port) = op.tx.get::<Port>(&id) else { return false };
    let before = Arc::clone(port);
    let mut port = Port::clone(&before);
    with(&mut port);
    if port == *before {
        return false;
    }
    if port.status != before.status {
        port.standard.touch(op.tx.context.now);
    }
    op.tx.put(port);
    true
}

fn is_bound_on(port: &Port, host: &HostName) -> bool {
    port.bound_host() == Some(host)
}

/// What a host says of a port that is on another one still.
fn prepared(port: &mut Port, host: &HostName, is_wired: bool) {
    if let Some(standby) = port.standby.iter_mut().find(|standby| standby.binding.is_bound() && standby.binding.host == *host) {
        standby.prepared = is_wired;
    }
}

fn activate_when_done(port: &mut Port) {
    if port.binding.is_bound() && port.admin_state_up && port.provisioning.is_done() {
        port.status = PortStatus::Active;
    }
}

/// The L2 agent of the port's host begins to wire it. True when something changed; a stale report changes nothing.
pub fn port_building(op: &mut Op<'_>, port: PortId, host: &HostName) -> bool {
    change(op, port, |port| {
        if is_bound_on(port, host) && port.admin_state_up && port.status != PortStatus::Active {
            port.status = PortStatus::Build;
        }
    })
}

/// The L2 agent of the port's host has wired it: `ACTIVE`, unless DHCP is still waited for.
pub fn port_wired(op: &mut Op<'_>, port: PortId, host: &HostName) -> bool {
    change(op, port, |port| {
        prepared(port, host, true);
        if is_bound_on(port, host) {
            port.provisioning.l2 = false;
            activate_when_done(port);
        }
    })
}

/// The port's device went away from its host, or it was taken down there: `DOWN`.
pub fn port_unwired(op: &mut Op<'_>, port: PortId, host: &HostName) -> bool {
    change(op, port, |port| {
        prepared(port, host, false);
        if is_bound_on(port, host) {
            port.provisioning.l2 = true;
            port.status = PortStatus::Down;
        }
    })
}

/// The L2 agent cannot wire the port: `ERROR` until it can.
pub fn port_failed(op: &mut Op<'_>, port: PortId, host: &HostName) -> bool {
    change(op, port, |port| {
        prepared(port, host, false);
        if is_bound_on(port, host) {
            port.provisioning.l2 = true;
            port.status = PortStatus::Error;
        }
    })
}

/// Ports of a network that wait for a DHCP server which has nothing to tell them any more wait no longer.
pub(crate) fn stop_waiting(op: &mut Op<'_>, network: NetworkId) {
    let world = op.tx.world().clone();
    let Some(network) = world.get::<Network>(&network) else { return };
    let ports = world.table::<Port>().by(Port::BY_NETWORK, network.id);
    let in_vain = ports.filter(|port| port.provisioning.dhcp && !waits_for_dhcp(&world, port, network)).map(|port| port.id);
    dhcp_ready(op, in_vain.collect::<Vec<_>>());
}

/// A DHCP agent knows these ports' addresses. Returns those that became `ACTIVE` or are no longer waited for.
pub fn dhcp_ready(op: &mut Op<'_>, ports: impl IntoIterator<Item = PortId>) -> Vec<PortId> {
    let mut changed = Vec::new();
    for id in ports {
        let done = change(op, id, |port| {
            if port.provisioning.dhcp {
                port.provisioning.dhcp = false;
                activate_when_done(port);
            }
        });
        if done {
            changed.push(id);
        }
    }
    changed
}
