//! What lies under `/identity`: the part of the Identity API v3 that clients of a small cloud use.

mod attributes;
mod catalog;
mod projects;
mod query;
mod roles;
mod tokens;
mod users;

use super::fault::{Fault, json_response};
use super::{Builtin, directory};
use crate::Principal;
use crate::identity::header_text;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use query::Query;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Longest body that is looked at, in bytes.
const MAX_BODY: usize = 128 * 1024;

type Answer = Result<Response<Bytes>, Fault>;

/// True when the answer may need the disk or a password hash.
pub(super) fn blocks(request: &Request<Bytes>) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

/// True when the answer may need a password hash.
pub(super) fn hashes(request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    matches!(*request.method(), Method::POST | Method::PATCH) && (path.contains("/auth/tokens") || path.contains("/users"))
}

pub(super) fn answer(identity: &Builtin, request: &Request<Bytes>, base_url: &str) -> Response<Bytes> {
    let path = request.uri().path();
    let segments: Option<Vec<String>> = path.split('/').filter(|part| !part.is_empty()).map(query::decode).collect();
    let context = Context {
        identity,
        headers: request.headers(),
        query: Query::parse(request.uri().query().unwrap_or_default()),
        body: request.body(),
        url: format!("{base_url}/identity"),
        path,
    };
    let head = request.method() == Method::HEAD;
    let method = if head { &Method::GET } else { request.method() };
    let segments = segments.as_ref().map(|segments| segments.iter().map(String::as_str).collect::<Vec<_>>());
    let answer = match segments.as_deref() {
        Some(["identity", rest @ ..]) => context.route(method, rest),
        _ => Err(no_such_resource()),
    };
    let mut response = answer.unwrap_or_else(|fault| {
        let mut response = fault.response();
        if fault.status == StatusCode::UNAUTHORIZED {
            let unauthorized = crate::identity::Unauthorized { auth_url: format!("{}/v3", context.url) };
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, unauthorized.www_authenticate());
        }
        response
    });
    if head {
        *response.body_mut() = Bytes::new();
    }
    response
}

fn no_such_resource() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "The resource could not be found.")
}

/// One request.
struct Context<'a> {
    identity: &'a Builtin,
    headers: &'a HeaderMap,
    query: Query,
    body: &'a [u8],
    /// How the client reaches the identity service.
    url: String,
    path: &'a str,
}

/// Whose token the request carries.
struct Asker {
    principal: Arc<Principal>,
}

impl Asker {
    fn is_admin(&self) -> bool {
        self.principal.roles.contains("admin")
    }

    fn is_user(&self, id: &str) -> bool {
        self.principal.user_id == id
    }
}

impl Context<'_> {
    fn route(&self, method: &Method, path: &[&str]) -> Answer {
        let Some((&"v3", path)) = path.split_first() else {
            return if path.is_empty() { catalog::versions(self, method) } else { Err(no_such_resource()) };
        };
        match path {
            [] => catalog::version(self, method),
            ["auth", rest @ ..] => tokens::route(self, method, rest),
            ["projects", project, "users", user, "roles", rest @ ..] => roles::grants(self, method, project, user, rest),
            ["projects", rest @ ..] => projects::route(self, method, rest),
            ["users", rest @ ..] => users::route(self, method, rest),
            ["roles", rest @ ..] => roles::route(self, method, rest),
            ["role_assignments"] => roles::assignments(self, method),
            ["domains" | "groups" | "regions" | "services" | "endpoints", ..] => catalog::route(self, method, path),
            _ => Err(no_such_resource()),
        }
    }

    fn now_us(&self) -> i64 {
        self.identity.now_us()
    }

    /// The holder of `X-Auth-Token`.
    fn asker(&self) -> Result<Asker, Fault> {
        let verified = header_text(self.headers, "x-auth-token").and_then(|token| self.identity.verify(token, 0, self.now_us()));
        let (_, principal) = verified.ok_or_else(Fault::unauthorized)?;
        Ok(Asker { principal })
    }

    /// As [`Self::asker`], refused without the role admin.
    fn admin(&self, action: &str) -> Result<Asker, Fault> {
        let asker = self.asker()?;
        if asker.is_admin() { Ok(asker) } else { Err(Fault::forbidden(action)) }
    }

    /// As [`Self::asker`], refused without the role admin unless the user is the one concerned.
    fn admin_or_user(&self, user: &str, action: &str) -> Result<Asker, Fault> {
        let asker = self.asker()?;
        if asker.is_admin() || asker.is_user(user) { Ok(asker) } else { Err(Fault::forbidden(action)) }
    }

    fn json(&self) -> Result<Value, Fault> {
        if self.body.len() > MAX_BODY {
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "Request is too large."));
        }
        serde_json::from_slice(self.body).map_err(|error| Fault::bad_request(format!("The request body is not valid JSON: {error}.")))
    }

    /// The object under `key` in the body.
    fn object(&self, key: &str) -> Result<Map<String, Value>, Fault> {
        let mut body = self.json()?;
        match body.get_mut(key).map(Value::take) {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(Fault::bad_request(format!("An object '{key}' is expected in the body."))),
        }
    }

    fn link(&self, collection: &str, id: &str) -> Value {
        json!({"self": format!("{}/v3/{collection}/{id}", self.url)})
    }

    fn list(&self, collection: &str, items: Vec<Value>) -> Answer {
        let base = self.url.trim_end_matches("/identity");
        let links = json!({"next": null, "previous": null, "self": format!("{base}{}", self.path)});
        Ok(json_response(StatusCode::OK, &json!({collection: items, "links": links})))
    }
}

fn ok(key: &str, value: Value) -> Answer {
    Ok(json_response(StatusCode::OK, &json!({key: value})))
}

fn created(key: &str, value: Value) -> Answer {
    Ok(json_response(StatusCode::CREATED, &json!({key: value})))
}

/// Refuses any domain but the only one.
fn refuse_other_domain(id: Option<&str>) -> Result<(), Fault> {
    match id {
        Some(id) if id != directory::DOMAIN_ID => Err(Fault::not_found("domain", id)),
        _ => Ok(()),
    }
}
