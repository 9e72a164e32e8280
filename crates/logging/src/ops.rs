//! Create, update and delete of logs.

use crate::{LogFault, RESOURCE_TYPE};
use api::{Fault, Fields, Op};
use model::{Log, LogEvent, Port, Standard, VifType, VnicType};
use net::{LogId, PortId, ProjectId, SecurityGroupId};
use security_groups::group;
use std::sync::Arc;

pub(crate) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<LogId, Fault> {
    let resource_type = fields.text("resource_type").expect("a required attribute");
    if resource_type != RESOURCE_TYPE {
        return Err(LogFault::ResourceType(resource_type).into());
    }
    let resource_id = fields.typed::<Option<SecurityGroupId>>("resource_id").flatten();
    let target_id = fields.typed::<Option<PortId>>("target_id").flatten();
    check(op, resource_id, target_id)?;
    let id = LogId(op.tx.context.uuid());
    op.tx.put(Log {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        resource_id,
        target_id,
        event: fields.typed("event").unwrap_or(LogEvent::All),
        enabled: fields.bool("enabled").unwrap_or(true),
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    });
    Ok(id)
}

/// What is logged must be there for the caller, and belong together.
fn check(op: &Op<'_>, group: Option<SecurityGroupId>, port: Option<PortId>) -> Result<(), LogFault> {
    if let Some(group) = group {
        group::visible(op.tx.world(), op.caller, group).map_err(|_| LogFault::NoGroup(group))?;
    }
    let Some(id) = port else { return Ok(()) };
    let may = |port: &Arc<Port>| op.caller.is_admin || op.caller.roles.contains("service") || op.caller.owns(port.project_id.as_str());
    let port = op.tx.get::<Port>(&id).filter(|port| may(port)).ok_or(LogFault::NoPort(id))?;
    if !is_loggable(port) {
        return Err(LogFault::Unsupported(id));
    }
    match group.filter(|group| !port.security_groups.contains(group)) {
        Some(group) => Err(LogFault::NotInGroup(group, id)),
        None => Ok(()),
    }
}

/// True for ports whose packets a host can see.
fn is_loggable(port: &Port) -> bool {
    let binding = &port.binding;
    if binding.is_bound() { matches!(binding.vif_type, VifType::Tap | VifType::Bridge) } else { binding.vnic_type == VnicType::Normal }
}

pub(crate) fn update(op: &mut Op<'_>, log: &Arc<Log>, fields: &Fields) -> Result<(), Fault> {
    let mut new = Log::clone(log);
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(enabled) = fields.bool("enabled") {
        new.enabled = enabled;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if new != **log {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

pub(crate) fn delete(op: &mut Op<'_>, log: &Arc<Log>) -> Result<(), Fault> {
    op.tx.remove::<Log>(&log.id);
    Ok(())
}
