//! One request to Nova, and what its answer means.

use crate::{Config, Endpoint, Event};
use auth::identity::keystone::{Session, because};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nova knows. That a server is gone is an answer, too.
    Told,
    /// Nova will never take it.
    Refused(String),
    /// Later, perhaps.
    Later(String),
}

#[derive(Serialize)]
struct Body<'a> {
    events: &'a [Event],
}

/// The body of an answer.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    events: Vec<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    name: String,
    #[serde(default)]
    server_uuid: String,
    #[serde(default)]
    tag: Option<String>,
}

/// The Compute API as this server needs it.
#[derive(Debug)]
pub struct Nova {
    session: Session,
    endpoint: Endpoint,
}

impl Nova {
    /// Nothing is asked yet: Nova and Keystone may start later than this server. Refuses a URL that is none.
    pub fn new(config: &Config) -> Result<Nova, String> {
        if let Endpoint::Url(url) = &config.endpoint {
            reqwest::Url::parse(url).map_err(|error| format!("url {url:?}: {error}"))?;
        }
        Ok(Nova { session: Session::new(&config.user)?, endpoint: config.endpoint.clone() })
    }

    /// `POST os-server-external-events`; with a new token when the one at hand is refused.
    pub async fn tell(&self, events: &[Event]) -> Outcome {
        for is_last in [false, true] {
            let token = match self.session.token().await {
                Ok(token) => token,
                Err(reason) => return Outcome::Later(format!("keystone: {reason}")),
            };
            let base = match &self.endpoint {
                Endpoint::Url(url) => Some(url.trim_end_matches('/')),
                Endpoint::Catalog { interface, region } => token.endpoint("compute", interface, region.as_deref()),
            };
            let Some(base) = base else {
                // It may be registered meanwhile.
                self.session.forget(&token).await;
                return Outcome::Later("the catalog has no endpoint of the compute service".to_owned());
            };
            let request = self.session.http().post(format!("{base}/os-server-external-events"));
            let request = request.header("X-Auth-Token", token.text()).header("Accept", "application/json");
            let request = request.header("X-OpenStack-Request-ID", format!("req-{}", uuid::Uuid::new_v4())).json(&Body { events });
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) => return Outcome::Later(because(&error)),
            };
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED {
                self.session.forget(&token).await;
                if !is_last {
                    continue;
                }
            }
            return outcome(status, &response.bytes().await.unwrap_or_default());
        }
        Outcome::Later("the token was refused".to_owned())
    }
}

fn outcome(status: StatusCode, body: &[u8]) -> Outcome {
    let said = || String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    match status {
        StatusCode::OK | StatusCode::MULTI_STATUS => {
            let Answer { events } = serde_json::from_slice(body).unwrap_or(Answer { events: Vec::new() });
            for event in events.iter().filter(|event| event.code != 200) {
                let Answered { code, name, server_uuid, tag } = event;
                tracing::debug!(code, name, server = server_uuid, port = tag, "nova has no use for an event");
            }
            Outcome::Told
        }
        // None of the servers is there any more.
        StatusCode::NOT_FOUND => Outcome::Told,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Outcome::Later(format!("it answered {status}: {}", said()))
        }
        status if status.is_client_error() => Outcome::Refused(format!("it answered {status}: {}", said())),
        status => Outcome::Later(format!("it answered {status}")),
    }
}
