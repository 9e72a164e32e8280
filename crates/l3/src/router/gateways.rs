//! Several gateways of a router (extension `external-gateway-multihoming`): `external_gateways`, the actions that change it, and by
//! which of them packets leave that go nowhere else (`enable-default-route-ecmp`, `enable-default-route-bfd`).
//!
//! Several may be on one external network: which of them is meant is said by an address. Each hides what leaves by it; the floating IPs
//! of a network are the first's there.

use super::kinds::{AskedGateway, GATEWAY};
use super::{GatewayInfo, gateway, info};
use crate::Config;
use crate::ndp_proxy::{self, BOOL_OR_NULL};
use crate::schedule::schedule;
use api::{Attribute, Cell, Fault, Fields, Invalid, Op, Outcome, View, python, refuse_unknown, schema, unwrap};
use model::{Gateway, Port, Router};
use net::RouterId;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::Arc;

/// Gateways of one router at most: addresses outside are few.
const MOST: usize = 16;

/// Why gateways were not changed.
enum Refused {
    /// 400 `BadRequest`.
    TooMany,
    /// 409 `UnableToRemoveGateways`: there is none.
    None(RouterId),
    /// 409 `UnableToMatchGateways`: there is none like this, or there are several.
    Unmatched(RouterId),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        match refused {
            Refused::TooMany => Fault::new(400, "BadRequest", format!("Bad router request: A router has {MOST} gateways at most.")),
            Refused::None(id) => Fault::new(409, "UnableToRemoveGateways", format!("Unable to remove extra gateways from a router {id}")),
            Refused::Unmatched(id) => {
                let message = format!("Unable to match a requested gateway port to existing gateway ports for router {id}");
                Fault::new(409, "UnableToMatchGateways", message)
            }
        }
    }
}

/// What an administrator says of routes by the gateways.
pub(super) fn attributes() -> [Attribute<Router>; 2] {
    let ecmp = Attribute::<Router>::new("enable_default_route_ecmp", BOOL_OR_NULL, |v| Cell::Bool(v.record.enable_default_route_ecmp));
    let bfd = Attribute::<Router>::new("enable_default_route_bfd", BOOL_OR_NULL, |v| Cell::Bool(v.record.enable_default_route_bfd));
    [ecmp, bfd].map(|attribute| attribute.post().put().policy())
}

/// Takes what a request says of it into a new router; what it does not say is as the operator has it.
pub(super) fn set(op: &Op<'_>, router: &mut Router, fields: &Fields) {
    let config = op.settings.get::<Config>();
    router.enable_default_route_ecmp = config.enable_default_route_ecmp;
    router.enable_default_route_bfd = config.enable_default_route_bfd;
    change(router, fields);
}

/// The same of a router that is there.
pub(super) fn change(router: &mut Router, fields: &Fields) {
    router.enable_default_route_ecmp = fields.bool("enable_default_route_ecmp").unwrap_or(router.enable_default_route_ecmp);
    router.enable_default_route_bfd = fields.bool("enable_default_route_bfd").unwrap_or(router.enable_default_route_bfd);
}

/// All gateways, the first of them first.
pub(super) fn shown<'a>(view: &View<'a, Router>) -> Cell<'a> {
    Cell::made(view.record.gateways().map(|gateway| info(view.world, gateway)).collect::<Vec<GatewayInfo<'_>>>())
}

/// The body of the actions.
pub(super) fn form() -> Value {
    schema::wrapped("router", schema::wrapped("external_gateways", schema::list(GATEWAY.schema())))
}

/// What a request lists; none: it does not speak of gateways.
fn asked(body: &Map<String, Value>) -> Result<Option<Vec<AskedGateway>>, Fault> {
    let mut router = unwrap(&mut body.clone(), "router")?;
    let Some(list) = router.remove("external_gateways") else { return Ok(None) };
    refuse_unknown(router.keys())?;
    let list = checked(list).map_err(|invalid| invalid.fault("external_gateways"))?;
    Ok(Some(serde_json::from_value(list).expect("the canonical form of gateways is their serde form")))
}

fn checked(value: Value) -> Result<Value, Invalid> {
    let wrong = |value: &Value| Invalid::Reason(format!("'{}' is not a list of gateways", python::text(value)));
    match value {
        Value::Null => Ok(Value::Array(Vec::new())),
        Value::Array(items) if items.iter().all(Value::is_object) => {
            let checked = items.into_iter().map(|item| GATEWAY.check(item)).collect::<Result<Vec<Value>, Invalid>>()?;
            match checked.iter().find(|item| item.is_null()) {
                Some(empty) => Err(wrong(empty)),
                None => Ok(Value::Array(checked)),
            }
        }
        other => Err(wrong(&other)),
    }
}

/// Further gateways; without any, the first of them is the first.
pub(super) fn add(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let Some(asked) = asked(body)? else { return Ok(Outcome::Record) };
    if router.gateways().count() + asked.len() > MOST {
        return Err(Refused::TooMany.into());
    }
    let mut new = Router::clone(router);
    for asked in &asked {
        let gateway = gateway::settle(op, &new, None, asked)?;
        put(&mut new, gateway);
    }
    finish(op, router, new)
}

