//! The list of everything the API serves, made once by the binary.

use crate::child::Child;
use crate::endpoint::Endpoint;
use crate::links::{Linked, Links};
use crate::quota::{Counted, QuotaConfig};
use crate::{Collection, Default, Fault, Parent, Resource};
use auth::Policy;
use bytes::Bytes;
use http::{Request, Response};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use world::Record;

/// An API extension. It is listed only when it works end to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension {
    /// `Neutron L3 Router`
    pub name: &'static str,
    /// `router`
    pub alias: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// RFC 3339 time of its last change.
    pub updated: &'static str,
}

/// An answer on its way.
pub type Responding = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

/// What answers below a path outside `/v2.0`, without authentication by the frame. It is given the request and how the client
/// reached this server (`http://host:port`).
pub type Mount = Arc<dyn Fn(Request<Bytes>, &str) -> Responding + Send + Sync>;

pub(crate) type Build = Box<dyn FnOnce(&mut Policy) -> Arc<dyn Collection>>;

/// Tells what is wrong with a declaration.
type Audit = Box<dyn Fn(&Policy) -> Vec<String>>;

/// A collection below `/v2.0`.
pub(crate) struct Declared {
    /// With underscores.
    pub(crate) name: &'static str,
    /// Resource name, when it is listed at `/v2.0/`.
    pub(crate) core: Option<&'static str>,
    pub(crate) build: Build,
    audit: Audit,
}

/// What answers at `/v2.0/<collection>/<id>/<name>`.
pub(crate) struct Member {
    pub(crate) collection: &'static str,
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    audit: Audit,
}

/// Resources, extensions, mounts. Consumed by [`crate::Server::new`].
#[derive(Default)]
pub struct Registry {
    pub(crate) collections: Vec<Declared>,
    pub(crate) members: Vec<Member>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) mounts: Vec<(&'static str, Mount)>,
    pub(crate) counted: Vec<Counted>,
}

impl Registry {
    /// Nothing.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a resource.
    #[must_use]
    pub fn resource<R: Record>(self, resource: Resource<R>) -> Registry {
        self.declare(resource, false)
    }

    /// Adds a resource that is also listed at `/v2.0/`: networks, subnets, ports.
    #[must_use]
    pub fn core_resource<R: Record>(self, resource: Resource<R>) -> Registry {
        self.declare(resource, true)
    }

    /// Adds a resource below the members of another, which must be there: `floatingips/<id>/port_forwardings`.
    #[must_use]
    pub fn child<R: Record>(mut self, parent: Parent<R>, resource: Resource<R>) -> Registry {
        let (name, collection) = (resource.name, resource.collection);
        let (kind, message) = (resource.not_found, resource.not_found_message);
        let not_found = move |id: &str| Fault::new(404, kind, message(id));
        let audit = audit_of(&resource);
        self.members.push(Member {
            collection: parent.collection,
            name: collection,
            build: Box::new(move |policy| {
                Arc::new(Child { parent, name, collection, not_found: Box::new(not_found), endpoint: Endpoint::new(resource, policy) })
            }),
            audit,
        });
        self
    }

    /// Adds what is tied to the members of a collection, which must be there: `agents/<id>/l3-routers`. The resource says how it is shown.
    #[must_use]
    pub fn links<R: Record>(mut self, links: Links<R>, resource: Resource<R>) -> Registry {
        let rules: Vec<&str> = links.rules().collect();
        self.members.push(Member {
            collection: links.collection,
            name: links.name,
            build: Box::new(move |policy| {
                let endpoint = Endpoint::new(resource, policy);
                Arc::new(Linked::new(links, endpoint, policy))
            }),
            audit: Box::new(move |policy| missing(policy, rules.iter().copied()).collect()),
        });
        self
    }

    fn declare<R: Record>(mut self, resource: Resource<R>, core: bool) -> Registry {
        if let Some(quota) = &resource.quota {
            self.counted.push(Counted::new(resource.name, quota.default, quota.by_project));
        }
        let audit = audit_of(&resource);
        self.collections.push(Declared {
            name: resource.collection,
            core: core.then_some(resource.name),
            build: Box::new(|policy| Arc::new(Endpoint::new(resource, policy))),
            audit,
        });
        self
    }

    /// Adds a collection written by hand; `name` has underscores. It is made with the policy, to resolve its rules.
    #[must_use]
    pub fn collection(mut self, name: &'static str, build: impl FnOnce(&mut Policy) -> Arc<dyn Collection> + 'static) -> Registry {
        self.collections.push(Declared { name, core: None, build: Box::new(build), audit: Box::new(|_| Vec::new()) });
        self
    }

