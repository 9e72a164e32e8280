//! The tags of a record: `/v2.0/<collection>/<id>/tags` and, one of them, `/v2.0/<collection>/<id>/tags/<tag>`.

use super::Resolved;
use crate::answer::Answering;
use crate::tags::{self, Edit, NAME};
use crate::{Answer, Collection, Fault, Frame, Op, Request, Resource, Route};
use auth::{Policy, RuleId};
use serde_json::{Value, json};
use std::sync::Arc;
use world::Record;

/// The rules `get_network:tags` and so on.
pub(super) struct TagRules {
    get: RuleId,
    create: RuleId,
    update: RuleId,
    delete: RuleId,
}

impl TagRules {
    /// Those of a resource that has tags.
    pub(super) fn new<R: Record>(resource: &Resource<R>, policy: &mut Policy) -> Option<TagRules> {
        resource.tags.as_ref()?;
        let mut rule = |verb: &str| policy.intern(&format!("{verb}_{}:{NAME}", resource.rules));
        Some(TagRules { get: rule("get"), create: rule("create"), update: rule("update"), delete: rule("delete") })
    }
}

/// A resource whose tags are not below its own path: nothing else of it is here.
pub(crate) struct TagsOnly(pub(crate) Arc<dyn Collection>);

impl Collection for TagsOnly {
    fn routes(&self) -> Vec<Route> {
        let is_of_tags = |route: &Route| route.path.split('/').nth(2) == Some(NAME);
        self.0.routes().into_iter().filter(is_of_tags).collect()
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        match request.path.get(1) {
            Some(name) if name == NAME => self.0.handle(request),
            _ => Box::pin(std::future::ready(Err(Fault::no_such_path()))),
        }
    }
}

impl<R: Record> Resolved<R> {
    /// True when this is the path of a record's tags.
    pub(super) fn has_tags(&self, name: &str) -> bool {
        name == NAME && self.tags.is_some()
    }

    /// Answers a request for the tags of a record, or one of them.
    pub(super) async fn tags(self: &Arc<Self>, request: &Request<'_>, id: &str, tag: Option<&str>) -> Result<Answer, Fault> {
        let rules = self.tags.as_ref().ok_or_else(Fault::no_such_path)?;
        match (request.method.as_str(), tag) {
            ("GET", tag) => self.read_tags(request, rules, id, tag).await,
            ("PUT", None) => {
                let given = tags::body(request.body)?;
                let answer = Answer::value(200, &json!({ NAME: given }));
                self.edit_tags(request, id, rules.update, Edit::Replace(given)).await.map(|()| answer)
            }
            ("POST", None) => {
                let given = tags::body(request.body)?;
                let answer = Answer::value(200, &json!({ NAME: given }));
                self.edit_tags(request, id, rules.create, Edit::Add(given)).await.map(|()| answer)
            }
            ("PUT", Some(tag)) => {
                self.edit_tags(request, id, rules.update, Edit::Add(vec![tags::one(tag)?])).await?;
                Ok(Answer::value(201, &Value::Null))
            }
            ("DELETE", tag) => {
                let edit = tag.map_or(Edit::Clear, |tag| Edit::Remove(tag.into()));
                self.edit_tags(request, id, rules.delete, edit).await.map(|()| Answer::no_content())
            }
            _ => Err(Fault::method_not_allowed()),
        }
    }

    async fn read_tags(&self, request: &Request<'_>, rules: &TagRules, id: &str, tag: Option<&str>) -> Result<Answer, Fault> {
        let tagging = self.resource.tags.as_ref().ok_or_else(Fault::no_such_path)?;
        let world = request.frame.fresh().await?;
        let record = self.find(&world, id).ok_or_else(|| self.nothing_tagged(id))?;
        let view = self.view(request.frame, &world, &request.caller, record);
        let policy = &request.frame.policy;
        let may = [self.get, rules.get].into_iter().all(|rule| policy.check(rule, &request.caller, &self.target(&view)));
        if !may {
            return Err(self.nothing_tagged(id));
        }
        let tags = (tagging.of)(record);
        match tag {
            None => Ok(Answer::value(200, &json!({ NAME: tags }))),
            Some(tag) if tags.has(tag) => Ok(Answer::no_content()),
            Some(tag) => Err(tags::not_found(tag)),
        }
    }

    async fn edit_tags(self: &Arc<Self>, request: &Request<'_>, id: &str, rule: RuleId, edit: Edit) -> Result<(), Fault> {
        let (this, id) = (Arc::clone(self), id.to_owned());
        let run = move |frame: &Frame, op: &mut Op<'_>| {
            let tagging = this.resource.tags.as_ref().ok_or_else(Fault::no_such_path)?;
            let record = this.open(frame, op, &id).map_err(|_| this.nothing_tagged(&id))?;
            let view = this.view(frame, op.tx.world(), op.caller, &record);
            let target = this.target(&view);
            let admitted = frame.policy.enforce(&rule.into(), op.caller, &target);
            admitted.map_err(|refused| this.hide(frame, op.caller, &target, refused.into()))?;
            let there = (tagging.of)(&record);
            let tags = edit.apply(there)?;
            if tags != *there {
                let mut new = R::clone(&record);
                (tagging.set)(&mut new, tags, op.tx.context.now);
                op.tx.put(new);
            }
            Ok(())
        };
        request.frame.commit(&request.caller, run).await?;
        Ok(())
    }

    fn nothing_tagged(&self, id: &str) -> Fault {
        Fault::new(404, "TagResourceNotFound", format!("Resource {} {id} could not be found.", self.resource.collection))
    }
}
