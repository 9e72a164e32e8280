//! A token of a service user, renewed in time, and the catalog that came with it: what this server asks other services with.

use jiff::Timestamp;
use reqwest::{Certificate, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A token is renewed so long before it ends.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);

/// How Keystone is reached, and as whom.
#[derive(Clone)]
pub struct Credentials {
    /// `http://host:5000`, with or without `/v3`.
    pub auth_url: String,
    /// The service user.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Its project.
    pub project_name: String,
    /// The domain of the user, by name.
    pub user_domain_name: String,
    /// The domain of the project, by name.
    pub project_domain_name: String,
    /// Certificates (PEM) that vouch for the services' instead of the system's.
    pub cafile: Option<PathBuf>,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Credentials {
    /// The service user `neutron` of the project `service`, both of the domain `Default`.
    pub fn new(auth_url: impl Into<String>, password: impl Into<String>) -> Credentials {
        Credentials {
            auth_url: auth_url.into(),
            username: "neutron".to_owned(),
            password: password.into(),
            project_name: "service".to_owned(),
            user_domain_name: "Default".to_owned(),
            project_domain_name: "Default".to_owned(),
            cafile: None,
            timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { auth_url, username, project_name, .. } = self;
        f.debug_struct("Credentials")
            .field("auth_url", auth_url)
            .field("username", username)
            .field("project_name", project_name)
            .finish_non_exhaustive()
    }
}

/// A token and where the services are that it opens.
#[derive(Clone)]
pub struct Token {
    text: String,
    expires_at: Timestamp,
    catalog: Arc<[Service]>,
}

impl Token {
    /// The value of `X-Auth-Token`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a service is: its type (`compute`), which of its endpoints (`public`), and in which region when it is not the only one.
    /// Without a slash at the end.
    pub fn endpoint(&self, kind: &str, interface: &str, region: Option<&str>) -> Option<&str> {
        let mut endpoints = self.catalog.iter().filter(|service| service.kind == kind).flat_map(|service| &service.endpoints);
        let wanted = |endpoint: &&Endpoint| {
            endpoint.interface == interface
                && region.is_none_or(|region| endpoint.region_id.as_deref().or(endpoint.region.as_deref()) == Some(region))
        };
        endpoints.find(wanted).map(|endpoint| endpoint.url.trim_end_matches('/'))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    url: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
}

/// The body of an answer that gives a token.
#[derive(Deserialize)]
struct Issued {
    token: IssuedToken,
}

#[derive(Deserialize)]
struct IssuedToken {
    expires_at: Timestamp,
    #[serde(default)]
    catalog: Vec<Service>,
}

/// One service user's way to other services. Nothing is asked before a token is needed.
pub struct Session {
    http: reqwest::Client,
    tokens: Url,
    /// The body that asks for a token.
    login: serde_json::Value,
    own: Mutex<Option<Token>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("tokens", &self.tokens.as_str()).finish_non_exhaustive()
    }
}

impl Session {
    /// Refuses certificates that cannot be read and a URL that is none.
    pub fn new(credentials: &Credentials) -> Result<Session, String> {
        let base = credentials.auth_url.trim_end_matches('/');
        let base = base.strip_suffix("/v3").unwrap_or(base);
        let tokens =
            Url::parse(&format!("{base}/v3/auth/tokens")).map_err(|error| format!("auth_url {:?}: {error}", credentials.auth_url))?;
        // Somebody else in the process may have chosen it already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder().timeout(credentials.timeout).no_proxy();
        if let Some(path) = &credentials.cafile {
            let read = std::fs::read(path).map_err(|error| format!("cafile {}: {error}", path.display()))?;
            let certificates = Certificate::from_pem_bundle(&read).map_err(|error| format!("cafile {}: {error}", path.display()))?;
            http = http.tls_certs_only(certificates);
        }
        let http = http.build().map_err(|error| format!("the HTTP client: {error}"))?;
        let domain = |name: &str| json!({ "name": name });
        let user = json!({"name": credentials.username, "password": credentials.password, "domain": domain(&credentials.user_domain_name)});
        let project = json!({"name": credentials.project_name, "domain": domain(&credentials.project_domain_name)});
        let login = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}});
        Ok(Session { http, tokens, login, own: Mutex::new(None) })
    }

    /// What requests to the services are made with.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Where Keystone issues tokens and tells about them.
    pub(super) fn tokens(&self) -> &Url {
        &self.tokens
    }

    /// The token, issued or renewed when it is time; those who need it meanwhile wait for it. An error says why there is none.
    pub async fn token(&self) -> Result<Token, String> {
        let mut own = self.own.lock().await;
        if let Some(own) = own.as_ref().filter(|own| left(own.expires_at) > RENEWED_BEFORE) {
            return Ok(own.clone());
        }
        let response = self.http.post(self.tokens.clone()).json(&self.login).send().await.map_err(|error| because(&error))?;
        let status = response.status();
        if status != StatusCode::CREATED {
            return Err(format!("it gave the service user no token: {status} (see username, password and project_name)"));
        }
        let text = response.headers().get("x-subject-token").and_then(|token| token.to_str().ok()).map(ToOwned::to_owned);
        let text = text.ok_or("its answer has no X-Subject-Token")?;
        let body = response.bytes().await.map_err(|error| because(&error))?;
        let Issued { token } = serde_json::from_slice(&body).map_err(|error| format!("its answer: {error}"))?;
        Ok(own.insert(Token { text, expires_at: token.expires_at, catalog: token.catalog.into() }).clone())
    }

    /// A token that was refused is not used again; somebody may have renewed it already.
    pub async fn forget(&self, refused: &Token) {
        let mut own = self.own.lock().await;
        if own.as_ref().is_some_and(|own| own.text == refused.text) {
            *own = None;
        }
    }
}

pub(super) fn left(expires_at: Timestamp) -> Duration {
    Duration::try_from(expires_at.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
}

/// The whole chain of causes of a failed request.
pub fn because(error: &reqwest::Error) -> String {
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
