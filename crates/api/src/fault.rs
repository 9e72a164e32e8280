//! Refusals in Neutron's form.

/// A refusal: `{"NeutronError": {"type", "message", "detail": ""}}` with a status.
///
/// Slices have an enum of their own, one variant for each fault, that turns into this.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// The `type` that clients map on: the reference's class name.
    pub kind: &'static str,
    /// One sentence for a person.
    pub message: String,
}

impl Fault {
    /// A fault.
    pub fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Fault {
        Fault { status, kind, message: message.into() }
    }

    /// 400 `HTTPBadRequest`.
    pub fn bad_request(message: impl Into<String>) -> Fault {
        Fault::new(400, "HTTPBadRequest", message)
    }

    /// 400 `InvalidInput`, with the reference's prefix.
    pub fn invalid_input(reason: impl std::fmt::Display) -> Fault {
        Fault::new(400, "InvalidInput", format!("Invalid input for operation: {reason}."))
    }

    /// 403 `PolicyNotAuthorized`; `rules` is the text of the rules that refused.
    pub fn not_authorized(rules: &str) -> Fault {
        Fault::new(403, "PolicyNotAuthorized", format!("{rules} is disallowed by policy"))
    }

    /// 404 of a collection or path.
    pub fn no_such_path() -> Fault {
        Fault::new(404, "HTTPNotFound", "The resource could not be found.")
    }

    /// 405 of a path that is there but not for this method.
    pub fn method_not_allowed() -> Fault {
        let message = "The server could not comply with the request since it is either malformed or otherwise incorrect.";
        Fault::new(405, "HTTPMethodNotAllowed", message)
    }

    /// 409 of a project that has as many as it may have.
    pub fn over_quota(resource: &str) -> Fault {
        Fault::new(409, "OverQuota", format!("Quota exceeded for resources: ['{resource}']."))
    }

    /// 500: something in this program is wrong; the log knows what.
    pub fn internal() -> Fault {
        Fault::new(500, "HTTPInternalServerError", "Request Failed: internal server error while processing your request.")
    }

    /// 503: the database cannot be reached.
    pub fn unavailable() -> Fault {
        Fault::new(503, "ServiceUnavailable", "The service is unavailable.")
    }
}

impl From<auth::Denied> for Fault {
    fn from(denied: auth::Denied) -> Fault {
        Fault::new(403, "PolicyNotAuthorized", denied.to_string())
    }
}
