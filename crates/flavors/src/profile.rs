//! `service_profiles`: how flavors are carried. Administrators alone see them.

use crate::{FlavorFault, providers};
use api::{Attribute, Cell, Fault, Fields, Kind, Op, Resource, Settings, View};
use model::{Flavor, ServiceProfile};
use net::ServiceProfileId;
use std::sync::Arc;

/// The resource.
pub fn resource() -> Resource<ServiceProfile> {
    let not_found = |id: &str| format!("Service Profile {id} could not be found.");
    Resource {
        restarts_at_unknown_marker: true,
        attributes: attributes(),
        create: Some(create),
        update: Some(update),
        delete: Some(delete),
        ..Resource::new("service_profile", "service_profiles", "ServiceProfileNotFound", not_found)
    }
}

type A = Attribute<ServiceProfile>;

fn attributes() -> Vec<A> {
    let description = |v: &View<'_, ServiceProfile>| Cell::optional(v.record.description.clone(), Cell::Text);
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("description", Kind::TextOrNull(1024), description).post_or("").put().filter().sort(),
        A::new("driver", Kind::Text(1024), |v| Cell::Str(&v.record.driver)).post_or("").put().filter().sort(),
        A::new("enabled", Kind::Bool, |v| Cell::Bool(v.record.enabled)).post_or(true).put().filter().sort(),
        A::new("metainfo", Kind::Text(4096), |v| Cell::Str(&v.record.metainfo)).post_or("").put().sort(),
    ]
}

fn create(op: &mut Op<'_>, fields: &Fields) -> Result<ServiceProfileId, Fault> {
    let id = ServiceProfileId(op.tx.context.uuid());
    let blank = ServiceProfile { id, description: None, driver: "".into(), enabled: true, metainfo: "".into() };
    op.tx.put(set(op.settings, blank, fields)?);
    Ok(id)
}

/// It names a driver that some provider has, or says something else.
fn set(settings: &Settings, mut profile: ServiceProfile, fields: &Fields) -> Result<ServiceProfile, FlavorFault> {
    if fields.has("description") {
        profile.description = fields.text("description");
    }
    profile.driver = fields.text("driver").unwrap_or(profile.driver);
    profile.enabled = fields.bool("enabled").unwrap_or(profile.enabled);
    profile.metainfo = fields.text("metainfo").unwrap_or(profile.metainfo);
    if profile.driver.is_empty() {
        return if profile.metainfo.is_empty() { Err(FlavorFault::EmptyProfile) } else { Ok(profile) };
    }
    match providers::by_driver(settings, &profile.driver) {
        Some(_) => Ok(profile),
        None => Err(FlavorFault::NoDriver(profile.driver)),
    }
}

/// A profile that flavors have stays as it is.
fn check_unused(op: &Op<'_>, id: ServiceProfileId) -> Result<(), FlavorFault> {
    let is_used = op.tx.table::<Flavor>().has(Flavor::BY_SERVICE_PROFILE, id);
    if is_used { Err(FlavorFault::ProfileInUse(id)) } else { Ok(()) }
}

fn update(op: &mut Op<'_>, profile: &Arc<ServiceProfile>, fields: &Fields) -> Result<(), Fault> {
    check_unused(op, profile.id)?;
    let new = set(op.settings, ServiceProfile::clone(profile), fields)?;
    op.tx.put(new);
    Ok(())
}

fn delete(op: &mut Op<'_>, profile: &Arc<ServiceProfile>) -> Result<(), Fault> {
    check_unused(op, profile.id)?;
    op.tx.remove::<ServiceProfile>(&profile.id);
    Ok(())
}
