//! The logging API: logs tell which packets of security groups passed, and which did not.
//!
//! [`resource`] is `log/logs`, [`loggable`] says of what there can be logs. Logs of a security group or port that goes, go with it:
//! [`of_group`], [`of_port`].
//!
//! Deliberately absent: telling, which is the hosts'; and logs of anything but security groups.

mod ops;
#[cfg(test)]
mod tests;

use api::rows::Rows;
use api::{
    Addition, Attribute, Cell, Collection, Concerning, Enforcer, Extension, Fault, Kind, Listed, Missing, Narrow, Op, Preview, Request,
    Resource, schema,
};
use auth::Policy;
use model::{Log, Port, SecurityGroup};
use net::{LogId, PortId, SecurityGroupId};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::sync::Arc;
use world::World;

/// Path below `/v2.0` of [`loggable`].
pub const LOGGABLE: &str = "log/loggable_resources";

/// What there can be logs of.
const RESOURCE_TYPE: &str = "security_group";

/// For the registry. Hosts tell nothing yet.
pub fn preview() -> Preview {
    let extension = Extension {
        name: "Logging API Extension",
        alias: "logging",
        description: "Logs of packets that pass security groups, or do not.",
        updated: "2017-01-01T10:00:00-00:00",
    };
    Preview { extension, missing: Some(Missing { by: Enforcer::L2, what: "no packet is logged" }) }
}

/// Why an operation on a log was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogFault {
    /// 400 `InvalidLogResourceType`.
    ResourceType(SmolStr),
    /// 404 `ResourceNotFound`: the security group is not there, or not visible to the caller.
    NoGroup(SecurityGroupId),
    /// 404 `TargetResourceNotFound`: nor is the port.
    NoPort(PortId),
    /// 409 `LoggingTypeNotSupported`: the port is of a kind that no host can log.
    Unsupported(PortId),
    /// 400 `InvalidResourceConstraint`: the port is not in the security group.
    NotInGroup(SecurityGroupId, PortId),
}

impl From<LogFault> for Fault {
    fn from(fault: LogFault) -> Fault {
        let (status, kind, message) = match fault {
            LogFault::ResourceType(word) => (400, "InvalidLogResourceType", format!("Invalid log resource_type: {word}.")),
            LogFault::NoGroup(id) => (404, "ResourceNotFound", format!("Resource {id} could not be found.")),
            LogFault::NoPort(id) => (404, "TargetResourceNotFound", format!("Target resource {id} could not be found.")),
            LogFault::Unsupported(port) => {
                (409, "LoggingTypeNotSupported", format!("Logging type {RESOURCE_TYPE} is not supported on port {port}."))
            }
            LogFault::NotInGroup(group, port) => {
                let message =
                    format!("Invalid resource constraint between resource ({RESOURCE_TYPE} {group}) and target resource (port {port}).");
                (400, "InvalidResourceConstraint", message)
            }
        };
        Fault::new(status, kind, message)
    }
}

/// `log/logs`.
pub fn resource() -> Resource<Log> {
    Resource {
        prefix: "log",
        extension: Some("logging"),
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow: vec![
            ("project_id", Narrow::Text(Log::BY_PROJECT)),
            ("resource_id", Narrow::Id(Log::BY_RESOURCE)),
            ("target_id", Narrow::Id(Log::BY_TARGET)),
        ],
        concerning: Some(Concerning::Own(Log::BY_PROJECT)),
        revision_number: Some(|log| log.standard.revision_number),
        ..Resource::new("log", "logs", "LogResourceNotFound", |id| format!("Log resource {id} could not be found."))
    }
}

type A = Attribute<Log>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("resource_type", Kind::Text(255), |_| Cell::Str(RESOURCE_TYPE)).required().filter().sort(),
        A::new("resource_id", Kind::UuidOrNull, |v| Cell::optional(v.record.resource_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .filter()
            .sort(),
        A::new("target_id", Kind::UuidOrNull, |v| Cell::optional(v.record.target_id, |id| Cell::Uuid(id.0)))
            .post_or(Value::Null)
            .filter()
            .sort(),
        A::new("event", Kind::Word(&["ACCEPT", "DROP", "ALL"]), |v| Cell::Str(v.record.event.as_str())).post_or("ALL").filter(),
        A::new("enabled", Kind::Bool, |v| Cell::Bool(v.record.enabled)).post_or(true).put().filter().sort(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())).filter(),
    ]
}

/// For security groups: one that goes takes its logs with it.
pub fn of_group() -> Addition<SecurityGroup> {
    Addition::new(Vec::new()).before_delete(|op, group| {
        let logs: Vec<LogId> = op.tx.table::<Log>().ids(Log::BY_RESOURCE, group.id).copied().collect();
        remove(op, logs);
        Ok(())
    })
}

/// For ports: the same.
pub fn of_port() -> Addition<Port> {
    Addition::new(Vec::new()).before_delete(|op, port| {
        let logs: Vec<LogId> = op.tx.table::<Log>().ids(Log::BY_TARGET, port.id).copied().collect();
        remove(op, logs);
        Ok(())
    })
}

fn remove(op: &mut Op<'_>, logs: Vec<LogId>) {
    for log in logs {
        op.tx.remove::<Log>(&log);
    }
}

/// `log/loggable-resources`, with its rule resolved.
pub fn loggable(policy: &mut Policy) -> Arc<dyn Collection> {
    let form = || vec![("type", schema::text(255))];
    let rows = Rows { collection: "loggable_resources", filters: &[], words: &[], sorts: &["type"], id: "type", form };
    let all = |_: &Request<'_>, _: &World| Ok(vec![Map::from_iter([("type".to_owned(), RESOURCE_TYPE.into())])]);
    Listed { rows, rule: "get_loggable_resource", is_own: false, all, one: None }.collection(policy)
}
