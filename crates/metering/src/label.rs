//! `metering/metering-labels`.

use api::{Attribute, Cell, Concerning, Fault, Fields, Kind, Narrow, Op, Resource};
use model::{MeteringLabel, MeteringLabelRule};
use net::{MeteringLabelId, MeteringLabelRuleId, ProjectId};
use std::sync::Arc;

/// The resource. A label is not changed once it is made.
pub fn resource() -> Resource<MeteringLabel> {
    Resource {
        prefix: "metering",
        extension: Some("metering"),
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(create),
        delete: Some(delete),
        narrow: vec![("project_id", Narrow::Text(MeteringLabel::BY_PROJECT))],
        concerning: Some(Concerning::Own(MeteringLabel::BY_PROJECT)),
        ..Resource::new("metering_label", "metering_labels", "MeteringLabelNotFound", not_found)
    }
}

fn not_found(id: &str) -> String {
    format!("Metering label '{id}' does not exist.")
}

/// 404 of a label.
pub(crate) fn missing(id: MeteringLabelId) -> Fault {
    Fault::new(404, "MeteringLabelNotFound", not_found(&id.to_string()))
}

type A = Attribute<MeteringLabel>;

fn attributes() -> Vec<A> {
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").filter().sort(),
        A::new("description", Kind::Text(1024), |v| Cell::Str(&v.record.description)).post_or("").filter().sort(),
        A::new("project_id", Kind::Text(255), |v| Cell::Str(v.record.project_id.as_str())).post().filter().sort(),
        A::new("shared", Kind::Bool, |v| Cell::Bool(v.record.shared)).post_or(false).filter().sort(),
    ]
}

fn create(op: &mut Op<'_>, fields: &Fields) -> Result<MeteringLabelId, Fault> {
    let id = MeteringLabelId(op.tx.context.uuid());
    op.tx.put(MeteringLabel {
        id,
        project_id: ProjectId(fields.text("project_id").unwrap_or_default()),
        name: fields.text("name").unwrap_or_default(),
        description: fields.text("description").unwrap_or_default(),
        shared: fields.bool("shared").unwrap_or(false),
    });
    Ok(id)
}

/// Its rules go with it.
fn delete(op: &mut Op<'_>, label: &Arc<MeteringLabel>) -> Result<(), Fault> {
    let rules: Vec<MeteringLabelRuleId> = op.tx.table::<MeteringLabelRule>().ids(MeteringLabelRule::BY_LABEL, label.id).copied().collect();
    for rule in rules {
        op.tx.remove::<MeteringLabelRule>(&rule);
    }
    op.tx.remove::<MeteringLabel>(&label.id);
    Ok(())
}
