//! `routers/{id}/conntrack_helpers`: protocols of applications whose further connections (data of FTP, answers of TFTP) a router is to let
//! pass with those that announce them (extension `l3-conntrack-helper`), shown with the router (`expose-l3-conntrack-helper`).
//!
//! Whether a kernel has a helper says the host that carries the router. Deliberately absent: what becomes of connections that are there:
//! a helper comes to new ones.

mod ops;
#[cfg(test)]
mod tests;

pub(crate) use ops::forget;

use api::{Addition, Attribute, Cell, Fault, Fields, Invalid, Kind, Narrow, Parent, Resource, View, python, schema};
use auth::Caller;
use model::{ConntrackHelper, Router};
use net::{ProjectId, RouterId};
use serde::Serialize;
use serde_json::Value;
use world::World;

/// The extension, and the one that shows helpers with their router.
pub(crate) const ALIAS: &str = "l3-conntrack-helper";
pub(crate) const EXPOSED: &str = "expose-l3-conntrack-helper";

/// The resource; registered below [`parent`].
pub fn resource() -> Resource<ConntrackHelper> {
    let not_found = |id: &str| format!("Conntrack Helper {id} could not be found.");
    Resource {
        extension: Some(ALIAS),
        rules: "router_conntrack_helper",
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(ops::create),
        update: Some(ops::update),
        delete: Some(ops::delete),
        parent_project: |view, _| Some(&view.world.get::<Router>(&view.record.router_id)?.project_id),
        parent_project_of,
        narrow: vec![("router_id", Narrow::Id(ConntrackHelper::BY_ROUTER))],
        ..Resource::new("conntrack_helper", "conntrack_helpers", "ConntrackHelperNotFound", not_found)
    }
}

/// Where it is registered: below routers.
pub fn parent() -> Parent<ConntrackHelper> {
    Parent { collection: "routers", attribute: "router_id", of: |helper| helper.router_id.0, check, check_create: check }
}

fn parent_project_of<'a>(world: &'a World, fields: &Fields, _parent: &str) -> Option<&'a ProjectId> {
    Some(&world.get::<Router>(&fields.typed("router_id")?)?.project_id)
}

fn check(world: &World, caller: &Caller, id: &str) -> Result<(), Fault> {
    let router = id.parse::<RouterId>().ok().and_then(|id| world.get::<Router>(&id));
    let may = |router: &Router| caller.is_admin || caller.roles.contains("service") || caller.owns(router.project_id.as_str());
    match router.filter(|router| may(router)) {
        Some(_) => Ok(()),
        None => Err(Fault::new(404, "RouterNotFound", format!("Router {id} could not be found"))),
    }
}

type A = Attribute<ConntrackHelper>;

fn attributes() -> Vec<A> {
    let protocol = Kind::Special { name: "protocol_name", check: protocol, form: || schema::text(40) };
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("router_id", Kind::Uuid, |v| Cell::Uuid(v.record.router_id.0)).required().filter().hidden(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().hidden(),
        A::new("protocol", protocol, |v| Cell::Str(&v.record.protocol)).required().put().filter().sort(),
        A::new("port", Kind::IntRange(1, 65_535), |v| Cell::Int(v.record.port.into())).required().put().filter().sort(),
        A::new("helper", Kind::Text(64), |v| Cell::Str(&v.record.helper)).required().put().filter().sort(),
    ]
}

/// Any word in lower case: which protocols there are for a helper says the helper.
fn protocol(value: Value) -> Result<Value, Invalid> {
    match &value {
        Value::String(word) if word.len() <= 40 && !word.is_empty() => Ok(word.to_lowercase().into()),
        other => Err(Invalid::Reason(format!("'{}' is not the name of a protocol", python::text(other)))),
    }
}

/// For routers: their helpers.
pub fn of_router() -> Addition<Router> {
    let kind = Kind::Special { name: "conntrack_helpers", check: Ok, form: || schema::list(schema::dictionary()) };
    Addition::new(vec![Attribute::new("conntrack_helpers", kind, shown).of(EXPOSED)])
}

/// A helper as its router shows it.
#[derive(Serialize)]
struct Embedded<'a> {
    protocol: &'a str,
    port: u16,
    helper: &'a str,
}

fn shown<'a>(view: &View<'a, Router>) -> Cell<'a> {
    let helpers = view.world.table::<ConntrackHelper>().by(ConntrackHelper::BY_ROUTER, view.record.id);
    let embedded =
        |helper: &'a std::sync::Arc<ConntrackHelper>| Embedded { protocol: &helper.protocol, port: helper.port, helper: &helper.helper };
    Cell::made(helpers.map(embedded).collect::<Vec<Embedded<'_>>>())
}
