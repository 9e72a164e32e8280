//! `availability_zones`: where DHCP and L3 agents are, as they say themselves (extensions `availability_zone` and
//! `availability_zone_filter`), and the hints by which networks and routers ask for zones.
//!
//! Zones are not records: one is there while an agent says so.

#[cfg(test)]
mod tests;

use api::rows::Rows;
use api::{Collection, Fault, Invalid, Kind, Listed, Request, python, schema};
use auth::Policy;
use model::{Agent, AgentType};
use net::AgentId;
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use world::World;

/// Name in bodies; the path may have hyphens.
pub const COLLECTION: &str = "availability_zones";
const FIELDS: [&str; 3] = ["state", "name", "resource"];
const ROWS: Rows = Rows { collection: COLLECTION, filters: &FIELDS, words: &[], sorts: &FIELDS, id: "name", form };

/// `availability_zone_hints` of a request.
pub const HINTS: Kind = Kind::Special { name: "availability_zone_hint_list", check: hints, form: || schema::list(schema::text(MAX_HINTS)) };
/// The longest list of hints, in characters of JSON.
const MAX_HINTS: usize = 255;

/// 404 `AvailabilityZoneNotFound`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownZone(pub SmolStr);

impl From<UnknownZone> for Fault {
    fn from(UnknownZone(zone): UnknownZone) -> Fault {
        Fault::new(404, "AvailabilityZoneNotFound", format!("AvailabilityZone {zone} could not be found."))
    }
}

/// Refuses hints at zones in which no agent of this type is.
pub fn check(world: &World, agent_type: AgentType, hints: &[SmolStr]) -> Result<(), UnknownZone> {
    let agents = || world.table::<Agent>().by(Agent::BY_TYPE, agent_type.as_str());
    let is_known = |zone: &SmolStr| agents().any(|agent| agent.availability_zone.as_ref() == Some(zone));
    hints.iter().find(|zone| !is_known(zone)).map_or(Ok(()), |zone| Err(UnknownZone(zone.clone())))
}

/// The zones of agents, in order, each once: `availability_zones` of a network or router.
pub fn of_agents<'w>(world: &'w World, agents: &[AgentId]) -> BTreeSet<&'w SmolStr> {
    agents.iter().filter_map(|id| world.get::<Agent>(id)?.availability_zone.as_ref()).collect()
}

fn hints(value: Value) -> Result<Value, Invalid> {
    let refuse = |reason: String| Err(Invalid::Reason(reason));
    let Value::Array(items) = &value else { return refuse(format!("'{}' is not a list", python::text(&value))) };
    let twice = |at: &usize| items[..*at].contains(&items[*at]);
    if let Some(at) = (0..items.len()).find(twice) {
        return refuse(format!("Duplicate items in the list: '{}'", python::text(&items[at])));
    }
    if let Some(other) = items.iter().find(|item| !item.is_string()) {
        return refuse(format!("'{}' is not a valid string", python::text(other)));
    }
    if value.to_string().chars().count() > MAX_HINTS {
        return Err(Invalid::Conversion("Too many availability_zone_hints specified".to_owned()));
    }
    Ok(value)
}

/// The collection, with its rule resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    Listed { rows: ROWS, rule: "get_availability_zone", is_own: false, all: zones, one: None }.collection(policy)
}

fn zones(_request: &Request<'_>, world: &World) -> Result<Vec<Map<String, Value>>, Fault> {
    Ok(all(world).iter().map(|((name, resource), is_up)| document([state(*is_up), name, resource])).collect())
}

/// Each zone with the resource that its agents serve; true when one of them is enabled.
fn all(world: &World) -> BTreeMap<(SmolStr, &'static str), bool> {
    let mut zones = BTreeMap::new();
    for agent in world.table::<Agent>().iter() {
        let (Some(zone), Some(resource)) = (&agent.availability_zone, agent.agent_type.scheduled_resource()) else { continue };
        *zones.entry((zone.clone(), resource)).or_insert(false) |= agent.admin_state_up;
    }
    zones
}

fn state(is_up: bool) -> &'static str {
    if is_up { "available" } else { "unavailable" }
}

fn form() -> Vec<(&'static str, Value)> {
    FIELDS.map(|name| (name, schema::text(255))).to_vec()
}

fn document(values: [&str; 3]) -> Map<String, Value> {
    FIELDS.into_iter().zip(values).map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}
