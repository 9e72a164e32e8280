//! `security_groups_default_statefulness`: whether new groups are stateful when the request does not say (extension
//! `security-groups-default-statefulness`): of a project, or of all that have no setting of their own.

use api::{Attribute, Cell, Concerning, Fault, Fields, Kind, Op, Resource};
use model::DefaultStatefulness;
use net::ProjectId;
use std::sync::Arc;
use uuid::Uuid;

/// The resource. Its name is as clients have it, which is not the collection's as in the rules.
pub fn resource() -> Resource<DefaultStatefulness> {
    const NAME: &str = "security_group_default_statefulness";
    const COLLECTION: &str = "security_groups_default_statefulness";
    let not_found = |id: &str| format!("Security group default statefulness {id} could not be found.");
    Resource {
        rules: COLLECTION,
        attributes: attributes(),
        create: Some(create),
        update: Some(update),
        delete: Some(delete),
        concerning: Some(Concerning::By(|world, caller| {
            let of = DefaultStatefulness::of(Some(&caller.project_id));
            world.table::<DefaultStatefulness>().ids(DefaultStatefulness::OF, of).copied().collect()
        })),
        ..Resource::new(NAME, COLLECTION, "SecurityGroupDefaultStatefulnessNotFound", not_found)
    }
}

type A = Attribute<DefaultStatefulness>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id)).filter().sort(),
        A::new("project_id", Kind::TextOrNull(255), |v| {
            Cell::optional(v.record.project_id.as_ref(), |project| Cell::Str(project.as_str()))
        })
        .post()
        .filter()
        .sort(),
        A::new("stateful", Kind::Bool, |v| Cell::Bool(v.record.stateful)).post_or(true).put().filter().sort(),
    ]
}

fn create(op: &mut Op<'_>, fields: &Fields) -> Result<Uuid, Fault> {
    let project_id = fields.text("project_id").map(ProjectId);
    if op.tx.table::<DefaultStatefulness>().has(DefaultStatefulness::OF, DefaultStatefulness::of(project_id.as_ref())) {
        let project = project_id.as_ref().map_or("system-wide", ProjectId::as_str);
        let message = format!("A security group default statefulness setting already exists for project '{project}'.");
        return Err(Fault::new(409, "SecurityGroupDefaultStatefulnessAlreadyExists", message));
    }
    let id = op.tx.context.uuid();
    op.tx.put(DefaultStatefulness { id, project_id, stateful: fields.bool("stateful").unwrap_or(true) });
    Ok(id)
}

fn update(op: &mut Op<'_>, setting: &Arc<DefaultStatefulness>, fields: &Fields) -> Result<(), Fault> {
    if let Some(stateful) = fields.bool("stateful") {
        op.tx.update::<DefaultStatefulness>(&setting.id, |setting| setting.stateful = stateful);
    }
    Ok(())
}

fn delete(op: &mut Op<'_>, setting: &Arc<DefaultStatefulness>) -> Result<(), Fault> {
    op.tx.remove::<DefaultStatefulness>(&setting.id);
    Ok(())
}
