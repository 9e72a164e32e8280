//! Records tied to a member of another collection, and tied and untied one by one: `/v2.0/agents/<id>/l3-routers`.
//!
//! The ties are kept by the slice; the frame shows the records as their own collection does.

use crate::answer::Answering;
use crate::endpoint::Endpoint;
use crate::{Answer, Collection, Fault, Op, Request, Route, object, schema};
use auth::{Policy, RuleId};
use serde_json::{Map, Value};
use world::{Record, World};

/// Ties or unties: the operation, the member's id as a client wrote it, and what is tied to it: the body, or the id of the path.
pub type Tie<T> = fn(&mut Op<'_>, &str, &T) -> Result<(), Fault>;

/// Finds what is tied to a member, whose id is as a client wrote it.
pub type Tied<R> = fn(&World, &str) -> Result<Vec<<R as Record>::Id>, Fault>;

/// What is tied to the members of a collection.
pub struct Links<R: Record> {
    /// Whose members: `agents`.
    pub collection: &'static str,
    /// The name in the path, with underscores: `l3_routers`.
    pub name: &'static str,
    /// The rule for reading: `get_l3-routers`.
    pub get: &'static str,
    /// What the body of a POST names the other by: `router_id`.
    pub names: &'static str,
    /// The rule for a POST and what it does. It answers nothing but 201.
    pub tie: Option<(&'static str, Tie<Map<String, Value>>)>,
    /// The rule for a DELETE and what it does.
    pub untie: Option<(&'static str, Tie<str>)>,
    /// The records that are tied to a member.
    pub ids: Tied<R>,
}

impl<R: Record> Links<R> {
    /// The policy rules by which its routes are checked.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &'static str> + use<R> {
        [Some(self.get), self.tie.map(|(rule, _)| rule), self.untie.map(|(rule, _)| rule)].into_iter().flatten()
    }
}

/// Such ties at work.
pub(crate) struct Linked<R: Record> {
    pub(crate) links: Links<R>,
    get: RuleId,
    tie: Option<(RuleId, Tie<Map<String, Value>>)>,
    untie: Option<(RuleId, Tie<str>)>,
    endpoint: Endpoint<R>,
}

impl<R: Record> Collection for Linked<R> {
    fn routes(&self) -> Vec<Route> {
        let path = format!("/{{member_id}}/{}", self.links.name.replace('_', "-"));
        let list = Route { path: path.clone(), ..self.endpoint.route_of_some() };
        let tie = self.links.tie.map(|(rule, _)| Route::post(&*path, self.body(), schema::any()).by(rule));
        let untie = self.links.untie.map(|(rule, _)| Route::delete(format!("{path}/{{id}}")).by(rule));
        [Some(list.by(self.links.get)), tie, untie].into_iter().flatten().collect()
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            let (member, path) = request.below_member()?;
            match (request.method.as_str(), path) {
                ("GET", []) => self.list(request, member).await,
                ("POST", []) => self.post(request, member).await,
                ("DELETE", [id]) => self.delete(request, member, id).await,
                (_, [] | [_]) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl<R: Record> Linked<R> {
    pub(crate) fn new(links: Links<R>, endpoint: Endpoint<R>, policy: &mut Policy) -> Linked<R> {
        let (get, tie) = (policy.intern(links.get), links.tie.map(|(rule, run)| (policy.intern(rule), run)));
        let untie = links.untie.map(|(rule, run)| (policy.intern(rule), run));
        Linked { links, get, tie, untie, endpoint }
    }

    fn body(&self) -> Value {
        schema::wrapped(self.links.names, schema::uuid())
    }

    /// The rules are about the caller alone: who may see a host's work may see all of it.
    fn admit(request: &Request<'_>, rule: RuleId) -> Result<(), Fault> {
        Ok(request.frame.policy.enforce(&rule.into(), &request.caller, &())?)
    }

    async fn list(&self, request: &Request<'_>, member: &str) -> Result<Answer, Fault> {
        Self::admit(request, self.get)?;
        let world = request.frame.fresh().await?;
        let ids = (self.links.ids)(&world, member)?;
        Ok(self.endpoint.some(request, &world, &ids))
    }

    async fn post(&self, request: &Request<'_>, member: &str) -> Result<Answer, Fault> {
        let (rule, run) = self.tie.ok_or_else(Fault::method_not_allowed)?;
        Self::admit(request, rule)?;
        let (member, body) = (member.to_owned(), object(request.body)?);
        request.frame.commit(&request.caller, move |_, op| run(op, &member, &body)).await?;
        Ok(Answer::value(201, &Value::Null))
    }

    async fn delete(&self, request: &Request<'_>, member: &str, id: &str) -> Result<Answer, Fault> {
        let (rule, run) = self.untie.ok_or_else(Fault::method_not_allowed)?;
        Self::admit(request, rule)?;
        let (member, id) = (member.to_owned(), id.to_owned());
        request.frame.commit(&request.caller, move |_, op| run(op, &member, &id)).await?;
        Ok(Answer::no_content())
    }
}
