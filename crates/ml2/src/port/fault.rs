//! Refusals of ports.

use api::{Fault, Invalid};
use model::VifType;
use net::{HostName, Mac, NetworkId, PortId, SubnetId};
use smol_str::SmolStr;
use std::net::IpAddr;

/// Why an operation on a port was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields of variants are the words of the messages")]
pub enum PortFault {
    /// 409 `MacAddressInUse`.
    MacInUse(NetworkId, Mac),
    /// 503 `MacAddressGenerationFailure`.
    NoMac(NetworkId),
    /// 409 `IpAddressAlreadyAllocated`.
    AddressInUse(IpAddr, SubnetId),
    /// 400 `InvalidIpForNetwork`.
    NotInNetwork(IpAddr),
    /// 400 `InvalidIpForSubnet`.
    NotInSubnet(IpAddr),
    /// 400 `AllocationOnAutoAddressSubnet`.
    AutomaticSubnet(IpAddr, SubnetId),
    /// 400 `InvalidInput`: the subnet is not on the network.
    WrongSubnet(NetworkId, SubnetId),
    /// 404 `SubnetNotFound`.
    NoSubnet(SubnetId),
    /// 400 `InvalidInput`: a fixed IP with neither.
    SubnetOrAddress,
    /// 400 `InvalidInput`: an address on a network that has no subnets.
    NoSubnets,
    /// 409 `IpAddressGenerationFailure` of a network.
    NoAddress(NetworkId),
    /// 400 `PortSecurityAndIPRequiredForSecurityGroups`.
    GroupsNeedPortSecurity,
    /// 409 `PortSecurityPortHasSecurityGroup`.
    HasGroups,
    /// 409 `SecurityGroupConflict`: stateful and stateless groups on one port.
    MixedGroups,
    /// 409 `AddressPairAndPortSecurityRequired`.
    PairsNeedPortSecurity,
    /// 400 `AllowedAddressPairsMissingIP`.
    PairWithoutAddress,
    /// 400 `HTTPBadRequest`: not a list of pairs.
    PairsNoList,
    /// 400 `HTTPBadRequest`: why a pair is not one.
    InvalidPair(String),
    /// 400 `DuplicateAddressPairInRequest`; the address and the MAC as they were given.
    DuplicatePair(String, Option<Mac>),
    /// 400 `AllowedAddressPairExhausted`; the limit.
    TooManyPairs(usize),
    /// 409 `PortBound`: a bound port keeps its MAC.
    Bound { port: PortId, vif_type: VifType, old: Mac, new: Mac },
    /// 409 `PortInUse`: a bound port keeps its VNIC type.
    InUse(PortId, NetworkId, SmolStr),
    /// 409 `IpAddressGenerationFailureNoMatchingSubnet`: all subnets are for ports of other owners.
    NoServiceSubnet(NetworkId, SmolStr),
    /// 409 `HostNotConnectedToAnySegment` of a routed network.
    HostOffNetwork(HostName, NetworkId),
    /// 409 `HostNotCompatibleWithFixedIps`.
    HostOffSegment(HostName, PortId),
    /// 400 `FixedIpsSubnetsNotOnSameSegment`.
    SeveralSegments,
    /// 400 `InvalidInput`: `binding:profile` is longer than 4095 characters.
    ProfileTooLarge,
}

impl From<PortFault> for Fault {
    fn from(fault: PortFault) -> Fault {
        let message = fault.message();
        let (status, kind) = match fault {
            PortFault::WrongSubnet(..) | PortFault::SubnetOrAddress | PortFault::NoSubnets | PortFault::ProfileTooLarge => {
                return Fault::invalid_input(message);
            }
            PortFault::InvalidPair(_) | PortFault::PairsNoList => return Fault::bad_request(message),
            PortFault::MacInUse(..) => (409, "MacAddressInUse"),
            PortFault::NoMac(_) => (503, "MacAddressGenerationFailure"),
            PortFault::AddressInUse(..) => (409, "IpAddressAlreadyAllocated"),
            PortFault::NoSubnet(_) => (404, "SubnetNotFound"),
            PortFault::NotInNetwork(_) => (400, "InvalidIpForNetwork"),
            PortFault::NotInSubnet(_) => (400, "InvalidIpForSubnet"),
            PortFault::AutomaticSubnet(..) => (400, "AllocationOnAutoAddressSubnet"),
            PortFault::NoAddress(_) => (409, "IpAddressGenerationFailure"),
            PortFault::GroupsNeedPortSecurity => (400, "PortSecurityAndIPRequiredForSecurityGroups"),
            PortFault::HasGroups => (409, "PortSecurityPortHasSecurityGroup"),
            PortFault::MixedGroups => (409, "SecurityGroupConflict"),
            PortFault::PairsNeedPortSecurity => (409, "AddressPairAndPortSecurityRequired"),
            PortFault::PairWithoutAddress => (400, "AllowedAddressPairsMissingIP"),
            PortFault::DuplicatePair(..) => (400, "DuplicateAddressPairInRequest"),
            PortFault::TooManyPairs(_) => (400, "AllowedAddressPairExhausted"),
            PortFault::Bound { .. } => (409, "PortBound"),
            PortFault::InUse(..) => (409, "PortInUse"),
            PortFault::NoServiceSubnet(..) => (409, "IpAddressGenerationFailureNoMatchingSubnet"),
            PortFault::HostOffNetwork(..) => (409, "HostNotConnectedToAnySegment"),
            PortFault::HostOffSegment(..) => (409, "HostNotCompatibleWithFixedIps"),
            PortFault::SeveralSegments => (400, "FixedIpsSubnetsNotOnSameSegment"),
        };
        Fault::new(status, kind, message)
    }
}

