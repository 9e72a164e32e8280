//! Resources below a member of another: `/v2.0/floatingips/<id>/port_forwardings`.
//!
//! Such a collection is the resource's own, narrowed to one parent: the parent's id is a hidden attribute of it that the path sets.

use crate::answer::Answering;
use crate::endpoint::Endpoint;
use crate::{Answer, Collection, Fault, Query, Request, Route, object, python, refuse_unknown};
use auth::Caller;
use serde_json::{Map, Value};
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
        let (parent, path) = request.below_member()?;
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
        let is_list = request.method == http::Method::GET && path.is_empty();
        let query = if is_list { self.query(request, parent)? } else { request.query.clone() };
        let body = self.body(request, is_create.then_some(parent))?;
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

    /// A list's query with the parent, which the path alone may name.
    fn query<'q>(&self, request: &Request<'q>, parent: &str) -> Result<Query<'q>, Fault> {
        let name = self.parent.attribute;
        if request.query.last(name).is_some() {
            return Err(Fault::bad_request(format!("{} is invalid attribute for filtering", python::list([name]))));
        }
        Ok(request.query.with(name, parent.to_owned()))
    }

    /// A create's body with the parent in each object. No body may name it.
    fn body(&self, request: &Request<'_>, create_below: Option<&str>) -> Result<Option<Vec<u8>>, Fault> {
        if !matches!(request.method.as_str(), "POST" | "PUT") {
            return Ok(None);
        }
        let mut body = object(request.body)?;
        let set = |map: &mut Map<String, Value>| -> Result<(), Fault> {
            refuse_unknown(map.keys().filter(|name| *name == self.parent.attribute))?;
            if let Some(parent) = create_below {
                map.insert(self.parent.attribute.to_owned(), parent.into());
            }
            Ok(())
        };
        if let Some(Value::Object(map)) = body.get_mut(self.name) {
            set(map)?;
        }
        if let Some(Value::Array(items)) = body.get_mut(self.collection) {
            items.iter_mut().filter_map(Value::as_object_mut).try_for_each(set)?;
        }
        Ok(create_below.map(|_| Value::Object(body).to_string().into_bytes()))
    }
}
