//! What NDP proxies mean for their router: whether it can have some, and what it keeps for them.

use super::NdpProxyFault;
use api::{Invalid, Kind, Op, schema};
use ml2::address_scope;
use model::{Gateway, NdpProxy, Port, Router, Subnet};
use net::{Family, RouterId};
use serde_json::Value;
use std::net::IpAddr;
use world::World;

/// `enable_ndp_proxy`; null says nothing.
pub(crate) const BOOL_OR_NULL: Kind =
    Kind::Special { name: "boolean_or_null", check: bool_or_null, form: || schema::nullable(schema::boolean()) };

fn bool_or_null(value: Value) -> Result<Value, Invalid> {
    if value.is_null() { Ok(value) } else { Kind::Bool.check(value) }
}

/// Whether a router has NDP proxies from now on, by what a request asks for. The router is as the request leaves it otherwise; `before`
/// it may have had some. What nobody says stays as long as it can be.
pub(crate) fn is_enabled(op: &Op<'_>, before: bool, router: &Router, asked: Option<bool>) -> Result<bool, NdpProxyFault> {
    let reason = obstacle(op.tx.world(), router.gateway);
    match (asked, reason) {
        (Some(true), Some(reason)) => Err(NdpProxyFault::GatewayNotValid(router.id, reason)),
        (Some(asked), _) => Ok(asked),
        (None, None) => Ok(before),
        (None, Some(_)) if before && op.tx.table::<NdpProxy>().has(NdpProxy::BY_ROUTER, router.id) => {
            Err(NdpProxyFault::Ipv6GatewayInUse(router.id))
        }
        (None, Some(_)) => Ok(false),
    }
}

/// Why a router with this gateway cannot answer for addresses behind it.
fn obstacle(world: &World, gateway: Option<Gateway>) -> Option<&'static str> {
    let Some(gateway) = gateway else { return Some("it has no external gateway") };
    let mut subnets = world.table::<Subnet>().by(Subnet::BY_NETWORK, gateway.network_id);
    if !subnets.any(|subnet| subnet.family() == Family::V6) {
        return Some("its external network has no IPv6 subnet");
    }
    if address_scope::of_network(world, gateway.network_id, Family::V6).is_none() {
        return Some("its external network has no IPv6 address scope");
    }
    let port = world.get::<Port>(&gateway.port_id);
    let has_ipv6 = port.is_some_and(|port| port.fixed_ips.iter().any(|ip| ip.ip_address.is_ipv6()));
    if has_ipv6 { None } else { Some("its external gateway has no IPv6 address") }
}

/// The gateway stays while the router answers there for others.
pub(crate) fn check_unused_gateway(world: &World, router: RouterId) -> Result<(), NdpProxyFault> {
    if world.table::<NdpProxy>().has(NdpProxy::BY_ROUTER, router) { Err(NdpProxyFault::GatewayInUse(router)) } else { Ok(()) }
}

/// So does the interface to them.
pub(crate) fn check_unused_subnet(world: &World, router: RouterId, subnet: &Subnet) -> Result<(), NdpProxyFault> {
    let mut proxies = world.table::<NdpProxy>().by(NdpProxy::BY_ROUTER, router);
    if proxies.any(|proxy| subnet.cidr.contains(&IpAddr::V6(proxy.ip_address))) {
        return Err(NdpProxyFault::InterfaceInUse(router, subnet.id));
    }
    Ok(())
}
