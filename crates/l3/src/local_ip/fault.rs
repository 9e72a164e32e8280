//! Refusals of local IPs.

use api::Fault;
use net::{LocalIpId, NetworkId, PortId};
use std::net::IpAddr;

/// Why an operation on a local IP was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalIpFault {
    /// 404 `LocalIPNotFound`; the id as the client wrote it.
    NotFound(String),
    /// 400 `LocalIPPortOrNetworkRequired`.
    NeitherId,
    /// 400 `BadRequest`: of which resource, and the port that is not there.
    PortNotFound(&'static str, PortId),
    /// 400 `BadRequest`.
    NoIpv4Subnet(NetworkId),
    /// 400 `LocalIPNoIP`: the port has no address.
    NoAddress(PortId),
    /// 400 `LocalIPRequestedIPNotFound`.
    NotOnPort(PortId, IpAddr),
    /// 400 `LocalIPNoRequestedIP`: the port has several addresses, and none was named.
    SeveralAddresses(PortId),
    /// 409 `LocalIPInUse`.
    InUse(LocalIpId),
    /// 404 `LocalIPAssociationNotFound`; both ids as the client wrote them.
    NotAssociated(String, String),
    /// 409 `LocalIPAssociationExists`.
    Associated(LocalIpId, PortId),
    /// 409 `ServicePortInUse`: the port holds the address of a local IP.
    PortInUse(PortId),
}

impl From<LocalIpFault> for Fault {
    fn from(fault: LocalIpFault) -> Fault {
        let (status, kind, message) = match fault {
            LocalIpFault::NotFound(id) => (404, "LocalIPNotFound", format!("Local IP {id} could not be found.")),
            LocalIpFault::NeitherId => {
                (400, "LocalIPPortOrNetworkRequired", "Either Port ID or Network ID must be specified for Local IP create.".to_owned())
            }
            LocalIpFault::PortNotFound(resource, port) => (400, "BadRequest", format!("Bad {resource} request: Port {port} not found.")),
            LocalIpFault::NoIpv4Subnet(network) => {
                (400, "BadRequest", format!("Bad local_ip request: Network {network} does not contain any IPv4 subnet."))
            }
            LocalIpFault::NoAddress(port) => (400, "LocalIPNoIP", format!("Specified Port {port} has no fixed IPs configured.")),
            LocalIpFault::NotOnPort(port, ip) => {
                (400, "LocalIPRequestedIPNotFound", format!("Specified Port {port} does not have requested IP address: {ip}."))
            }
            LocalIpFault::SeveralAddresses(port) => {
                let message = format!("Specified Port {port} has several IPs, should specify exact IP address to use for Local IP.");
                (400, "LocalIPNoRequestedIP", message)
            }
            LocalIpFault::InUse(id) => (409, "LocalIPInUse", format!("Local IP {id} is still associated with one or more ports.")),
            LocalIpFault::NotAssociated(id, port) => {
                (404, "LocalIPAssociationNotFound", format!("Local IP {id} association with port {port} could not be found."))
            }
            LocalIpFault::Associated(id, port) => {
                (409, "LocalIPAssociationExists", format!("Local IP {id} is associated with port {port} already."))
            }
            LocalIpFault::PortInUse(port) => {
                let message = format!("Port {port} cannot be deleted directly via the port API: still referenced by Local IPs.");
                (409, "ServicePortInUse", message)
            }
        };
        Fault::new(status, kind, message)
    }
}
