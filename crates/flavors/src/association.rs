//! What is below a flavor: `flavors/{id}/service_profiles`, and `flavors/{id}/next_providers`, which tells who would carry it.

use crate::{FlavorFault, provider_of};
use api::rows::{Row, Rows};
use api::{Answer, Answering, Associations, Collection, Fault, Fields, Kind, Op, Request, Route, schema};
use auth::{Policy, RuleId};
use model::{Flavor, ServiceProfile};
use net::{FlavorId, ServiceProfileId};
use serde_json::json;
use std::sync::Arc;
use world::World;

const ROWS: Rows =
    Rows { collection: "service_profiles", filters: &["id"], words: &[], sorts: &["id"], id: "id", form: || vec![("id", schema::uuid())] };

fn flavor<'w>(world: &'w World, id: &str) -> Result<&'w Arc<Flavor>, FlavorFault> {
    let flavor = id.parse::<FlavorId>().ok().and_then(|id| world.get::<Flavor>(&id));
    flavor.ok_or_else(|| FlavorFault::NotFound(id.to_owned()))
}

/// `flavors/{id}/service_profiles`, with its rules resolved.
pub(crate) fn service_profiles(policy: &mut Policy) -> Arc<dyn Collection> {
    let associations = Associations {
        rows: ROWS,
        name: "service_profile",
        rules: "flavor_service_profile",
        ids: ["flavor_id", "id"],
        takes: || vec![("id", Kind::Uuid, true)],
        find: |world, _, id| Ok(flavor(world, id)?),
        all: |_, flavor| flavor.service_profiles.iter().map(row).collect(),
        missing: |flavor, profile| FlavorFault::NotAssociated(profile.parse().ok(), flavor.to_owned()).into(),
        associate,
        dissociate,
    };
    associations.collection(policy)
}

fn row(profile: &ServiceProfileId) -> Row {
    Row::from_iter([("id".to_owned(), json!(profile))])
}

fn associate(op: &mut Op<'_>, flavor: &Arc<Flavor>, fields: &Fields) -> Result<String, Fault> {
    let profile: ServiceProfileId = fields.typed("id").expect("a required member");
    op.tx.get::<ServiceProfile>(&profile).ok_or(FlavorFault::NoProfile(profile))?;
    let mut new = Flavor::clone(flavor);
    if new.service_profiles.contains(&profile) {
        return Err(FlavorFault::Associated(profile, new.id).into());
    }
    new.service_profiles.push(profile);
    op.tx.put(new);
    Ok(profile.to_string())
}

fn dissociate(op: &mut Op<'_>, flavor: &Arc<Flavor>, profile: &str) -> Result<(), Fault> {
    let id = profile.parse::<ServiceProfileId>().ok();
    let gone = id.filter(|id| flavor.service_profiles.contains(id)).ok_or(FlavorFault::NotAssociated(id, flavor.id.to_string()))?;
    let mut new = Flavor::clone(flavor);
    new.service_profiles.retain(|there| *there != gone);
    op.tx.put(new);
    Ok(())
}

/// `flavors/{id}/next_providers`, with its rule resolved.
pub(crate) fn next_providers(policy: &mut Policy) -> Arc<dyn Collection> {
    Arc::new(NextProviders { get: policy.intern("get_flavor") })
}

struct NextProviders {
    get: RuleId,
}

impl Collection for NextProviders {
    fn routes(&self) -> Vec<Route> {
        let provider = schema::object(["driver", "provider"].map(|name| (name, schema::text(255))));
        let answer = schema::wrapped("next_providers", schema::list(provider));
        vec![Route::get("/{flavor_id}/next_providers", answer).by("get_flavor")]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            let [id, _] = request.path.as_slice() else { return Err(Fault::no_such_path()) };
            if request.method != "GET" {
                return Err(Fault::method_not_allowed());
            }
            let world = request.frame.fresh().await?;
            let flavor = flavor(&world, id)?;
            if !request.frame.policy.check(self.get, &request.caller, &()) {
                return Err(Fault::no_such_path());
            }
            let provider = provider_of(&request.frame.settings, &world, flavor)?;
            Ok(Answer::value(200, &json!({"next_providers": [{"driver": provider.driver, "provider": provider.name}]})))
        })
    }
}
