//! Creates, updates and deletes: validation outside the log, everything that depends on the state inside it.

use super::{Action, Resolved};
use crate::addition::Added;
use crate::body::{Creates, Form};
use crate::etag::Constraint;
use crate::target::{Existing, Proposed, Unshared};
use crate::{Answer, Fault, Fields, Frame, Op, Outcome, Request};
use auth::{Caller, Requirement, RuleId, Target};
use net::ProjectId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use world::Record;

impl Action {
    /// The rules for a request that sets these fields: the action's own and one for each attribute that is set explicitly.
    fn requirement(&self, fields: &Fields, is_create: bool) -> Requirement {
        let mut requirement = Requirement::from(self.rule);
        for attribute in &self.attributes {
            let Some(value) = fields.get(&attribute.name) else { continue };
            if is_create && attribute.default.as_ref() == Some(value) {
                continue;
            }
            let mut keys: Vec<&str> = Vec::new();
            let objects = match value {
                Value::Array(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            for key in objects.iter().filter_map(Value::as_object).flat_map(|object| object.keys()) {
                if !keys.contains(&key.as_str()) {
                    keys.push(key);
                }
            }
            let rule_of = |key: &&str| attribute.parts.iter().find(|(part, _)| part == key).map(|(_, rule)| *rule);
            let parts: Vec<RuleId> = keys.iter().filter_map(rule_of).collect();
            let own = Requirement::from(attribute.rule);
            requirement = requirement.and(if parts.is_empty() { own } else { own.and(Requirement::all(parts)) });
        }
        requirement
    }

    fn enforce(&self, frame: &Frame, op: &Op<'_>, fields: &Fields, target: &dyn Target, is_create: bool) -> Result<(), Fault> {
        Ok(frame.policy.enforce(&self.requirement(fields, is_create), op.caller, target)?)
    }
}

/// A record as the operation leaves it. While the operation runs it costs little to find, later perhaps a walk through memory gone cold.
fn left<R: Record>(op: &Op<'_>, id: &R::Id) -> Result<Arc<R>, Fault> {
    op.tx.get::<R>(id).cloned().ok_or_else(Fault::internal)
}

impl<R: Record> Resolved<R> {
    fn form<'f>(&'f self, request: &'f Request<'_>) -> Form<'f, R> {
        Form {
            resource: self.resource.name,
            collection: self.resource.collection,
            attributes: &self.resource.attributes,
            caller: &request.caller,
        }
    }

