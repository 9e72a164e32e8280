//! Refusals of port forwardings.

use api::Fault;
use net::{FloatingIpId, NetworkId, PortId, SubnetId};
use std::net::IpAddr;

/// Why an operation on a port forwarding was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PortForwardingFault {
    /// 409 `FipAssociated`: the floating IP leads to a port as a whole.
    Associated(FloatingIpId),
    /// 404 `PortNotFound`.
    PortNotFound(PortId),
    /// 400 `BadRequest`: the port does not have the address, or it is not IPv4.
    NotOnPort(PortId, IpAddr),
    /// 404 `ExternalGatewayForFloatingIPNotFound`.
    Unreachable(NetworkId, SubnetId, PortId),
    /// 400 `BadRequest`: the floating IP's other port forwardings go through another router.
    OtherRouter(FloatingIpId),
    /// 409 `PortHasBindingFloatingIP`.
    HasFloatingIp(PortId, IpAddr),
    /// 400 `BadRequest`: neither a port nor a range, or both and not the same; which side.
    Ports(&'static str),
    /// 400 `BadRequest`: more ports on one side than on the other.
    Sizes,
    /// 400 `BadRequest`: another port forwarding has some of the ports: of which side, its ports, and those asked for.
    Collision(&'static str, (u16, u16), (u16, u16)),
}

impl From<PortForwardingFault> for Fault {
    fn from(fault: PortForwardingFault) -> Fault {
        let message = fault.message();
        let (status, kind) = match fault {
            PortForwardingFault::Associated(_) => (409, "FipAssociated"),
            PortForwardingFault::PortNotFound(_) => (404, "PortNotFound"),
            PortForwardingFault::Unreachable(..) => (404, "ExternalGatewayForFloatingIPNotFound"),
            PortForwardingFault::HasFloatingIp(..) => (409, "PortHasBindingFloatingIP"),
            _ => return Fault::new(400, "BadRequest", format!("Bad port_forwarding request: {message}.")),
        };
        Fault::new(status, kind, message)
    }
}

impl PortForwardingFault {
    fn message(&self) -> String {
        match self {
            PortForwardingFault::Associated(id) => {
                format!("Floating IP {id} leads to a port as a whole and cannot have port forwardings.")
            }
            PortForwardingFault::PortNotFound(port) => format!("Port {port} could not be found."),
            PortForwardingFault::NotOnPort(port, ip) => format!("Internal IP address {ip} is not an IPv4 address of port {port}"),
            PortForwardingFault::Unreachable(network, subnet, port) => format!(
                "External network {network} is not reachable from subnet {subnet}.  Therefore, cannot associate Port {port} with a Floating \
                 IP."
            ),
            PortForwardingFault::OtherRouter(id) => format!("Port forwardings of floating IP {id} go through another router"),
            PortForwardingFault::HasFloatingIp(port, ip) => {
                format!("Cannot forward to address {ip} of port {port}, because a floating IP leads to it.")
            }
            PortForwardingFault::Ports(side) => format!("Either {side}_port or {side}_port_range must be specified"),
            PortForwardingFault::Sizes => "There must be as many internal ports as external ones".to_owned(),
            PortForwardingFault::Collision(side, a, b) => {
                format!("There is a port collision with the {side}. The following ranges collide: {}:{} and {}:{}", a.0, a.1, b.0, b.1)
            }
        }
    }
}
