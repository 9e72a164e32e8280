//! Credentials of a request to a [`Caller`]: the built-in identity, Keystone, or none at all.
//!
//! [`Identity::authenticate`] is what the API frame calls for every request. [`Identity::serve`] answers what lies under
//! `/identity` when the built-in identity is in use. `authenticate` is asynchronous because an outside identity service
//! has to be asked over the network; only [`keystone`] waits.

pub mod builtin;
mod clouds;
pub mod keystone;
mod none;
mod roles;
#[cfg(test)]
mod tests;

use crate::Caller;
use builtin::Builtin;
use bytes::Bytes;
pub use clouds::clouds_without_auth;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use keystone::Keystone;
pub use none::NoAuth;
pub use roles::with_implied;
use std::sync::Arc;

/// How requests are authenticated.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Not at all: for loopback only.
    None(NoAuth),
    /// By the identity service in this process.
    Builtin(Arc<Builtin>),
    /// By Keystone.
    Keystone(Arc<Keystone>),
}

impl Identity {
    /// The caller of a request, from `X-Auth-Token` and `X-Service-Token`. An expired user token is accepted beside a valid
    /// service token whose user has the role service. Under a microsecond for a token seen before.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        match self {
            Identity::None(none) => Ok(none.caller(headers)),
            Identity::Builtin(builtin) => {
                builtin.caller(headers).ok_or_else(|| Refusal::Unauthorized(Unauthorized { auth_url: builtin.auth_url() }))
            }
            Identity::Keystone(keystone) => keystone.caller(headers).await,
        }
    }

    /// Answers a request whose path is `/identity` or below; `None` when there is no identity service here. `base_url` is how
    /// the client reached this server (`http://host:port`, no slash at the end); links and catalog are built on it.
    pub async fn serve(&self, request: Request<Bytes>, base_url: &str) -> Option<Response<Bytes>> {
        match self {
            Identity::None(_) | Identity::Keystone(_) => None,
            Identity::Builtin(builtin) => Some(builtin.serve(request, base_url).await),
        }
    }
}

/// Why nobody is the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No valid token.
    #[error(transparent)]
    Unauthorized(Unauthorized),
    /// The identity service cannot be asked.
    #[error("the identity service does not answer")]
    Unavailable,
}

impl Refusal {
    /// The whole answer: 401, or 503 for a client that may try again.
    pub fn response(&self) -> Response<Bytes> {
        match self {
            Refusal::Unauthorized(unauthorized) => unauthorized.response(),
            Refusal::Unavailable => {
                const BODY: &[u8] = br#"{"error": {"code": 503, "title": "Service Unavailable", "message": "The identity service does not answer; try again in a moment."}}"#;
                let mut response = Response::new(Bytes::from_static(BODY));
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
        }
    }
}

/// The request carries no valid token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request requires authentication")]
pub struct Unauthorized {
    /// Where tokens are issued.
    pub auth_url: String,
}

impl Unauthorized {
    /// The body of the answer.
    pub const BODY: &'static str =
        r#"{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}"#;

    /// The value of `WWW-Authenticate`.
    pub fn www_authenticate(&self) -> HeaderValue {
        HeaderValue::try_from(format!("Keystone uri=\"{}\"", self.auth_url)).unwrap_or(HeaderValue::from_static("Keystone"))
    }

    /// The whole answer: status 401, `WWW-Authenticate`, JSON body.
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(Self::BODY.as_bytes()));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(header::WWW_AUTHENTICATE, self.www_authenticate());
        response
    }
}

/// The value of a header, if it is there and readable.
fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|value| !value.is_empty())
}
