//! Refusals of NDP proxies, and of routers because of them.

use api::Fault;
use net::{AddressScopeId, PortId, RouterId, SubnetId};
use std::net::{IpAddr, Ipv6Addr};

/// Why an operation was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NdpProxyFault {
    /// 404 `PortNotFound`.
    PortNotFound(PortId),
    /// 404 `RouterNotFound`.
    RouterNotFound(RouterId),
    /// 409 `PortUnreachableRouter`.
    Unreachable(PortId, RouterId),
    /// 409 `RouterNDPProxyNotEnable`.
    NotEnabled(RouterId),
    /// 400 `BadRequest`: the port has no IPv6 address.
    NoIpv6(PortId),
    /// 400 `InvalidAddress`: the address, and why.
    InvalidAddress(IpAddr, String),
    /// 409 `AddressScopeConflict`: the scope outside and the one inside.
    Scopes(Option<AddressScopeId>, Option<AddressScopeId>),
    /// 409 `NeutronDbObjectDuplicateEntry`: the router has the address already.
    Duplicate(RouterId, Ipv6Addr),
    /// 409 `RouterGatewayNotValid`: the router cannot have NDP proxies, and why.
    GatewayNotValid(RouterId, &'static str),
    /// 409 `RouterGatewayInUseByNDPProxy`.
    GatewayInUse(RouterId),
    /// 409 `RouterIPv6GatewayInUse`.
    Ipv6GatewayInUse(RouterId),
    /// 409 `RouterInterfaceInUseByNDPProxy`.
    InterfaceInUse(RouterId, SubnetId),
}

impl From<NdpProxyFault> for Fault {
    fn from(fault: NdpProxyFault) -> Fault {
        let scope = |scope: Option<AddressScopeId>| scope.map_or_else(|| "None".to_owned(), |id| id.to_string());
        let (status, kind, message) = match fault {
            NdpProxyFault::PortNotFound(id) => (404, "PortNotFound", format!("Port {id} could not be found.")),
            NdpProxyFault::RouterNotFound(id) => (404, "RouterNotFound", format!("Router {id} could not be found")),
            NdpProxyFault::Unreachable(port, router) => {
                (409, "PortUnreachableRouter", format!("The port {port} cannot reach the router {router} by IPv6 subnet."))
            }
            NdpProxyFault::NotEnabled(router) => {
                let message =
                    format!("The enable_ndp_proxy parameter of router {router} must be set as True while create ndp proxy entry on it.");
                (409, "RouterNDPProxyNotEnable", message)
            }
            NdpProxyFault::NoIpv6(port) => {
                let message = format!("Bad ndp_proxy request: Requested port {port} must allocate one IPv6 address at least.");
                (400, "BadRequest", message)
            }
            NdpProxyFault::InvalidAddress(address, reason) => {
                (400, "InvalidAddress", format!("The address {address} is invalid, reason: {reason}."))
            }
            NdpProxyFault::Scopes(outside, inside) => {
                let (outside, inside) = (scope(outside), scope(inside));
                let message = format!(
                    "The IPv6 address scope {outside} of external network conflict with internal network's IPv6 address scope {inside}."
                );
                (409, "AddressScopeConflict", message)
            }
            NdpProxyFault::Duplicate(router, address) => {
                let message = format!(
                    "Failed to create a duplicate NDPProxy: for attribute(s) ['router_id', 'ip_address'] with value(s) {router}, {address}"
                );
                (409, "NeutronDbObjectDuplicateEntry", message)
            }
            NdpProxyFault::GatewayNotValid(router, reason) => {
                (409, "RouterGatewayNotValid", format!("Can not enable ndp proxy on router {router}, {reason}."))
            }
            NdpProxyFault::GatewayInUse(router) => {
                let message = format!(
                    "Unable to unset external gateway of router {router}, There are one or more ndp proxies still in use on the router."
                );
                (409, "RouterGatewayInUseByNDPProxy", message)
            }
            NdpProxyFault::Ipv6GatewayInUse(router) => {
                let message = format!(
                    "Can't remove the IPv6 subnet from external gateway of router {router}, the IPv6 subnet in use by the router's ndp \
                     proxy."
                );
                (409, "RouterIPv6GatewayInUse", message)
            }
            NdpProxyFault::InterfaceInUse(router, subnet) => {
                let message = format!(
                    "Unable to remove subnet {subnet} from router {router}, There are one or more ndp proxies still in use on the subnet."
                );
                (409, "RouterInterfaceInUseByNDPProxy", message)
            }
        };
        Fault::new(status, kind, message)
    }
}