    pub(super) async fn post(self: &Arc<Self>, request: &Request<'_>) -> Result<Answer, Fault> {
        let create = self.resource.create.ok_or_else(|| Fault::bad_request("The resource cannot be created through the API."))?;
        let (fields, is_bulk) = match self.form(request).creates(request.body)? {
            Creates::One(fields) => (vec![fields], false),
            Creates::Many(fields) => (fields, true),
        };
        let this = Arc::clone(self);
        let run = move |frame: &Frame, op: &mut Op<'_>| {
            this.check_quota(frame, op, &fields)?;
            for fields in &fields {
                this.admit_create(frame, op, fields)?;
            }
            let make = |fields| {
                let id = create(op, fields)?;
                Added::run(&this.resource.added, op, None, &id, fields)?;
                Ok(id)
            };
            let made = fields.iter().map(make).collect::<Result<Vec<R::Id>, Fault>>()?;
            made.iter().map(|id| left(op, id)).collect::<Result<Vec<Arc<R>>, Fault>>()
        };
        let done = request.frame.commit(&request.caller, run).await?;
        match &done.answer[..] {
            [one] if !is_bulk => Ok(self.one(request, 201, &self.view(request.frame, &done.world, &request.caller, one))),
            many => Ok(self.many(request, 201, &done.world, many.iter().map(|record| &**record))),
        }
    }

    /// The quota of the whole request, by project.
    fn check_quota(&self, frame: &Frame, op: &Op<'_>, fields: &[Fields]) -> Result<(), Fault> {
        let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
        for project in fields.iter().filter_map(|fields| fields.get("project_id")?.as_str()) {
            *wanted.entry(project).or_default() += 1;
        }
        let own = self.resource.quota.iter().map(|_| (self.resource.name, 1));
        for (name, each) in own.chain((self.resource.brings)(op.tx.world())) {
            let Some(counted) = frame.counted.iter().find(|counted| counted.name == name) else { continue };
            for (project, more) in &wanted {
                counted.check(op.tx.world(), &ProjectId::from(*project), more * each)?;
            }
        }
        Ok(())
    }

    fn admit_create(&self, frame: &Frame, op: &mut Op<'_>, fields: &Fields) -> Result<(), Fault> {
        if let Some(references) = self.resource.references {
            references(op, fields)?;
        }
        let target = Proposed { resource: &self.resource, world: op.tx.world(), caller: op.caller, fields };
        self.create.enforce(frame, op, fields, &target, true)
    }

    /// The record to be changed or removed, if the caller may know of it.
    pub(super) fn open(&self, frame: &Frame, op: &Op<'_>, id: &str) -> Result<Arc<R>, Fault> {
        let record = self.find(op.tx.world(), id).ok_or_else(|| self.not_found(id))?;
        let view = self.view(frame, op.tx.world(), op.caller, record);
        let may_know = self.is_visible(frame, &view, frame.policy.decide(self.get, op.caller)) || self.is_within_reach(&view);
        if may_know { Ok(Arc::clone(record)) } else { Err(self.not_found(id)) }
    }

    /// What may not be done to a record that could not be seen either is a 404.
    pub(super) fn hide(&self, frame: &Frame, caller: &Caller, target: &dyn Target, refused: Fault) -> Fault {
        if frame.policy.check(self.get, caller, target) { refused } else { Fault::no_such_path() }
    }

    pub(super) async fn put(self: &Arc<Self>, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let Some(update) = self.resource.update else { return Err(self.no_update(request, id).await?) };
        let fields = self.form(request).update(request.body)?;
        let constraint = Constraint::read(request.headers)?;
        let (this, id) = (Arc::clone(self), id.to_owned());
        let run = move |frame: &Frame, op: &mut Op<'_>| {
            let record = this.open(frame, op, &id)?;
            let view = this.view(frame, op.tx.world(), op.caller, &record);
            let target = Existing { resource: &this.resource, view: &view, update: Some(&fields) };
            let unshared = Unshared(&target);
            let seen: &dyn Target = if this.resource.hides_sharing { &unshared } else { &target };
            this.update.enforce(frame, op, &fields, &target, false).map_err(|refused| this.hide(frame, op.caller, seen, refused))?;
            update(op, &record, &fields)?;
            Added::run(&this.resource.added, op, Some(&record), &record.id(), &fields)?;
            this.constrain(constraint, &record)?;
            left(op, &record.id())
        };
        let done = request.frame.commit(&request.caller, run).await?;
        Ok(self.one(request, 200, &self.view(request.frame, &done.world, &request.caller, &done.answer)))
    }

    /// Why a record that is immutable cannot be updated: because it is not there, or because it is immutable.
    async fn no_update(&self, request: &Request<'_>, id: &str) -> Result<Fault, Fault> {
        let world = request.frame.fresh().await?;
        let record = self.find(&world, id).ok_or_else(|| self.not_found(id))?;
        let view = self.view(request.frame, &world, &request.caller, record);
        if self.is_visible(request.frame, &view, request.frame.policy.decide(self.get, &request.caller)) {
            return Ok(Fault::method_not_allowed());
        }
        Ok(if self.is_within_reach(&view) { Fault::no_such_path() } else { self.not_found(id) })
    }

    pub(super) async fn remove(self: &Arc<Self>, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let delete = self.resource.delete.ok_or_else(Fault::method_not_allowed)?;
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        let constraint = Constraint::read(request.headers)?;
        let (this, id) = (Arc::clone(self), id.to_owned());
        let run = move |frame: &Frame, op: &mut Op<'_>| {
            let record = this.open(frame, op, &id)?;
            let view = this.view(frame, op.tx.world(), op.caller, &record);
            let target = this.target(&view);
            let admitted = frame.policy.enforce(&this.delete.into(), op.caller, &target);
            admitted.map_err(|refused| this.hide(frame, op.caller, &target, refused.into()))?;
            this.resource.before_delete.iter().try_for_each(|before| before(op, &record))?;
            delete(op, &record)?;
            this.constrain(constraint, &record)
        };
        request.frame.commit(&request.caller, run).await?;
        Ok(Answer::no_content())
    }

    /// The position of an action.
    pub(super) fn action(&self, name: &str) -> Option<usize> {
        self.resource.actions.iter().position(|action| action.name == name)
    }

    /// Does the action at this position.
    pub(super) async fn act(self: &Arc<Self>, request: &Request<'_>, id: &str, action: usize) -> Result<Answer, Fault> {
        let body = crate::object(request.body)?;
        let run = self.resource.actions[action].run;
        let said = body.get(self.resource.name).and_then(Value::as_object).cloned().unwrap_or_default();
        let requirement = self.actions[action].requirement(&Fields::new(said), false);
        let (this, id) = (Arc::clone(self), id.to_owned());
        let act = move |frame: &Frame, op: &mut Op<'_>| {
            let record = this.open(frame, op, &id)?;
            let view = this.view(frame, op.tx.world(), op.caller, &record);
            let target = this.target(&view);
            let admitted = frame.policy.enforce(&requirement, op.caller, &target);
            admitted.map_err(|refused| this.hide(frame, op.caller, &target, refused.into()))?;
            Ok((record.id(), run(op, &record, &body)?))
        };
        let done = request.frame.commit(&request.caller, act).await?;
        let (id, outcome) = &done.answer;
        if let Outcome::Document(document) = outcome {
            return Ok(Answer::value(200, document));
        }
        let record = done.world.get::<R>(id).ok_or_else(Fault::internal)?;
        let view = self.view(request.frame, &done.world, &request.caller, record);
        if *outcome == Outcome::Bare {
            let mut out = Vec::new();
            self.write(&mut out, request, &view);
            return Ok(Answer::json(200, out));
        }
        Ok(self.one(request, 200, &view))
    }

    /// `If-Match`, looked at last: what the operation itself refuses (409 in use) is told first.
    fn constrain(&self, constraint: Option<Constraint>, record: &R) -> Result<(), Fault> {
        match (constraint, self.resource.revision_number) {
            (Some(constraint), Some(revision)) => constraint.check(revision(record)),
            _ => Ok(()),
        }
    }
}
