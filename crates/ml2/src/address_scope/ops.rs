//! Create, update and delete of address scopes, and which scope a network is in.

use super::{OBJECT_TYPE, ScopeFault};
use api::{Fault, Fields, Op};
use auth::Caller;
use model::{AddressScope, RbacAction, Subnet, SubnetPool};
use net::{AddressScopeId, Family, NetworkId, ProjectId};
use rbac::access;
use std::sync::Arc;
use world::World;

/// The scope, when the caller may know of it.
pub fn visible<'a>(world: &'a World, caller: &Caller, id: AddressScopeId) -> Result<&'a Arc<AddressScope>, ScopeFault> {
    let scope = world.get::<AddressScope>(&id).ok_or(ScopeFault::NotFound(id))?;
    if access::may_use(world, caller, &scope.project_id, id.0) { Ok(scope) } else { Err(ScopeFault::NotFound(id)) }
}

/// The scope of a network's addresses of a family: that of the pool of one of its subnets, for they are all of one.
pub fn of_network(world: &World, network: NetworkId, family: Family) -> Option<AddressScopeId> {
    let mut subnets = world.table::<Subnet>().by(Subnet::BY_NETWORK, network).filter(|subnet| subnet.family() == family);
    subnets.find_map(|subnet| world.get::<SubnetPool>(&subnet.subnetpool_id?)?.address_scope_id)
}

pub(super) fn create(op: &mut Op<'_>, fields: &Fields) -> Result<AddressScopeId, Fault> {
    let scope = AddressScope {
        id: AddressScopeId(op.tx.context.uuid()),
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        ip_version: fields.typed("ip_version").expect("a required attribute"),
    };
    if fields.bool("shared") == Some(true) {
        access::grant_all(op, OBJECT_TYPE, scope.id.0, RbacAction::Shared, &scope.project_id);
    }
    let id = scope.id;
    op.tx.put(scope);
    Ok(id)
}

pub(super) fn update(op: &mut Op<'_>, scope: &Arc<AddressScope>, fields: &Fields) -> Result<(), Fault> {
    match fields.bool("shared") {
        Some(true) => access::grant_all(op, OBJECT_TYPE, scope.id.0, RbacAction::Shared, &scope.project_id),
        Some(false) if access::is_shared(op.tx.world(), op.caller, scope.id.0) => return Err(ScopeFault::Shared(scope.id).into()),
        _ => {}
    }
    if let Some(name) = fields.text("name") {
        op.tx.update::<AddressScope>(&scope.id, |scope| scope.name = name);
    }
    Ok(())
}

pub(super) fn delete(op: &mut Op<'_>, scope: &Arc<AddressScope>) -> Result<(), Fault> {
    if op.tx.table::<SubnetPool>().has(SubnetPool::BY_SCOPE, scope.id) {
        return Err(ScopeFault::InUse(scope.id).into());
    }
    access::forget(op, scope.id.0, |_| true);
    op.tx.remove::<AddressScope>(&scope.id);
    Ok(())
}