impl PortFault {
    /// Why a value in an address pair was refused.
    pub(super) fn pair(invalid: Invalid) -> PortFault {
        match invalid {
            Invalid::Reason(reason) | Invalid::Conversion(reason) => PortFault::InvalidPair(reason),
        }
    }

    fn message(&self) -> String {
        match self {
            PortFault::MacInUse(network, mac) => {
                format!("Unable to complete operation for network {network}. The mac address {mac} is in use.")
            }
            PortFault::NoMac(network) => format!("Unable to generate unique mac on network {network}."),
            PortFault::AddressInUse(ip, subnet) => format!("IP address {ip} already allocated in subnet {subnet}"),
            PortFault::NotInNetwork(ip) => format!("IP address {ip} is not a valid IP for any of the subnets on the specified network."),
            PortFault::NotInSubnet(ip) => format!("IP address {ip} is not a valid IP for the specified subnet."),
            PortFault::AutomaticSubnet(ip, subnet) => format!(
                "IPv6 address {ip} cannot be directly assigned to a port on subnet {subnet} as the subnet is configured for automatic \
                 addresses"
            ),
            PortFault::WrongSubnet(network, subnet) => {
                format!("Failed to create port on network {network}, because fixed_ips included invalid subnet {subnet}")
            }
            PortFault::NoSubnet(subnet) => format!("Subnet {subnet} could not be found."),
            PortFault::NoSubnets => "IP allocation requires subnets for network".to_owned(),
            PortFault::SubnetOrAddress => "IP allocation requires subnet_id or ip_address".to_owned(),
            PortFault::NoAddress(network) => format!("No more IP addresses available on network {network}."),
            PortFault::GroupsNeedPortSecurity => {
                "Port security must be enabled and port must have an IP address in order to use security groups.".to_owned()
            }
            PortFault::HasGroups => "Port security cannot be disabled while the port has security groups.".to_owned(),
            PortFault::MixedGroups => {
                "Error Cannot apply both stateful and stateless security groups on the same port at the same time while \
                                       attempting the operation."
                    .to_owned()
            }
            PortFault::PairsNeedPortSecurity => {
                "Port Security must be enabled in order to have allowed address pairs on a port.".to_owned()
            }
            PortFault::PairWithoutAddress => "AllowedAddressPair must contain ip_address".to_owned(),
            PortFault::PairsNoList => "Allowed address pairs must be a list.".to_owned(),
            PortFault::InvalidPair(reason) => reason.clone(),
            PortFault::DuplicatePair(ip, mac) => {
                let mac = mac.map_or("None".to_owned(), |mac| mac.to_string());
                format!("Request contains duplicate address pair: mac_address {mac} ip_address {ip}.")
            }
            PortFault::TooManyPairs(limit) => format!("The number of allowed address pair exceeds the maximum {limit}."),
            PortFault::Bound { port, vif_type, old, new } => format!(
                "Unable to complete operation on port {port}, port is already bound, port type: {vif_type}, old_mac {old}, new_mac {new}."
            ),
            PortFault::InUse(port, network, device) => {
                format!("Unable to complete operation on port {port} for network {network}. Port already has an attached device {device}.")
            }
            PortFault::NoServiceSubnet(network, owner) => {
                format!("No valid service subnet for the given device owner, network {network}, service type {owner}.")
            }
            PortFault::HostOffNetwork(host, network) => format!(
                "Host {host} is not connected to any segments on routed provider network '{network}'.  It should be connected to one."
            ),
            PortFault::HostOffSegment(host, port) => format!(
                "Host {host} is not connected to a segment where the existing fixed_ips on port {port} will function given the routed \
                 network topology."
            ),
            PortFault::SeveralSegments => "Cannot allocate addresses from different segments.".to_owned(),
            PortFault::ProfileTooLarge => "binding:profile value too large".to_owned(),
        }
    }
}
