//! `auto-allocated-topology`: a network that leads outside, for a project that asks for no more than that ("get me a network").
//!
//! It is made at the first GET: a network, a subnet of each default subnet pool, and a router that connects them to the default external
//! network. Quotas do not count here, as in the reference: a project has one topology.

mod fault;
mod ops;
#[cfg(test)]
mod tests;

pub use fault::AllocationFault;
pub(crate) use ops::forget;

use api::{Answer, Answering, Collection, Fault, Frame, OfProject, Op, Request, Route, schema};
use auth::{Policy, RuleId};
use model::AutoAllocatedTopology;
use net::ProjectId;
use serde_json::json;
use std::sync::Arc;

/// Name in bodies; the path may have hyphens.
pub const COLLECTION: &str = "auto_allocated_topology";
/// The field whose presence asks whether a topology could be made.
const DRY_RUN: &str = "dry-run";

/// The collection, with its rules resolved.
pub fn collection(policy: &mut Policy) -> Arc<dyn Collection> {
    Arc::new(Topologies { get: policy.intern("get_auto_allocated_topology"), delete: policy.intern("delete_auto_allocated_topology") })
}

struct Topologies {
    get: RuleId,
    delete: RuleId,
}

impl Collection for Topologies {
    fn routes(&self) -> Vec<Route> {
        let topology = ["id", "tenant_id", "project_id"].map(|name| (name, schema::text(255)));
        let get = Route { makes: true, ..Route::get("/{project_id}", schema::wrapped(COLLECTION, schema::object(topology))) };
        let rule = |verb: &str| format!("{verb}_{COLLECTION}");
        vec![get.with_fields(&[DRY_RUN]).by(rule("get")), Route::delete("/{project_id}").by(rule("delete"))]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(async move {
            match (request.method.as_str(), request.path.as_slice()) {
                ("GET", [project]) => self.get(request, project).await,
                ("DELETE", [project]) => self.delete(request, project).await,
                (_, [_]) => Err(Fault::method_not_allowed()),
                _ => Err(Fault::no_such_path()),
            }
        })
    }
}

impl Topologies {
    async fn get(&self, request: &Request<'_>, project: &str) -> Result<Answer, Fault> {
        let project = subject(request, project)?;
        if !request.frame.policy.check(self.get, &request.caller, &OfProject(project.as_str())) {
            return Err(Fault::no_such_path());
        }
        let mut fields = request.query.all("fields").peekable();
        if request.query.all("fields").any(|field| field == DRY_RUN) {
            let world = request.frame.fresh().await?;
            ops::check(&world, &request.caller)?;
            return Ok(answer("dry-run=pass", &project));
        }
        if fields.peek().is_some() {
            return Err(AllocationFault::UnknownField.into());
        }
        let world = request.frame.fresh().await?;
        if let Some(there) = world.get::<AutoAllocatedTopology>(&project) {
            return Ok(answer(&there.network_id.to_string(), &project));
        }
        let wanted = project.clone();
        let make = move |_: &Frame, op: &mut Op<'_>| ops::allocate(op, &wanted);
        let network = request.frame.commit(&request.caller, make).await?.answer;
        Ok(answer(&network.to_string(), &project))
    }

    async fn delete(&self, request: &Request<'_>, project: &str) -> Result<Answer, Fault> {
        let project = subject(request, project)?;
        request.frame.policy.enforce(&self.delete.into(), &request.caller, &OfProject(project.as_str()))?;
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        request.frame.commit(&request.caller, move |_: &Frame, op: &mut Op<'_>| ops::release(op, &project)).await?;
        Ok(Answer::no_content())
    }
}

/// Whose topology a request is about. Clients that know no project write `None` for the caller's own.
fn subject(request: &Request<'_>, project: &str) -> Result<ProjectId, Fault> {
    let caller = &request.caller;
    if project == "None" {
        return Ok(caller.project_id.clone());
    }
    // Longer than any project's id.
    if project.len() > 255 || !(caller.is_admin || caller.owns(project)) {
        return Err(AllocationFault::NotAuthorized.into());
    }
    Ok(ProjectId::from(project))
}

fn answer(id: &str, project: &ProjectId) -> Answer {
    Answer::value(200, &json!({ COLLECTION: {"id": id, "tenant_id": project, "project_id": project} }))
}
