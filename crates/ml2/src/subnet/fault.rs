//! Refusals of subnets.

use api::Fault;
use model::AllocationPool;
use net::{Family, IpNet, NetworkId, PortId, SegmentId, SubnetId};
use smol_str::SmolStr;
use std::net::IpAddr;

/// Why an operation on a subnet was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubnetFault {
    /// 400 `BadRequest`: neither a prefix nor a pool.
    NoCidr,
    /// 400 `BadRequest`: a prefix and a length.
    CidrAndLength,
    /// 400 `BadRequest`: a pool and the default pool.
    TwoPools,
    /// 400 `BadRequest`: there is no default pool of the family.
    NoDefaultPool(Family),
    /// 400 `BadRequest`: what is asked for does not go with a delegated prefix.
    Delegation(&'static str),
    /// 400 `BadRequest`: ranges of a prefix that is not known yet.
    PoolsOfAnyPrefix,
    /// 400 `InvalidInput`: any of the rules that have no fault of their own.
    Invalid(String),
    /// 400 `InvalidInput`: another subnet of the network has some of its addresses.
    Overlap(IpNet, NetworkId),
    /// 400 `InvalidAllocationPool`: the pool ends before it starts, or is of the wrong family.
    InvalidPool(AllocationPool),
    /// 400 `OutOfBoundsAllocationPool`.
    OutOfBoundsPool(AllocationPool, IpNet),
    /// 409 `OverlappingAllocationPools`.
    OverlappingPools(AllocationPool, AllocationPool, IpNet),
    /// 409 `GatewayConflictWithAllocationPools`.
    GatewayInPool(IpAddr, AllocationPool),
    /// 409 `GatewayIpInUse`; the router's port that has it.
    GatewayInUse(IpAddr, PortId),
    /// 400 `DNSNameServersExhausted`; the subnet when it is there already, and the limit.
    TooManyNameservers(Option<SubnetId>, usize),
    /// 400 `HostRoutesExhausted`; the subnet when it is there already, and the limit.
    TooManyHostRoutes(Option<SubnetId>, usize),
    /// 409 `IpamValueInvalid`: the gateway is the network's or the broadcast address of so small a subnet.
    GatewayAtEnd(IpAddr, IpNet),
    /// 409 `SubnetInUse`.
    InUse(SubnetId),
    /// 400 `InvalidSubnetServiceType`.
    ServiceType(SmolStr),
    /// 404 `SegmentNotFound`.
    NoSegment(SegmentId),
    /// 400 `NetworkIdsDontMatch`: the segment is another network's.
    ForeignSegment(NetworkId, SegmentId),
    /// 400 `SubnetsNotAllAssociatedWithSegments`.
    SegmentsOfSome(NetworkId),
    /// 400 `SubnetSegmentAssociationChangeNotAllowed`.
    SegmentFixed,
    /// 400 `NoUpdateSubnetWhenMultipleSegmentsOnNetwork`.
    SeveralSegments(NetworkId),
}

fn range(pool: &AllocationPool) -> String {
    format!("{}-{}", pool.start, pool.end)
}

fn exceeds(known: Option<SubnetId>, what: &str, limit: usize) -> String {
    let subnet = known.map_or("new subnet".to_owned(), |id| id.to_string());
    format!("Unable to complete operation for {subnet}. The number of {what} exceeds the limit {limit}.")
}

fn bad(reason: &str) -> Fault {
    Fault::new(400, "BadRequest", format!("Bad subnets request: {reason}."))
}

fn invalid_pool(pool: &AllocationPool) -> Fault {
    let AllocationPool { start, end } = pool;
    let is_of_one_family = start.is_ipv4() == end.is_ipv4();
    let is_backwards = is_of_one_family && end < start;
    let shown = if is_backwards { format!("{{'start': '{start}', 'end': '{end}'}}") } else { range(pool) };
    Fault::new(400, "InvalidAllocationPool", format!("The allocation pool {shown} is not valid."))
}