    /// Adds what answers at `/v2.0/<collection>/<id>/<name>` and below: an action of a member or a collection of its own. Its
    /// [`crate::Request::path`] starts with the id and the name.
    #[must_use]
    pub fn member(
        mut self,
        collection: &'static str,
        name: &'static str,
        build: impl FnOnce(&mut Policy) -> Arc<dyn Collection> + 'static,
    ) -> Registry {
        self.members.push(Member { collection, name, build: Box::new(build), audit: Box::new(|_| Vec::new()) });
        self
    }

    /// Lists extensions.
    #[must_use]
    pub fn extensions(mut self, extensions: impl IntoIterator<Item = Extension>) -> Registry {
        self.extensions.extend(extensions);
        self
    }

    /// Adds what answers at a path outside `/v2.0` and below it: `/console`.
    #[must_use]
    pub fn mount(mut self, path: &'static str, mount: Mount) -> Registry {
        self.mounts.push((path, mount));
        self
    }

    /// Applies configured limits to the resources added so far.
    #[must_use]
    pub fn quotas(mut self, config: &QuotaConfig) -> Registry {
        for counted in &mut self.counted {
            if let Some(limit) = config.limits.get(counted.name) {
                counted.limit = *limit;
            }
        }
        self
    }

    /// What is wrong with the declarations, one sentence each: what the completeness tests assert to be nothing.
    pub fn audit(&self, policy: &Policy) -> Vec<String> {
        let mut faults = Vec::new();
        let mut names = HashSet::new();
        for declared in &self.collections {
            if !names.insert(declared.name) {
                faults.push(format!("{}: declared twice", declared.name));
            }
            faults.extend((declared.audit)(policy).into_iter().map(|fault| format!("{}: {fault}", declared.name)));
        }
        for member in self.members.iter().filter(|member| !names.contains(member.collection)) {
            faults.push(format!("{}/{}: there is no such collection", member.collection, member.name));
        }
        for member in &self.members {
            faults.extend((member.audit)(policy).into_iter().map(|fault| format!("{}/{}: {fault}", member.collection, member.name)));
        }
        let mut aliases = HashSet::new();
        for extension in self.extensions.iter().filter(|extension| !aliases.insert(extension.alias)) {
            faults.push(format!("extension {}: listed twice", extension.alias));
        }
        faults
    }
}

/// The policy rules that a resource's routes are checked by. Attributes need none: theirs may be missing and then are the rule
/// `default`, as with `create_network:mtu`.
fn rules<R: Record>(resource: &Resource<R>) -> Vec<String> {
    let verbs = [
        ("get", true),
        ("create", resource.create.is_some()),
        ("update", resource.update.is_some()),
        ("delete", resource.delete.is_some()),
    ];
    let verbs = verbs.iter().filter(|(_, is_there)| *is_there).map(|(verb, _)| format!("{verb}_{}", resource.rules));
    let tags = ["get", "create", "update", "delete"].into_iter().filter(|_| resource.tags.is_some());
    let tags = tags.map(|verb| format!("{verb}_{}:tags", resource.rules));
    verbs.chain(resource.actions.iter().map(|action| action.name.to_owned())).chain(tags).collect()
}

/// Tells, given the policy, what is wrong with a declaration.
fn audit_of<R: Record>(resource: &Resource<R>) -> Audit {
    let (faults, rules) = (audit(resource), rules(resource));
    Box::new(move |policy| faults.iter().cloned().chain(missing(policy, rules.iter().map(String::as_str))).collect())
}

fn missing<'r>(policy: &Policy, rules: impl Iterator<Item = &'r str>) -> impl Iterator<Item = String> {
    rules.filter(|rule| policy.rule(rule).is_none()).map(|rule| format!("policy rule {rule} does not exist"))
}

fn audit<R: Record>(resource: &Resource<R>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for attribute in &resource.attributes {
        let name = attribute.name;
        if !names.insert(name) {
            faults.push(format!("attribute {name} is declared twice"));
        }
        if name == "tenant_id" {
            faults.push("attribute tenant_id is the frame's: declare project_id".to_owned());
        }
        if let Default::Value(value) = &attribute.default {
            match attribute.kind.check(value.clone()) {
                Ok(canonical) if canonical == *value => {}
                Ok(canonical) => faults.push(format!("attribute {name}: the default's canonical form is {canonical}")),
                Err(invalid) => faults.push(format!("attribute {name}: its default is refused: {}", invalid.fault(name).message)),
            }
        }
        if attribute.post && resource.create.is_none() {
            faults.push(format!("attribute {name} can be set by a create that does not exist"));
        }
        if attribute.put && resource.update.is_none() {
            faults.push(format!("attribute {name} can be set by an update that does not exist"));
        }
    }
    if !names.contains("id") {
        faults.push("there is no attribute id".to_owned());
    }
    if let Some(quota) = &resource.quota
        && quota.by_project.slot() >= R::INDEXES
    {
        faults.push("the index of its quota does not exist".to_owned());
    }
    faults
}
