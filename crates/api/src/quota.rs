//! Quotas: how many of each resource a project may have.
//!
//! The limits are the configured ones unless the project has its own (a `quota` record). They are checked inside the log, so
//! concurrent creates cannot exceed them.

use crate::answer::Answering;
use crate::{Answer, Collection, Fault, Frame, Kind, OfProject, Op, Request, Route, body, schema};
use auth::{Policy, RuleId};
use model::Quota;
use net::ProjectId;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use world::{Index, Record, World};

/// The largest limit (a 32-bit column in the reference).
const LARGEST: i64 = 2_147_483_647;

/// Configured limits (`quota_network` and so on) where they differ from the resources' defaults, by resource name; -1 is none.
#[derive(Clone, Debug, Default)]
pub struct QuotaConfig {
    /// Limits by resource: `port`.
    pub limits: BTreeMap<String, i64>,
}

/// Counts what a project has.
type Count = Box<dyn Fn(&World, &ProjectId) -> usize + Send + Sync>;

/// A resource whose number is limited.
pub(crate) struct Counted {
    /// Its name: `port`.
    pub(crate) name: &'static str,
    /// The configured limit.
    pub(crate) limit: i64,
    /// The extension that it belongs to.
    pub(crate) extension: Option<&'static str>,
    count: Count,
}

impl Counted {
    pub(crate) fn new<R: Record>(name: &'static str, limit: i64, by_project: Index<R>) -> Counted {
        let count = move |world: &World, project: &ProjectId| world.table::<R>().count(by_project, project);
        Counted { name, limit, extension: None, count: Box::new(count) }
    }

    /// The same, of this extension.
    pub(crate) fn of(self, extension: Option<&'static str>) -> Counted {
        Counted { extension, ..self }
    }

    /// The limit of a project.
    fn limit_of(&self, world: &World, project: &ProjectId) -> i64 {
        let own = world.get::<Quota>(project).and_then(|quota| quota.limits.get(self.name).copied());
        own.unwrap_or(self.limit)
    }

    fn used(&self, world: &World, project: &ProjectId) -> usize {
        (self.count)(world, project)
    }

    /// Refuses `more` of them for a project when that were too many.
    pub(crate) fn check(&self, world: &World, project: &ProjectId, more: usize) -> Result<(), Fault> {
        let Ok(limit) = usize::try_from(self.limit_of(world, project)) else { return Ok(()) };
        let fits = self.used(world, project).saturating_add(more) <= limit;
        if fits { Ok(()) } else { Err(Fault::over_quota(self.name)) }
    }
}

/// `/v2.0/quotas`.
pub(crate) struct Quotas {
    get: RuleId,
    update: RuleId,
    delete: RuleId,
    /// What is counted.
    names: Vec<&'static str>,
}

impl Quotas {
    pub(crate) fn new(policy: &mut Policy, names: Vec<&'static str>) -> Quotas {
        let (get, update, delete) = (policy.intern("get_quota"), policy.intern("update_quota"), policy.intern("delete_quota"));
        Quotas { get, update, delete, names }
    }
}

impl Collection for Quotas {
    fn routes(&self) -> Vec<Route> {
        let limit = || schema::range(-1, LARGEST);
        let limits = |more: &[(&'static str, Json)]| {
            let counted = self.names.iter().map(|name| (*name, limit()));
            schema::object(counted.chain(more.iter().cloned()))
        };
        let quota = || schema::wrapped("quota", schema::titled("Quota", limits(&[])));
        let project = schema::text(255);
        let listed = limits(&[("project_id", project.clone()), ("tenant_id", project.clone())]);
        let count = || schema::object(["limit", "used", "reserved"].map(|name| (name, schema::integer())));
        let details = schema::object(self.names.iter().map(|name| (*name, count())));
        let asked = limits(&[("force", schema::boolean()), ("check_limit", schema::boolean())]);
        let own = |word: &str| {
            let id = schema::object([(format!("{word}_id"), project.clone())]);
            Route::get(format!("/{word}"), schema::wrapped(word, id))
        };
        vec![
            Route::get("", schema::wrapped("quotas", schema::list(listed))).by("get_quota"),
            own("project"),
            own("tenant"),
            Route::get("/{project_id}", quota()).by("get_quota"),
            Route::get("/{project_id}/default", quota()).by("get_quota"),
            Route::get("/{project_id}/details", schema::wrapped("quota", details)).by("get_quota"),
            Route::put("/{project_id}", schema::wrapped("quota", asked), quota()).by("update_quota"),
            Route::delete("/{project_id}").by("delete_quota"),
        ]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(self.answer(request))
    }
}

impl Quotas {
    async fn answer(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        let path: Vec<&str> = request.path.iter().map(|part| &**part).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", []) => self.list(request).await,
            ("POST", []) => Err(Fault::new(501, "HTTPNotImplemented", "POST requests are not supported on this resource.")),
            ("GET", [word @ ("tenant" | "project")]) => {
                let id = json!({ format!("{word}_id"): request.caller.project_id.as_str() });
                Ok(Answer::value(200, &json!({ *word: id })))
            }
            ("GET", [project]) => {
                self.admit(request, project)?;
                Ok(one(self.limits(request.frame, &request.frame.fresh().await?, project)))
            }
            ("GET", [project, "default"]) => {
                self.admit(request, project)?;
                Ok(one(request.frame.counted.iter().map(|counted| (counted.name.to_owned(), counted.limit.into())).collect()))
            }
            ("GET", [project, "details"]) => {
                if !request.caller.owns(project) && !request.caller.is_admin {
                    let message = "User does not have admin privileges: Only admin is authorized to access quotas for another project.";
                    return Err(Fault::new(403, "AdminRequired", message));
                }
                Ok(one(details(request.frame, &request.frame.fresh().await?, project)))
            }
            ("PUT", [project]) => self.update(request, project).await,
            ("DELETE", [project]) => self.delete(request, project).await,
            (_, [] | [_]) => Err(Fault::method_not_allowed()),
            _ => Err(Fault::no_such_path()),
        }
    }

