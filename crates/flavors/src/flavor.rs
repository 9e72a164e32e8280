//! `flavors`.

use crate::FlavorFault;
use api::{Attribute, Cell, Fault, Fields, Kind, Op, Resource};
use model::{Flavor, Router, ServiceProfile};
use net::{FlavorId, ServiceProfileId};
use serde_json::json;
use std::sync::Arc;

/// The resource.
pub fn resource() -> Resource<Flavor> {
    Resource {
        attributes: attributes(),
        create: Some(create),
        update: Some(update),
        delete: Some(delete),
        ..Resource::new("flavor", "flavors", "FlavorNotFound", |id| format!("Flavor {id} could not be found."))
    }
}

/// Services that can have flavors: those that there are.
const SERVICE_TYPES: [&str; 7] = ["CORE", "FLAVORS", "L3_ROUTER_NAT", "METERING", "PORTFORWARDING", "QOS", "trunk"];

type A = Attribute<Flavor>;

fn attributes() -> Vec<A> {
    let description = |v: &api::View<'_, Flavor>| Cell::optional(v.record.description.clone(), Cell::Text);
    vec![
        A::new("id", Kind::Uuid, |v| Cell::Uuid(v.record.id.0)).filter().sort(),
        A::new("name", Kind::Text(255), |v| Cell::Str(&v.record.name)).post_or("").put().filter().sort(),
        A::new("description", Kind::TextOrNull(1024), description).post_or("").put().filter().sort(),
        A::new("service_type", Kind::Text(36), |v| Cell::Str(&v.record.service_type)).required().filter().sort(),
        A::new("enabled", Kind::Bool, |v| Cell::Bool(v.record.enabled)).post_or(true).put().filter().sort(),
        A::new("service_profiles", Kind::UuidList, |v| Cell::Uuids(v.record.service_profiles.iter().map(|id| id.0).collect()))
            .post_or(json!([]))
            .put(),
    ]
}

fn create(op: &mut Op<'_>, fields: &Fields) -> Result<FlavorId, Fault> {
    let service_type = fields.text("service_type").expect("a required attribute");
    if !SERVICE_TYPES.contains(&service_type.as_str()) {
        return Err(FlavorFault::ServiceType(service_type).into());
    }
    let id = FlavorId(op.tx.context.uuid());
    let mut flavor = Flavor { id, name: "".into(), description: None, service_type, enabled: true, service_profiles: Vec::new() };
    set(op, &mut flavor, fields)?;
    op.tx.put(flavor);
    Ok(id)
}

fn set(op: &Op<'_>, flavor: &mut Flavor, fields: &Fields) -> Result<(), FlavorFault> {
    flavor.name = fields.text("name").unwrap_or_else(|| flavor.name.clone());
    flavor.enabled = fields.bool("enabled").unwrap_or(flavor.enabled);
    if fields.has("description") {
        flavor.description = fields.text("description");
    }
    if let Some(profiles) = fields.typed::<Vec<ServiceProfileId>>("service_profiles") {
        let missing = profiles.iter().find(|id| op.tx.get::<ServiceProfile>(id).is_none());
        missing.map_or(Ok(()), |id| Err(FlavorFault::NoProfile(*id)))?;
        flavor.service_profiles = profiles;
    }
    Ok(())
}

fn update(op: &mut Op<'_>, flavor: &Arc<Flavor>, fields: &Fields) -> Result<(), Fault> {
    let mut new = Flavor::clone(flavor);
    set(op, &mut new, fields)?;
    op.tx.put(new);
    Ok(())
}

fn delete(op: &mut Op<'_>, flavor: &Arc<Flavor>) -> Result<(), Fault> {
    if op.tx.table::<Router>().has(Router::BY_FLAVOR, flavor.id) {
        return Err(FlavorFault::InUse(flavor.id).into());
    }
    op.tx.remove::<Flavor>(&flavor.id);
    Ok(())
}
