//! Collections that are computed and not kept: availability zones, service providers, types of QoS rules. They can be listed, and some
//! shown one by one; nobody changes them.

use crate::answer::{Answering, Reading};
use crate::rows::{Row, Rows, shown};
use crate::{Answer, Collection, Fault, OfProject, Request, Route, schema};
use auth::{Policy, RuleId};
use serde_json::{Value, json};
use std::sync::Arc;
use world::World;

/// Such a collection.
pub struct Listed {
    /// How its members are listed.
    pub rows: Rows,
    /// The rule for reading: who may not read finds nothing.
    pub rule: &'static str,
    /// True: its members count as the caller's own; otherwise the rule is about the caller alone.
    pub is_own: bool,
    /// All members that a request is about.
    pub all: fn(&Request<'_>, &World) -> Result<Vec<Row>, Fault>,
    /// How one is shown.
    pub one: Option<One>,
}

/// A member that is shown alone.
pub struct One {
    /// Its name in bodies.
    pub name: &'static str,
    /// The member that the path names.
    pub find: fn(&Request<'_>, &World, &str) -> Result<Row, Fault>,
    /// Its schema.
    pub form: fn() -> Value,
}

impl Listed {
    /// The collection, with its rule resolved.
    pub fn collection(self, policy: &mut Policy) -> Arc<dyn Collection> {
        Arc::new(Resolved { rule: policy.intern(self.rule), listed: self })
    }
}

struct Resolved {
    listed: Listed,
    rule: RuleId,
}

impl Collection for Resolved {
    fn routes(&self) -> Vec<Route> {
        let list = self.listed.rows.route("").by(self.listed.rule);
        let show = |one: &One| Route::get("/{id}", schema::wrapped(one.name, (one.form)())).by(self.listed.rule);
        [Some(list), self.listed.one.as_ref().map(show)].into_iter().flatten().collect()
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match request.reading()? {
                Reading::All => self.list(request).await,
                Reading::One(id) => self.show(request, id).await,
            }
        })
    }
}

impl Resolved {
    fn admits(&self, request: &Request<'_>) -> bool {
        let (policy, caller) = (&request.frame.policy, &request.caller);
        if self.listed.is_own {
            return policy.check(self.rule, caller, &OfProject(caller.project_id.as_str()));
        }
        policy.check(self.rule, caller, &())
    }

    async fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let world = request.frame.fresh().await?;
        let all = (self.listed.all)(request, &world)?;
        let readable = if self.admits(request) { all } else { Vec::new() };
        self.listed.rows.list(&request.query, readable)
    }

    async fn show(&self, request: &Request<'_>, id: &str) -> Result<Answer, Fault> {
        let one = self.listed.one.as_ref().ok_or_else(Fault::no_such_path)?;
        let world = request.frame.fresh().await?;
        let found = (one.find)(request, &world, id)?;
        if !self.admits(request) {
            return Err(Fault::no_such_path());
        }
        Ok(Answer::value(200, &json!({ one.name: shown(&request.query, found) })))
    }
}
