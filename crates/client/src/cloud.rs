//! The client itself.

use crate::config::{Auth, CloudConfig};
use crate::identity::{self, Session};
use crate::query::with_query;
use crate::{Error, Refusal, singular};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use ureq::http::{HeaderMap, Request};

const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer read, in bytes.
const MAX_ANSWER: u64 = 1 << 30;

/// A cloud and a user of it. Tokens are asked for when first needed, shared by all threads and renewed when they expire.
#[derive(Debug)]
pub struct Cloud {
    config: CloudConfig,
    agent: ureq::Agent,
    session: Mutex<Option<Arc<Session>>>,
}

impl Cloud {
    /// The cloud of that name in a `clouds.yaml`. Nothing is asked yet.
    pub fn from_file(path: &Path, name: &str) -> Result<Cloud, Error> {
        Ok(Cloud::new(CloudConfig::read(path, name)?))
    }

    /// A server that does not authenticate. `endpoint` is that of the network service (`http://127.0.0.1:9696`).
    pub fn without_auth(endpoint: &str) -> Cloud {
        let endpoint = Some(crate::config::without_version(endpoint).to_owned());
        Cloud::new(CloudConfig { name: "none".to_owned(), auth: Auth::None, endpoint, region: None, interface: "public".to_owned() })
    }

