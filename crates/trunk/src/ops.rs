//! Create, update and delete of trunks; their subports come and go.

use crate::sub_ports::{SUB_PORTS, port_id, resolve};
use crate::{TrunkFault, visible_port};
use api::{Fault, Fields, Invalid, Op, Outcome};
use model::{Port, Standard, Trunk, TrunkStatus};
use net::{PortId, ProjectId, TrunkId};
use serde_json::{Map, Value};
use std::sync::Arc;

pub(crate) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<TrunkId, Fault> {
    let port_id: PortId = fields.typed("port_id").expect("a required attribute");
    let trunks = op.tx.table::<Trunk>();
    if trunks.has(Trunk::BY_SUB_PORT, port_id) {
        return Err(TrunkFault::IsSubPort(port_id).into());
    }
    let is_parent = trunks.has(Trunk::BY_PORT, port_id);
    if is_parent || !is_movable(visible_port(op.tx.world(), op.caller, port_id)?) {
        return Err(TrunkFault::NoParent(port_id).into());
    }
    let id = TrunkId(op.tx.context.uuid());
    let sub_ports = resolve(op, id, port_id, &[], fields.get("sub_ports").unwrap_or(&Value::Null))?;
    op.tx.put(Trunk {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        admin_state_up: fields.bool("admin_state_up").unwrap_or(true),
        port_id,
        status: TrunkStatus::Down,
        sub_ports,
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    });
    Ok(id)
}

/// A port can become a parent, or cease to be one, where it is on no host or on one that carries it.
fn is_movable(port: &Port) -> bool {
    port.binding.host.is_empty() || port.binding.is_bound()
}

pub(crate) fn update(op: &mut Op<'_>, trunk: &Arc<Trunk>, fields: &Fields) -> Result<(), Fault> {
    let mut new = Trunk::clone(trunk);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(up) = fields.bool("admin_state_up") {
        new.admin_state_up = up;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    put(op, trunk, new);
    Ok(())
}

/// Puts what changed.
fn put(op: &mut Op<'_>, before: &Trunk, mut new: Trunk) {
    if new != *before {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
}

fn check_enabled(trunk: &Trunk) -> Result<(), TrunkFault> {
    if trunk.admin_state_up { Ok(()) } else { Err(TrunkFault::Disabled(trunk.id)) }
}

/// The ports stay.
pub(crate) fn delete(op: &mut Op<'_>, trunk: &Arc<Trunk>) -> Result<(), Fault> {
    check_enabled(trunk)?;
    if op.tx.get::<Port>(&trunk.port_id).is_some_and(|port| !is_movable(port)) {
        return Err(TrunkFault::InUse(trunk.id).into());
    }
    op.tx.remove::<Trunk>(&trunk.id);
    Ok(())
}

/// The subports that the body of an action names.
fn named(body: &Map<String, Value>) -> Result<Value, Fault> {
    let asked = body.get("sub_ports").cloned().unwrap_or_default();
    SUB_PORTS.check(asked).map_err(|invalid| match invalid {
        Invalid::Reason(reason) | Invalid::Conversion(reason) => Fault::invalid_input(reason),
    })
}

pub(crate) fn add_subports(op: &mut Op<'_>, trunk: &Arc<Trunk>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let asked = named(body)?;
    let sub_ports = resolve(op, trunk.id, trunk.port_id, &trunk.sub_ports, &asked)?;
    check_enabled(trunk)?;
    if trunk.status == TrunkStatus::Error {
        return Err(TrunkFault::InError(trunk.id).into());
    }
    put(op, trunk, Trunk { sub_ports, status: TrunkStatus::Down, ..Trunk::clone(trunk) });
    Ok(Outcome::Bare)
}

pub(crate) fn remove_subports(op: &mut Op<'_>, trunk: &Arc<Trunk>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    check_enabled(trunk)?;
    let asked = named(body)?;
    let mut new = Trunk { status: TrunkStatus::Down, ..Trunk::clone(trunk) };
    for port in asked.as_array().into_iter().flatten().filter_map(port_id) {
        let at = new.sub_ports.iter().position(|there| there.port_id == port);
        new.sub_ports.remove(at.ok_or(TrunkFault::SubPortNotFound(trunk.id, port))?);
    }
    put(op, trunk, new);
    Ok(Outcome::Bare)
}
