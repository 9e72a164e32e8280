//! `distributed` and `ha`: how a router is to be carried (extensions `dvr` and `l3-ha`), as an administrator says.
//!
//! Kept, and shown by the owners of the ports of its interfaces. Deliberately absent: what hosts are told; one host carries a router
//! whatever is said here.

use super::interfaces;
use crate::ndp_proxy::BOOL_OR_NULL;
use api::{Addition, Attribute, Cell, Fault, Fields, Kind, Op};
use model::{Network, Port, Router, device_owner};
use net::PortId;
use smol_str::SmolStr;

type A = Attribute<Router>;

/// The attributes of routers.
pub(super) fn attributes() -> [A; 2] {
    [
        A::new("distributed", BOOL_OR_NULL, |v| Cell::Bool(v.record.distributed)).post().put().policy().of("dvr"),
        A::new("ha", BOOL_OR_NULL, |v| Cell::Bool(v.record.ha)).post().put().policy().of("l3-ha"),
    ]
}

/// For networks: that one is for routers that several hosts carry (extension `network_ha`). Routers make their own, and one that a client
/// calls so is like any other.
pub fn of_network() -> Addition<Network> {
    Addition::new(vec![Attribute::new("ha", Kind::Bool, |_| Cell::Bool(false)).post_or(false).hidden().of("network_ha")])
}

/// 400 `BadRequest`: a router that forwards is not changed under its users.
pub(super) enum Active {
    Distributed,
    Ha,
}

impl From<Active> for Fault {
    fn from(active: Active) -> Fault {
        let what = match active {
            Active::Distributed => "the 'distributed' attribute",
            Active::Ha => "HA attribute",
        };
        let message = format!(
            "Bad router request: Cannot change {what} of active routers. Please set router admin_state_up to False prior to upgrade."
        );
        Fault::new(400, "BadRequest", message)
    }
}

/// Takes what a request says into a new router.
pub(super) fn set(router: &mut Router, fields: &Fields) {
    router.distributed = fields.bool("distributed").unwrap_or(router.distributed);
    router.ha = fields.bool("ha").unwrap_or(router.ha);
}

/// The same of a router that is there, for `distributed` only if it was down before the request, too (extension
/// `router-admin-state-down-before-update`).
pub(super) fn change(op: &mut Op<'_>, before: &Router, new: &mut Router, fields: &Fields) -> Result<(), Active> {
    set(new, fields);
    if new.distributed != before.distributed && (before.admin_state_up || new.admin_state_up) {
        return Err(Active::Distributed);
    }
    if new.ha != before.ha && new.admin_state_up {
        return Err(Active::Ha);
    }
    let (former, owner) = (interface_owner(before), interface_owner(new));
    if former == owner {
        return Ok(());
    }
    let now = op.tx.context.now;
    let ports: Vec<PortId> = interfaces(op.tx.world(), new.id).filter(|port| port.device_owner == former).map(|port| port.id).collect();
    for port in ports {
        op.tx.update::<Port>(&port, |port| {
            port.device_owner = SmolStr::new_static(owner);
            port.standard.touch(now);
        });
    }
    Ok(())
}

/// The owner of the ports of a router's interfaces.
pub(super) fn interface_owner(router: &Router) -> &'static str {
    match (router.distributed, router.ha) {
        (true, _) => device_owner::ROUTER_INTERFACE_DISTRIBUTED,
        (false, true) => device_owner::HA_REPLICATED_INTERFACE,
        (false, false) => device_owner::ROUTER_INTERFACE,
    }
}
