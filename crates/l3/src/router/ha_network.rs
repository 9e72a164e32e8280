//! The network of a project's highly available routers (extension `l3-ha`): there as long as one of them is.
//!
//! It belongs to no project, so that only administrators see it. Deliberately absent: ports on it, by which hosts would agree on who
//! carries a router; one host does.

use api::{Fault, Fields, Op};
use ml2::{network, subnet};
use model::{Network, Port, Router};
use net::NetworkId;
use serde_json::{Value, json};

/// The addresses on it; the reference's default of `l3_ha_net_cidr`.
const CIDR: &str = "169.254.192.0/18";

/// Gives a router that is to be highly available the network of its project, which is made if it is not there.
pub(super) fn join(op: &mut Op<'_>, router: &mut Router) -> Result<(), Fault> {
    if !router.ha || router.ha_network_id.is_some_and(|id| op.tx.get::<Network>(&id).is_some()) {
        return Ok(());
    }
    let there = others(op, router).find(|id| op.tx.get::<Network>(id).is_some());
    router.ha_network_id = Some(match there {
        Some(id) => id,
        None => make(op, router)?,
    });
    Ok(())
}

/// Takes the network away with the last router that was on it, unless somebody has put ports there.
pub(super) fn leave(op: &mut Op<'_>, router: &Router) -> Result<(), Fault> {
    let Some(id) = router.ha_network_id else { return Ok(()) };
    let is_used = others(op, router).any(|other| other == id) || op.tx.table::<Port>().has(Port::BY_NETWORK, id);
    match op.tx.get::<Network>(&id).cloned() {
        Some(network) if !is_used => network::delete(op, &network),
        _ => Ok(()),
    }
}

/// The networks of the other routers of its project.
fn others(op: &Op<'_>, router: &Router) -> impl Iterator<Item = NetworkId> {
    let routers = op.tx.table::<Router>().by(Router::BY_PROJECT, &router.project_id);
    routers.filter(|other| other.id != router.id).filter_map(|other| other.ha_network_id)
}

fn make(op: &mut Op<'_>, router: &Router) -> Result<NetworkId, Fault> {
    let project = &router.project_id;
    let id = network::create(op, &fields(json!({"name": format!("HA network project {project}"), "project_id": ""})))?;
    let asked = json!({
        "name": format!("HA subnet project {project}"),
        "project_id": "",
        "network_id": id,
        "ip_version": 4,
        "cidr": CIDR,
        "enable_dhcp": false,
        "gateway_ip": null,
    });
    subnet::create(op, &fields(asked))?;
    Ok(id)
}

fn fields(asked: Value) -> Fields {
    let Value::Object(values) = asked else { return Fields::default() };
    Fields::new(values)
}