impl From<SubnetFault> for Fault {
    fn from(fault: SubnetFault) -> Fault {
        match fault {
            SubnetFault::NoCidr => bad("a subnetpool must be specified in the absence of a cidr"),
            SubnetFault::CidrAndLength => bad("cidr and prefixlen must not be supplied together"),
            SubnetFault::TwoPools => bad("subnetpool_id and use_default_subnetpool cannot both be specified"),
            SubnetFault::NoDefaultPool(family) => bad(&format!("No default subnetpool found for IPv{}", family.version())),
            SubnetFault::Delegation(reason) => bad(reason),
            SubnetFault::PoolsOfAnyPrefix => bad("allocation_pools allowed only for specific subnet requests."),
            SubnetFault::Invalid(reason) => Fault::invalid_input(reason),
            SubnetFault::Overlap(cidr, network) => {
                Fault::invalid_input(format_args!("Requested subnet with cidr: {cidr} for network: {network} overlaps with another subnet"))
            }
            SubnetFault::InvalidPool(pool) => invalid_pool(&pool),
            SubnetFault::OutOfBoundsPool(pool, cidr) => {
                let message = format!("The allocation pool {} spans beyond the subnet cidr {cidr}.", range(&pool));
                Fault::new(400, "OutOfBoundsAllocationPool", message)
            }
            SubnetFault::OverlappingPools(a, b, cidr) => {
                let message = format!("Found overlapping allocation pools: {} {} for subnet {cidr}.", range(&a), range(&b));
                Fault::new(409, "OverlappingAllocationPools", message)
            }
            SubnetFault::GatewayInPool(gateway, pool) => {
                let message = format!("Gateway ip {gateway} conflicts with allocation pool {}.", range(&pool));
                Fault::new(409, "GatewayConflictWithAllocationPools", message)
            }
            SubnetFault::GatewayInUse(gateway, port) => {
                let message = format!("Current gateway ip {gateway} already in use by port {port}. Unable to update.");
                Fault::new(409, "GatewayIpInUse", message)
            }
            SubnetFault::TooManyNameservers(known, limit) => {
                Fault::new(400, "DNSNameServersExhausted", exceeds(known, "DNS nameservers", limit))
            }
            SubnetFault::TooManyHostRoutes(known, limit) => Fault::new(400, "HostRoutesExhausted", exceeds(known, "host routes", limit)),
            SubnetFault::GatewayAtEnd(gateway, cidr) => {
                let message = format!("Gateway IP {gateway} cannot be the network or broadcast IP address {cidr}");
                Fault::new(409, "IpamValueInvalid", message)
            }
            SubnetFault::ServiceType(word) => {
                let message = format!("Subnet service type {word} does not correspond to a valid device owner.");
                Fault::new(400, "InvalidSubnetServiceType", message)
            }
            SubnetFault::NoSegment(id) => Fault::new(404, "SegmentNotFound", format!("Segment {id} could not be found.")),
            SubnetFault::ForeignSegment(network, segment) => {
                let message = format!("The subnet's network id, '{network}', doesn't match the network_id of segment '{segment}'");
                Fault::new(400, "NetworkIdsDontMatch", message)
            }
            SubnetFault::SegmentsOfSome(network) => {
                let message = format!(
                    "All of the subnets on network '{network}' must either all be associated with segments or all not associated with any \
                     segment."
                );
                Fault::new(400, "SubnetsNotAllAssociatedWithSegments", message)
            }
            SubnetFault::SegmentFixed => {
                let message = "A subnet that is already associated with a segment cannot have its segment association changed.";
                Fault::new(400, "SubnetSegmentAssociationChangeNotAllowed", message)
            }
            SubnetFault::SeveralSegments(network) => {
                let message = format!(
                    "The network '{network}' has multiple segments, it is only possible to associate an existing subnet with a segment on \
                     networks with a single segment."
                );
                Fault::new(400, "NoUpdateSubnetWhenMultipleSegmentsOnNetwork", message)
            }
            SubnetFault::InUse(id) => {
                let message =
                    format!("Unable to complete operation on subnet {id}: One or more ports have an IP allocation from this subnet.");
                Fault::new(409, "SubnetInUse", message)
            }
        }
    }
}
