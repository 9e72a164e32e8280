//! Designate's API (DNS API v2): zones and record sets.

use crate::{Failure, Key, Kind, Values};
use auth::identity::keystone::{Credentials, Session, because};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Where Designate is, and as whom it is spoken to.
#[derive(Clone, Debug)]
pub struct Config {
    /// `http://host:9001`, with or without `/v2`; none: as the catalog says.
    pub url: Option<String>,
    /// Which endpoint of the catalog.
    pub interface: String,
    /// In which region, when there are several.
    pub region: Option<String>,
    /// An administrator: the zones are the projects'.
    pub user: Credentials,
    /// The address in zones that are made for the names of addresses; none: `admin@` the domain.
    pub ptr_zone_email: Option<String>,
}

/// The driver.
#[derive(Debug)]
pub struct Designate {
    config: Config,
    session: Session,
}

fn failed(status: StatusCode, body: &Value) -> Failure {
    let reason = format!("designate answered {status}: {}", body["message"].as_str().unwrap_or_default());
    let is_of_service = status.is_server_error() || matches!(status.as_u16(), 401 | 403 | 408 | 429);
    if is_of_service { Failure::Service(reason) } else { Failure::Record(reason) }
}

impl Designate {
    /// Nothing is asked yet. Refuses a URL that is none.
    pub fn new(config: Config) -> Result<Designate, String> {
        if let Some(url) = &config.url {
            reqwest::Url::parse(url).map_err(|error| format!("url {url:?}: {error}"))?;
        }
        let session = Session::new(&config.user)?;
        Ok(Designate { config, session })
    }

    /// Makes a record set have these values; without any there is none.
    pub async fn set(&self, key: &Key, values: &Values) -> Result<(), Failure> {
        let Some(zone) = self.zone(key, values).await? else {
            return if values.is_empty() { Ok(()) } else { Err(Failure::Record("designate has no such zone".to_owned())) };
        };
        let query = [("name", key.name.as_str()), ("type", key.kind.as_str())];
        let found = self.ask(Method::GET, &format!("zones/{zone}/recordsets"), &query, None).await?;
        let there = found["recordsets"].as_array().into_iter().flatten();
        let mut there =
            there.filter(|set| set["name"] == *key.name && set["type"] == key.kind.as_str()).filter_map(|set| set["id"].as_str());
        let sets = format!("zones/{zone}/recordsets");
        let done = match (there.next(), values.is_empty()) {
            (None, true) => return Ok(()),
            (None, false) => {
                let body = json!({"name": key.name, "type": key.kind.as_str(), "records": values});
                self.ask(Method::POST, &sets, &[], Some(body)).await
            }
            (Some(id), true) => self.ask(Method::DELETE, &format!("{sets}/{id}"), &[], None).await,
            (Some(id), false) => self.ask(Method::PUT, &format!("{sets}/{id}"), &[], Some(json!({ "records": values }))).await,
        };
        done.map(drop)
    }

    /// The id of a zone. One for the names of addresses is made when it is not there.
    async fn zone(&self, key: &Key, values: &Values) -> Result<Option<String>, Failure> {
        let found = self.ask(Method::GET, "zones", &[("name", key.zone.as_str())], None).await?;
        let id = |zone: &Value| zone["id"].as_str().map(ToOwned::to_owned);
        if let Some(zone) = found["zones"].as_array().into_iter().flatten().find(|zone| zone["name"] == *key.zone) {
            return Ok(id(zone));
        }
        let Some(name) = values.first().filter(|_| key.kind == Kind::Ptr) else { return Ok(None) };
        let domain = name.split_once('.').map_or("", |(_, domain)| domain).trim_end_matches('.');
        let email = self.config.ptr_zone_email.clone().unwrap_or_else(|| format!("admin@{domain}"));
        let body = json!({"name": key.zone, "email": email, "description": "The names of addresses, as Networking publishes them."});
        self.ask(Method::POST, "zones", &[], Some(body)).await.map(|zone| id(&zone))
    }

    /// One request; with a new token when the one at hand is refused.
    async fn ask(&self, method: Method, path: &str, query: &[(&str, &str)], body: Option<Value>) -> Result<Value, Failure> {
        for is_last in [false, true] {
            let token = self.session.token().await.map_err(|reason| Failure::Service(format!("keystone: {reason}")))?;
            let Config { url, interface, region, .. } = &self.config;
            let base = url.as_deref().or_else(|| token.endpoint("dns", interface, region.as_deref()));
            let Some(base) = base.map(|base| base.trim_end_matches('/').trim_end_matches("/v2")) else {
                self.session.forget(&token).await;
                return Err(Failure::Service("the catalog has no endpoint of the DNS service".to_owned()));
            };
            let mut address = reqwest::Url::parse(&format!("{base}/v2/{path}")).map_err(|error| Failure::Service(error.to_string()))?;
            if !query.is_empty() {
                address.query_pairs_mut().extend_pairs(query);
            }
            // The zones are the projects', and records of ports are not theirs to change.
            let request = self.session.http().request(method.clone(), address).header("X-Auth-Token", token.text());
            let mut request = request.header("X-Auth-All-Projects", "true").header("X-Designate-Edit-Managed-Records", "true");
            if let Some(body) = &body {
                request = request.json(body);
            }
            let response = request.send().await.map_err(|error| Failure::Service(because(&error)))?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED && !is_last {
                self.session.forget(&token).await;
                continue;
            }
            let bytes = response.bytes().await.map_err(|error| Failure::Service(because(&error)))?;
            let answer = serde_json::from_slice(&bytes).unwrap_or_default();
            return match status {
                status if status.is_success() => Ok(answer),
                // Somebody else has removed it.
                StatusCode::NOT_FOUND if method == Method::DELETE => Ok(answer),
                status => Err(failed(status, &answer)),
            };
        }
        Err(Failure::Service("the token was refused".to_owned()))
    }
}
