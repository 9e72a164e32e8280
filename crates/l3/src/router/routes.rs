//! Extra routes of a router.

use super::{RouterFault, ports, subnets_of};
use crate::Config;
use api::{Fault, Invalid, Op, Outcome, refuse_unknown, schema, unwrap};
use ml2::subnet::HOST_ROUTES;
use model::{HostRoute, Router};
use net::RouterId;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A next hop must be on a subnet in which the router has an address, and not be the router itself.
pub(super) fn validate(op: &Op<'_>, id: RouterId, routes: &[HostRoute]) -> Result<(), RouterFault> {
    let limit = op.settings.get::<Config>().max_routes;
    if routes.len() > limit {
        return Err(RouterFault::TooManyRoutes(id, limit));
    }
    let world = op.tx.world();
    for route in routes {
        let is_connected = ports(world, id).any(|port| subnets_of(world, port).any(|subnet| subnet.cidr.contains(&route.nexthop)));
        if !is_connected {
            return Err(RouterFault::InvalidRoutes(routes.to_vec(), "the nexthop is not connected with router"));
        }
        if ports(world, id).any(|port| port.fixed_ips.iter().any(|ip| ip.ip_address == route.nexthop)) {
            return Err(RouterFault::InvalidRoutes(routes.to_vec(), "the nexthop is used by router"));
        }
    }
    Ok(())
}

/// Adds the routes that are not there yet.
pub(super) fn add(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let mut routes = router.routes.clone();
    for route in asked(body)? {
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    validate(op, router.id, &routes)?;
    replace(op, router, routes)
}

/// Takes the routes away that are there.
pub(super) fn remove(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let gone = asked(body)?;
    replace(op, router, router.routes.iter().filter(|route| !gone.contains(route)).copied().collect())
}

/// The body of both actions.
pub(super) fn form() -> Value {
    schema::wrapped("router", schema::wrapped("routes", HOST_ROUTES.schema()))
}

fn asked(body: &Map<String, Value>) -> Result<Vec<HostRoute>, Fault> {
    let mut router = unwrap(&mut body.clone(), "router")?;
    let routes = router.remove("routes").unwrap_or_default();
    refuse_unknown(router.keys())?;
    let routes = HOST_ROUTES.check(routes).map_err(|invalid: Invalid| invalid.fault("routes"))?;
    Ok(serde_json::from_value(routes).expect("the canonical form of routes is their serde form"))
}

fn replace(op: &mut Op<'_>, router: &Router, routes: Vec<HostRoute>) -> Result<Outcome, Fault> {
    let now = op.tx.context.now;
    if routes != router.routes {
        op.tx.update::<Router>(&router.id, |router| {
            router.routes = routes;
            router.standard.touch(now);
        });
    }
    Ok(Outcome::Record)
}
