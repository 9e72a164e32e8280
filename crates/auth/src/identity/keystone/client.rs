//! The questions to Keystone, asked with a token of the service user.

use super::Config;
use super::answer::Answer;
use super::session::{Session, Token, because, left};
use crate::Principal;
use reqwest::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// What Keystone says of a token.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Whose it is, and how long it lasts; no time at all for one that has expired and still counts.
    Valid { principal: Arc<Principal>, left: Duration },
    /// Not valid: unknown, expired or revoked.
    Invalid,
}

#[derive(Debug)]
pub(super) struct Client(Session);

impl Client {
    pub(super) fn new(config: &Config) -> Result<Client, String> {
        Session::new(&config.user).map(Client)
    }

    /// Asks Keystone about a token. An error says why it could not be asked.
    pub(super) async fn validate(&self, token: &str, allow_expired: bool) -> Result<Verdict, String> {
        let own = self.0.token().await?;
        match self.ask(&own, token, allow_expired).await? {
            // Ours was revoked, or Keystone's keys were exchanged: once more with a new one.
            (StatusCode::UNAUTHORIZED, _) => {
                self.0.forget(&own).await;
                let own = self.0.token().await?;
                let (status, body) = self.ask(&own, token, allow_expired).await?;
                verdict(status, &body)
            }
            (status, body) => verdict(status, &body),
        }
    }

    async fn ask(&self, own: &Token, token: &str, allow_expired: bool) -> Result<(StatusCode, bytes::Bytes), String> {
        let mut url = self.0.tokens().clone();
        url.set_query(Some(if allow_expired { "nocatalog&allow_expired=1" } else { "nocatalog" }));
        let request = self.0.http().get(url).header("X-Auth-Token", own.text()).header("X-Subject-Token", token);
        let response = request.send().await.map_err(|error| because(&error))?;
        let status = response.status();
        Ok((status, response.bytes().await.map_err(|error| because(&error))?))
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
