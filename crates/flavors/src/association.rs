//! What is below a flavor: `flavors/{id}/service_profiles`, and `flavors/{id}/next_providers`, which tells who would carry it.

use crate::{FlavorFault, provider_of};
use api::{Answer, Answering, Collection, Fault, Frame, Kind, Op, Request, Route, schema};
use auth::{Policy, RuleId};
use model::{Flavor, ServiceProfile};
use net::{FlavorId, ServiceProfileId};
use serde_json::{Value, json};
use std::sync::Arc;
use world::World;

fn flavor<'w>(world: &'w World, id: &str) -> Result<&'w Arc<Flavor>, FlavorFault> {
    let flavor = id.parse::<FlavorId>().ok().and_then(|id| world.get::<Flavor>(&id));
    flavor.ok_or_else(|| FlavorFault::NotFound(id.to_owned()))
}

/// `flavors/{id}/service_profiles`, with its rules resolved.
pub(crate) fn service_profiles(policy: &mut Policy) -> Arc<dyn Collection> {
    let mut rule = |verb: &str| policy.intern(&format!("{verb}_flavor_service_profile"));
    Arc::new(Associations { get: rule("get"), create: rule("create"), delete: rule("delete") })
}

struct Associations {
    get: RuleId,
    create: RuleId,
    delete: RuleId,
}

impl Collection for Associations {
    fn routes(&self) -> Vec<Route> {
        let profile = || schema::object([("id", schema::uuid())]);
        let one = || schema::wrapped("service_profile", profile());
        let [all, each] = ["/{flavor_id}/service_profiles", "/{flavor_id}/service_profiles/{id}"];
        let rule = |verb: &str| format!("{verb}_flavor_service_profile");
        vec![
            Route::get(all, schema::wrapped("service_profiles", schema::list(profile()))).by(rule("get")),
            Route::post(all, schema::wrapped("service_profile", schema::wrapped("id", schema::uuid())), one()).by(rule("create")),
            Route::get(each, one()).by(rule("get")),
            Route::delete(each).by(rule("delete")),
        ]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match (request.method.as_str(), request.path.as_slice()) {
                ("GET", [id, _]) => self.list(request, id).await,
                ("POST", [id, _]) => self.associate(request, id).await,
                ("GET", [id, _, profile]) => self.show(request, id, profile).await,
                ("DELETE", [id, _, profile]) => self.dissociate(request, id, profile).await,
                (_, [_, _] | [_, _, _]) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl Associations {
    fn enforce(&self, request: &Request<'_>, rule: RuleId) -> Result<(), Fault> {
        Ok(request.frame.policy.enforce(&rule.into(), &request.caller, &())?)
    }

    async fn list(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let flavor = flavor(&world, id)?;
        let is_admitted = request.frame.policy.check(self.get, &request.caller, &());
        let profiles = flavor.service_profiles.iter().filter(|_| is_admitted);
        Ok(Answer::value(200, &json!({ "service_profiles": profiles.map(|id| json!({ "id": id })).collect::<Vec<Value>>() })))
    }

    async fn show(&self, request: &Request<'_>, id: &str, profile: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let flavor = flavor(&world, id)?;
        if !request.frame.policy.check(self.get, &request.caller, &()) {
            return Err(Fault::no_such_path());
        }
        Ok(one(associated(flavor, profile)?))
    }

    async fn associate(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let mut given = api::unwrap(&mut api::object(request.body)?, "service_profile")?;
        let missing = || Fault::bad_request("Failed to parse request. Required attribute 'id' not specified");
        let profile = given.remove("id").ok_or_else(missing)?;
        api::refuse_unknown(given.keys())?;
        let profile = Kind::Uuid.check(profile).map_err(|invalid| invalid.fault("id"))?;
        let profile: ServiceProfileId = profile.as_str().and_then(|id| id.parse().ok()).ok_or_else(Fault::internal)?;
        self.enforce(request, self.create)?;
        let id = id.to_owned();
        let run = move |_: &Frame, op: &mut Op<'_>| {
            let mut new = Flavor::clone(flavor(op.tx.world(), &id)?);
            op.tx.get::<ServiceProfile>(&profile).ok_or(FlavorFault::NoProfile(profile))?;
            if new.service_profiles.contains(&profile) {
                return Err(FlavorFault::Associated(profile, new.id).into());
            }
            new.service_profiles.push(profile);
            op.tx.put(new);
            Ok(())
        };
        request.frame.commit(&request.caller, run).await?;
        Ok(Answer { status: 201, ..one(profile) })
    }

    async fn dissociate(&self, request: &Request<'_>, id: &str, profile: &str) -> Result<Answer, Fault> {
        self.enforce(request, self.delete)?;
        let (id, profile) = (id.to_owned(), profile.to_owned());
        let run = move |_: &Frame, op: &mut Op<'_>| {
            let mut new = Flavor::clone(flavor(op.tx.world(), &id)?);
            let gone = associated(&new, &profile)?;
            new.service_profiles.retain(|there| *there != gone);
            op.tx.put(new);
            Ok(())
        };
        request.frame.commit(&request.caller, run).await?;
        Ok(Answer::no_content())
    }
}

fn one(profile: ServiceProfileId) -> Answer {
    Answer::value(200, &json!({"service_profile": {"id": profile}}))
}

/// The profile, if the flavor has it.
fn associated(flavor: &Flavor, profile: &str) -> Result<ServiceProfileId, FlavorFault> {
    let id = profile.parse::<ServiceProfileId>().ok();
    id.filter(|id| flavor.service_profiles.contains(id)).ok_or(FlavorFault::NotAssociated(id, flavor.id))
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