    /// Whoever has a role in a project may know its limits.
    fn admit(&self, request: &Request<'_>, project: &str) -> Result<(), Fault> {
        if request.caller.owns(project) { Ok(()) } else { self.enforce(request, self.get, project) }
    }

    fn enforce(&self, request: &Request<'_>, rule: RuleId, project: &str) -> Result<(), Fault> {
        Ok(request.frame.policy.enforce(&rule.into(), &request.caller, &OfProject(project))?)
    }

    fn limits(&self, frame: &Frame, world: &World, project: &str) -> Map<String, Json> {
        let project = ProjectId::from(project);
        frame.counted.iter().map(|counted| (counted.name.to_owned(), counted.limit_of(world, &project).into())).collect()
    }

    async fn list(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        request.frame.policy.enforce(&self.get.into(), &request.caller, &())?;
        let world = request.frame.fresh().await?;
        let quotas: Vec<Json> = world
            .table::<Quota>()
            .iter()
            .map(|quota| {
                let mut limits = self.limits(request.frame, &world, quota.project_id.as_str());
                limits.insert("project_id".to_owned(), quota.project_id.as_str().into());
                limits.insert("tenant_id".to_owned(), quota.project_id.as_str().into());
                Json::Object(limits)
            })
            .collect();
        Ok(Answer::value(200, &json!({ "quotas": quotas })))
    }

    async fn update(&self, request: &Request<'_>, project: &str) -> Result<Answer, Fault> {
        let asked = read(request.frame, request.body)?;
        self.enforce(request, self.update, project)?;
        let project_id = ProjectId::from(project);
        let done = request.frame.commit(&request.caller, move |frame, op| set(frame, op, &project_id, &asked)).await?;
        Ok(one(self.limits(request.frame, &done.world, project)))
    }

    async fn delete(&self, request: &Request<'_>, project: &str) -> Result<Answer, Fault> {
        if !request.body.is_empty() {
            return Err(Fault::bad_request("Request body is not supported in DELETE."));
        }
        self.enforce(request, self.delete, project)?;
        let project_id = ProjectId::from(project);
        let remove = move |_: &Frame, op: &mut Op<'_>| match op.tx.remove::<Quota>(&project_id) {
            Some(_) => Ok(()),
            None => Err(Fault::new(404, "TenantQuotaNotFound", format!("Quota for project {project_id} could not be found."))),
        };
        request.frame.commit(&request.caller, remove).await?;
        Ok(Answer::no_content())
    }
}

fn one(quota: Map<String, Json>) -> Answer {
    Answer::value(200, &json!({ "quota": quota }))
}

fn details(frame: &Frame, world: &World, project: &str) -> Map<String, Json> {
    let project = ProjectId::from(project);
    let detail =
        |counted: &Counted| json!({"limit": counted.limit_of(world, &project), "used": counted.used(world, &project), "reserved": 0});
    frame.counted.iter().map(|counted| (counted.name.to_owned(), detail(counted))).collect()
}

/// What the body of an update asks for.
struct Asked {
    limits: Vec<(&'static str, i64)>,
    force: bool,
}

fn read(frame: &Frame, bytes: &[u8]) -> Result<Asked, Fault> {
    let malformed = |_| Fault::new(400, "MalformedRequestBody", "Malformed request body: Cannot understand JSON.");
    let mut given = body::unwrap(&mut body::object(bytes).map_err(malformed)?, "quota")?;
    if given.contains_key("tenant_id") || given.contains_key("project_id") {
        return Err(Fault::bad_request("Unrecognized attribute(s) 'project_id, tenant_id'"));
    }
    let mut flag = |name: &str| match given.shift_remove(name) {
        Some(value) => crate::kind::boolean(&value).map_err(|invalid| invalid.fault(name)),
        None => Ok(false),
    };
    let force = flag("force")?;
    flag("check_limit")?;
    body::refuse_unknown(given.keys().filter(|name| frame.counted.iter().all(|counted| counted.name != name.as_str())))?;
    let mut limits = Vec::new();
    for counted in &frame.counted {
        if let Some(value) = given.remove(counted.name) {
            let value = Kind::IntRange(-1, LARGEST).check(value).map_err(|invalid| invalid.fault(counted.name))?;
            limits.push((counted.name, value.as_i64().expect("the kind yields numbers")));
        }
    }
    Ok(Asked { limits, force })
}

fn set(frame: &Frame, op: &mut Op<'_>, project: &ProjectId, asked: &Asked) -> Result<(), Fault> {
    for (name, limit) in asked.limits.iter().filter(|(_, limit)| !asked.force && *limit >= 0) {
        let counted = frame.counted.iter().find(|counted| counted.name == *name).expect("the body was read by the same list");
        let used = counted.used(op.tx.world(), project);
        if usize::try_from(*limit).is_ok_and(|limit| limit < used) {
            let message = format!("Quota limit {limit} for {name} must be greater than or equal to already used {used}");
            return Err(Fault::bad_request(message));
        }
    }
    if asked.limits.is_empty() {
        return Ok(());
    }
    let mut quota = match op.tx.get::<Quota>(project) {
        Some(quota) => Quota::clone(quota),
        None => Quota { project_id: project.clone(), limits: BTreeMap::new() },
    };
    quota.limits.extend(asked.limits.iter().map(|(name, limit)| (SmolStr::new_static(name), *limit)));
    op.tx.put(quota);
    Ok(())
}
