//! Refusals of networks.

use api::Fault;
use net::{NetworkId, PortId};
use smol_str::SmolStr;

/// Why an operation on a network was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetworkFault {
    /// 404 `NetworkNotFound`: not there, or not visible to the caller.
    NotFound(NetworkId),
    /// 409 `NetworkInUse`; the first of the ports that are on it.
    InUse(NetworkId, Vec<PortId>),
    /// 409 `InvalidSharedSetting`: other projects use it.
    UsedByOthers(SmolStr),
    /// 409 `ExternalNetworkInUse`: routers have gateways on it.
    HasGateways(NetworkId),
    /// 409 `DefaultExternalNetworkExists`.
    DefaultExists(NetworkId),
    /// 503 `NoNetworkAvailable`: no segment is free.
    NoSegment,
    /// 400: a network type that no driver carries.
    UnknownType(String),
    /// 400: provider attributes without a type.
    TypeRequired,
    /// 400: the identifier of a segment that is no VLAN cannot be changed.
    ProviderFixed,
    /// 400: with several segments, none gets another identifier.
    SeveralSegments,
    /// 400: type and physical network cannot be changed.
    CarrierFixed,
    /// 400 `SegmentsSetInConjunctionWithProviders`.
    SegmentsAndProvider,
    /// 400 `SegmentsContainDuplicateEntry`.
    SegmentTwice,
    /// 400: segments are added and removed one by one.
    SegmentsFixed,
    /// 400: the MTU does not fit into what carries the network; the maximum.
    MtuTooBig(u32),
    /// 409 `NetworkMTUSubnetConflict`: the MTU is below what a subnet's family needs.
    MtuTooSmall(NetworkId, u32),
}

impl NetworkFault {
    /// 404 `NetworkNotFound` of an id as a client wrote it.
    pub(crate) fn unknown(id: &str) -> Fault {
        Fault::new(404, "NetworkNotFound", format!("Network {id} could not be found."))
    }
}

impl From<NetworkFault> for Fault {
    fn from(fault: NetworkFault) -> Fault {
        match fault {
            NetworkFault::NotFound(id) => NetworkFault::unknown(&id.to_string()),
            NetworkFault::InUse(id, ports) => {
                let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let message = format!(
                    "Unable to complete operation on network {id}. There are one or more ports still in use on the network, id for these \
                     ports is: {ports}."
                );
                Fault::new(409, "NetworkInUse", message)
            }
            NetworkFault::UsedByOthers(name) => {
                let message = format!("Unable to reconfigure sharing settings for network {name}. Multiple projects are using it.");
                Fault::new(409, "InvalidSharedSetting", message)
            }
            NetworkFault::HasGateways(id) => {
                let message =
                    format!("External network {id} cannot be updated to be made non-external, since it has existing gateway ports.");
                Fault::new(409, "ExternalNetworkInUse", message)
            }
            NetworkFault::DefaultExists(id) => {
                Fault::new(409, "DefaultExternalNetworkExists", format!("A default external network already exists: {id}."))
            }
            NetworkFault::NoSegment => {
                Fault::new(503, "NoNetworkAvailable", "Unable to create the network. No tenant network is available for allocation.")
            }
            NetworkFault::UnknownType(word) => Fault::invalid_input(format_args!("network_type value '{word}' not supported")),
            NetworkFault::TypeRequired => Fault::invalid_input("network_type required"),
            NetworkFault::SeveralSegments => {
                Fault::invalid_input("Provider network attributes can be updated only in provider networks with a single segment.")
            }
            NetworkFault::ProviderFixed => Fault::invalid_input("Only VLAN type networks can be updated."),
            NetworkFault::CarrierFixed => {
                let fixed = "provider:network_type, provider:physical_network";
                Fault::invalid_input(format_args!("Plugin does not support updating the following provider network attributes: {fixed}"))
            }
            NetworkFault::SegmentsAndProvider => {
                Fault::new(400, "SegmentsSetInConjunctionWithProviders", "Segments and provider values cannot both be set.")
            }
            NetworkFault::SegmentTwice => Fault::new(400, "SegmentsContainDuplicateEntry", "Duplicate segment entry in request."),
            NetworkFault::SegmentsFixed => {
                Fault::invalid_input("Plugin does not support updating the following provider network attributes: segments")
            }
            NetworkFault::MtuTooBig(maximum) => Fault::invalid_input(format_args!("Requested MTU is too big, maximum is {maximum}")),
            NetworkFault::MtuTooSmall(id, minimum) => {
                let message = format!("MTU of {id} is not valid, subnet requires a minimum of {minimum}");
                Fault::new(409, "NetworkMTUSubnetConflict", message)
            }
        }
    }
}
