//! `/v3/auth`: tokens are issued, shown and revoked; where the holder of one may go.

use super::super::SERVICE_LENIENCY_US;
use super::super::directory::{DOMAIN_ID, DOMAIN_NAME, Directory};
use super::super::fault::{Fault, json_response, no_content};
use super::super::password::random;
use super::super::token::{self, Claims, Methods};
use super::{Answer, Context, catalog, no_such_resource, ok, projects};
use crate::Roles;
use crate::identity::header_text;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

/// Longest name, id or password that is looked at, in bytes.
const MAX_TEXT: usize = 1024;

#[derive(Deserialize)]
struct Body {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    identity: Proof,
    scope: Option<Value>,
}

#[derive(Deserialize)]
struct Proof {
    methods: Vec<String>,
    password: Option<PasswordProof>,
    token: Option<TokenProof>,
}

#[derive(Deserialize)]
struct PasswordProof {
    user: UserProof,
}

#[derive(Deserialize)]
struct UserProof {
    id: Option<String>,
    name: Option<String>,
    domain: Option<Reference>,
    password: String,
}

#[derive(Deserialize)]
struct TokenProof {
    id: String,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct ProjectReference {
    id: Option<String>,
    name: Option<String>,
    domain: Option<Reference>,
}

impl Reference {
    fn is_the_domain(&self) -> bool {
        match (&self.id, &self.name) {
            (Some(id), _) => id == DOMAIN_ID,
            (None, Some(name)) => name.eq_ignore_ascii_case(DOMAIN_NAME),
            (None, None) => false,
        }
    }
}

/// Who was proven, and what the new token inherits.
struct Proven {
    user_id: SmolStr,
    expires_us: i64,
    methods: Methods,
    parent: Option<token::AuditId>,
}

pub(super) fn route(context: &Context<'_>, method: &Method, path: &[&str]) -> Answer {
    match (method, path) {
        (&Method::POST, ["tokens"]) => issue(context),
        (&Method::GET, ["tokens"]) => show(context),
        (&Method::DELETE, ["tokens"]) => revoke(context),
        (&Method::GET, ["projects"]) => {
            let asker = context.asker()?;
            projects::list_of_user(context, &asker.principal.user_id)
        }
        (&Method::GET, ["domains"]) => context.asker().and_then(|_| context.list("domains", Vec::new())),
        (&Method::GET, ["system"]) => context.asker().and_then(|_| ok("system", json!([]))),
        (&Method::GET, ["catalog"]) => {
            context.asker()?;
            let links = json!({"self": format!("{}/v3/auth/catalog", context.url)});
            Ok(json_response(StatusCode::OK, &json!({"catalog": catalog::catalog(context), "links": links})))
        }
        (_, ["tokens" | "projects" | "domains" | "system" | "catalog"]) => Err(Fault::method_not_allowed()),
        _ => Err(no_such_resource()),
    }
}

fn issue(context: &Context<'_>) -> Answer {
    let body: Body = serde_json::from_value(context.json()?)
        .map_err(|error| Fault::bad_request(format!("The request body is not an authentication request: {error}.")))?;
    let Auth { identity, scope } = body.auth;
    let proven = match identity.methods.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["password"] => {
            let proof = identity.password.ok_or_else(|| Fault::bad_request("'password' is a required property of 'identity'."))?;
            by_password(context, &proof.user)?
        }
        ["token"] => {
            let proof = identity.token.ok_or_else(|| Fault::bad_request("'token' is a required property of 'identity'."))?;
            by_token(context, &proof.id)?
        }
        _ => return Err(Fault::new(StatusCode::UNAUTHORIZED, "Exactly one of the methods password and token is supported here.")),
    };
    let directory = context.identity.store.directory();
    let project_id = scoped_project(&directory, &proven.user_id, scope)?;
    let claims = Claims {
        user_id: proven.user_id,
        project_id,
        issued_us: context.now_us(),
        expires_us: proven.expires_us,
        methods: proven.methods,
        audit: random(),
        parent_audit: proven.parent,
    };
    let token = token::seal(context.identity.store.key(), &claims);
    with_subject(json_response(StatusCode::CREATED, &view(context, &directory, &claims)?), &token)
}

