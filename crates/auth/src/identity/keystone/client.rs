//! The questions to Keystone, asked with a token of the service user that is renewed in time.

use super::Config;
use super::answer::Answer;
use crate::Principal;
use jiff::Timestamp;
use reqwest::{Certificate, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Our own token is renewed so long before it ends.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);

/// What Keystone says of a token.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Whose it is, and how long it lasts; no time at all for one that has expired and still counts.
    Valid { principal: Arc<Principal>, left: Duration },
    /// Not valid: unknown, expired or revoked.
    Invalid,
}

/// Our token.
#[derive(Clone, Debug)]
struct Own {
    token: String,
    expires_at: Timestamp,
}

pub(super) struct Client {
    http: reqwest::Client,
    tokens: Url,
    /// The body that asks for a token of our own.
    login: serde_json::Value,
    own: Mutex<Option<Own>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("tokens", &self.tokens.as_str()).finish_non_exhaustive()
    }
}

/// The body of an answer that gives a token; the rest of it is not ours to know.
#[derive(Deserialize)]
struct Issued {
    token: IssuedToken,
}

#[derive(Deserialize)]
struct IssuedToken {
    expires_at: Timestamp,
}

impl Client {
    pub(super) fn new(config: &Config) -> Result<Client, String> {
        let base = config.auth_url.trim_end_matches('/');
        let base = base.strip_suffix("/v3").unwrap_or(base);
        let tokens = Url::parse(&format!("{base}/v3/auth/tokens")).map_err(|error| format!("auth_url {:?}: {error}", config.auth_url))?;
        // Somebody else in the process may have chosen it already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder().timeout(config.timeout).no_proxy();
        if let Some(path) = &config.cafile {
            let read = std::fs::read(path).map_err(|error| format!("cafile {}: {error}", path.display()))?;
            let certificates = Certificate::from_pem_bundle(&read).map_err(|error| format!("cafile {}: {error}", path.display()))?;
            http = http.tls_certs_only(certificates);
        }
        let http = http.build().map_err(|error| format!("the HTTP client: {error}"))?;
        let domain = |name: &str| json!({ "name": name });
        let user = json!({"name": config.username, "password": config.password, "domain": domain(&config.user_domain_name)});
        let project = json!({"name": config.project_name, "domain": domain(&config.project_domain_name)});
        let login = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}});
        Ok(Client { http, tokens, login, own: Mutex::new(None) })
    }

    /// Asks Keystone about a token. An error says why it could not be asked.
    pub(super) async fn validate(&self, token: &str, allow_expired: bool) -> Result<Verdict, String> {
        let own = self.own().await?;
        match self.ask(&own, token, allow_expired).await? {
            // Ours was revoked, or Keystone's keys were exchanged: once more with a new one.
            (StatusCode::UNAUTHORIZED, _) => {
                self.forget(&own).await;
                let own = self.own().await?;
                let (status, body) = self.ask(&own, token, allow_expired).await?;
                verdict(status, &body)
            }
            (status, body) => verdict(status, &body),
        }
    }

    async fn ask(&self, own: &Own, token: &str, allow_expired: bool) -> Result<(StatusCode, bytes::Bytes), String> {
        let mut url = self.tokens.clone();
        url.set_query(Some(if allow_expired { "nocatalog&allow_expired=1" } else { "nocatalog" }));
        let request = self.http.get(url).header("X-Auth-Token", &own.token).header("X-Subject-Token", token);
        let response = request.send().await.map_err(|error| because(&error))?;
        let status = response.status();
        Ok((status, response.bytes().await.map_err(|error| because(&error))?))
    }

    /// Our token, issued or renewed when it is time; those who need it meanwhile wait for it.
    async fn own(&self) -> Result<Own, String> {
        let mut own = self.own.lock().await;
        if let Some(own) = own.as_ref().filter(|own| left(own.expires_at) > RENEWED_BEFORE) {
            return Ok(own.clone());
        }
        let response = self.http.post(self.tokens.clone()).json(&self.login).send().await.map_err(|error| because(&error))?;
        let status = response.status();
        if status != StatusCode::CREATED {
            return Err(format!("it gave the service user no token: {status} (see username, password and project_name)"));
        }
        let token = response.headers().get("x-subject-token").and_then(|token| token.to_str().ok()).map(ToOwned::to_owned);
        let token = token.ok_or("its answer has no X-Subject-Token")?;
        let body = response.bytes().await.map_err(|error| because(&error))?;
        let Issued { token: IssuedToken { expires_at } } = serde_json::from_slice(&body).map_err(|error| format!("its answer: {error}"))?;
        Ok(own.insert(Own { token, expires_at }).clone())
    }

    /// Unless somebody has renewed it already.
    async fn forget(&self, refused: &Own) {
        let mut own = self.own.lock().await;
        if own.as_ref().is_some_and(|own| own.token == refused.token) {
            *own = None;
        }
    }
}

fn verdict(status: StatusCode, body: &[u8]) -> Result<Verdict, String> {
    match status {
        StatusCode::OK => {
            let Answer { token } = serde_json::from_slice(body).map_err(|error| format!("its answer: {error}"))?;
            Ok(Verdict::Valid { left: left(token.expires_at), principal: Arc::new(token.principal()) })
        }
        // A token of no shape it knows is a bad request to it.
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Ok(Verdict::Invalid),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!("it does not let the service user validate tokens: {status}")),
        other => Err(format!("it answered {other}")),
    }
}

fn left(expires_at: Timestamp) -> Duration {
    Duration::try_from(expires_at.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
}

/// The whole chain of causes, without the URL, which is said beside it.
fn because(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
