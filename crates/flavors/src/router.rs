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

/// A router that is asked for by flavor is what the flavor's provider can carry, and stays so.
fn set(op: &mut Op<'_>, before: Option<&Router>, router: &mut Router, fields: &Fields) -> Result<(), Fault> {
    if let Some(id) = before.and_then(|router| router.flavor_id) {
        return Ok(stays(op, id, fields)?);
    }
    let Some(asked) = fields.get("flavor_id") else { return Ok(()) };
    let id = asked.as_str().and_then(|text| text.parse::<FlavorId>().ok());
    let flavor = id.and_then(|id| op.tx.get::<Flavor>(&id)).ok_or_else(|| FlavorFault::NotFound(python::text(asked).to_string()))?;
    let provider = provider_of(op.settings, op.tx.world(), flavor)?;
    if let Some((attribute, value)) = provider.unsupported(fields) {
        return Err(FlavorFault::Unsupported(provider.name, attribute, value).into());
    }
    router.flavor_id = Some(flavor.id);
    Ok(())
}

/// A flavor whose provider cannot be told any more says nothing.
fn stays(op: &Op<'_>, id: FlavorId, fields: &Fields) -> Result<(), FlavorFault> {
    let provider = op.tx.get::<Flavor>(&id).and_then(|flavor| provider_of(op.settings, op.tx.world(), flavor).ok());
    let is_other = provider.is_some_and(|provider| provider.unsupported(fields).is_some());
    if is_other { Err(FlavorFault::Fixed) } else { Ok(()) }
}
