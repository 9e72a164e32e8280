//! The router: from an HTTP request to the collection that answers it.

use crate::answer::Request as Asked;
use crate::discovery::{self, Extensions};
use crate::endpoint::TagsOnly;
use crate::quota::{Counted, Quotas};
use crate::registry::Mount;
use crate::{Answer, Collection, Fault, Frame, Query, Registry, Route, Settings, decode, openapi};
use auth::identity::Identity;
use auth::policy::Source;
use auth::{Caller, Policy};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use smol_str::{SmolStr, format_smolstr};
use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use uuid::Uuid;
use world::Store;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// Limits of the HTTP side. The defaults suit a public listener.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Largest body in bytes; more is 413.
    pub max_body: usize,
    /// Largest page of a list (`pagination_max_limit`); none: no limit.
    pub largest_page: Option<usize>,
    /// Connections at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long a client may take to send a request's head; also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How long a client may take to accept any part of an answer.
    pub stall_timeout: Duration,
    /// How long answers in progress may take after shutdown was asked for.
    pub grace: Duration,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            max_body: 1 << 20,
            largest_page: None,
            max_connections: 4096,
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

/// The API. Cheap to clone.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<Routes>);

pub(crate) struct Routes {
    frame: Arc<Frame>,
    identity: Identity,
    /// By path below `/v2.0`, with underscores.
    collections: HashMap<String, Mounted>,
    /// Name and collection of what is listed at `/v2.0/`.
    core: Vec<(&'static str, String)>,
    /// The OpenAPI document, once somebody has asked for it.
    document: OnceLock<Bytes>,
    mounts: Vec<(&'static str, Mount)>,
    pub(crate) options: ServerOptions,
}

struct Mounted {
    collection: Arc<dyn Collection>,
    members: Vec<(&'static str, Arc<dyn Collection>)>,
}

impl Server {
    /// Puts everything together. Policy rules that do not exist behave as the rule `default`; [`Registry::audit`] tells of them.
    pub fn new(
        store: Store,
        registry: Registry,
        mut policy: Policy,
        identity: Identity,
        settings: Settings,
        options: ServerOptions,
    ) -> Server {
        let settings = settings.with(Arc::new(registry.unenforced()));
        let off = registry.off();
        let extensions = registry.listed();
        let counted: Vec<Counted> = registry.counted.into_iter().filter(|counted| !off.has(counted.extension)).collect();
        let names = counted.iter().map(|counted| counted.name).collect();
        let own = Registry::new()
            .collection("extensions", move |_| Arc::new(Extensions::new(extensions)))
            .collection("quotas", move |policy| Arc::new(Quotas::new(policy, names)));
        let mut core = Vec::new();
        let mut collections: HashMap<String, Mounted> = HashMap::new();
        for declared in registry.collections.into_iter().chain(own.collections) {
            if off.has(declared.extension) {
                continue;
            }
            core.extend(declared.core.map(|name| (name, declared.name.clone())));
            let collection = (declared.build)(&mut policy, &off);
            if let Some(name) = declared.tags {
                let tags: Arc<dyn Collection> = Arc::new(TagsOnly(Arc::clone(&collection)));
                collections.insert(name.to_owned(), Mounted { collection: tags, members: Vec::new() });
            }
            collections.insert(declared.name, Mounted { collection, members: Vec::new() });
        }
        for member in registry.members.into_iter().filter(|member| !off.has(member.extension)) {
            if let Some(route) = collections.get_mut(member.collection) {
                route.members.push((member.name, (member.build)(&mut policy, &off)));
            }
        }
        let is_operators = |name: &str| policy.rule(name).is_some_and(|rule| policy.source(rule) == Source::Operator);
        let is_default_policy = !policy.names().any(is_operators);
        let largest_page = options.largest_page;
        let frame = Frame { store, policy, settings, largest_page, counted, is_default_policy };
        let (frame, document) = (Arc::new(frame), OnceLock::new());
        Server(Arc::new(Routes { frame, identity, collections, core, document, mounts: registry.mounts, options }))
    }

    /// Everything that is answered below `/v2.0/`, by path.
    pub fn routes(&self) -> Vec<Route> {
        self.0.all()
    }

    /// The log, policy and settings behind it.
    pub fn frame(&self) -> &Arc<Frame> {
        &self.0.frame
    }

    /// Answers one request. Never fails and never panics.
    pub async fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request_id = format_smolstr!("req-{}", Uuid::new_v4());
        let is_networking = request.uri().path().starts_with("/v2.0/") || request.uri().path() == "/v2.0";
        let mut response = match AssertUnwindSafe(self.0.route(request, &request_id)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => {
                tracing::error!(%request_id, "a request panicked");
                Answer::from(Fault::internal()).into()
            }
        };
        if is_networking {
            let value = HeaderValue::from_str(&request_id).expect("a request id is ASCII");
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }

    /// A refusal by the HTTP side, in Neutron's form.
    pub(crate) fn refuse(fault: Fault) -> Response<Bytes> {
        let request_id = format!("req-{}", Uuid::new_v4());
        let mut response: Response<Bytes> = Answer::from(fault).into();
        response.headers_mut().insert(REQUEST_ID, HeaderValue::from_str(&request_id).expect("a request id is ASCII"));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

impl Routes {
    /// What the collections answer, by path.
    fn all(&self) -> Vec<Route> {
        let all = self.collections.iter().flat_map(|(name, mounted)| {
            let members = mounted.members.iter().flat_map(|(_, member)| member.routes());
            let above = format!("/v2.0/{}", name.replace('_', "-"));
            mounted
                .collection
                .routes()
                .into_iter()
                .chain(members)
                .map(move |route| Route { path: format!("{above}{}", route.path), ..route })
        });
        let mut all: Vec<Route> = all.collect();
        all.sort_by(|a, b| (&a.path, a.method).cmp(&(&b.path, b.method)));
        all
    }

    async fn route(&self, request: Request<Bytes>, request_id: &SmolStr) -> Response<Bytes> {
        let base = base(&request);
        let path = request.uri().path();
        match path {
            "/" | "" if request.method() == Method::GET => return discovery::versions(&base).into(),
            "/" | "" => return discovery::root_not_allowed().into(),
            "/healthcheck" => return self.health().await.into(),
            openapi::PATH if request.method() == Method::GET => {
                let document = self.document.get_or_init(|| openapi::document(&self.all()));
                return Answer::json(200, document.clone()).into();
            }
            _ => {}
        }
        if let Some(below) = path.strip_prefix("/v2.0").filter(|below| below.is_empty() || below.starts_with('/')) {
            let asked = Instance { request: &request, base: &base, below, request_id };
            return self.networking(asked).await;
        }
        if let Some((_, mount)) = self.mounts.iter().find(|(prefix, _)| is_below(path, prefix)) {
            return mount(request, &base).await;
        }
        if is_below(path, "/identity")
            && let Some(response) = self.identity.serve(request, &base).await
        {
            return response;
        }
        discovery::not_found("").into()
    }

    async fn health(&self) -> Answer {
        match self.frame.fresh().await {
            Ok(_) => Answer::text(200, "OK"),
            Err(_) => Answer::text(503, "UNAVAILABLE"),
        }
    }

    async fn networking(&self, asked: Instance<'_>) -> Response<Bytes> {
        let caller = match self.identity.authenticate(asked.request.headers()).await {
            Ok(caller) => self.frame.policy.admit(caller.with_request_id(asked.request_id.clone())),
            Err(refusal) => return refusal.response(),
        };
        let answer = self.answer(&asked, caller).await.unwrap_or_else(Answer::from);
        tracing::debug!(
            request_id = %asked.request_id,
            global_request_id = global_request_id(asked.request.headers()).unwrap_or_default(),
            method = %asked.request.method(),
            path = asked.request.uri().path(),
            status = answer.status,
            length = answer.body.len(),
            "answered"
        );
        answer.into()
    }

    async fn answer(&self, asked: &Instance<'_>, caller: Caller) -> Result<Answer, Fault> {
        let request = asked.request;
        if caller.system_scope {
            let message = "This API requires a scope of ['project'], request was made with system scope.";
            return Err(Fault::new(403, "InvalidScope", message));
        }
        if asked.below == "/" {
            let is_get = request.method() == Method::GET;
            return if is_get { Ok(discovery::resources(asked.base, &self.core)) } else { Err(Fault::method_not_allowed()) };
        }
        let mut path = segments(asked.below).ok_or_else(Fault::no_such_path)?;
        let mut name = path.remove(0).replace('-', "_");
        if !self.collections.contains_key(&name) && !path.is_empty() {
            name = format!("{name}/{}", path.remove(0).replace('-', "_"));
        }
        let route = self.collections.get(&name).ok_or_else(Fault::no_such_path)?;
        let member = |name: &str| route.members.iter().find(|(member, _)| *member == name.replace('-', "_")).map(|(_, member)| member);
        let collection = path.get(1).and_then(|name| member(name)).unwrap_or(&route.collection);
        let asked = Asked {
            frame: &self.frame,
            caller,
            method: request.method(),
            headers: request.headers(),
            path,
            address: format!("{}{}", asked.base, request.uri().path()),
            query: Query::parse(request.uri().query().unwrap_or_default()),
            body: request.body(),
        };
        collection.handle(&asked).await
    }
}

/// A request below `/v2.0`.
struct Instance<'a> {
    request: &'a Request<Bytes>,
    base: &'a str,
    below: &'a str,
    request_id: &'a SmolStr,
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The parts of a path below `/v2.0`: at least one, none empty. Slashes at the end and a `.json` suffix are dropped.
fn segments(below: &str) -> Option<Vec<Cow<'_, str>>> {
    let path = below.strip_prefix('/')?;
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".json").unwrap_or(path);
    let parts: Vec<Cow<'_, str>> = path.split('/').map(|part| decode(part, false)).collect();
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}

/// How the client reached this server: `http://host:port`, no slash at the end.
fn base<B>(request: &Request<B>) -> String {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let proto = text("x-forwarded-proto").filter(|proto| matches!(*proto, "http" | "https")).unwrap_or("http");
    let host = text("x-forwarded-host").or_else(|| text("host")).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    format!("{proto}://{}", host.unwrap_or("localhost"))
}

/// The id that another service gave to the whole of which this request is a part.
fn global_request_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(&REQUEST_ID)?.to_str().ok()?;
    Uuid::try_parse(id.strip_prefix("req-")?).ok()?;
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let parts = |path| segments(path).map(|parts| parts.join(" "));
        assert_eq!(parts("/networks"), Some("networks".to_owned()));
        assert_eq!(parts("/networks/"), Some("networks".to_owned()));
        assert_eq!(parts("/networks//"), Some("networks".to_owned()));
        assert_eq!(parts("/networks.json"), Some("networks".to_owned()));
        assert_eq!(parts("/networks.xml"), Some("networks.xml".to_owned()));
        assert_eq!(parts("/quotas/p%201/details.json"), Some("quotas p 1 details".to_owned()));
        assert_eq!(parts("//networks"), None);
        assert_eq!(parts("/networks//x"), None);
        assert_eq!(parts(""), None);
    }

    #[test]
    fn links_follow_the_client() {
        let request = |headers: &[(&'static str, &'static str)]| {
            let mut builder = Request::builder().uri("/v2.0/networks");
            for (name, value) in headers {
                builder = builder.header(*name, *value);
            }
            builder.body(()).expect("a request")
        };
        assert_eq!(base(&request(&[])), "http://localhost");
        assert_eq!(base(&request(&[("host", "h:9696")])), "http://h:9696");
        assert_eq!(base(&request(&[("host", "h"), ("x-forwarded-proto", "https")])), "https://h");
        assert_eq!(base(&request(&[("host", "h"), ("x-forwarded-proto", "javascript")])), "http://h");
    }
}
