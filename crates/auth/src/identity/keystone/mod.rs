//! Keystone as the identity service: a token is what Keystone says it is, asked once and remembered for a while.
//!
//! What is asked is `GET /v3/auth/tokens` of the Identity API v3, with a token of this server's own service user. Questions about one token
//! are asked once however many requests carry it, answers are kept until the token expires but no longer than [`Config::cache`], and also
//! that a token is not valid is kept for a moment. A Keystone that does not answer is not a refusal: clients are told 503 and may try again.

mod answer;
mod cache;
mod client;
mod session;
#[cfg(test)]
mod tests;

use super::{Refusal, Unauthorized, header_text};
use crate::Caller;
use cache::{Cache, Key};
use client::{Client, Verdict};
use http::HeaderMap;
pub use session::{Credentials, Session, Token, because};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Questions to Keystone under way at once.
const SLOTS: usize = 64;
/// How long it is remembered that a token is not valid.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// How Keystone is asked about tokens.
#[derive(Clone, Debug)]
pub struct Config {
    /// The user who asks; it has the role service (or admin) on its project.
    pub user: Credentials,
    /// What clients are told in `WWW-Authenticate`; the user's `auth_url` when absent.
    pub www_authenticate_uri: Option<String>,
    /// How long an answer counts at most: a token revoked meanwhile still opens.
    pub cache: Duration,
    /// Roles of which a service token must have one.
    pub service_token_roles: Vec<String>,
}

impl Config {
    /// With the defaults.
    pub fn new(user: Credentials) -> Config {
        Config { user, www_authenticate_uri: None, cache: Duration::from_secs(300), service_token_roles: vec!["service".to_owned()] }
    }
}

/// The mode that asks Keystone.
#[derive(Debug)]
pub struct Keystone {
    config: Config,
    client: Client,
    cache: Cache,
    /// Who asks about a token holds the slot that the token falls into; the others then find the answer.
    slots: [Mutex<()>; SLOTS],
}

impl Keystone {
    /// Nothing is asked yet: Keystone may start later than this server. Refuses certificates that cannot be read and a URL that is none.
    pub fn new(config: Config) -> Result<Keystone, String> {
        Ok(Keystone { client: Client::new(&config)?, cache: Cache::new(), slots: std::array::from_fn(|_| Mutex::new(())), config })
    }

    /// Where tokens are issued, as clients are told.
    pub fn auth_url(&self) -> String {
        self.config.www_authenticate_uri.clone().unwrap_or_else(|| self.config.user.auth_url.clone())
    }

    /// The caller that the headers prove; see [`super::Identity::authenticate`].
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let unauthorized = || Refusal::Unauthorized(Unauthorized { auth_url: self.auth_url() });
        let token = header_text(headers, "x-auth-token").ok_or_else(unauthorized)?;
        let Some(service_token) = header_text(headers, "x-service-token") else {
            return self.principal(token, false).await?.map(Caller::new).ok_or_else(unauthorized);
        };
        let service = self.principal(service_token, false).await?.ok_or_else(unauthorized)?;
        // A service that works for a user longer than the user's token lasts may finish: Keystone answers for a while.
        let is_service = self.config.service_token_roles.iter().any(|role| service.roles.contains(&role.to_ascii_lowercase()));
        let principal = self.principal(token, is_service).await?.ok_or_else(unauthorized)?;
        Ok(Caller::new(principal).with_service_roles(service.roles.clone()))
    }

    /// The holder of a token; `None` when it is not valid.
    async fn principal(&self, token: &str, allow_expired: bool) -> Result<Option<Arc<crate::Principal>>, Refusal> {
        let key = Key::of(token, allow_expired);
        if let Some(known) = self.cache.get(&key) {
            return Ok(known);
        }
        let _slot = self.slots[key.slot(SLOTS)].lock().await;
        if let Some(known) = self.cache.get(&key) {
            return Ok(known);
        }
        match self.client.validate(token, allow_expired).await {
            Ok(Verdict::Valid { principal, left }) => {
                self.cache.put(key, Some(principal.clone()), left.min(self.config.cache));
                Ok(Some(principal))
            }
            Ok(Verdict::Invalid) => {
                self.cache.put(key, None, REFUSED_FOR.min(self.config.cache));
                Ok(None)
            }
            Err(reason) => {
                tracing::error!(reason, url = self.config.user.auth_url, "keystone cannot be asked");
                Err(Refusal::Unavailable)
            }
        }
    }
}