    /// The cloud that is configured so.
    pub fn new(config: CloudConfig) -> Cloud {
        let builder = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT));
        let builder = builder.timeout_connect(Some(CONNECT_TIMEOUT)).proxy(None).max_redirects(0);
        Cloud { config, agent: builder.build().into(), session: Mutex::new(None) }
    }

    /// The same cloud as another user.
    pub fn as_user(&self, username: &str, password: &str, project_name: &str) -> Cloud {
        let mut config = self.config.clone();
        if let Auth::Password(credentials) = &mut config.auth {
            credentials.username = username.to_owned();
            credentials.password = password.to_owned();
            credentials.project_name = project_name.to_owned();
        }
        Cloud::new(config)
    }

    /// True when requests carry a token.
    pub fn authenticates(&self) -> bool {
        matches!(self.config.auth, Auth::Password(_))
    }

    /// The token in use and what it says; `None` for a cloud that does not authenticate.
    pub fn session(&self) -> Result<Option<Arc<Session>>, Error> {
        match &self.config.auth {
            Auth::None => Ok(None),
            Auth::Password(password) => {
                let mut session = self.lock();
                if session.is_none() {
                    *session = Some(Arc::new(identity::authenticate(self, &self.config, password)?));
                }
                Ok(session.clone())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `GET /v2.0/<collection>/<id>`: the resource.
    pub fn get(&self, collection: &str, id: &str) -> Result<Value, Error> {
        let answer = self.request("GET", &format!("{collection}/{id}"), None)?;
        self.member(answer, &singular(collection), collection)
    }

    /// `GET /v2.0/<collection>`, all pages of it.
    pub fn list(&self, collection: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        let key = collection.rsplit('/').next().unwrap_or(collection).replace('-', "_");
        let mut path = with_query(collection, query);
        let mut items = Vec::new();
        loop {
            let mut answer = self.request("GET", &path, None)?;
            let next = next_page(&answer[format!("{key}_links")]);
            match self.member(answer[&key].take(), &key, collection)? {
                Value::Array(page) => items.extend(page),
                _ => return Err(self.unexpected("GET", collection, format!("'{key}' is not a list"))),
            }
            match next {
                Some(url) => path = url,
                None => return Ok(items),
            }
        }
    }

    /// The one resource whose id or name this is, among those that the query selects.
    pub fn find(&self, collection: &str, name_or_id: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let what = singular(collection).replace('_', " ");
        for key in ["id", "name"] {
            let mut found = self.list(collection, &[query, &[(key, name_or_id)]].concat())?;
            match found.len() {
                0 => {}
                1 => return Ok(found.remove(0)),
                many => {
                    let ids: Vec<_> = found.iter().filter_map(|item| item["id"].as_str()).collect();
                    let ids = ids.join(", ");
                    return Err(Error::Lookup(format!("{many} {what}s are named '{name_or_id}'; give the id of one: {ids}")));
                }
            }
        }
        Err(Error::Lookup(format!("there is no {what} '{name_or_id}'; `openstack {what} list` shows those there are")))
    }

    /// `POST /v2.0/<collection>`: the resource as created. `attributes` without the outer member.
    pub fn create(&self, collection: &str, attributes: &Value) -> Result<Value, Error> {
        let key = singular(collection);
        let answer = self.request("POST", collection, Some(&json!({&key: attributes})))?;
        self.member(answer, &key, collection)
    }

    /// `PUT /v2.0/<collection>/<id>`: the resource as it is now.
    pub fn update(&self, collection: &str, id: &str, attributes: &Value) -> Result<Value, Error> {
        let key = singular(collection);
        let answer = self.request("PUT", &format!("{collection}/{id}"), Some(&json!({&key: attributes})))?;
        self.member(answer, &key, collection)
    }

    /// `DELETE /v2.0/<collection>/<id>`.
    pub fn delete(&self, collection: &str, id: &str) -> Result<(), Error> {
        self.request("DELETE", &format!("{collection}/{id}"), None).map(drop)
    }

    /// As [`Self::delete`]; `false` when there was nothing to delete.
    pub fn delete_if_there(&self, collection: &str, id: &str) -> Result<bool, Error> {
        match self.delete(collection, id) {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A request to the network service. `path` is below `/v2.0`, or a whole URL. The answer is null when it has no body.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.authenticated(method, body, |session| {
            let base = session.map(|session| session.network.as_str()).or(self.config.endpoint.as_deref());
            let base = base.unwrap_or_default();
            if path.contains("://") { path.to_owned() } else { format!("{base}/v2.0/{path}") }
        })
    }

    /// A request to the Identity service. `path` is below `/v3`.
    pub fn identity(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        if !self.authenticates() {
            return Err(Error::Lookup(format!("cloud '{}' does not authenticate and has no Identity service", self.config.name)));
        }
        self.authenticated(method, body, |session| {
            format!("{}/{path}", session.map(|session| session.identity.as_str()).unwrap_or_default())
        })
    }

    /// The id of the project of this name or id. Without authentication every text is the id of a project.
    pub fn project_id(&self, name_or_id: &str) -> Result<String, Error> {
        if !self.authenticates() {
            return Ok(name_or_id.to_owned());
        }
        let answer = self.identity("GET", "projects", None)?;
        let projects = answer["projects"].as_array().map(Vec::as_slice).unwrap_or_default();
        let fits = |key: &str| projects.iter().find(|project| project[key] == name_or_id).and_then(|project| project["id"].as_str());
        let id = fits("id").or_else(|| fits("name"));
        id.map(str::to_owned).ok_or_else(|| {
            let names: Vec<_> = projects.iter().filter_map(|project| project["name"].as_str()).collect();
            Error::Lookup(format!("there is no project '{name_or_id}'; there is: {}", names.join(", ")))
        })
    }

    /// Sends with the token in use; with a new one when the service no longer takes that.
    fn authenticated(&self, method: &str, body: Option<&Value>, url: impl Fn(Option<&Session>) -> String) -> Result<Value, Error> {
        let session = self.session()?;
        let token = |session: &Option<Arc<Session>>| session.as_ref().map(|session| session.token.clone());
        let answer = self.send(method, &url(session.as_deref()), body, token(&session).as_deref());
        let expired = matches!(&answer, Err(error) if error.status() == Some(401)) && session.is_some();
        if !expired {
            return Ok(answer?.1);
        }
        let mut current = self.lock();
        if token(&current) == token(&session) {
            *current = None;
        }
        drop(current);
        let session = self.session()?;
        Ok(self.send(method, &url(session.as_deref()), body, token(&session).as_deref())?.1)
    }

    pub(crate) fn send(&self, method: &str, url: &str, body: Option<&Value>, token: Option<&str>) -> Result<(HeaderMap, Value), Error> {
        let mut request = Request::builder().method(method).uri(url).header("accept", "application/json");
        if let Some(token) = token {
            request = request.header("x-auth-token", token);
        }
        let bad = |error: ureq::http::Error| self.unexpected(method, url, error.to_string());
        let unreachable =
            |source: ureq::Error| Error::Unreachable { method: method.to_owned(), url: url.to_owned(), source: Box::new(source) };
        let sent = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string()).map_err(bad)?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).map_err(bad)?),
        };
        let mut answer = sent.map_err(unreachable)?;
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(unreachable)?;
        let status = answer.status().as_u16();
        if !answer.status().is_success() {
            return Err(Error::Refused(Box::new(refusal(method, url, status, &text))));
        }
        let value = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&text) };
        let value = value.map_err(|error| self.unexpected(method, url, error.to_string()))?;
        Ok((answer.headers().clone(), value))
    }

    /// The member of the answer that holds the resource. Some answers have it at the top.
    fn member(&self, mut answer: Value, key: &str, collection: &str) -> Result<Value, Error> {
        match answer.get_mut(key).map(Value::take) {
            Some(value) => Ok(value),
            None if !answer.is_null() => Ok(answer),
            None => Err(self.unexpected("", collection, format!("no '{key}' in it"))),
        }
    }

    fn unexpected(&self, method: &str, url: &str, what: String) -> Error {
        Error::Answer { method: method.to_owned(), url: url.to_owned(), what }
    }
}

fn next_page(links: &Value) -> Option<String> {
    let next = links.as_array()?.iter().find(|link| link["rel"] == "next")?;
    next["href"].as_str().map(str::to_owned)
}

fn refusal(method: &str, url: &str, status: u16, body: &[u8]) -> Refusal {
    let path = url.splitn(4, '/').nth(3).unwrap_or(url);
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let none = Map::new();
    let object = value.as_object().unwrap_or(&none);
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let (kind, message) = match (object.get("NeutronError"), object.get("error")) {
        (Some(fault @ Value::Object(_)), _) => (text(fault, "type"), text(fault, "message")),
        (Some(Value::String(message)), _) => (String::new(), message.clone()),
        (_, Some(fault)) => (text(fault, "title"), text(fault, "message")),
        _ => (String::new(), String::from_utf8_lossy(&body[..body.len().min(500)]).trim().to_owned()),
    };
    let message = if message.is_empty() { format!("status {status}") } else { message };
    Refusal { request: format!("{method} /{path}"), status, kind, message }
}

#[cfg(test)]
mod tests;
