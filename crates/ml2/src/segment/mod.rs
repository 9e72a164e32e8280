//! `segments`: the ways in which networks are carried, one by one (extensions `segment` and `standard-attr-segment`).
//!
//! Segments are parts of their network's record, so that a network and how it is carried change together; the collection is written by
//! hand for that reason. They have no tags, as in the reference.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::SegmentFault;

use api::rows::{Rows, shown};
use api::{Answer, Answering, Collection, Constraint, Fault, Kind, Op, Request, Route, object, refuse_unknown, schema, unwrap};
use auth::{Policy, RuleId};
use model::{Network, Segment};
use net::SegmentId;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use world::World;

/// Name in the path and in bodies.
pub const COLLECTION: &str = "segments";
const ONE: &str = "segment";
const ROWS: Rows = Rows {
    collection: COLLECTION,
    filters: &["id", "network_id", "physical_network", "network_type", "name", "description", "revision_number"],
    words: &[],
    sorts: &["id", "network_id", "physical_network", "network_type", "segmentation_id", "name", "description"],
    id: "id",
    form,
};

fn form() -> Vec<(&'static str, Value)> {
    let text = || schema::nullable(schema::text(255));
    vec![
        ("id", schema::uuid()),
        ("network_id", schema::uuid()),
        ("name", text()),
        ("description", text()),
        ("physical_network", text()),
        ("network_type", schema::text(32)),
        ("segmentation_id", schema::nullable(schema::integer())),
        ("created_at", schema::text(32)),
        ("updated_at", schema::text(32)),
        ("revision_number", schema::integer()),
    ]
}

/// The collection, with its rules resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    let mut rule = |verb: &str| policy.intern(&format!("{verb}_segment"));
    Arc::new(Segments { get: rule("get"), create: rule("create"), update: rule("update"), delete: rule("delete") })
}

struct Segments {
    get: RuleId,
    create: RuleId,
    update: RuleId,
    delete: RuleId,
}

