//! Ports that a service of the deployment makes for itself: a router's interfaces, a floating IP's address.
//!
//! They are ordinary ports without port security. Who made them keeps them: clients cannot delete them (see
//! [`crate::Dependent::port_delete`]).

use super::{Asked, allocate, blank, generate_mac, rebind};
use crate::dhcp;
use crate::network::NetworkFault;
use api::{Fault, Op};
use model::{Network, Port, PortStatus, Standard};
use net::{HostName, NetworkId, PortId, ProjectId};
use smol_str::SmolStr;

/// What such a port is to be.
#[derive(Clone, Debug)]
pub struct ServicePort<'a> {
    /// On which network.
    pub network_id: NetworkId,
    /// Its owner; empty for the deployment.
    pub project_id: ProjectId,
    /// What uses it.
    pub device_id: SmolStr,
    /// What kind of thing that is, `network:…`.
    pub device_owner: &'static str,
    /// Its addresses; none: one of each family.
    pub fixed_ips: Option<&'a [Asked]>,
    /// Its status before anybody wires it.
    pub status: PortStatus,
}

/// Makes the port, unbound.
pub fn create_service_port(op: &mut Op<'_>, wanted: &ServicePort<'_>) -> Result<PortId, Fault> {
    dhcp::schedule_new(op, wanted.network_id);
    let network = op.tx.get::<Network>(&wanted.network_id).cloned().ok_or(NetworkFault::NotFound(wanted.network_id))?;
    let world = op.tx.world().clone();
    let mac = generate_mac(world.table(), op.settings.get(), &mut op.tx.context.rng, network.id)?;
    let standard = Standard { revision_number: 1, ..Standard::new(op.tx.context.now, SmolStr::default()) };
    let mut port = blank(PortId(op.tx.context.uuid()), &network, wanted.project_id.clone(), mac, standard);
    port.device_id = wanted.device_id.clone();
    port.device_owner = SmolStr::new_static(wanted.device_owner);
    port.port_security_enabled = false;
    port.status = wanted.status;
    port.fixed_ips = allocate(&world, &mut op.tx.context.rng, &port, wanted.fixed_ips)?;
    let id = port.id;
    op.tx.put(port);
    Ok(id)
}

/// Gives the port these addresses; those that it has stay where they fit.
pub fn readdress_service_port(op: &mut Op<'_>, id: PortId, asked: &[Asked]) -> Result<(), Fault> {
    let world = op.tx.world().clone();
    let Some(port) = world.get::<Port>(&id) else { return Ok(()) };
    let fixed_ips = allocate(&world, &mut op.tx.context.rng, port, Some(asked))?;
    change(op, id, |port| port.fixed_ips = fixed_ips);
    Ok(())
}

/// Binds the port on a host, or takes it off any host. A port that is bound there stays as it is.
pub fn bind_service_port(op: &mut Op<'_>, id: PortId, host: Option<&HostName>) {
    let world = op.tx.world().clone();
    let Some(port) = world.get::<Port>(&id) else { return };
    if host == port.bound_host() && (host.is_some() || port.binding.host.is_empty()) {
        return;
    }
    let Some(network) = world.get::<Network>(&port.network_id) else { return };
    let mut bound = Port::clone(port);
    bound.binding.host = host.cloned().unwrap_or_default();
    rebind(&world, op.settings.get(), &mut bound, network);
    change(op, id, |port| *port = bound);
}

fn change(op: &mut Op<'_>, id: PortId, with: impl FnOnce(&mut Port)) {
    let now = op.tx.context.now;
    op.tx.update::<Port>(&id, |port| {
        let before = port.clone();
        with(port);
        if *port != before {
            port.standard.touch(now);
        }
    });
}
