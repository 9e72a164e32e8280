//! `local_ips/{id}/port_associations`: the ports that a local IP leads to. An association has no id but its port.

use super::{LocalIpFault, ops};
use api::rows::{Rows, shown};
use api::{Answer, Answering, Collection, Fault, Kind, OfParent, Request, Route, object, refuse_unknown, schema, unwrap};
use auth::{Policy, RuleId};
use model::{LocalIp, LocalIpAssociation, Port};
use net::{LocalIpId, PortId};
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use world::World;

/// Name in the path and in bodies.
pub const COLLECTION: &str = "port_associations";
const ONE: &str = "port_association";
const FIELDS: [&str; 5] = ["local_ip_id", "local_ip_address", "fixed_port_id", "fixed_ip", "host"];
const ROWS: Rows = Rows { collection: COLLECTION, filters: &FIELDS, words: &[], sorts: &FIELDS, id: "fixed_port_id", form };

fn form() -> Vec<(&'static str, Value)> {
    FIELDS.into_iter().zip([schema::uuid(), schema::ip(), schema::uuid(), schema::ip(), schema::nullable(schema::text(255))]).collect()
}

/// The collection, with its rules resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let mut rule = |verb: &str| policy.intern(&format!("{verb}_local_ip_port_association"));
    Arc::new(Associations { get: rule("get"), create: rule("create"), delete: rule("delete") })
}

struct Associations {
    get: RuleId,
    create: RuleId,
    delete: RuleId,
}

impl Collection for Associations {
    fn routes(&self) -> Vec<Route> {
        let [all, each] = ["/{local_ip_id}/port_associations", "/{local_ip_id}/port_associations/{fixed_port_id}"];
        let one = || schema::wrapped(ONE, ROWS.item());
        let asked = schema::requiring(&["fixed_port_id"], [("fixed_port_id", schema::uuid()), ("fixed_ip", schema::ip())]);
        let rule = |verb: &str| format!("{verb}_local_ip_port_association");
        vec![
            ROWS.route(all).by(rule("get")),
            Route::post(all, schema::wrapped(ONE, asked), one()).by(rule("create")),
            Route::get(each, one()).by(rule("get")),
            Route::delete(each).by(rule("delete")),
        ]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            let Some((id, path)) = request.path.split_first() else { return Err(Fault::no_such_path()) };
            match (request.method.as_str(), path.get(1..).unwrap_or_default()) {
                ("GET", []) => self.list(request, id).await,
                ("POST", []) => self.associate(request, id).await,
                ("GET", [port]) => self.show(request, id, port).await,
                ("DELETE", [port]) => self.dissociate(request, id, port).await,
                (_, [] | [_]) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

/// The local IP, when the caller may know of it.
fn find<'w>(request: &Request<'_>, world: &'w World, id: &str) -> Result<&'w Arc<LocalIp>, LocalIpFault> {
    let caller = &request.caller;
    let may = |local_ip: &LocalIp| caller.is_admin || caller.roles.contains("service") || caller.owns(local_ip.project_id.as_str());
    let found = id.parse::<LocalIpId>().ok().and_then(|id| world.get::<LocalIp>(&id)).filter(|local_ip| may(local_ip));
    found.ok_or_else(|| LocalIpFault::NotFound(id.to_owned()))
}

impl Associations {
    async fn list(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let local_ip = find(request, &world, id)?;
        let admitted = request.frame.policy.check(self.get, &request.caller, &OfParent(local_ip.project_id.as_str()));
        let associations = local_ip.associations.iter().filter(|_| admitted);
        ROWS.list(&request.query, associations.map(|association| document(&world, local_ip, association)))
    }

    async fn show(&self, request: &Request<'_>, id: &str, port: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let local_ip = find(request, &world, id)?;
        if !request.frame.policy.check(self.get, &request.caller, &OfParent(local_ip.project_id.as_str())) {
            return Err(Fault::no_such_path());
        }
        let found = port.parse::<PortId>().ok().and_then(|port| local_ip.associations.iter().find(|there| there.fixed_port_id == port));
        let found = found.ok_or_else(|| LocalIpFault::NotAssociated(id.to_owned(), port.to_owned()))?;
        Ok(Answer::value(200, &json!({ ONE: shown(&request.query, document(&world, local_ip, found)) })))
    }

    /// Refuses whoever may not change the associations of a local IP.
    async fn admit(&self, request: &Request<'_>, id: &str, rule: RuleId) -> Result<(), Fault> {
        let world = request.frame.fresh().await?;
        let local_ip = find(request, &world, id)?;
        Ok(request.frame.policy.enforce(&rule.into(), &request.caller, &OfParent(local_ip.project_id.as_str()))?)
    }

    async fn associate(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let (port, asked) = asked(request.body)?;
        self.admit(request, id, self.create).await?;
        let of = id.to_owned();
        let done = request.frame.commit(&request.caller, move |_, op| ops::associate(op, &of, port, asked)).await?;
        let local_ip = find(request, &done.world, id)?;
        Ok(Answer::value(201, &json!({ ONE: document(&done.world, local_ip, &done.answer) })))
    }

    async fn dissociate(&self, request: &Request<'_>, id: &str, port: &str) -> Result<Answer, Fault> {
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        self.admit(request, id, self.delete).await?;
        let (id, port) = (id.to_owned(), port.to_owned());
        request.frame.commit(&request.caller, move |_, op| ops::dissociate(op, &id, &port)).await?;
        Ok(Answer::no_content())
    }
}

/// Reads a body: the port, and which of its addresses.
fn asked(body: &[u8]) -> Result<(PortId, Option<IpAddr>), Fault> {
    let mut given = unwrap(&mut object(body)?, ONE)?;
    let owner = ["project_id", "tenant_id"];
    owner.iter().for_each(|name| _ = given.remove(*name));
    refuse_unknown(given.keys().filter(|name| !matches!(name.as_str(), "fixed_port_id" | "fixed_ip")))?;
    let missing = || Fault::bad_request("Failed to parse request. Required attribute 'fixed_port_id' not specified");
    let port = Kind::Uuid.check(given.remove("fixed_port_id").ok_or_else(missing)?).map_err(|e| e.fault("fixed_port_id"))?;
    let address = Kind::IpOrNull.check(given.remove("fixed_ip").unwrap_or_default()).map_err(|e| e.fault("fixed_ip"))?;
    let port = port.as_str().and_then(|id| id.parse().ok()).ok_or_else(Fault::internal)?;
    Ok((port, address.as_str().and_then(|text| text.parse().ok())))
}

fn document(world: &World, local_ip: &LocalIp, association: &LocalIpAssociation) -> Map<String, Value> {
    let host = world.get::<Port>(&association.fixed_port_id).map(|port| port.binding.host.clone()).unwrap_or_default();
    let values =
        [json!(local_ip.id), json!(local_ip.local_ip_address), json!(association.fixed_port_id), json!(association.fixed_ip), json!(host)];
    FIELDS.into_iter().map(str::to_owned).zip(values).collect()
}
