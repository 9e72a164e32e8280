//! The status of floating IPs, as L3 agents report it. Each operation is idempotent; a report of a host that does not carry the
//! floating IP's router changes nothing.

use crate::schedule::carrier_of;
use api::Op;
use model::{FloatingIp, FloatingIpStatus, Router};
use net::{FloatingIpId, HostName, RouterId};

/// The host carries it through the router. True when something changed.
pub fn floating_ip_realised(op: &mut Op<'_>, router: RouterId, id: FloatingIpId, host: &HostName) -> bool {
    change(op, router, id, host, FloatingIpStatus::Active)
}

/// The host cannot carry it.
pub fn floating_ip_failed(op: &mut Op<'_>, router: RouterId, id: FloatingIpId, host: &HostName) -> bool {
    change(op, router, id, host, FloatingIpStatus::Error)
}

/// The host carries it no more.
pub fn floating_ip_gone(op: &mut Op<'_>, router: RouterId, id: FloatingIpId, host: &HostName) -> bool {
    change(op, router, id, host, FloatingIpStatus::Down)
}

fn change(op: &mut Op<'_>, router: RouterId, id: FloatingIpId, host: &HostName, status: FloatingIpStatus) -> bool {
    let world = op.tx.world();
    let carries = world.get::<Router>(&router).is_some_and(|router| carrier_of(world, router) == Some(host));
    let Some(floating_ip) = world.get::<FloatingIp>(&id).filter(|f| carries && f.router_id == Some(router)) else { return false };
    if floating_ip.status == status {
        return false;
    }
    let now = op.tx.context.now;
    op.tx.update::<FloatingIp>(&id, |floating_ip| {
        floating_ip.status = status;
        floating_ip.standard.touch(now);
    })
}
