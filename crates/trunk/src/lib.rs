//! Trunks: one port of an instance, the parent, through which the networks of other ports, the subports, are reached by VLAN tags.
//!
//! [`resource`] is the API; [`of_port`] shows ports what they carry, and keeps ports of trunks from being deleted.
//!
//! Deliberately absent: what hosts are told. The status is `DOWN` as long as nobody wires trunks.

mod extensions;
mod fault;
mod ops;
mod port;
mod sub_ports;
#[cfg(test)]
mod tests;

pub use extensions::previews;
pub use fault::TrunkFault;
pub use port::of_port;

use api::{Action, Attribute, Cell, Concerning, Kind, Look, Narrow, Quota, Resource, schema};
use auth::Caller;
use model::{Network, Port, Trunk};
use net::PortId;
use serde_json::json;
use std::sync::Arc;
use world::World;

/// The resource.
pub fn resource() -> Resource<Trunk> {
    let not_found = |id: &str| format!("Trunk {id} could not be found.");
    Resource {
        extension: Some("trunk"),
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        actions: vec![
            Action { name: "add_subports", takes: || schema::wrapped("sub_ports", sub_ports::form()), run: ops::add_subports },
            Action { name: "remove_subports", takes: || schema::wrapped("sub_ports", sub_ports::form()), run: ops::remove_subports },
        ],
        looks: vec![Look { name: "get_subports", run: |view| json!({ "sub_ports": view.record.sub_ports }) }],
        narrow: vec![("project_id", Narrow::Text(Trunk::BY_PROJECT)), ("port_id", Narrow::Id(Trunk::BY_PORT))],
        concerning: Some(Concerning::Own(Trunk::BY_PROJECT)),
        quota: Some(Quota { default: -1, by_project: Trunk::BY_PROJECT }),
        revision_number: Some(|trunk| trunk.standard.revision_number),
        ..Resource::new("trunk", "trunks", "TrunkNotFound", not_found)
    }
    .tagged()
}

type A = Attribute<Trunk>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).post_or(true).put().filter().sort(),
        A::new("port_id", Kind::Uuid, |v| Cell::Uuid(v.record.port_id.0)).required().filter().sort(),
        A::new("status", Kind::Text(16), |v| Cell::Str(v.record.status.as_str())).filter().sort(),
        A::new("sub_ports", sub_ports::SUB_PORTS, |v| Cell::Json(&v.record.sub_ports)).post_or(json!([])).policy(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

/// The port, when the caller may know of it: its own, one on its networks, or any for administrators and services.
fn visible_port<'w>(world: &'w World, caller: &Caller, id: PortId) -> Result<&'w Arc<Port>, TrunkFault> {
    let port = world.get::<Port>(&id).ok_or(TrunkFault::PortNotFound(id))?;
    let on_own_network = || world.get::<Network>(&port.network_id).is_some_and(|network| caller.owns(network.project_id.as_str()));
    let may = caller.is_admin || caller.roles.contains("service") || caller.owns(port.project_id.as_str()) || on_own_network();
    if may { Ok(port) } else { Err(TrunkFault::PortNotFound(id)) }
}
