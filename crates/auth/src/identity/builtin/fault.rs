//! Refusals in Keystone's form.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// A refusal: shows as `{"error": {"code", "title", "message"}}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the user is told.
    pub message: String,
    /// Seconds after which another attempt makes sense.
    pub retry_after_s: Option<i64>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_s: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The one answer for wrong passwords, unknown users and invalid tokens.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The request you have made requires authentication.")
    }

    pub(super) fn forbidden(action: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("You are not authorized to perform the requested action: {action}."))
    }

    pub(super) fn not_found(kind: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("Could not find {kind}: {id}."))
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed for this resource.")
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut response =
            json_response(self.status, &json!({"error": {"code": self.status.as_u16(), "message": self.message, "title": title}}));
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An answer with a JSON body.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("X-Auth-Token"));
    response
}

/// An answer without a body.
pub(super) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
