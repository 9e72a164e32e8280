//! Refusals of subnet pools, and of subnets that ask for a prefix of one.

use api::Fault;
use net::{AddressScopeId, Family, IpNet, SubnetId, SubnetPoolId};

/// Why an operation on a subnet pool was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields of variants are the words of the messages")]
pub enum PoolFault {
    /// 404 `SubnetPoolNotFound`: not there, or not visible to the caller.
    NotFound(SubnetPoolId),
    /// 400 `EmptySubnetPoolPrefixList`.
    NoPrefixes,
    /// 400 `PrefixVersionMismatch`.
    MixedFamilies,
    /// 400 `IllegalSubnetPoolPrefixBounds`: a length, and the one that it goes beyond.
    Bounds { of: &'static str, length: i64, beyond: &'static str, bound: i64 },
    /// 400 `InvalidInput`: there is a default pool of the family.
    DefaultExists,
    /// 400 `IllegalSubnetPoolIpVersionAssociationToAddressScope`; the pool, the scope and its family.
    ScopeFamily(SubnetPoolId, AddressScopeId, Family),
    /// 409 `AddressScopePrefixConflict`: another pool of the scope has some of the prefixes.
    ScopePrefixes,
    /// 400 `IllegalSubnetPoolUpdate`: only its owner changes the pool of a scope.
    ForeignScope(SubnetPoolId, AddressScopeId),
    /// 400 `IllegalSubnetPoolPrefixUpdate`: an update takes no prefix away.
    Shrinks,
    /// 400 `IllegalSubnetPoolPrefixUpdate`: subnets have some of the prefixes.
    PrefixInUse,
    /// 400 `SubnetPoolDeleteError`: subnets have prefixes of it.
    InUse,
    /// 400 `HTTPBadRequest`: not a list of prefixes.
    NoList,
    /// 400 `InvalidInput`: the request to take in subnets names no network.
    NoNetwork,
    /// 404 `NetworkNotFound`: no network can have this id.
    NoSuchNetwork(String),
    /// 403 `NotAuthorized`: only its owner gives the subnets of a network away.
    ForeignNetwork,
    /// 400 `IllegalSubnetPoolUpdate`: a subnet of the pool has some of the prefix.
    Conflict(SubnetId, IpNet, SubnetPoolId),
    /// 400 `BadRequest`: the pool is of another family than the subnet.
    Family { subnet: Family, pool: Family },
    /// 400 `MinPrefixSubnetAllocationError`: the length, and the shortest.
    TooShort(u8, u8),
    /// 400 `MaxPrefixSubnetAllocationError`: the length, and the longest.
    TooLong(u8, u8),
    /// 500 upstream, 409 `SubnetAllocationError` here: nothing of that length is free.
    Exhausted(u8),
    /// The same: the prefix is not free, or not of the pool.
    NotFree,
    /// 409 `SubnetPoolQuotaExceeded`.
    OverQuota,
    /// 400 `NetworkSubnetPoolAffinityError`: a network's subnets of a family are of one pool, or of one scope.
    Affinity,
    /// 400 `InvalidInput`: who gets the pool must have its scope.
    ScopeNotShared(SubnetPoolId),
}

impl From<PoolFault> for Fault {
    fn from(fault: PoolFault) -> Fault {
        let message = fault.message();
        let (status, kind) = match fault {
            PoolFault::NotFound(_) => (404, "SubnetPoolNotFound"),
            PoolFault::NoPrefixes => (400, "EmptySubnetPoolPrefixList"),
            PoolFault::MixedFamilies => (400, "PrefixVersionMismatch"),
            PoolFault::Bounds { .. } => (400, "IllegalSubnetPoolPrefixBounds"),
            PoolFault::DefaultExists | PoolFault::NoNetwork => return Fault::invalid_input(message),
            PoolFault::ScopeFamily(..) => (400, "IllegalSubnetPoolIpVersionAssociationToAddressScope"),
            PoolFault::ScopePrefixes => (409, "AddressScopePrefixConflict"),
            PoolFault::ForeignScope(..) | PoolFault::Conflict(..) => (400, "IllegalSubnetPoolUpdate"),
            PoolFault::Shrinks | PoolFault::PrefixInUse => (400, "IllegalSubnetPoolPrefixUpdate"),
            PoolFault::InUse => (400, "SubnetPoolDeleteError"),
            PoolFault::NoList => return Fault::bad_request(message),
            PoolFault::NoSuchNetwork(_) => (404, "NetworkNotFound"),
            PoolFault::ForeignNetwork => (403, "NotAuthorized"),
            PoolFault::Family { .. } => (400, "BadRequest"),
            PoolFault::TooShort(..) => (400, "MinPrefixSubnetAllocationError"),
            PoolFault::TooLong(..) => (400, "MaxPrefixSubnetAllocationError"),
            PoolFault::Exhausted(_) | PoolFault::NotFree => (409, "SubnetAllocationError"),
            PoolFault::OverQuota => (409, "SubnetPoolQuotaExceeded"),
            PoolFault::Affinity => (400, "NetworkSubnetPoolAffinityError"),
            PoolFault::ScopeNotShared(_) => return Fault::invalid_input(message.trim_end_matches('.')),
        };
        Fault::new(status, kind, message)
    }
}

