//! The list of everything the API serves, made once by the binary.

use crate::child::Child;
use crate::discovery;
use crate::endpoint::Endpoint;
use crate::links::{Linked, Links};
use crate::preview::{Off, Unenforced};
use crate::quota::{Counted, QuotaConfig};
use crate::{Collection, Default, Fault, Parent, Preview, Resource};
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

pub(crate) type Build = Box<dyn FnOnce(&mut Policy, &Off) -> Arc<dyn Collection>>;

/// Tells what is wrong with a declaration.
type Audit = Box<dyn Fn(&Policy) -> Vec<String>>;

/// A collection below `/v2.0`.
pub(crate) struct Declared {
    /// Its path below `/v2.0`, with underscores.
    pub(crate) name: String,
    /// The extension that it belongs to.
    pub(crate) extension: Option<&'static str>,
    /// Resource name, when it is listed at `/v2.0/`.
    pub(crate) core: Option<&'static str>,
    /// Where its tags are, when that is not below its path: `policies/<id>/tags` without `qos`.
    pub(crate) tags: Option<&'static str>,
    pub(crate) build: Build,
    audit: Audit,
}

/// What answers at `/v2.0/<collection>/<id>/<name>`.
pub(crate) struct Member {
    pub(crate) collection: &'static str,
    pub(crate) name: &'static str,
    /// The extension that it belongs to.
    pub(crate) extension: Option<&'static str>,
    pub(crate) build: Build,
    audit: Audit,
}

