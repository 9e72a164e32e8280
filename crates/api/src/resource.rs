//! The declaration of a resource.

use crate::addition::Added;
use crate::{Attribute, BeforeDelete, Fault, Fields, Op, Tagging, View};
use net::ProjectId;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;
use world::{Index, Key, Record, World};

/// Creates a record from validated fields.
pub type Create<R> = fn(&mut Op<'_>, &Fields) -> Result<<R as Record>::Id, Fault>;

/// Changes a record by what a body set.
pub type Update<R> = fn(&mut Op<'_>, &Arc<R>, &Fields) -> Result<(), Fault>;

/// Removes a record.
pub type Delete<R> = fn(&mut Op<'_>, &Arc<R>) -> Result<(), Fault>;

/// Looks at the fields of a create.
pub type References = fn(&mut Op<'_>, &Fields) -> Result<(), Fault>;

/// How an index finds the records that a filter can match, by a value as a client wrote it.
pub enum Narrow<R: Record> {
    /// The index has texts: what the client wrote.
    Text(Index<R>),
    /// The index has ids; what is no id finds nothing.
    Id(Index<R>),
    /// In another way; none: this value is not found by an index.
    By(fn(&World, &str) -> Option<Vec<R::Id>>),
}

impl<R: Record> Narrow<R> {
    /// The records, in any order; more than those that match are fine.
    pub fn find(&self, world: &World, value: &str) -> Option<Vec<R::Id>> {
        let by = |index, key: Key| world.table::<R>().ids(index, key).cloned().collect();
        match self {
            Narrow::Text(index) => Some(by(*index, value.into())),
            Narrow::Id(index) => Some(Uuid::try_parse(value).map_or(Vec::new(), |id| by(*index, id.into()))),
            Narrow::By(find) => find(world, value),
        }
    }
}

/// Which records may concern a caller.
pub enum Concerning<R: Record> {
    /// Those of the caller's project, by the index of owners.
    Own(Index<R>),
    /// Others, too.
    By(fn(&World, &auth::Caller) -> Vec<R::Id>),
}

impl<R: Record> Concerning<R> {
    /// The records, in any order.
    pub fn find(&self, world: &World, caller: &auth::Caller) -> Vec<R::Id> {
        match self {
            Concerning::Own(index) => world.table::<R>().ids(*index, &caller.project_id).cloned().collect(),
            Concerning::By(find) => find(world, caller),
        }
    }
}

/// Does an action of a record with the body that a client sent.
pub type Act<R> = fn(&mut Op<'_>, &Arc<R>, &Map<String, Value>) -> Result<Outcome, Fault>;

/// What `PUT /v2.0/<collection>/<id>/<name>` does. Its policy rule has its name, `add_router_interface`; where there are rules for attributes of
/// the resource in its body and for their parts, those count too: `add_external_gateways:external_gateways:enable_snat`.
#[derive(Clone, Copy)]
pub struct Action<R: Record> {
    /// Its name.
    pub name: &'static str,
    /// The schema of its body.
    pub takes: fn() -> Value,
    /// Does it.
    pub run: Act<R>,
}

/// What `GET /v2.0/<collection>/<id>/<name>` shows of a record. Its policy rule has its name, `get_subports`.
pub struct Look<R: Record> {
    /// Its name.
    pub name: &'static str,
    /// The document.
    pub run: for<'a> fn(&View<'a, R>) -> Value,
}

/// What an action answers.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// This document.
    Document(Value),
    /// The record, as a show does.
    Record,
    /// The same without its name around it.
    Bare,
}

/// How many of a resource a project may have.
#[derive(Clone, Copy)]
pub struct Quota<R: Record> {
    /// The default limit; -1 is none.
    pub default: i64,
    /// The index by owner, to count them.
    pub by_project: Index<R>,
}

/// A resource: everything the frame must know of it.
pub struct Resource<R: Record> {
    /// Its name in bodies and policy rules: `security_group`.
    pub name: &'static str,
    /// Its name in policy rules, where that is not its name: `floatingip_port_forwarding`.
    pub rules: &'static str,
    /// Its collection in bodies: `security_groups`. The path has the same with hyphens; both are accepted there.
    pub collection: &'static str,
    /// What its path begins with, below `/v2.0`: `qos` for `/v2.0/qos/policies`; usually nothing.
    pub prefix: &'static str,
    /// The extension that it belongs to: where that is off, the resource is not there.
    pub extension: Option<&'static str>,
    /// True: a page after a record that is not there, or not for the caller, starts the list anew, as upstream has it for its newer
    /// resources; otherwise it is refused.
    pub restarts_at_unknown_marker: bool,
    /// Which records of its kind are of this resource, where several share a kind.
    pub includes: fn(&R) -> bool,
    /// Type of the 404 fault: `SecurityGroupNotFound`.
    pub not_found: &'static str,
    /// The words of the 404 fault around the id: `Security group {id} does not exist`.
    pub not_found_message: fn(&str) -> String,
    /// The same below a parent, where its id is among the words: parent and id.
    pub not_found_below: Option<fn(&str, &str) -> String>,
    /// Its attributes, in the order of answers; one is `id`. Where there is `project_id`, the frame shows and accepts `tenant_id` beside
    /// it, fills it in on create and checks that the caller may name it: the table declares `project_id` alone.
    pub attributes: Vec<Attribute<R>>,
    /// Creates one from validated fields; fields hold `project_id`. Absent: POST is refused.
    pub create: Option<Create<R>>,
    /// Changes one; fields hold what the body set.
    pub update: Option<Update<R>>,
    /// Removes one.
    pub delete: Option<Delete<R>>,
    /// What else can be done with one.
    pub actions: Vec<Action<R>>,
    /// What can be looked at apart.
    pub looks: Vec<Look<R>>,
    /// Runs in the log before a list or show when `needed` says so: the default security group of a project is made on first sight.
    pub prepare: Option<Prepare>,
    /// The owner of what a record belongs to, for policy (`network:project_id`, `security_group:project_id`).
    pub parent_project: for<'a> fn(&View<'a, R>, &str) -> Option<&'a ProjectId>,
    /// The same for a create, whose record does not exist yet.
    pub parent_project_of: for<'a> fn(&'a World, &Fields, &str) -> Option<&'a ProjectId>,
    /// Looks at what a create refers to before policy does: a network that the caller cannot see answers 404, not 403.
    pub references: Option<References>,
    /// A computed field of the record that policy rules ask for (`shared`), beyond its attributes.
    pub policy_field: for<'a> fn(&View<'a, R>, &str) -> Option<Cow<'a, str>>,
    /// The same for a create, whose record does not exist yet; the fields themselves need not be answered here.
    pub policy_field_of: for<'a> fn(&'a World, &auth::Caller, &Fields, &str) -> Option<Cow<'a, str>>,
    /// The attributes by whose filters an index finds records.
    pub narrow: Vec<(&'static str, Narrow<R>)>,
    /// All records that the default rules can let a caller see who is neither administrator nor service (its own, shared ones),
    /// by indexes and in any order, so that a tenant's list does not walk everybody's records. More than that is fine, each is
    /// still judged. Not used when the operator has rules of his own. Absent: all records are walked.
    pub concerning: Option<Concerning<R>>,
    /// False: a record of another project is refused by the rules alone, with `HTTPNotFound`; otherwise it is not found at all.
    pub is_scoped: bool,
    /// True: whoever may not update a record learns nothing of it from the refusal, though the record be shared with him.
    pub hides_sharing: bool,
    /// Its quota.
    pub quota: Option<Quota<R>>,
    /// What a create makes besides, as resource and number: it counts against their quotas too.
    pub brings: fn(&World) -> Vec<(&'static str, usize)>,
    /// Its revision number: `If-Match` works on it.
    pub revision_number: Option<fn(&R) -> u64>,
    /// Its tags; [`Resource::tagged`] sets this together with the attribute.
    pub tags: Option<Tagging<R>>,
    /// What other slices add; see [`Resource::with`].
    pub added: Vec<Added<R>>,
    /// The same, for deletes.
    pub before_delete: Vec<BeforeDelete<R>>,
}

impl<R: Record> Resource<R> {
    /// A resource that can only be read, without quota, index or computed fields; the literal's other fields refine it:
    /// `Resource { attributes, create: Some(create), ..Resource::new("port", "ports", "PortNotFound", message) }`.
    pub fn new(
        name: &'static str,
        collection: &'static str,
        not_found: &'static str,
        not_found_message: fn(&str) -> String,
    ) -> Resource<R> {
        Resource {
            name,
            rules: name,
            collection,
            prefix: "",
            extension: None,
            restarts_at_unknown_marker: false,
            includes: |_| true,
            not_found,
            not_found_message,
            not_found_below: None,
            attributes: Vec::new(),
            create: None,
            update: None,
            delete: None,
            actions: Vec::new(),
            looks: Vec::new(),
            prepare: None,
            parent_project: |_, _| None,
            parent_project_of: |_, _, _| None,
            references: None,
            policy_field: |_, _| None,
            policy_field_of: |_, _, _, _| None,
            narrow: Vec::new(),
            concerning: None,
            is_scoped: true,
            hides_sharing: false,
            quota: None,
            brings: |_| Vec::new(),
            revision_number: None,
            tags: None,
            added: Vec::new(),
            before_delete: Vec::new(),
        }
    }
}

/// Something to do in the log before a read can be answered: for the caller's project, or the one that an administrator's list is about.
#[derive(Clone, Copy)]
pub struct Prepare {
    /// True when it has to be done for a project.
    pub needed: fn(&World, &ProjectId) -> bool,
    /// Does it.
    pub run: fn(&mut Op<'_>, &ProjectId) -> Result<(), Fault>,
}
