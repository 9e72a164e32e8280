//! Refusals of routers.

use api::{Fault, python};
use model::HostRoute;
use net::{IpNet, NetworkId, PortId, RouterId, SubnetId};
use serde_json::json;
use smol_str::SmolStr;
use std::net::IpAddr;

/// Why an operation on a router was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RouterFault {
    /// 400 `BadRequest`: the gateway's network leads nowhere outside.
    NotExternal(NetworkId),
    /// 400 `BadRequest`: an external address that is the next router's.
    GatewayAddress(IpAddr),
    /// 409 `RouterExternalGatewayInUseByFloatingIp`.
    GatewayInUse(RouterId, NetworkId),
    /// 400 `BadRequest`: an interface by neither subnet nor port.
    NeitherId,
    /// 400 `BadRequest`: an interface by both.
    BothIds,
    /// 400 `BadRequest`: an id that is none.
    NotUuid(String),
    /// 404 `RouterNotFound`; the id as the client wrote it.
    NotFound(String),
    /// 404 `SubnetNotFound`.
    SubnetNotFound(SubnetId),
    /// 404 `PortNotFound`.
    PortNotFound(PortId),
    /// 400 `BadRequest`: the subnet has no address for the interface.
    NoGatewayIp,
    /// 400 `BadRequest`: router advertisements of the subnet come from elsewhere.
    ForeignAdvertisements(SubnetId),
    /// 400 `BadRequest`.
    Attached(SubnetId),
    /// 400 `BadRequest`: a new subnet overlaps with one that the router has.
    Overlap((IpNet, SubnetId), (IpNet, SubnetId)),
    /// 400 `BadRequest`: the port has no address.
    PortWithoutAddress,
    /// 400 `BadRequest`: the port has several IPv4 addresses.
    SeveralIpv4,
    /// 404 `RouterInterfaceNotFound`.
    InterfaceNotFound(RouterId, PortId),
    /// 404 `RouterInterfaceNotFoundForSubnet`.
    InterfaceNotFoundForSubnet(RouterId, SubnetId),
    /// 400 `SubnetMismatchForPort`.
    SubnetMismatch(PortId, SubnetId),
    /// 409 `RouterInterfaceInUseByFloatingIP`.
    InterfaceInUseByFloatingIp(RouterId, SubnetId),
    /// 409 `RouterInterfaceInUseByRoute`.
    InterfaceInUseByRoute(RouterId, SubnetId),
    /// 409 `RouterInUse`.
    InUse(RouterId, Vec<PortId>),
    /// 400 `InvalidRoutes`.
    InvalidRoutes(Vec<HostRoute>, &'static str),
    /// 400 `RoutesExhausted`; the limit.
    TooManyRoutes(RouterId, usize),
    /// 409 `ServicePortInUse`: the port belongs to a router or floating IP.
    ServicePort(PortId, SmolStr),
    /// 409 `ServicePortInUse`: nor is it given to another device.
    DeviceFixed(PortId, SmolStr),
    /// 400 `IPAddressChangeNotAllowed`.
    AddressFixed(PortId),
    /// 409 `DeviceIDNotOwnedByTenant`: the device is another project's router.
    ForeignDevice(SmolStr),
}

impl From<RouterFault> for Fault {
    fn from(fault: RouterFault) -> Fault {
        let message = fault.message();
        let (status, kind) = match fault {
            RouterFault::NotExternal(_)
            | RouterFault::GatewayAddress(_)
            | RouterFault::NeitherId
            | RouterFault::BothIds
            | RouterFault::NotUuid(_)
            | RouterFault::NoGatewayIp
            | RouterFault::ForeignAdvertisements(_)
            | RouterFault::Attached(_)
            | RouterFault::Overlap(..)
            | RouterFault::PortWithoutAddress
            | RouterFault::SeveralIpv4 => {
                return Fault::new(400, "BadRequest", format!("Bad router request: {message}."));
            }
            RouterFault::GatewayInUse(..) => (409, "RouterExternalGatewayInUseByFloatingIp"),
            RouterFault::NotFound(_) => (404, "RouterNotFound"),
            RouterFault::SubnetNotFound(_) => (404, "SubnetNotFound"),
            RouterFault::PortNotFound(_) => (404, "PortNotFound"),
            RouterFault::InterfaceNotFound(..) => (404, "RouterInterfaceNotFound"),
            RouterFault::InterfaceNotFoundForSubnet(..) => (404, "RouterInterfaceNotFoundForSubnet"),
            RouterFault::SubnetMismatch(..) => (400, "SubnetMismatchForPort"),
            RouterFault::InterfaceInUseByFloatingIp(..) => (409, "RouterInterfaceInUseByFloatingIP"),
            RouterFault::InterfaceInUseByRoute(..) => (409, "RouterInterfaceInUseByRoute"),
            RouterFault::InUse(..) => (409, "RouterInUse"),
            RouterFault::InvalidRoutes(..) => (400, "InvalidRoutes"),
            RouterFault::TooManyRoutes(..) => (400, "RoutesExhausted"),
            RouterFault::ServicePort(..) | RouterFault::DeviceFixed(..) => (409, "ServicePortInUse"),
            RouterFault::AddressFixed(_) => (400, "IPAddressChangeNotAllowed"),
            RouterFault::ForeignDevice(_) => (409, "DeviceIDNotOwnedByTenant"),
        };
        Fault::new(status, kind, message)
    }
}

