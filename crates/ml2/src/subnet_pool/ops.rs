//! Create, update and delete of subnet pools, and the operations on their prefixes.

use super::prefixes::{compact, covers, difference, overlap};
use super::{OBJECT_TYPE, PoolFault, in_use};
use crate::address_scope::{self, ScopeFault};
use api::{Fault, Fields, Op, Outcome};
use auth::Caller;
use model::{AddressScope, RbacAction, RbacPolicy, Standard, Subnet, SubnetPool};
use net::{AddressScopeId, Family, IpNet, NetworkId, ProjectId, SubnetPoolId};
use rbac::access;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use world::{Key, World};

/// The pool, when the caller may know of it.
pub(crate) fn visible<'a>(world: &'a World, caller: &Caller, id: SubnetPoolId) -> Result<&'a Arc<SubnetPool>, PoolFault> {
    let pool = world.get::<SubnetPool>(&id).ok_or(PoolFault::NotFound(id))?;
    if access::may_use(world, caller, &pool.project_id, id.0) { Ok(pool) } else { Err(PoolFault::NotFound(id)) }
}

/// The default pool of a family, when the caller may use it.
pub fn default_of<'a>(world: &'a World, caller: &Caller, family: Family) -> Option<&'a Arc<SubnetPool>> {
    let mut pools = world.table::<SubnetPool>().by(SubnetPool::DEFAULT_OF, u64::from(family.version()));
    pools.find(|pool| access::may_use(world, caller, &pool.project_id, pool.id.0))
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<SubnetPoolId, Fault> {
    let prefixes = checked(&fields.typed::<Vec<IpNet>>("prefixes").unwrap_or_default())?;
    let bits = prefixes.first().map(Family::of_net).map_or(32, Family::bits);
    let mut pool = SubnetPool {
        id: SubnetPoolId(op.tx.context.uuid()),
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        prefixes,
        default_prefixlen: 0,
        min_prefixlen: if bits == 32 { 8 } else { 64 },
        max_prefixlen: bits,
        default_quota: None,
        is_default: fields.bool("is_default").unwrap_or(false),
        address_scope_id: None,
        standard: Standard::new(op.tx.context.now, fields.text("description").unwrap_or_default()),
    };
    set(&mut pool, fields, false)?;
    if pool.is_default {
        check_no_default(op.tx.world(), pool.family())?;
    }
    check_scope(op, &pool)?;
    if fields.bool("shared") == Some(true) {
        access::grant_all(op, OBJECT_TYPE, pool.id.0, RbacAction::Shared, &pool.project_id);
    }
    let id = pool.id;
    op.tx.put(pool);
    Ok(id)
}

/// A pool's prefixes as they are kept: there are some, of one family.
fn checked(prefixes: &[IpNet]) -> Result<Vec<IpNet>, PoolFault> {
    let first = prefixes.first().ok_or(PoolFault::NoPrefixes)?;
    if prefixes.iter().any(|prefix| Family::of_net(prefix) != Family::of_net(first)) {
        return Err(PoolFault::MixedFamilies);
    }
    Ok(compact(prefixes))
}

/// Sets lengths, quota and scope; a new pool's default length is its shortest.
fn set(pool: &mut SubnetPool, fields: &Fields, is_known: bool) -> Result<(), PoolFault> {
    let min = fields.int("min_prefixlen").unwrap_or(pool.min_prefixlen.into());
    let max = fields.int("max_prefixlen").unwrap_or(pool.max_prefixlen.into());
    let default = fields.int("default_prefixlen").unwrap_or(if is_known { pool.default_prefixlen.into() } else { min });
    let within = |of, length, beyond, bound, holds| if holds { Ok(()) } else { Err(PoolFault::Bounds { of, length, beyond, bound }) };
    let bits = i64::from(pool.family().bits());
    within("min_prefixlen", min, "max_prefixlen", max, min <= max)?;
    within("max_prefixlen", max, "ip_version_max", bits, max <= bits)?;
    within("default_prefixlen", default, "min_prefixlen", min, default >= min)?;
    within("default_prefixlen", default, "max_prefixlen", max, default <= max)?;
    let length = |bits: i64| u8::try_from(bits).expect("checked to be a length");
    (pool.min_prefixlen, pool.max_prefixlen, pool.default_prefixlen) = (length(min), length(max), length(default));
    if let Some(quota) = fields.int("default_quota") {
        pool.default_quota = u64::try_from(quota).ok();
    }
    if let Some(scope) = fields.typed::<Option<AddressScopeId>>("address_scope_id") {
        pool.address_scope_id = scope;
    }
    Ok(())
}

fn check_no_default(world: &World, family: Family) -> Result<(), PoolFault> {
    let is_there = world.table::<SubnetPool>().has(SubnetPool::DEFAULT_OF, Key::Number(family.version().into()));
    if is_there { Err(PoolFault::DefaultExists) } else { Ok(()) }
}

/// The scope that a pool would be in: the caller may use it, it is of the pool's family, and no other pool in it has these prefixes.
fn check_scope(op: &Op<'_>, pool: &SubnetPool) -> Result<(), Fault> {
    let Some(id) = pool.address_scope_id else { return Ok(()) };
    let world = op.tx.world();
    let scope = address_scope::visible(world, op.caller, id)?;
    if scope.ip_version != pool.family() {
        return Err(PoolFault::ScopeFamily(pool.id, id, scope.ip_version).into());
    }
    let mut others = world.table::<SubnetPool>().by(SubnetPool::BY_SCOPE, id).filter(|other| other.id != pool.id);
    if others.any(|other| overlap(&other.prefixes, &pool.prefixes)) {
        return Err(PoolFault::ScopePrefixes.into());
    }
    Ok(())
}