fn by_password(context: &Context<'_>, proof: &UserProof) -> Result<Proven, Fault> {
    let identity = context.identity;
    let asked = match (&proof.id, &proof.name) {
        (Some(id), _) => id,
        (None, Some(name)) => name,
        (None, None) => return Err(Fault::bad_request("A user needs an id, or a name and a domain.")),
    };
    if asked.len() > MAX_TEXT || proof.password.len() > MAX_TEXT {
        return Err(Fault::bad_request("Names, ids and passwords have at most 1024 bytes."));
    }
    let directory = identity.store.directory();
    let found = match (&proof.id, &proof.domain) {
        (Some(id), _) => directory.users.get_key_value(id.as_str()),
        (None, Some(domain)) if domain.is_the_domain() => directory.user_named(asked),
        (None, Some(_)) => None,
        (None, None) => return Err(Fault::bad_request("A user given by name needs a domain.")),
    };
    // Whether the user exists must show neither in the answer nor in the time it takes.
    let key = found.map_or_else(|| SmolStr::new(asked), |(id, _)| id.clone());
    if let Some(seconds) = identity.backoff.pause_s(&key, context.now_us()) {
        let mut fault = Fault::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("Too many failed attempts for this user; the next one is possible in {seconds} s."),
        );
        fault.retry_after_s = Some(seconds);
        return Err(fault);
    }
    let hash = found.and_then(|(_, user)| user.password.as_deref());
    let matches = identity.passwords.verify(&proof.password, hash);
    let now_us = context.now_us();
    match found {
        Some((id, user)) if matches && user.enabled => {
            identity.backoff.succeeded(&key);
            let expires_us = now_us + i64::from(identity.config.token_lifetime_s) * 1_000_000;
            Ok(Proven { user_id: id.clone(), expires_us, methods: Methods { password: true, token: false }, parent: None })
        }
        _ => {
            identity.backoff.failed(&key, now_us);
            tracing::warn!("failed login as '{}'", asked.escape_debug());
            Err(Fault::unauthorized())
        }
    }
}

fn by_token(context: &Context<'_>, token: &str) -> Result<Proven, Fault> {
    let (claims, _) = context.identity.verify(token, 0, context.now_us()).ok_or_else(Fault::unauthorized)?;
    Ok(Proven {
        user_id: claims.user_id,
        expires_us: claims.expires_us,
        methods: Methods { token: true, ..claims.methods },
        parent: Some(claims.parent_audit.unwrap_or(claims.audit)),
    })
}

/// The project that the scope asks for; empty for an unscoped token.
fn scoped_project(directory: &Directory, user_id: &str, scope: Option<Value>) -> Result<SmolStr, Fault> {
    let refused = || Fault::new(StatusCode::UNAUTHORIZED, "The user has no access to the project.");
    let scope = match scope {
        None => {
            let default = directory.users.get(user_id).and_then(|user| user.default_project_id.clone()).unwrap_or_default();
            return Ok(if directory.roles_on(user_id, &default).is_empty() { SmolStr::default() } else { default });
        }
        Some(Value::String(text)) if text == "unscoped" => return Ok(SmolStr::default()),
        Some(Value::Object(scope)) => scope,
        Some(_) => return Err(Fault::bad_request("The scope is not understood.")),
    };
    if scope.contains_key("unscoped") {
        return Ok(SmolStr::default());
    }
    let Some(project) = scope.get("project") else {
        return Err(Fault::new(
            StatusCode::UNAUTHORIZED,
            "The built-in identity scopes tokens to projects only, not to domains or the system.",
        ));
    };
    let project =
        ProjectReference::deserialize(project).map_err(|error| Fault::bad_request(format!("The project scope is malformed: {error}.")))?;
    let id = match (project.id, project.name, project.domain) {
        (Some(id), _, _) => SmolStr::new(id),
        (None, Some(name), Some(domain)) => {
            let found = if domain.is_the_domain() { directory.project_named(&name) } else { None };
            found.ok_or_else(refused)?.0.clone()
        }
        (None, Some(_), None) => return Err(Fault::bad_request("A project given by name needs a domain.")),
        (None, None, _) => return Err(Fault::bad_request("A project scope needs an id, or a name and a domain.")),
    };
    if directory.roles_on(user_id, &id).is_empty() { Err(refused()) } else { Ok(id) }
}

