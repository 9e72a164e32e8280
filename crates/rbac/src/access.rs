//! Who may use what. Each question is a look into an index, whatever the number of policies.

use api::Op;
use auth::Caller;
use model::{EVERYBODY, RbacAction, RbacPolicy};
use net::{ProjectId, RbacPolicyId};
use smol_str::SmolStr;
use uuid::Uuid;
use world::{Index, Record, World};

static TO_ALL: SmolStr = SmolStr::new_static(EVERYBODY);

/// True when a policy lets the project do this with the object: one for it, or one for everybody.
pub fn grants(world: &World, object: Uuid, action: RbacAction, project: &ProjectId) -> bool {
    grants_all(world, object, action) || find(world, object, action, &project.0).is_some()
}

/// True when a policy lets everybody do this with the object.
pub fn grants_all(world: &World, object: Uuid, action: RbacAction) -> bool {
    find(world, object, action, &TO_ALL).is_some()
}

/// True when the object is shared with the caller's project.
pub fn is_shared(world: &World, caller: &Caller, object: Uuid) -> bool {
    grants(world, object, RbacAction::Shared, &caller.project_id)
}

/// True when the caller may use an object of this owner: its own, one shared with it, or any for administrators.
pub fn may_use(world: &World, caller: &Caller, owner: &ProjectId, object: Uuid) -> bool {
    caller.is_admin || caller.owns(owner.as_str()) || is_shared(world, caller, object)
}

/// The objects of a type that policies let a project use in some way; one that several policies are about comes several times.
pub fn reachable<'w>(world: &'w World, object_type: &str, project: &ProjectId) -> impl Iterator<Item = Uuid> + use<'w> {
    let keys = [RbacPolicy::reach(object_type, &TO_ALL), RbacPolicy::reach(object_type, &project.0)];
    keys.into_iter().flat_map(|key| world.table::<RbacPolicy>().by(RbacPolicy::BY_REACH, key)).map(|policy| policy.object_id)
}

/// A project's own objects of a type, by the index of owners, and those that policies let it use; some may come several times.
pub fn concerning<R: Record>(world: &World, caller: &Caller, own: Index<R>, object_type: &str) -> Vec<R::Id>
where
    R::Id: From<Uuid>,
{
    let own = world.table::<R>().ids(own, &caller.project_id).cloned();
    own.chain(reachable(world, object_type, &caller.project_id).map(R::Id::from)).collect()
}

/// The objects of a type that there are policies about, likewise.
pub fn governed<'w>(world: &'w World, object_type: &'static str) -> impl Iterator<Item = Uuid> + use<'w> {
    let policies = world.table::<RbacPolicy>();
    let keys = policies.walk(RbacPolicy::BY_REACH, RbacPolicy::reach(object_type, &SmolStr::default()));
    let of_type = keys.take_while(move |(key, _)| matches!(key, world::Key::Texts(there, _) if there == object_type));
    of_type.filter_map(|(_, id)| policies.get(id)).map(|policy| policy.object_id)
}

/// The policy for exactly this.
pub fn find(world: &World, object: Uuid, action: RbacAction, target: &SmolStr) -> Option<RbacPolicyId> {
    let mut policies = world.table::<RbacPolicy>().by(RbacPolicy::BY_GRANT, RbacPolicy::grant(object, target));
    policies.find(|policy| policy.action == action).map(|policy| policy.id)
}

/// Lets everybody do this with an object, where that is not so yet.
pub fn grant_all(op: &mut Op<'_>, object_type: &'static str, object: Uuid, action: RbacAction, owner: &ProjectId) {
    if grants_all(op.tx.world(), object, action) {
        return;
    }
    let id = RbacPolicyId(op.tx.context.uuid());
    let object_type = SmolStr::new_static(object_type);
    op.tx.put(RbacPolicy { id, project_id: owner.clone(), object_type, object_id: object, action, target_project: TO_ALL.clone() });
}

/// Removes the policies about an object that this is true of: all of them when the object goes.
pub fn forget(op: &mut Op<'_>, object: Uuid, which: impl Fn(&RbacPolicy) -> bool) {
    let policies = op.tx.table::<RbacPolicy>().by(RbacPolicy::BY_OBJECT, object);
    let doomed: Vec<RbacPolicyId> = policies.filter(|policy| which(policy)).map(|policy| policy.id).collect();
    for id in doomed {
        op.tx.remove::<RbacPolicy>(&id);
    }
}
