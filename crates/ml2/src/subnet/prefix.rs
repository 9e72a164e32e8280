//! Where a new subnet's prefix comes from: the request, a subnet pool, or a router that delegates one later.

use super::{SubnetFault, is_given};
use crate::Config;
use crate::address_scope::{ScopeFault, of_network};
use crate::subnet_pool::{self, PoolFault, Wanted};
use api::{Fault, Fields, Op};
use model::{Ipv6Mode, PREFIX_DELEGATION, Subnet, SubnetPool, provisional_prefix};
use net::{Family, IpNet, NetworkId, ProjectId, SubnetPoolId};
use std::sync::Arc;
use world::World;

/// A prefix, and the pool that it is of.
pub(super) struct Prefix {
    pub(super) cidr: IpNet,
    pub(super) pool: Option<Arc<SubnetPool>>,
    /// It stands for one that is to be delegated.
    pub(super) delegated: bool,
}

/// The prefix that a request gives, or one of the pool that it names.
pub(super) fn choose(op: &Op<'_>, fields: &Fields) -> Result<Prefix, Fault> {
    let cidr: Option<IpNet> = fields.typed::<Option<IpNet>>("cidr").flatten();
    if cidr.is_some() && is_given(fields, "prefixlen") {
        return Err(SubnetFault::CidrAndLength.into());
    }
    let family: Family = fields.typed("ip_version").expect("a required attribute");
    let ranges = fields.typed::<Vec<model::AllocationPool>>("allocation_pools").is_some_and(|pools| !pools.is_empty());
    let pool = match origin(op, fields, cidr.as_ref().map_or(family, Family::of_net))? {
        Origin::Given => return Ok(Prefix { cidr: cidr.ok_or(SubnetFault::NoCidr)?, pool: None, delegated: false }),
        // Whoever knows the prefix needs nobody to delegate one.
        Origin::Delegated if cidr.is_some() => return Ok(Prefix { cidr: cidr.ok_or(SubnetFault::NoCidr)?, pool: None, delegated: false }),
        Origin::Delegated | Origin::Pool(_) if cidr.is_none() && ranges => return Err(SubnetFault::PoolsOfAnyPrefix.into()),
        Origin::Delegated => {
            check_delegated(fields, family)?;
            return Ok(Prefix { cidr: provisional_prefix(), pool: None, delegated: true });
        }
        Origin::Pool(pool) => pool,
    };
    if family != pool.family() {
        return Err(PoolFault::Family { subnet: family, pool: pool.family() }.into());
    }
    if let Some(cidr) = &cidr {
        super::validate::check_cidr(cidr, family)?;
    }
    let length = fields.int("prefixlen").and_then(|length| u8::try_from(length).ok());
    let wanted = cidr.map_or(Wanted::Length(length), Wanted::Prefix);
    let project = ProjectId(fields.text("project_id").unwrap_or_default());
    let cidr = subnet_pool::allocate(op.tx.world(), &pool, &project, wanted)?;
    Ok(Prefix { cidr, pool: Some(pool), delegated: false })
}

/// Where a prefix comes from.
enum Origin {
    Given,
    Pool(Arc<SubnetPool>),
    Delegated,
}

fn origin(op: &Op<'_>, fields: &Fields, family: Family) -> Result<Origin, Fault> {
    let by_default = fields.bool("use_default_subnetpool") == Some(true);
    if fields.text("subnetpool_id").is_some_and(|id| id == PREFIX_DELEGATION) {
        return if by_default { Err(SubnetFault::TwoPools.into()) } else { Ok(Origin::Delegated) };
    }
    if by_default && !is_given(fields, "subnetpool_id") && family == Family::V6 && op.settings.get::<Config>().ipv6_pd_enabled {
        return Ok(Origin::Delegated);
    }
    Ok(pool(op, fields, family)?.map_or(Origin::Given, Origin::Pool))
}

/// Instances make their addresses of a prefix that is not known beforehand.
fn check_delegated(fields: &Fields, family: Family) -> Result<(), SubnetFault> {
    if family != Family::V6 {
        return Err(SubnetFault::Delegation("Prefix Delegation can only be used with IPv6 subnets."));
    }
    let automatic = |name| matches!(fields.typed::<Option<Ipv6Mode>>(name).flatten(), Some(Ipv6Mode::Slaac | Ipv6Mode::Dhcpv6Stateless));
    if !automatic("ipv6_ra_mode") {
        return Err(SubnetFault::Delegation("IPv6 RA Mode must be SLAAC or Stateless for Prefix Delegation."));
    }
    if !automatic("ipv6_address_mode") {
        return Err(SubnetFault::Delegation("IPv6 Address Mode must be SLAAC or Stateless for Prefix Delegation."));
    }
    Ok(())
}

/// The pool that a request names, or the default one that it asks for.
fn pool(op: &Op<'_>, fields: &Fields, family: Family) -> Result<Option<Arc<SubnetPool>>, Fault> {
    let world = op.tx.world();
    let id: Option<SubnetPoolId> = fields.typed::<Option<SubnetPoolId>>("subnetpool_id").flatten();
    match (id, fields.bool("use_default_subnetpool") == Some(true)) {
        (Some(_), true) => Err(SubnetFault::TwoPools.into()),
        (Some(id), false) => Ok(Some(Arc::clone(subnet_pool::visible(world, op.caller, id)?))),
        (None, true) => {
            let default = subnet_pool::default_of(world, op.caller, family);
            Ok(Some(default.cloned().ok_or(SubnetFault::NoDefaultPool(family))?))
        }
        (None, false) => Ok(None),
    }
}

/// All subnets of a network that are of one family are of one scope, or else of one pool or of none.
pub(super) fn check_affinity(world: &World, network: NetworkId, prefix: &Prefix) -> Result<(), Fault> {
    let family = Family::of_net(&prefix.cidr);
    let scope = of_network(world, network, family);
    let pool = prefix.pool.as_ref().map(|pool| pool.id);
    if scope.is_some() && prefix.delegated {
        return Err(ScopeFault::Affinity.into());
    }
    if let (Some(scope), Some(pool)) = (scope, &prefix.pool) {
        return if pool.address_scope_id == Some(scope) { Ok(()) } else { Err(ScopeFault::Affinity.into()) };
    }
    let differs = |subnet: &Arc<Subnet>| subnet.family() == family && (subnet.subnetpool_id, subnet.delegated) != (pool, prefix.delegated);
    if world.table::<Subnet>().by(Subnet::BY_NETWORK, network).any(differs) { Err(PoolFault::Affinity.into()) } else { Ok(()) }
}