/// The token of `X-Subject-Token`, if the asker may know about it.
fn subject(context: &Context<'_>, action: &str) -> Result<(String, Claims), Fault> {
    let asker = context.asker()?;
    let token =
        header_text(context.headers, "x-subject-token").ok_or_else(|| Fault::bad_request("The header X-Subject-Token is missing."))?;
    let leniency_us = if context.query.flag("allow_expired") { SERVICE_LENIENCY_US } else { 0 };
    let found = context.identity.verify(token, leniency_us, context.now_us());
    let privileged = asker.is_admin() || asker.principal.roles.contains("service");
    match found {
        Some((claims, _)) if privileged || asker.is_user(&claims.user_id) => Ok((token.to_owned(), claims)),
        None if privileged => Err(Fault::new(StatusCode::NOT_FOUND, "Could not find token.")),
        _ => Err(Fault::forbidden(action)),
    }
}

fn show(context: &Context<'_>) -> Answer {
    let (token, claims) = subject(context, "identity:validate_token")?;
    let body = view(context, &context.identity.store.directory(), &claims)?;
    with_subject(json_response(StatusCode::OK, &body), &token)
}

fn revoke(context: &Context<'_>) -> Answer {
    let (_, claims) = subject(context, "identity:revoke_token")?;
    context.identity.store.revoke(&claims, SERVICE_LENIENCY_US, context.now_us())?;
    Ok(no_content())
}

fn with_subject(mut response: Response<Bytes>, token: &str) -> Answer {
    let value = HeaderValue::from_str(token).map_err(|_| Fault::unauthorized())?;
    response.headers_mut().insert("X-Subject-Token", value);
    Ok(response)
}

/// Microseconds since the epoch as `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
fn time_text(us: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(us).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// The body that describes a token.
fn view(context: &Context<'_>, directory: &Directory, claims: &Claims) -> Result<Value, Fault> {
    let principal = directory.principal(&claims.user_id, &claims.project_id).ok_or_else(Fault::unauthorized)?;
    let domain = json!({"id": DOMAIN_ID, "name": DOMAIN_NAME});
    let audits: Vec<String> = [Some(claims.audit), claims.parent_audit].iter().flatten().map(token::audit_text).collect();
    let mut token = json!({
        "methods": claims.methods.names(),
        "user": {"domain": domain, "id": principal.user_id, "name": principal.user_name, "password_expires_at": null},
        "audit_ids": audits,
        "expires_at": time_text(claims.expires_us),
        "issued_at": time_text(claims.issued_us),
    });
    if !claims.project_id.is_empty() {
        token["project"] = json!({"domain": domain, "id": claims.project_id, "name": principal.project_name});
        token["is_domain"] = json!(false);
        token["roles"] = role_list(directory, &principal.roles);
        if !context.query.flag("nocatalog") {
            token["catalog"] = catalog::catalog(context);
        }
    }
    Ok(json!({"token": token}))
}

fn role_list(directory: &Directory, roles: &Roles) -> Value {
    roles.iter().filter_map(|name| directory.role_named(name).map(|id| json!({"id": id, "name": directory.roles[id].name}))).collect()
}
