//! Routers by flavor (extension `l3-flavors`).

use crate::{FlavorFault, provider_of};
use api::{Addition, Attribute, Cell, Fault, Fields, Kind, Op, python, schema};
use model::{Flavor, Router};
use net::FlavorId;

/// For routers.
pub fn of_router() -> Addition<Router> {
    // Anything: what is no id is no flavor's.
    let kind = Kind::Special { name: "flavor", check: Ok, form: || schema::nullable(schema::text(36)) };
    let cell = |v: &api::View<'_, Router>| Cell::optional(v.record.flavor_id, |id| Cell::Uuid(id.0));
    Addition::new(vec![Attribute::new("flavor_id", kind, cell).post().sort().policy().of("l3-flavors")]).set(set)
}

/// A router that is asked for by flavor is what the flavor's provider can carry.
fn set(op: &mut Op<'_>, _before: Option<&Router>, router: &mut Router, fields: &Fields) -> Result<(), Fault> {
    let Some(asked) = fields.get("flavor_id") else { return Ok(()) };
    let id = asked.as_str().and_then(|text| text.parse::<FlavorId>().ok());
    let flavor = id.and_then(|id| op.tx.get::<Flavor>(&id)).ok_or_else(|| FlavorFault::NotFound(python::text(asked).to_string()))?;
    let provider = provider_of(op.tx.world(), flavor)?;
    if let Some(attribute) = provider.without.iter().find(|attribute| fields.bool(attribute) == Some(true)) {
        return Err(FlavorFault::Unsupported(provider.name, attribute).into());
    }
    router.flavor_id = Some(flavor.id);
    Ok(())
}