impl RouterFault {
    fn message(&self) -> String {
        match self {
            RouterFault::NotExternal(network) => format!("Network {network} is not an external network"),
            RouterFault::GatewayAddress(ip) => format!("External IP {ip} is the same as the gateway IP"),
            RouterFault::GatewayInUse(router, network) => format!(
                "Gateway cannot be updated for router {router}, since a gateway to external network {network} is required by one or more \
                 floating IPs."
            ),
            RouterFault::NeitherId => "Either subnet_id or port_id must be specified".to_owned(),
            RouterFault::BothIds => "Cannot specify both subnet-id and port-id".to_owned(),
            RouterFault::NotUuid(text) => format!("'{text}' is not a valid UUID"),
            RouterFault::NotFound(router) => format!("Router {router} could not be found"),
            RouterFault::SubnetNotFound(subnet) => format!("Subnet {subnet} could not be found."),
            RouterFault::PortNotFound(port) => format!("Port {port} could not be found."),
            RouterFault::NoGatewayIp => "Subnet for router interface must have a gateway IP".to_owned(),
            RouterFault::ForeignAdvertisements(subnet) => {
                format!("IPv6 subnet {subnet} configured to receive RAs from an external router cannot be added to Neutron Router")
            }
            RouterFault::Attached(subnet) => format!("Router already has a port on subnet {subnet}"),
            RouterFault::Overlap((cidr, subnet), (other, there)) => {
                format!("Cidr {cidr} of subnet {subnet} overlaps with cidr {other} of subnet {there}")
            }
            RouterFault::PortWithoutAddress => "Router port must have at least one fixed IP".to_owned(),
            RouterFault::SeveralIpv4 => "Cannot have multiple IPv4 subnets on router port".to_owned(),
            RouterFault::InterfaceNotFound(router, port) => format!("Router {router} does not have an interface with id {port}"),
            RouterFault::InterfaceNotFoundForSubnet(router, subnet) => format!("Router {router} has no interface on subnet {subnet}"),
            RouterFault::SubnetMismatch(port, subnet) => {
                format!("Subnet on port {port} does not match the requested subnet {subnet}.")
            }
            RouterFault::InterfaceInUseByFloatingIp(router, subnet) => format!(
                "Router interface for subnet {subnet} on router {router} cannot be deleted, as it is required by one or more floating IPs."
            ),
            RouterFault::InterfaceInUseByRoute(router, subnet) => {
                format!(
                    "Router interface for subnet {subnet} on router {router} cannot be deleted, as it is required by one or more routes."
                )
            }
            RouterFault::InUse(router, ports) => {
                let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
                format!("Router {router} has ports still attached: {}", ports.join(", "))
            }
            RouterFault::InvalidRoutes(routes, reason) => {
                format!("Invalid format for routes: {}, {reason}", python::text(&json!(routes)))
            }
            RouterFault::TooManyRoutes(router, limit) => {
                format!("Unable to complete operation for {router}. The number of routes exceeds the maximum {limit}.")
            }
            RouterFault::ServicePort(port, owner) => {
                format!("Port {port} cannot be deleted directly via the port API: has device owner {owner}.")
            }
            RouterFault::DeviceFixed(port, owner) => {
                format!(
                    "The device of port {port} cannot be changed: has device owner {owner}, whose interfaces and associations are changed instead."
                )
            }
            RouterFault::AddressFixed(port) => format!("IP addresses of port {port} follow from its router and cannot be changed."),
            RouterFault::ForeignDevice(device) => {
                format!("The following device_id {device} is not owned by your tenant or matches another tenants router.")
            }
        }
    }
}
