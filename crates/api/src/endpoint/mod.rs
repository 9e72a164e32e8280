//! A declared resource at work: the routes `/v2.0/<collection>` and `/v2.0/<collection>/<id>`.

mod announced;
mod list;
mod routes;
mod tags;
mod write;

pub(crate) use self::tags::TagsOnly;

use self::tags::TagRules;
use crate::answer::Answering;
use crate::columns::{Column, Plan, columns};
use crate::target::Existing;
use crate::{Answer, Collection, Default, Fault, Frame, Look, Request, Resource, Route, View};
use auth::{Caller, Decision, Policy, RuleId, Target};
use net::ProjectId;
use std::sync::Arc;
use world::{Record, World};

/// A resource with its rules and columns resolved.
pub(crate) struct Endpoint<R: Record>(Arc<Resolved<R>>);

/// What requests of one resource share.
pub(crate) struct Resolved<R: Record> {
    resource: Resource<R>,
    columns: Vec<Column<R>>,
    get: RuleId,
    create: Action,
    update: Action,
    delete: RuleId,
    /// The rules of the resource's actions, in their order.
    actions: Vec<Action>,
    /// The same of its looks.
    looks: Vec<RuleId>,
    tags: Option<TagRules>,
}

/// A create, an update or an action: its own rule and those of attributes.
struct Action {
    rule: RuleId,
    attributes: Vec<AttributeRule>,
}

/// The rules for setting one attribute.
struct AttributeRule {
    name: String,
    rule: RuleId,
    /// Rules of the parts of an object or of a list of objects: `ip_address` for `create_port:fixed_ips:ip_address`.
    parts: Vec<(String, RuleId)>,
    /// The canonical default: setting it is not checked on create.
    default: Option<serde_json::Value>,
}

impl Action {
    fn new<R: Record>(verb: &str, resource: &Resource<R>, policy: &mut Policy) -> Action {
        let name = format!("{verb}_{}", resource.rules);
        let rule = policy.intern(&name);
        let checked = resource.attributes.iter().filter(|attribute| attribute.policy);
        let attributes = checked.map(|attribute| {
            let own = format!("{name}:{}", attribute.name);
            let prefix = format!("{own}:");
            let parts: Vec<String> = policy.names().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect();
            let default = match &attribute.default {
                Default::Value(value) => attribute.kind.check(value.clone()).ok(),
                Default::Required | Default::Absent => None,
            };
            let parts = parts.into_iter().map(|part| {
                let rule = policy.intern(&format!("{prefix}{part}"));
                (part, rule)
            });
            let parts = parts.collect();
            AttributeRule { name: attribute.name.to_owned(), rule: policy.intern(&own), parts, default }
        });
        let attributes = attributes.collect();
        Action { rule, attributes }
    }

    /// Of an action: what there are rules for of its body, `add_external_gateways:external_gateways:enable_snat`.
    fn of_body(name: &str, policy: &mut Policy) -> Action {
        let prefix = format!("{name}:");
        let below: Vec<String> = policy.names().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect();
        let attributes = below.iter().filter(|name| !name.contains(':')).map(|attribute| {
            let parts = below.iter().filter_map(|name| name.split_once(':')).filter(|(of, _)| of == attribute);
            let parts = parts.map(|(of, part)| (part.to_owned(), policy.intern(&format!("{prefix}{of}:{part}")))).collect();
            AttributeRule { name: attribute.clone(), rule: policy.intern(&format!("{prefix}{attribute}")), parts, default: None }
        });
        let attributes = attributes.collect();
        Action { rule: policy.intern(name), attributes }
    }
}

impl<R: Record> Endpoint<R> {
    pub(crate) fn new(resource: Resource<R>, policy: &mut Policy) -> Endpoint<R> {
        let rule = |verb: &str| format!("{verb}_{}", resource.rules);
        Endpoint(Arc::new(Resolved {
            columns: columns(resource.rules, &resource.attributes, policy),
            get: policy.intern(&rule("get")),
            delete: policy.intern(&rule("delete")),
            actions: resource.actions.iter().map(|action| Action::of_body(action.name, policy)).collect(),
            looks: resource.looks.iter().map(|look| policy.intern(look.name)).collect(),
            tags: TagRules::new(&resource, policy),
            create: Action::new("create", &resource, policy),
            update: Action::new("update", &resource, policy),
            resource,
        }))
    }