impl PoolFault {
    fn message(&self) -> String {
        match self {
            PoolFault::NotFound(id) => format!("Subnet pool {id} could not be found."),
            PoolFault::NoPrefixes => "Empty subnet pool prefix list.".to_owned(),
            PoolFault::MixedFamilies => "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.".to_owned(),
            PoolFault::Bounds { of, length, beyond, bound } => format!("Illegal prefix bounds: {of}={length}, {beyond}={bound}."),
            PoolFault::DefaultExists => {
                "A default subnetpool for this IP family has already been set. Only one default may exist per IP family".to_owned()
            }
            PoolFault::ScopeFamily(pool, scope, family) => format!(
                "Illegal subnetpool association: subnetpool {pool} cannot associate with address scope {scope} because subnetpool \
                 ip_version is not {}.",
                family.version()
            ),
            PoolFault::ScopePrefixes => {
                "Failed to associate address scope: subnetpools within an address scope must have unique prefixes.".to_owned()
            }
            PoolFault::ForeignScope(pool, scope) => format!(
                "Illegal subnetpool update : subnetpool {pool} cannot be updated when associated with shared address scope {scope}."
            ),
            PoolFault::Shrinks => "Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.".to_owned(),
            PoolFault::PrefixInUse => {
                "Illegal update to prefixes: One or more the prefixes to be removed is in use by a subnet..".to_owned()
            }
            PoolFault::InUse => "Unable to delete subnet pool: Subnet pool has existing allocations.".to_owned(),
            PoolFault::NoList => "Request body contains invalid data".to_owned(),
            PoolFault::NoNetwork => "network_id must be specified.".to_owned(),
            PoolFault::NoSuchNetwork(text) => format!("Network {text} could not be found."),
            PoolFault::ForeignNetwork => "Not authorized.".to_owned(),
            PoolFault::Conflict(subnet, cidr, pool) => format!(
                "Illegal subnetpool update : Onboarding subnet {subnet}: {cidr} conflicts with allocated prefixes in subnet pool {pool}."
            ),
            PoolFault::Family { subnet, pool } => {
                format!("Bad subnets request: Cannot allocate IPv{} subnet from IPv{} subnet pool.", subnet.version(), pool.version())
            }
            PoolFault::TooShort(length, bound) => {
                format!("Unable to allocate subnet with prefix length {length}, minimum allowed prefix is {bound}.")
            }
            PoolFault::TooLong(length, bound) => {
                format!("Unable to allocate subnet with prefix length {length}, maximum allowed prefix is {bound}.")
            }
            PoolFault::Exhausted(length) => {
                format!("Failed to allocate subnet: Insufficient prefix space to allocate subnet size /{length}.")
            }
            PoolFault::NotFree => {
                "Failed to allocate subnet: Cannot allocate requested subnet from the available set of prefixes.".to_owned()
            }
            PoolFault::OverQuota => "Per-project subnet pool prefix quota exceeded.".to_owned(),
            PoolFault::Affinity => "Subnets hosted on the same network must be allocated from the same subnet pool.".to_owned(),
            PoolFault::ScopeNotShared(pool) => format!(
                "Failed to create RBAC policy on object {pool} because target project doesn't have access to associated address scope."
            ),
        }
    }
}
