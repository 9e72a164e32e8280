//! `agents`: the roles of hosts. They make themselves by reporting; the API shows, disables, describes and forgets them.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::AgentFault;
pub use ops::{AgentReport, agent_down, agent_up, report_agent};

use crate::Heartbeats;
use api::{Attribute, Cell, Enforcer, Fault, Invalid, Kind, Matcher, Narrow, Resource, Unenforced, View, schema};
use model::{Agent, AgentType};
use net::{AgentId, Timestamp};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::sync::Arc;
use world::World;

/// The resource. A create is refused with a fault of its own.
pub fn resource() -> Resource<Agent> {
    Resource {
        attributes: attributes(),
        create: Some(|_, _| Err(AgentFault::CreatedByReport.into())),
        update: Some(ops::update),
        delete: Some(ops::delete),
        narrow: vec![("host", Narrow::Text(Agent::BY_HOST)), ("agent_type", Narrow::By(of_named_type))],
        ..Resource::new("agent", "agents", "AgentNotFound", |id| format!("Agent {id} could not be found."))
    }
}

/// The agent with an id as a client wrote it.
pub fn find<'w>(world: &'w World, id: &str) -> Result<&'w Arc<Agent>, AgentFault> {
    id.parse().ok().and_then(|id| world.get::<Agent>(&id)).ok_or_else(|| AgentFault::NotFound(id.to_owned()))
}

/// The id that the body of a request to schedule something by hand must have.
pub fn required(body: &Map<String, Value>, name: &str) -> Result<String, Fault> {
    let missing = || Fault::bad_request(format!("Failed to parse request. Required attribute '{name}' not specified"));
    match Kind::Uuid.check(body.get(name).cloned().ok_or_else(missing)?) {
        Ok(id) => Ok(id.as_str().unwrap_or_default().to_owned()),
        Err(invalid) => Err(invalid.fault(name)),
    }
}

type A = Attribute<Agent>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("agent_type", Kind::Text(255), |v| Cell::Str(v.record.agent_type.as_str())).filter_by(of_type).sort(),
        A::new("binary", Kind::Text(255), |v| Cell::Str(&v.record.binary)).filter().sort(),
        A::new("topic", Kind::Text(255), |v| Cell::Str(&v.record.topic)).filter().sort(),
        A::new("host", Kind::Text(255), |v| Cell::Str(v.record.host.as_str())).filter().sort(),
        A::new("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).put().filter().sort(),
        A::new("created_at", Kind::Text(32), |v| time(v.record.created_at)).sort(),
        A::new("started_at", Kind::Text(32), |v| time(v.record.started_at)).sort(),
        A::new("heartbeat_timestamp", Kind::Text(32), heartbeat).sort(),
        A::new("description", Kind::TextOrNull(255), |v| Cell::optional(v.record.description.as_deref(), Cell::Str)).put().filter().sort(),
        A::new("configurations", Kind::ObjectOrNull, configurations),
        A::new("availability_zone", Kind::TextOrNull(255), |v| Cell::optional(v.record.availability_zone.as_deref(), Cell::Str)).filter(),
        // Whether a resource provider was told to Placement; no agent reports what there would be to tell.
        A::new("resources_synced", Kind::Bool, |_| Cell::Null).shown_as(|| schema::nullable(schema::boolean())),
        A::new("alive", Kind::Bool, |v| Cell::Bool(v.record.alive)).filter().sort(),
    ]
}

fn time<'a>(at: Timestamp) -> Cell<'a> {
    Cell::Text(SmolStr::new(at.with_space()))
}

/// When it was last heard; after a start of the server and before the first heartbeat, when its process started.
fn heartbeat<'a>(view: &View<'a, Agent>) -> Cell<'a> {
    time(view.settings.get::<Heartbeats>().last(view.record.id).unwrap_or(view.record.started_at))
}

/// What it says of itself, and what this server accepts though it does not enforce it.
fn configurations<'a>(view: &View<'a, Agent>) -> Cell<'a> {
    let agent = view.record;
    let lacking = enforcer(agent.agent_type).zip(view.settings.find::<Unenforced>());
    let lacking = lacking.map_or_else(Vec::new, |(enforcer, unenforced)| unenforced.by(enforcer, &agent.enforces));
    if lacking.is_empty() {
        return Cell::Json(&agent.configurations);
    }
    let mut configurations = agent.configurations.clone();
    configurations.insert("not_enforced".to_owned(), lacking.into());
    Cell::made(configurations)
}

fn enforcer(agent_type: AgentType) -> Option<Enforcer> {
    match agent_type {
        AgentType::LinuxBridge | AgentType::OpenVSwitch => Some(Enforcer::L2),
        AgentType::L3 => Some(Enforcer::L3),
        AgentType::Dhcp | AgentType::Metadata => None,
    }
}

/// Clients write "DHCP Agent" as well as "DHCP agent".
fn of_type(values: &[&str]) -> Result<Matcher<Agent>, Invalid> {
    let fits = |known: &&AgentType| values.iter().any(|value| known.as_str().eq_ignore_ascii_case(value));
    let types: Vec<AgentType> = AgentType::ALL.iter().filter(fits).copied().collect();
    Ok(Box::new(move |view| types.contains(&view.record.agent_type)))
}

/// Of a type, in any case of letters.
fn of_named_type(world: &World, name: &str) -> Option<Vec<AgentId>> {
    let types = AgentType::ALL.iter().filter(|known| known.as_str().eq_ignore_ascii_case(name));
    Some(types.flat_map(|known| world.table::<Agent>().ids(Agent::BY_TYPE, known.as_str()).copied()).collect())
}