    /// Its routes below members of another collection, whose ids this attribute holds.
    pub(crate) fn routes_below(&self, attribute: &str) -> Vec<Route> {
        self.0.routes(Some(attribute))
    }

    /// The route of a list of some of the records.
    pub(crate) fn route_of_some(&self) -> Route {
        let mut route = self.0.list_route(None, &self.0.fields(), &self.0.record_schema());
        route.query.retain(|parameter| parameter.name == "fields");
        route
    }

    /// These records in the form of a list, whoever may see them there.
    pub(crate) fn some(&self, request: &Request<'_>, world: &World, ids: &[R::Id]) -> Answer {
        self.0.many(request, 200, world, ids.iter().filter_map(|id| world.get::<R>(id).map(|record| &**record)))
    }
}

impl<R: Record> Collection for Endpoint<R> {
    fn routes(&self) -> Vec<Route> {
        self.0.routes(None)
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match (request.method.as_str(), request.path.as_slice()) {
                ("GET", []) => self.0.list(request).await,
                ("POST", []) => self.0.announced(request, "create", None, self.0.post(request)).await,
                ("PUT" | "DELETE", []) => Err(self.0.not_found("None")),
                ("GET", [id]) => self.0.show(request, id).await,
                ("PUT", [id]) => self.0.announced(request, "update", Some(id), self.0.put(request, id)).await,
                ("DELETE", [id]) => self.0.announced(request, "delete", Some(id), self.0.remove(request, id)).await,
                (_, [] | [_]) => Err(Fault::method_not_allowed()),
                (_, [id, name]) if self.0.has_tags(name) => self.0.tags(request, id, None).await,
                (_, [id, name, tag]) if self.0.has_tags(name) => self.0.tags(request, id, Some(tag)).await,
                ("GET", [id, name]) if self.0.look(name).is_some() => self.0.look_at(request, id, name).await,
                (_, [_, name]) if self.0.look(name).is_some() => Err(Fault::method_not_allowed()),
                (method, [id, name]) => match self.0.action(name) {
                    Some(_) if method != "PUT" => Err(Fault::method_not_allowed()),
                    Some(action) => self.0.announced(request, name, Some(id), self.0.act(request, id, action)).await,
                    None => Err(Fault::no_such_path()),
                },
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl<R: Record> Resolved<R> {
    fn not_found(&self, id: &str) -> Fault {
        Fault::new(404, self.resource.not_found, (self.resource.not_found_message)(id))
    }

    /// The record with an id as a client wrote it.
    fn find<'w>(&self, world: &'w World, id: &str) -> Option<&'w Arc<R>> {
        world.get(&id.parse::<R::Id>().ok()?).filter(|record| (self.resource.includes)(record))
    }

    fn view<'a>(&self, frame: &'a Frame, world: &'a World, caller: &'a Caller, record: &'a R) -> View<'a, R> {
        View { world, caller, settings: &frame.settings, record }
    }

    fn target<'t, 'v>(&'t self, view: &'t View<'v, R>) -> Existing<'t, 'v, R> {
        Existing { resource: &self.resource, view, update: None }
    }

    /// True when the caller may see the record.
    fn is_visible(&self, frame: &Frame, view: &View<'_, R>, decision: Decision) -> bool {
        frame.policy.resolve(decision, self.get, view.caller, &self.target(view))
    }

    /// A world to read from, after what has to be done before reading.
    async fn readable(&self, request: &Request<'_>) -> Result<World, Fault> {
        let world = request.frame.fresh().await?;
        match self.resource.prepare {
            Some(prepare) => {
                let (run, project) = (prepare.run, project_read(request));
                if !(prepare.needed)(&world, &project) {
                    return Ok(world);
                }
                Ok(request.frame.commit(&request.caller, move |_, op| run(op, &project)).await?.world)
            }
            None => Ok(world),
        }
    }

    async fn show(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let world = self.readable(request).await?;
        let record = self.find(&world, id).ok_or_else(|| self.not_found(id))?;
        let view = self.view(request.frame, &world, &request.caller, record);
        if !self.is_visible(request.frame, &view, request.frame.policy.decide(self.get, &request.caller)) {
            return Err(if self.is_within_reach(&view) { Fault::no_such_path() } else { self.not_found(id) });
        }
        Ok(self.one(request, 200, &view))
    }

    /// What is looked at under this name, with its rule.
    fn look(&self, name: &str) -> Option<(&Look<R>, RuleId)> {
        let at = self.resource.looks.iter().position(|look| look.name == name)?;
        Some((&self.resource.looks[at], self.looks[at]))
    }

    async fn look_at(&self, request: &Request<'_>, id: &str, name: &str) -> Result<Answer, Fault> {
        let (look, rule) = self.look(name).ok_or_else(Fault::no_such_path)?;
        let world = self.readable(request).await?;
        let record = self.find(&world, id).ok_or_else(|| self.not_found(id))?;
        let view = self.view(request.frame, &world, &request.caller, record);
        if !request.frame.policy.check(rule, &request.caller, &self.target(&view)) {
            return Err(if self.is_within_reach(&view) { Fault::no_such_path() } else { self.not_found(id) });
        }
        Ok(Answer::value(200, &(look.run)(&view)))
    }

    /// True when the record is the caller's, or is there for everybody, whatever the rules say of it. Only the faults differ: what is
    /// out of reach is not there.
    fn is_within_reach(&self, view: &View<'_, R>) -> bool {
        let caller = view.caller;
        let target = self.target(view);
        let owns = |project: Option<&str>| project.is_none_or(|project| caller.owns(project));
        let has = |name| self.resource.attributes.iter().any(|attribute| attribute.name == name);
        let is_common = |name| has(name) && target.field("", name) == Some(auth::Value::Bool(true));
        !self.resource.is_scoped
            || caller.is_admin
            || caller.roles.contains("service")
            || owns(target.project_id())
            || target.parent_project_id(self.resource.name).is_some_and(|project| caller.owns(&project))
            || is_common("shared")
            || is_common("router:external")
    }

    /// `{"network": {…}}`
    fn one(&self, request: &Request<'_>, status: u16, view: &View<'_, R>) -> Answer {
        let mut out = Vec::with_capacity(2048);
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(self.resource.name.as_bytes());
        out.extend_from_slice(b"\":");
        self.write(&mut out, request, view);
        out.push(b'}');
        Answer::json(status, out)
    }

    /// `{"networks": [{…}, …]}`
    fn many<'w>(&self, request: &Request<'_>, status: u16, world: &'w World, records: impl Iterator<Item = &'w R>) -> Answer {
        let plan = self.plan(request);
        let mut out = Vec::with_capacity(2048);
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(self.resource.collection.as_bytes());
        out.extend_from_slice(b"\":[");
        for (i, record) in records.enumerate() {
            if i > 0 {
                out.push(b',');
            }
            let view = self.view(request.frame, world, &request.caller, record);
            plan.write(&mut out, &view, &self.target(&view), &request.frame.policy);
        }
        out.extend_from_slice(b"]}");
        Answer::json(status, out)
    }

    /// Appends the record as the caller sees it.
    fn write(&self, out: &mut Vec<u8>, request: &Request<'_>, view: &View<'_, R>) {
        self.plan(request).write(out, view, &self.target(view), &request.frame.policy);
    }

    fn plan(&self, request: &Request<'_>) -> Plan<'_, R> {
        Plan::new(&self.columns, &request.query, &request.frame.policy, &request.caller)
    }
}

/// The project that a read is about: the caller's, or that to which an administrator narrows a list.
fn project_read(request: &Request<'_>) -> ProjectId {
    let mut asked = request.query.all("project_id").chain(request.query.all("tenant_id"));
    let asked = asked.next().filter(|project| request.caller.is_admin && project.len() <= 255);
    asked.map_or_else(|| request.caller.project_id.clone(), ProjectId::from)
}