impl Collection for Segments {
    fn routes(&self) -> Vec<Route> {
        let one = || schema::wrapped(ONE, schema::titled("Segment", ROWS.item()));
        let rule = |verb: &str| format!("{verb}_segment");
        let body = |required: &[&str], attributes: &[(&'static str, Kind)]| {
            schema::wrapped(ONE, schema::requiring(required, attributes.iter().map(|(name, kind)| (*name, kind.schema()))))
        };
        vec![
            ROWS.route("").by(rule("get")),
            Route::post("", body(&REQUIRED, &ON_CREATE), one()).by(rule("create")),
            Route::get("/{id}", one()).by(rule("get")),
            Route::put("/{id}", body(&[], &ON_UPDATE), one()).by(rule("update")),
            Route::delete("/{id}").by(rule("delete")),
        ]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match (request.method.as_str(), request.path.as_slice()) {
                ("GET", []) => self.list(request).await,
                ("POST", []) => self.post(request).await,
                ("GET", [id]) => self.show(request, id).await,
                ("PUT", [id]) => self.put(request, id).await,
                ("DELETE", [id]) => self.remove(request, id).await,
                (_, [] | [_]) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

/// A segment with its network.
fn find<'w>(world: &'w World, id: &str) -> Result<(&'w Arc<Network>, &'w Segment), SegmentFault> {
    let found = id.parse().ok().and_then(|id: SegmentId| {
        let network = world.table::<Network>().by(Network::BY_SEGMENT_ID, id).next()?;
        Some((network, network.segment(id)?))
    });
    found.ok_or_else(|| SegmentFault::NotFound(id.to_owned()))
}

impl Segments {
    /// The rules are about the caller alone.
    fn may_read(&self, request: &Request<'_>) -> bool {
        request.frame.policy.check(self.get, &request.caller, &())
    }

    /// What may not be changed by who may not see it either is not there.
    fn admit(&self, request: &Request<'_>, rule: RuleId) -> Result<(), Fault> {
        let admitted = request.frame.policy.enforce(&rule.into(), &request.caller, &());
        admitted.map_err(|refused| if self.may_read(request) { refused.into() } else { Fault::no_such_path() })
    }

    async fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let networks: Vec<&Arc<Network>> = match request.query.last("network_id") {
            _ if !self.may_read(request) => Vec::new(),
            Some(_) => request.query.all("network_id").filter_map(|id| world.get::<Network>(&id.parse().ok()?)).collect(),
            None => world.table::<Network>().iter().collect(),
        };
        let rows = networks.iter().flat_map(|network| network.segments.iter().map(|segment| document(network, segment)));
        ROWS.list(&request.query, rows)
    }

    async fn show(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let (network, segment) = find(&world, id)?;
        if !self.may_read(request) {
            return Err(Fault::no_such_path());
        }
        Ok(Answer::value(200, &json!({ ONE: shown(&request.query, document(network, segment)) })))
    }

    async fn post(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        request.frame.policy.enforce(&self.create.into(), &request.caller, &())?;
        let asked = new(request.body)?;
        commit(request, 201, move |op| ops::create(op, &asked)).await
    }

    async fn put(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        self.admit(request, self.update)?;
        let (changed, id) = (changed(request.body)?, id.to_owned());
        let constraint = Constraint::read(request.headers)?;
        let update = move |op: &mut Op<'_>| {
            let current = find(op.tx.world(), &id)?.1.standard.revision_number;
            let updated = ops::update(op, &id, &changed)?;
            constraint.map_or(Ok(()), |constraint| constraint.check(current))?;
            Ok(updated)
        };
        commit(request, 200, update).await
    }

    async fn remove(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        self.admit(request, self.delete)?;
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        let id = id.to_owned();
        request.frame.commit(&request.caller, move |_, op| ops::delete(op, &id)).await?;
        Ok(Answer::no_content())
    }
}

/// Runs an operation; the segment as it is then.
async fn commit(
    request: &Request<'_>,
    status: u16,
    operation: impl Fn(&mut Op<'_>) -> Result<SegmentId, Fault> + Send + 'static,
) -> Result<Answer, Fault> {
    let done = request.frame.commit(&request.caller, move |_, op| operation(op)).await?;
    let (network, segment) = find(&done.world, &done.answer.to_string())?;
    Ok(Answer::value(status, &json!({ ONE: document(network, segment) })))
}

/// The attributes of a body, each checked; those that are not given are absent.
fn read(body: &[u8], attributes: &[(&'static str, Kind)]) -> Result<Map<String, Value>, Fault> {
    let mut given = unwrap(&mut object(body)?, ONE)?;
    refuse_unknown(given.keys().filter(|name| !attributes.iter().any(|(known, _)| known == name)))?;
    for (name, kind) in attributes {
        if let Some(value) = given.get_mut(*name) {
            *value = kind.check(value.take()).map_err(|invalid| invalid.fault(name))?;
        }
    }
    Ok(given)
}

/// What a create may say.
const ON_CREATE: [(&str, Kind); 8] = [
    ("network_id", Kind::Uuid),
    ("network_type", Kind::Text(32)),
    ("physical_network", Kind::Text(64)),
    ("segmentation_id", Kind::Int),
    ("name", Kind::TextOrNull(255)),
    ("description", Kind::Text(255)),
    ("project_id", Kind::Text(255)),
    ("tenant_id", Kind::Text(255)),
];
/// What it must say.
const REQUIRED: [&str; 2] = ["network_id", "network_type"];
/// What an update may say.
const ON_UPDATE: [(&str, Kind); 2] = [("name", Kind::TextOrNull(255)), ("description", Kind::Text(255))];

/// What a create must leave to the server.
const SHOWN: [&str; 4] = ["id", "created_at", "updated_at", "revision_number"];

fn new(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    let asked = unwrap(&mut object(body)?, ONE)?;
    if let Some(name) = SHOWN.into_iter().find(|name| asked.contains_key(*name)) {
        return Err(Fault::bad_request(format!("Attribute '{name}' not allowed in POST")));
    }
    let given = read(body, &ON_CREATE)?;
    for name in REQUIRED {
        if !given.contains_key(name) {
            return Err(Fault::bad_request(format!("Failed to parse request. Required attribute '{name}' not specified")));
        }
    }
    Ok(given)
}

fn changed(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    let given = unwrap(&mut object(body)?, ONE)?;
    let fixed = ["id", "network_id", "network_type", "physical_network", "segmentation_id", "project_id", "tenant_id"];
    if let Some(name) = given.keys().find(|name| fixed.contains(&name.as_str())) {
        return Err(Fault::bad_request(format!("Cannot update read-only attribute {name}")));
    }
    read(body, &ON_UPDATE)
}

fn document(network: &Network, segment: &Segment) -> Map<String, Value> {
    let standard = &segment.standard;
    let values = [
        ("id", json!(segment.id)),
        ("network_id", json!(network.id)),
        ("name", json!(segment.name)),
        ("description", json!(standard.description)),
        ("physical_network", json!(segment.physical_network)),
        ("network_type", json!(segment.network_type)),
        ("segmentation_id", json!(segment.segmentation_id)),
        ("created_at", json!(standard.created_at.to_string())),
        ("updated_at", json!(standard.updated_at.to_string())),
        ("revision_number", json!(standard.revision_number)),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