pub(super) fn update(op: &mut Op<'_>, pool: &Arc<SubnetPool>, fields: &Fields) -> Result<(), Fault> {
    let mut new = SubnetPool::clone(pool);
    if let Some(prefixes) = fields.typed::<Vec<IpNet>>("prefixes") {
        let prefixes = compact(&prefixes);
        if !pool.prefixes.iter().all(|prefix| covers(&prefixes, prefix)) {
            return Err(PoolFault::Shrinks.into());
        }
        new.prefixes = checked(&prefixes)?;
    }
    set(&mut new, fields, true)?;
    if let Some(name) = fields.text("name") {
        new.name = name;
    }
    if let Some(description) = fields.text("description") {
        new.standard.description = description;
    }
    if let Some(is_default) = fields.bool("is_default") {
        new.is_default = is_default;
    }
    replace(op, pool, new)
}

/// Puts a pool that was changed in place of what it was.
pub(super) fn replace(op: &mut Op<'_>, pool: &SubnetPool, mut new: SubnetPool) -> Result<(), Fault> {
    let world = op.tx.world();
    if new.is_default && !pool.is_default {
        check_no_default(world, new.family())?;
    }
    if let Some(scope) = pool.address_scope_id {
        let owner = world.get::<AddressScope>(&scope).map(|scope| &scope.project_id);
        if !op.caller.is_admin && !owner.is_some_and(|owner| op.caller.owns(owner.as_str())) {
            return Err(PoolFault::ForeignScope(pool.id, scope).into());
        }
    }
    if new.address_scope_id != pool.address_scope_id {
        check_networks(world, pool)?;
    }
    if new.address_scope_id != pool.address_scope_id || new.prefixes != pool.prefixes {
        check_scope(op, &new)?;
    }
    if new != *pool {
        new.standard.touch(op.tx.context.now);
        op.tx.put(new);
    }
    Ok(())
}

/// A pool changes its scope only when no network has subnets of it and others of the family: they would be in different scopes.
fn check_networks(world: &World, pool: &SubnetPool) -> Result<(), ScopeFault> {
    let networks: BTreeSet<NetworkId> = in_use(world, pool.id).map(|subnet| subnet.network_id).collect();
    let other = |subnet: &Arc<Subnet>| subnet.family() == pool.family() && subnet.subnetpool_id != Some(pool.id);
    let mixed = |network: &NetworkId| world.table::<Subnet>().by(Subnet::BY_NETWORK, *network).any(other);
    if networks.iter().any(mixed) { Err(ScopeFault::Affinity) } else { Ok(()) }
}

pub(super) fn delete(op: &mut Op<'_>, pool: &Arc<SubnetPool>) -> Result<(), Fault> {
    if in_use(op.tx.world(), pool.id).next().is_some() {
        return Err(PoolFault::InUse.into());
    }
    access::forget(op, pool.id.0, |_| true);
    op.tx.remove::<SubnetPool>(&pool.id);
    Ok(())
}

/// The prefixes of a body, of the pool's family.
fn requested(body: &Map<String, Value>) -> Result<Vec<IpNet>, Fault> {
    let given = body.get("prefixes").and_then(Value::as_array).filter(|given| !given.is_empty()).ok_or(PoolFault::NoList)?;
    let prefix = |value: &Value| value.as_str().and_then(|text| text.parse::<IpNet>().ok()).map(|prefix| prefix.trunc());
    Ok(given.iter().map(prefix).collect::<Option<Vec<IpNet>>>().ok_or(PoolFault::NoList)?)
}

fn answer(prefixes: &[IpNet]) -> Outcome {
    Outcome::Document(json!({ "prefixes": prefixes }))
}

pub(super) fn add_prefixes(op: &mut Op<'_>, pool: &Arc<SubnetPool>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let mut prefixes = requested(body)?;
    prefixes.extend(&pool.prefixes);
    let prefixes = checked(&prefixes)?;
    replace(op, pool, SubnetPool { prefixes: prefixes.clone(), ..SubnetPool::clone(pool) })?;
    Ok(answer(&prefixes))
}

pub(super) fn remove_prefixes(op: &mut Op<'_>, pool: &Arc<SubnetPool>, body: &Map<String, Value>) -> Result<Outcome, Fault> {
    let removed = compact(&requested(body)?);
    if !overlap(&pool.prefixes, &removed) {
        return Ok(answer(&pool.prefixes));
    }
    let used: Vec<IpNet> = in_use(op.tx.world(), pool.id).map(|subnet| subnet.cidr).collect();
    if overlap(&used, &removed) {
        return Err(PoolFault::PrefixInUse.into());
    }
    let prefixes = checked(&difference(&pool.prefixes, &removed))?;
    replace(op, pool, SubnetPool { prefixes: prefixes.clone(), ..SubnetPool::clone(pool) })?;
    Ok(answer(&prefixes))
}

/// Whoever a pool is shared with must have its scope.
pub(super) fn check_shared(world: &World, policy: &RbacPolicy) -> Result<(), Fault> {
    let id = SubnetPoolId(policy.object_id);
    let scope = world.get::<SubnetPool>(&id).and_then(|pool| world.get::<AddressScope>(&pool.address_scope_id?));
    let Some(scope) = scope else { return Ok(()) };
    let target = ProjectId(policy.target_project.clone());
    if scope.project_id == target || access::grants(world, scope.id.0, RbacAction::Shared, &target) {
        return Ok(());
    }
    Err(PoolFault::ScopeNotShared(id).into())
}
