//! Where a new subnet's prefix comes from: the request, or a subnet pool.

use super::{SubnetFault, is_given};
use crate::address_scope::{ScopeFault, of_network};
use crate::subnet_pool::{self, PoolFault, Wanted};
use api::{Fault, Fields, Op};
use model::{Subnet, SubnetPool};
use net::{Family, IpNet, NetworkId, ProjectId, SubnetPoolId};
use std::sync::Arc;
use world::World;

/// A prefix, and the pool that it is of.
pub(super) struct Prefix {
    pub(super) cidr: IpNet,
    pub(super) pool: Option<Arc<SubnetPool>>,
}

/// The prefix that a request gives, or one of the pool that it names.
pub(super) fn choose(op: &Op<'_>, fields: &Fields) -> Result<Prefix, Fault> {
    let cidr: Option<IpNet> = fields.typed::<Option<IpNet>>("cidr").flatten();
    if cidr.is_some() && is_given(fields, "prefixlen") {
        return Err(SubnetFault::CidrAndLength.into());
    }
    let family: Family = fields.typed("ip_version").expect("a required attribute");
    let Some(pool) = pool(op, fields, cidr.as_ref().map_or(family, Family::of_net))? else {
        return Ok(Prefix { cidr: cidr.ok_or(SubnetFault::NoCidr)?, pool: None });
    };
    if cidr.is_none() && fields.typed::<Vec<model::AllocationPool>>("allocation_pools").is_some_and(|pools| !pools.is_empty()) {
        return Err(SubnetFault::PoolsOfAnyPrefix.into());
    }
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
    Ok(Prefix { cidr, pool: Some(pool) })
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
    if let (Some(scope), Some(pool)) = (scope, &prefix.pool) {
        return if pool.address_scope_id == Some(scope) { Ok(()) } else { Err(ScopeFault::Affinity.into()) };
    }
    let differs = |subnet: &Arc<Subnet>| subnet.family() == family && subnet.subnetpool_id != pool;
    if world.table::<Subnet>().by(Subnet::BY_NETWORK, network).any(differs) { Err(PoolFault::Affinity.into()) } else { Ok(()) }
}