fn put(router: &mut Router, gateway: Gateway) {
    match router.gateway {
        None => router.gateway = Some(gateway),
        Some(_) => router.more_gateways.push(gateway),
    }
}

/// These and no others, in this order. What is there of them stays.
pub(super) fn update(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let Some(asked) = asked(body)? else { return Ok(Outcome::Record) };
    if asked.len() > MOST {
        return Err(Refused::TooMany.into());
    }
    let there: Vec<Gateway> = router.gateways().collect();
    let stay = staying(op, router.id, &there, &asked)?;
    for gateway in there.into_iter().filter(|gateway| !stay.contains(&Some(*gateway))) {
        let is_last = asked.iter().all(|asked| asked.network_id != gateway.network_id);
        gateway::leave(op, router, gateway, is_last)?;
    }
    let mut known = Router { gateway: None, more_gateways: stay.iter().copied().flatten().collect(), ..Router::clone(router) };
    let mut new = Router { gateway: None, more_gateways: Vec::new(), ..Router::clone(router) };
    for (asked, own) in asked.iter().zip(stay) {
        let gateway = gateway::settle(op, &known, own, asked)?;
        if own.is_none() {
            known.more_gateways.push(gateway);
        }
        put(&mut new, gateway);
    }
    finish(op, router, new)
}

/// The gateway that each asked for is, if it is there: the one with an address that it names; else one that is left on its network.
fn staying(op: &Op<'_>, id: RouterId, there: &[Gateway], asked: &[AskedGateway]) -> Result<Vec<Option<Gateway>>, Refused> {
    let mut left = there.to_vec();
    let mut stay = vec![None; asked.len()];
    let mut pair = |says: bool, is_it: &dyn Fn(&Gateway, &AskedGateway) -> bool| {
        for (own, asked) in stay.iter_mut().zip(asked).filter(|(own, asked)| own.is_none() && names_addresses(asked) == says) {
            *own = left.iter().position(|gateway| is_it(gateway, asked)).map(|at| left.remove(at));
        }
        left.clone()
    };
    let is_there = |gateway: &Gateway, asked: &AskedGateway| gateway.network_id == asked.network_id;
    pair(true, &|gateway, asked| matches(op, gateway, asked));
    let left = pair(false, &is_there);
    // Which of several is to stay, and which to go?
    if asked.iter().filter(|asked| !names_addresses(asked)).any(|asked| left.iter().any(|gateway| is_there(gateway, asked))) {
        return Err(Refused::Unmatched(id));
    }
    // What is left gets the new address.
    pair(true, &is_there);
    Ok(stay)
}

/// Without these.
pub(super) fn remove(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    if means_all(body) {
        router.gateways().try_for_each(|gateway| gateway::leave(op, router, gateway, true))?;
        return finish(op, router, Router { gateway: None, more_gateways: Vec::new(), ..Router::clone(router) });
    }
    let Some(asked) = asked(body)? else { return Ok(Outcome::Record) };
    if router.gateway.is_none() && !asked.is_empty() {
        return Err(Refused::None(router.id).into());
    }
    let mut stays: Vec<Gateway> = router.gateways().collect();
    for asked in &asked {
        let matching: Vec<usize> = (0..stays.len()).filter(|at| matches(op, &stays[*at], asked)).collect();
        let [at] = matching[..] else { return Err(Refused::Unmatched(router.id).into()) };
        let gateway = stays.remove(at);
        let is_last = stays.iter().all(|other| other.network_id != gateway.network_id);
        gateway::leave(op, router, gateway, is_last)?;
    }
    let mut new = Router { gateway: None, more_gateways: Vec::new(), ..Router::clone(router) };
    stays.into_iter().for_each(|gateway| put(&mut new, gateway));
    finish(op, router, new)
}

/// Clients that want a router to have no gateway any more name none, with an empty object where the list would be.
fn means_all(body: &Map<String, Value>) -> bool {
    let named = body.get("router").and_then(|router| router.get("external_gateways"));
    named.and_then(Value::as_object).is_some_and(Map::is_empty)
}

/// The addresses that a request names of a gateway.
fn named(asked: &AskedGateway) -> impl Iterator<Item = IpAddr> {
    asked.external_fixed_ips.as_deref().unwrap_or_default().iter().filter_map(|ip| ip.ip_address)
}

fn names_addresses(asked: &AskedGateway) -> bool {
    named(asked).next().is_some()
}

/// On the network, and with one of the addresses if some are named.
fn matches(op: &Op<'_>, gateway: &Gateway, asked: &AskedGateway) -> bool {
    let has = |address| op.tx.get::<Port>(&gateway.port_id).is_some_and(|port| port.fixed_ips.iter().any(|ip| ip.ip_address == address));
    gateway.network_id == asked.network_id && (!names_addresses(asked) || named(asked).any(has))
}

fn finish(op: &mut Op<'_>, router: &Router, mut new: Router) -> Result<Outcome, Fault> {
    new.enable_ndp_proxy = ndp_proxy::is_enabled(op, router.enable_ndp_proxy, &new, None)?;
    new.standard.touch(op.tx.context.now);
    op.tx.put(new);
    schedule(op, router.id);
    Ok(Outcome::Record)
}