/// Resources, extensions, mounts. Consumed by [`crate::Server::new`].
#[derive(Default)]
pub struct Registry {
    pub(crate) collections: Vec<Declared>,
    pub(crate) members: Vec<Member>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) previews: Vec<Preview>,
    pub(crate) is_previewing: bool,
    pub(crate) mounts: Vec<(&'static str, Mount)>,
    pub(crate) counted: Vec<Counted>,
    /// Which resource or attribute's resource names which extension.
    named: Vec<(&'static str, &'static str)>,
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
        let (kind, message, below) = (resource.not_found, resource.not_found_message, resource.not_found_below);
        let words = move |parent: &str, id: &str| below.map_or_else(|| message(id), |below| below(parent, id));
        let not_found = move |parent: &str, id: &str| Fault::new(404, kind, words(parent, id));
        let (extension, includes) = (resource.extension, resource.includes);
        let audit = audit_of(&resource);
        self.named.extend(named(&resource));
        self.members.push(Member {
            collection: parent.collection,
            name: collection,
            extension,
            build: Box::new(move |policy, off| {
                let endpoint = Endpoint::new(off.strip(resource), policy);
                Arc::new(Child { parent, name, collection, includes, not_found: Box::new(not_found), endpoint })
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
            extension: None,
            build: Box::new(move |policy, off| {
                let endpoint = Endpoint::new(off.strip(resource), policy);
                Arc::new(Linked::new(links, endpoint, policy))
            }),
            audit: Box::new(move |policy| missing(policy, rules.iter().copied()).collect()),
        });
        self
    }

    fn declare<R: Record>(mut self, resource: Resource<R>, core: bool) -> Registry {
        if let Some(quota) = &resource.quota {
            self.counted.push(Counted::new(resource.name, quota.default, quota.by_project).of(resource.extension));
        }
        let audit = audit_of(&resource);
        self.named.extend(named(&resource));
        self.collections.push(Declared {
            name: path(resource.prefix, resource.collection),
            extension: resource.extension,
            core: core.then_some(resource.name),
            tags: resource.tags.as_ref().filter(|_| !resource.prefix.is_empty()).map(|_| resource.collection),
            build: Box::new(|policy, off| Arc::new(Endpoint::new(off.strip(resource), policy))),
            audit,
        });
        self
    }

    /// Adds what a slice lists itself, because its resources follow a pattern.
    #[must_use]
    pub fn slice(self, add: impl FnOnce(Registry) -> Registry) -> Registry {
        add(self)
    }

    /// Adds a collection written by hand; `name` has underscores. It is made with the policy, to resolve its rules.
    #[must_use]
    pub fn collection(self, name: &'static str, build: impl FnOnce(&mut Policy) -> Arc<dyn Collection> + 'static) -> Registry {
        self.by_hand(name, None, build)
    }

    /// The same; it belongs to this extension.
    #[must_use]
    pub fn collection_of(
        self,
        extension: &'static str,
        name: &'static str,
        build: impl FnOnce(&mut Policy) -> Arc<dyn Collection> + 'static,
    ) -> Registry {
        self.by_hand(name, Some(extension), build)
    }

    fn by_hand(
        mut self,
        name: &'static str,
        extension: Option<&'static str>,
        build: impl FnOnce(&mut Policy) -> Arc<dyn Collection> + 'static,
    ) -> Registry {
        self.collections.push(Declared {
            name: name.to_owned(),
            extension,
            core: None,
            tags: None,
            build: Box::new(|policy, _| build(policy)),
            audit: Box::new(|_| Vec::new()),
        });
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
        let build: Build = Box::new(|policy, _| build(policy));
        self.members.push(Member { collection, name, extension: None, build, audit: Box::new(|_| Vec::new()) });
        self
    }

    /// The same; it belongs to this extension.
    #[must_use]
    pub fn member_of(
        mut self,
        extension: &'static str,
        collection: &'static str,
        name: &'static str,
        build: impl FnOnce(&mut Policy) -> Arc<dyn Collection> + 'static,
    ) -> Registry {
        let build: Build = Box::new(|policy, _| build(policy));
        self.members.push(Member { collection, name, extension: Some(extension), build, audit: Box::new(|_| Vec::new()) });
        self
    }

    /// Lists extensions.
    #[must_use]
    pub fn extensions(mut self, extensions: impl IntoIterator<Item = Extension>) -> Registry {
        self.extensions.extend(extensions);
        self
    }

    /// Declares extensions that hosts do not enforce yet. They are off unless [`Registry::preview_extensions`] says otherwise.
    #[must_use]
    pub fn previews(mut self, previews: impl IntoIterator<Item = Preview>) -> Registry {
        self.previews.extend(previews);
        self
    }

    /// Turns the previews on or off.
    #[must_use]
    pub fn preview_extensions(mut self, on: bool) -> Registry {
        self.is_previewing = on;
        self
    }

    /// What `/v2.0/extensions` will list.
    pub fn listed(&self) -> Vec<Extension> {
        let previews = self.on().iter().map(|preview| preview.extension);
        self.extensions.iter().copied().chain(previews).chain(discovery::own()).collect()
    }

    /// The previews that are on.
    fn on(&self) -> &[Preview] {
        if self.is_previewing { &self.previews } else { &[] }
    }

    /// What will be accepted though hosts do not enforce it.
    pub fn unenforced(&self) -> Unenforced {
        Unenforced(self.on().iter().filter_map(|preview| Some((preview.extension.alias, preview.missing?))).collect())
    }

    /// The aliases that are not there.
    pub(crate) fn off(&self) -> Off {
        let previews = self.previews.iter().filter(|_| !self.is_previewing);
        Off(previews.map(|preview| preview.extension.alias).collect())
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
            if !names.insert(declared.name.as_str()) {
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
        let previews = self.previews.iter().map(|preview| &preview.extension);
        for extension in self.extensions.iter().chain(previews).filter(|extension| !aliases.insert(extension.alias)) {
            faults.push(format!("extension {}: listed twice", extension.alias));
        }
        let orphans = self.named.iter().filter(|(_, alias)| !aliases.contains(alias));
        faults.extend(orphans.map(|(resource, alias)| format!("{resource}: extension {alias} is not listed")));
        faults
    }
}

/// A collection's path below `/v2.0`.
fn path(prefix: &str, collection: &str) -> String {
    if prefix.is_empty() { collection.to_owned() } else { format!("{prefix}/{collection}") }
}

/// The extensions that a resource and its attributes belong to, each beside the resource's name.
fn named<R: Record>(resource: &Resource<R>) -> Vec<(&'static str, &'static str)> {
    let wider = resource.attributes.iter().filter_map(|attribute| Some(attribute.wider.as_ref()?.extension));
    let own = resource.attributes.iter().filter_map(|attribute| attribute.extension);
    own.chain(wider).chain(resource.extension).map(|alias| (resource.name, alias)).collect()
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
    let named = resource.actions.iter().map(|action| action.name).chain(resource.looks.iter().map(|look| look.name));
    verbs.chain(named.map(str::to_owned)).chain(tags).collect()
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
    for (name, _) in &resource.narrow {
        if !resource.attributes.iter().any(|attribute| attribute.name == *name && attribute.filter) {
            faults.push(format!("{name} has an index for filters, but is none"));
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
