//! `routers`: what joins networks and leads out of the cloud.

mod delegation;
mod fault;
mod gateway;
mod gateways;
mod ha_network;
mod interface;
mod kinds;
mod mode;
mod ops;
mod routes;
#[cfg(test)]
mod tests;

pub use delegation::{delegating, prefix_delegated};
pub use fault::RouterFault;
pub(crate) use interface::{add as add_interface, remove as remove_interface};
pub use kinds::{GATEWAY, gateway_form};
pub use mode::of_network;
pub(crate) use ops::{create, delete};

use crate::ndp_proxy;
use api::{Action, Attribute, Cell, Concerning, Kind, Narrow, Quota, Resource, View, schema};
use ml2::availability_zone::{self, HINTS};
use ml2::subnet::HOST_ROUTES;
use model::{FixedIp, Gateway, Port, Router, Subnet, device_owner};
use net::{NetworkId, RouterId};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::format_smolstr;
use std::sync::Arc;
use world::{Key, World};

/// The resource.
pub fn resource() -> Resource<Router> {
    let not_found = |id: &str| format!("Router {id} could not be found");
    Resource {
        attributes: attributes(),
        create: Some(create),
        update: Some(ops::update),
        delete: Some(delete),
        actions: vec![
            Action { name: "add_router_interface", takes: interface::form, run: add_interface },
            Action { name: "remove_router_interface", takes: interface::form, run: remove_interface },
            Action { name: "add_external_gateways", takes: gateways::form, run: gateways::add },
            Action { name: "update_external_gateways", takes: gateways::form, run: gateways::update },
            Action { name: "remove_external_gateways", takes: gateways::form, run: gateways::remove },
            Action { name: "add_extraroutes", takes: routes::form, run: routes::add },
            Action { name: "remove_extraroutes", takes: routes::form, run: routes::remove },
        ],
        narrow: vec![("project_id", Narrow::Text(Router::BY_PROJECT))],
        concerning: Some(Concerning::Own(Router::BY_PROJECT)),
        quota: Some(Quota { default: 10, by_project: Router::BY_PROJECT }),
        revision_number: Some(|router| router.standard.revision_number),
        ..Resource::new("router", "routers", "RouterNotFound", not_found)
    }
    .tagged()
}

/// The router whose port this is, by its owner and device.
pub fn carried_by(port: &Port) -> Option<RouterId> {
    let is_routers = ml2::port::is_router_port(port) || port.device_owner == device_owner::ROUTER_GATEWAY;
    is_routers.then(|| port.device_id.parse().ok())?
}

/// All ports of a router, its gateway's included, in id order.
pub fn ports(world: &World, router: RouterId) -> impl Iterator<Item = &Arc<Port>> {
    let device = Key::Text(format_smolstr!("{router}"));
    world.table::<Port>().by(Port::BY_DEVICE, device).filter(move |port| carried_by(port) == Some(router))
}

/// A router's ports on the networks that it joins, in id order.
pub fn interfaces(world: &World, router: RouterId) -> impl Iterator<Item = &Arc<Port>> {
    ports(world, router).filter(|port| ml2::port::is_router_port(port))
}

/// The subnets in which a port has addresses.
pub(crate) fn subnets_of<'w>(world: &'w World, port: &'w Port) -> impl Iterator<Item = &'w Arc<Subnet>> {
    port.fixed_ips.iter().filter_map(|ip| world.get::<Subnet>(&ip.subnet_id))
}

type A = Attribute<Router>;

fn attributes() -> Vec<A> {
    let mut attributes = own_attributes();
    attributes.extend(mode::attributes());
    attributes.extend(gateways::attributes());
    attributes
}

fn own_attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("admin_state_up", Kind::Bool, |v| Cell::Bool(v.record.admin_state_up)).post_or(true).put().filter().sort(),
        A::new("status", Kind::Text(16), |_| Cell::Str("ACTIVE")).sort(),
        A::new("external_gateway_info", GATEWAY, gateway).post_or(Value::Null).put().policy(),
        A::new("routes", HOST_ROUTES, |v| Cell::Json(&v.record.routes)).put(),
        A::new("description", Kind::Text(255), |v| Cell::Str(&v.record.standard.description)).post_or("").put().filter().sort(),
        A::new("availability_zone_hints", HINTS, |v| Cell::Json(&v.record.availability_zone_hints)).post_or(json!([])),
        A::new("availability_zones", HINTS, |v| Cell::made(availability_zone::of_agents(v.world, &v.record.agents))),
        A::new(
            "external_gateways",
            Kind::Special { name: "external_gateways", check: Ok, form: || schema::list(schema::dictionary()) },
            gateways::shown,
        ),
        A::new("enable_ndp_proxy", ndp_proxy::BOOL_OR_NULL, |v| Cell::Bool(v.record.enable_ndp_proxy)).post().put().filter(),
        A::new("created_at", Kind::Text(32), |v| Cell::Time(v.record.standard.created_at)),
        A::new("updated_at", Kind::Text(32), |v| Cell::Time(v.record.standard.updated_at)),
        A::new("revision_number", Kind::Int, |v| Cell::Int(v.record.standard.revision_number.cast_signed())),
    ]
}

/// `external_gateway_info` as answers show it.
#[derive(Serialize)]
pub struct GatewayInfo<'a> {
    network_id: NetworkId,
    external_fixed_ips: &'a [FixedIp],
    enable_snat: bool,
}

/// That of a router, if it has a gateway.
pub fn gateway_info<'a>(view: &View<'a, Router>) -> Option<GatewayInfo<'a>> {
    view.record.gateway.map(|gateway| info(view.world, gateway))
}

/// That of one gateway.
fn info(world: &World, gateway: Gateway) -> GatewayInfo<'_> {
    let external_fixed_ips = world.get::<Port>(&gateway.port_id).map(|port| port.fixed_ips.as_slice()).unwrap_or_default();
    GatewayInfo { network_id: gateway.network_id, external_fixed_ips, enable_snat: gateway.enable_snat }
}

fn gateway<'a>(view: &View<'a, Router>) -> Cell<'a> {
    Cell::optional(gateway_info(view), Cell::made)
}
