//! Refusals of floating IPs.

use api::Fault;
use net::{FloatingIpId, NetworkId, PortId, RouterId, SubnetId};
use std::net::{IpAddr, Ipv4Addr};

/// Why an operation on a floating IP was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields of variants are the words of the messages")]
pub enum FloatingIpFault {
    /// 400 `BadRequest`: the network leads nowhere outside.
    NotExternal(NetworkId),
    /// 400 `BadRequest`: the external network has no IPv4 subnet.
    NoIpv4Subnet(NetworkId),
    /// 400 `BadRequest`: the address outside is not IPv4.
    FloatingNotIpv4(IpAddr),
    /// 404 `PortNotFound`.
    PortNotFound(PortId),
    /// 400 `BadRequest`: the port is a DHCP server's.
    DhcpPort(PortId),
    /// 400 `BadRequest`: the port is another project's.
    ForeignPort(PortId, FloatingIpId),
    /// 400 `BadRequest`: the address inside is not IPv4.
    FixedNotIpv4(IpAddr),
    /// 400 `BadRequest`: the port does not have the address.
    NotOnPort(PortId, IpAddr),
    /// 400 `BadRequest`: the port has no IPv4 address.
    NoIpv4(PortId),
    /// 400 `BadRequest`: the port has several, and none was named.
    SeveralIpv4(PortId),
    /// 400 `BadRequest`: a name without a domain, or the other way round.
    HalfName { has_name: bool },
    /// 400 `BadRequest`: an address inside without a port.
    AddressWithoutPort,
    /// 404 `ExternalGatewayForFloatingIPNotFound`.
    Unreachable { network: NetworkId, subnet: SubnetId, port: PortId },
    /// 404 `RouterNotFound`.
    RouterNotFound(RouterId),
    /// 409 `Conflict`: the router that was named does not lead to the external network.
    NoGateway(RouterId, NetworkId),
    /// 409 `FloatingIPPortAlreadyAssociated`.
    Associated { address: Ipv4Addr, id: FloatingIpId, port: PortId, fixed: Ipv4Addr, network: NetworkId },
    /// 409 `FipInUseByPortForwarding`.
    Forwarding(FloatingIpId),
    /// 400 `PortHasPortForwarding`.
    PortForwards(PortId, Ipv4Addr),
}

impl From<FloatingIpFault> for Fault {
    fn from(fault: FloatingIpFault) -> Fault {
        let message = fault.message();
        let (status, kind) = match fault {
            FloatingIpFault::PortNotFound(_) => (404, "PortNotFound"),
            FloatingIpFault::Unreachable { .. } => (404, "ExternalGatewayForFloatingIPNotFound"),
            FloatingIpFault::RouterNotFound(_) => (404, "RouterNotFound"),
            FloatingIpFault::NoGateway(..) => (409, "Conflict"),
            FloatingIpFault::Associated { .. } => (409, "FloatingIPPortAlreadyAssociated"),
            FloatingIpFault::Forwarding(_) => (409, "FipInUseByPortForwarding"),
            FloatingIpFault::PortForwards(..) => (400, "PortHasPortForwarding"),
            _ => return Fault::new(400, "BadRequest", format!("Bad floatingip request: {message}.")),
        };
        Fault::new(status, kind, message)
    }
}

impl FloatingIpFault {
    fn message(&self) -> String {
        match self {
            FloatingIpFault::NotExternal(network) => format!("Network {network} is not a valid external network"),
            FloatingIpFault::NoIpv4Subnet(network) => format!("Network {network} does not contain any IPv4 subnet"),
            FloatingIpFault::FloatingNotIpv4(ip) => format!("Floating IP address {ip} is not an IPv4 address"),
            FloatingIpFault::PortNotFound(port) => format!("Port {port} could not be found."),
            FloatingIpFault::DhcpPort(port) => format!("Port {port} serves DHCP and cannot have a floating IP"),
            FloatingIpFault::ForeignPort(port, id) => {
                format!("Port {port} is associated with a different project than Floating IP {id} and therefore cannot be bound")
            }
            FloatingIpFault::FixedNotIpv4(ip) => format!("A floating IP cannot lead to {ip}, which is not an IPv4 address"),
            FloatingIpFault::NotOnPort(port, ip) => format!("Port {port} does not have fixed ip {ip}"),
            FloatingIpFault::NoIpv4(port) => format!("Cannot add floating IP to port {port} that has no fixed IPv4 addresses"),
            FloatingIpFault::SeveralIpv4(port) => {
                format!("Port {port} has multiple fixed IPv4 addresses: the one for the floating IP must be named")
            }
            FloatingIpFault::HalfName { has_name: true } => "dns_name cannot be specified without a dns_domain".to_owned(),
            FloatingIpFault::HalfName { has_name: false } => "dns_domain cannot be specified without a dns_name".to_owned(),
            FloatingIpFault::AddressWithoutPort => "fixed_ip_address cannot be specified without a port_id".to_owned(),
            FloatingIpFault::Unreachable { network, subnet, port } => format!(
                "External network {network} is not reachable from subnet {subnet}.  Therefore, cannot associate Port {port} with a Floating \
                 IP."
            ),
            FloatingIpFault::RouterNotFound(router) => format!("Router {router} could not be found"),
            FloatingIpFault::NoGateway(router, network) => format!("Router {router} has no external gateway on network {network}."),
            FloatingIpFault::Associated { address, id, port, fixed, network } => format!(
                "Cannot associate floating IP {address} ({id}) with port {port} using fixed IP {fixed}, as that fixed IP already has a \
                 floating IP on external network {network}."
            ),
            FloatingIpFault::Forwarding(id) => format!("Floating IP {id} in use by Port Forwarding resources."),
            FloatingIpFault::PortForwards(port, ip) => {
                format!("Cannot associate a floating IP with port {port}: its address {ip} is used by port forwardings.")
            }
        }
    }
}
