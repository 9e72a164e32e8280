//! What ties a record to others and has no id but the other's: the ports that a local IP leads to, the service profiles of a flavor. They
//! are listed, shown, made and removed below the record: `/v2.0/local_ips/<id>/port_associations`.

use crate::answer::Answering;
use crate::rows::{Row, Rows, shown};
use crate::{Answer, Collection, Fault, Fields, Kind, OfParent, Op, Request, Route, object, refuse_unknown, schema, unwrap};
use auth::{Caller, Policy, RuleId};
use serde_json::{Map, json};
use std::sync::Arc;
use uuid::Uuid;
use world::{Record, World};

/// Makes one of what a body says; the id of the other, as rows show it.
pub type Associate<R> = fn(&mut Op<'_>, &Arc<R>, &Fields) -> Result<String, Fault>;

/// Removes one; the other's id is as a client wrote it.
pub type Dissociate<R> = fn(&mut Op<'_>, &Arc<R>, &str) -> Result<(), Fault>;

/// Something that a body says of one: its name, its type, and whether it must be there.
pub type Given = (&'static str, Kind, bool);

/// Associations of records `R`.
pub struct Associations<R: Record> {
    /// How they are listed; what its `id` names is the id of the other.
    pub rows: Rows,
    /// What one is called in bodies.
    pub name: &'static str,
    /// The same in policy rules: `get_…`, `create_…`, `delete_…`. They are about the caller and about who owns the record.
    pub rules: &'static str,
    /// What the path calls the two ids.
    pub ids: [&'static str; 2],
    /// What a body says.
    pub takes: fn() -> Vec<Given>,
    /// The record, when the caller may know of it.
    pub find: for<'w> fn(&'w World, &Caller, &str) -> Result<&'w Arc<R>, Fault>,
    /// All of a record.
    pub all: fn(&World, &R) -> Vec<Row>,
    /// The refusal of one that is not there; both ids as a client wrote them.
    pub missing: fn(&str, &str) -> Fault,
    /// Makes one.
    pub associate: Associate<R>,
    /// Removes one.
    pub dissociate: Dissociate<R>,
}

impl<R: Record> Associations<R> {
    /// The collection, with its rules resolved.
    pub fn collection(self, policy: &mut Policy) -> Arc<dyn Collection> {
        let mut rule = |verb: &str| policy.intern(&format!("{verb}_{}", self.rules));
        let [get, create, delete] = ["get", "create", "delete"].map(&mut rule);
        Arc::new(Resolved { get, create, delete, associations: self })
    }
}

struct Resolved<R: Record> {
    associations: Associations<R>,
    get: RuleId,
    create: RuleId,
    delete: RuleId,
}

impl<R: Record> Collection for Resolved<R> {
    fn routes(&self) -> Vec<Route> {
        let Associations { rows, name, rules, ids: [record, other], .. } = &self.associations;
        let all = format!("/{{{record}}}/{}", rows.collection);
        let each = format!("{all}/{{{other}}}");
        let one = || schema::wrapped(name, rows.item());
        let takes = (self.associations.takes)();
        let required: Vec<&str> = takes.iter().filter(|(_, _, must)| *must).map(|(name, _, _)| *name).collect();
        let body = schema::requiring(&required, takes.iter().map(|(name, kind, _)| (*name, kind.schema())));
        let rule = |verb: &str| format!("{verb}_{rules}");
        vec![
            rows.route(&*all).by(rule("get")),
            Route::post(&*all, schema::wrapped(name, body), one()).by(rule("create")),
            Route::get(&*each, one()).by(rule("get")),
            Route::delete(&*each).by(rule("delete")),
        ]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            let (id, path) = request.below_member()?;
            match (request.method.as_str(), path) {
                ("GET", []) => self.list(request, id).await,
                ("POST", []) => self.post(request, id).await,
                ("GET", [other]) => self.show(request, id, other).await,
                ("DELETE", [other]) => self.delete(request, id, other).await,
                (_, [] | [_]) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl<R: Record> Resolved<R> {
    fn find<'w>(&self, request: &Request<'_>, world: &'w World, id: &str) -> Result<&'w Arc<R>, Fault> {
        (self.associations.find)(world, &request.caller, id)
    }

    async fn list(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let record = self.find(request, &world, id)?;
        let is_admitted = request.frame.policy.check(self.get, &request.caller, &target(record));
        let all = if is_admitted { (self.associations.all)(&world, record) } else { Vec::new() };
        self.associations.rows.list(&request.query, all)
    }

    async fn show(&self, request: &Request<'_>, id: &str, other: &str) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let record = self.find(request, &world, id)?;
        if !request.frame.policy.check(self.get, &request.caller, &target(record)) {
            return Err(Fault::no_such_path());
        }
        let found = self.row(&world, record, other).ok_or_else(|| (self.associations.missing)(id, other))?;
        Ok(self.answer(200, shown(&request.query, found)))
    }

    /// Refuses whoever may not change the associations of a record.
    async fn admit(&self, request: &Request<'_>, id: &str, rule: RuleId) -> Result<(), Fault> {
        let world = request.frame.fresh().await?;
        let record = self.find(request, &world, id)?;
        Ok(request.frame.policy.enforce(&rule.into(), &request.caller, &target(record))?)
    }

    async fn post(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let fields = self.asked(request.body)?;
        self.admit(request, id, self.create).await?;
        let (find, associate, of) = (self.associations.find, self.associations.associate, id.to_owned());
        let run = move |_: &_, op: &mut Op<'_>| {
            let record = find(op.tx.world(), op.caller, &of)?.clone();
            associate(op, &record, &fields)
        };
        let done = request.frame.commit(&request.caller, run).await?;
        let record = self.find(request, &done.world, id)?;
        Ok(self.answer(201, self.row(&done.world, record, &done.answer).ok_or_else(Fault::internal)?))
    }

    async fn delete(&self, request: &Request<'_>, id: &str, other: &str) -> Result<Answer, Fault> {
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        self.admit(request, id, self.delete).await?;
        let (find, dissociate) = (self.associations.find, self.associations.dissociate);
        let (of, other) = (id.to_owned(), other.to_owned());
        let run = move |_: &_, op: &mut Op<'_>| {
            let record = find(op.tx.world(), op.caller, &of)?.clone();
            dissociate(op, &record, &other)
        };
        request.frame.commit(&request.caller, run).await?;
        Ok(Answer::no_content())
    }

    /// Reads a body.
    fn asked(&self, body: &[u8]) -> Result<Fields, Fault> {
        let mut given = unwrap(&mut object(body)?, self.associations.name)?;
        ["project_id", "tenant_id"].iter().for_each(|owner| _ = given.remove(*owner));
        let takes = (self.associations.takes)();
        refuse_unknown(given.keys().filter(|name| takes.iter().all(|(known, _, _)| known != name)))?;
        let mut fields = Map::new();
        for (name, kind, must) in takes {
            match given.remove(name) {
                Some(value) => _ = fields.insert(name.to_owned(), kind.check(value).map_err(|invalid| invalid.fault(name))?),
                None if must => {
                    let message = format!("Failed to parse request. Required attribute '{name}' not specified");
                    return Err(Fault::bad_request(message));
                }
                None => {}
            }
        }
        Ok(Fields::new(fields))
    }

    /// The one with another's id.
    fn row(&self, world: &World, record: &R, other: &str) -> Option<Row> {
        let (id, other) = (self.associations.rows.id, Uuid::try_parse(other).ok()?.to_string());
        (self.associations.all)(world, record).into_iter().find(|row| row.get(id).is_some_and(|there| *there == other))
    }

    fn answer(&self, status: u16, row: Row) -> Answer {
        Answer::value(status, &json!({ self.associations.name: row }))
    }
}

/// What belongs to nobody is judged by who asks alone.
fn target<R: Record>(record: &Arc<R>) -> OfParent<'_> {
    OfParent(record.project_id().map(|project| project.as_str()))
}
