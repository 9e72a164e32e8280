//! Several gateways of a router (extension `external-gateway-multihoming`): `external_gateways`, and the actions that change it.
//!
//! A router has one gateway on an external network. Each hides what leaves by it, and has the floating IPs of its network.

use super::kinds::{AskedGateway, GATEWAY};
use super::{GatewayInfo, gateway, info};
use crate::ndp_proxy;
use crate::schedule::schedule;
use api::{Cell, Fault, Invalid, Op, Outcome, View, python, refuse_unknown, schema, unwrap};
use model::{Gateway, Port, Router};
use net::RouterId;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Why gateways were not changed.
enum Refused {
    /// 400 `BadRequest`: two gateways on one network.
    Twice,
    /// 409 `UnableToRemoveGateways`: there is none.
    None(RouterId),
    /// 409 `UnableToMatchGateways`: there is none like this.
    Unmatched(RouterId),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        match refused {
            Refused::Twice => Fault::new(400, "BadRequest", "Bad router request: Router cannot have two gateways on one network."),
            Refused::None(id) => Fault::new(409, "UnableToRemoveGateways", format!("Unable to remove extra gateways from a router {id}")),
            Refused::Unmatched(id) => {
                let message = format!("Unable to match a requested gateway port to existing gateway ports for router {id}");
                Fault::new(409, "UnableToMatchGateways", message)
            }
        }
    }
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

fn check_networks(asked: &[AskedGateway]) -> Result<(), Refused> {
    let twice = |(at, one): (usize, &AskedGateway)| asked[..at].iter().any(|other| other.network_id == one.network_id);
    if asked.iter().enumerate().any(twice) { Err(Refused::Twice) } else { Ok(()) }
}

/// Further gateways; without any, the first of them is the first.
pub(super) fn add(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let Some(asked) = asked(body)? else { return Ok(Outcome::Record) };
    let mut new = Router::clone(router);
    check_networks(&asked)?;
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

/// These and no others, in this order. What is there on one of their networks stays.
pub(super) fn update(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let Some(asked) = asked(body)? else { return Ok(Outcome::Record) };
    check_networks(&asked)?;
    let there: Vec<Gateway> = router.gateways().collect();
    for gateway in &there {
        if !asked.iter().any(|asked| asked.network_id == gateway.network_id) {
            gateway::leave(op, router, *gateway)?;
        }
    }
    let stays = there.iter().filter(|gateway| asked.iter().any(|asked| asked.network_id == gateway.network_id));
    let mut known = Router { gateway: None, more_gateways: stays.copied().collect(), ..Router::clone(router) };
    let mut new = Router { gateway: None, more_gateways: Vec::new(), ..Router::clone(router) };
    for asked in &asked {
        let own = there.iter().find(|gateway| gateway.network_id == asked.network_id).copied();
        let gateway = gateway::settle(op, &known, own, asked)?;
        if own.is_none() {
            known.more_gateways.push(gateway);
        }
        put(&mut new, gateway);
    }
    finish(op, router, new)
}

/// Without these.
pub(super) fn remove(op: &mut Op<'_>, router: &Arc<Router>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    if means_all(body) {
        router.gateways().try_for_each(|gateway| gateway::leave(op, router, gateway))?;
        return finish(op, router, Router { gateway: None, more_gateways: Vec::new(), ..Router::clone(router) });
    }
    let Some(asked) = asked(body)? else { return Ok(Outcome::Record) };
    check_networks(&asked)?;
    if router.gateway.is_none() && !asked.is_empty() {
        return Err(Refused::None(router.id).into());
    }
    let mut stays: Vec<Gateway> = router.gateways().collect();
    for asked in &asked {
        let at = stays.iter().position(|gateway| matches(op, gateway, asked)).ok_or(Refused::Unmatched(router.id))?;
        gateway::leave(op, router, stays.remove(at))?;
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

/// On the network, and with one of the addresses if some are named.
fn matches(op: &Op<'_>, gateway: &Gateway, asked: &AskedGateway) -> bool {
    let named = asked.external_fixed_ips.as_deref().unwrap_or_default().iter().filter_map(|ip| ip.ip_address);
    let has = |address| op.tx.get::<Port>(&gateway.port_id).is_some_and(|port| port.fixed_ips.iter().any(|ip| ip.ip_address == address));
    let named: Vec<_> = named.collect();
    gateway.network_id == asked.network_id && (named.is_empty() || named.into_iter().any(has))
}

fn finish(op: &mut Op<'_>, router: &Router, mut new: Router) -> Result<Outcome, Fault> {
    new.enable_ndp_proxy = ndp_proxy::is_enabled(op, router.enable_ndp_proxy, &new, None)?;
    new.standard.touch(op.tx.context.now);
    op.tx.put(new);
    schedule(op, router.id);
    Ok(Outcome::Record)
}
