//! Resources below a member of another: `/v2.0/floatingips/<id>/port_forwardings`.
//!
//! Such a collection is the resource's own, narrowed to one parent: the parent's id is a hidden attribute of it that the path sets.

use crate::answer::Answering;
use crate::endpoint::Endpoint;
use crate::{Answer, Collection, Fault, Request, Route, object};
use auth::Caller;
use serde_json::{Map, Value};
use std::borrow::Cow;
use uuid::Uuid;
use world::{Record, World};

/// Below which member a resource is.
#[derive(Clone, Copy)]
pub struct Parent<R: Record> {
    /// The parent's path below `/v2.0`, with underscores: `floatingips`, `qos/policies`.
    pub collection: &'static str,
    /// The resource's attribute that holds the parent's id: hidden, required and a filter.
    pub attribute: &'static str,
    /// The parent of a record.
    pub of: fn(&R) -> Uuid,
    /// The 404 of a parent that is not there, or that the caller must not know of.
    pub check: fn(&World, &Caller, &str) -> Result<(), Fault>,
    /// The same for a create. It may let pass what the policy rules then refuse: a parent of another project.
    pub check_create: fn(&World, &Caller, &str) -> Result<(), Fault>,
}

/// The 404 of a parent and an id.
type NotFound = Box<dyn Fn(&str, &str) -> Fault + Send + Sync>;

/// A resource below a member.
pub(crate) struct Child<R: Record> {
    pub(crate) parent: Parent<R>,
    pub(crate) name: &'static str,
    pub(crate) collection: &'static str,
    pub(crate) includes: fn(&R) -> bool,
    pub(crate) not_found: NotFound,
    pub(crate) endpoint: Endpoint<R>,
}

impl<R: Record> Collection for Child<R> {
    fn routes(&self) -> Vec<Route> {
        let above = format!("/{{{}}}/{}", self.parent.attribute, self.collection);
        let below = self.endpoint.routes_below(self.parent.attribute).into_iter();
        below.map(|route| Route { path: format!("{above}{}", route.path), ..route }).collect()
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(self.answer(request))
    }
}

impl<R: Record> Child<R> {
    async fn answer(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let Some((parent, path)) = request.path.split_first() else { return Err(Fault::no_such_path()) };
        let path = path.get(1..).unwrap_or_default();
        let world = request.frame.fresh().await?;
        let is_create = request.method == http::Method::POST && path.is_empty();
        let check = if is_create { self.parent.check_create } else { self.parent.check };
        check(&world, &request.caller, parent)?;
        if let Some(id) = path.first() {
            let record = id.parse::<R::Id>().ok().and_then(|id| world.get::<R>(&id).cloned());
            let is_of_parent = record.is_some_and(|record| (self.includes)(&record) && parent.parse() == Ok((self.parent.of)(&record)));
            if !is_of_parent {
                return Err((self.not_found)(parent, id));
            }
        }
        let body = if is_create { Some(self.body(request, parent)?) } else { None };
        let own = (Cow::Borrowed(self.parent.attribute), parent.clone());
        let query = if request.method == http::Method::GET && path.is_empty() { request.query.with(own) } else { request.query.clone() };
        let narrowed = Request {
            frame: request.frame,
            caller: request.caller.clone(),
            method: request.method,
            headers: request.headers,
            path: path.to_vec(),
            address: request.address.clone(),
            query,
            body: body.as_deref().unwrap_or(request.body),
        };
        self.endpoint.handle(&narrowed).await
    }

    /// A create's body with the parent in each object.
    fn body(&self, request: &Request<'_>, parent: &str) -> Result<Vec<u8>, Fault> {
        let mut body = object(request.body)?;
        let set = |map: &mut Map<String, Value>| {
            map.insert(self.parent.attribute.to_owned(), parent.into());
        };
        if let Some(Value::Object(map)) = body.get_mut(self.name) {
            set(map);
        }
        if let Some(Value::Array(items)) = body.get_mut(self.collection) {
            items.iter_mut().filter_map(Value::as_object_mut).for_each(set);
        }
        Ok(Value::Object(body).to_string().into_bytes())
    }
}
