//! What a collection is asked and what it answers.

use crate::{Fault, Frame, Query, Route, json};
use auth::Caller;
use bytes::Bytes;
use http::{HeaderMap, Method};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A request below `/v2.0/<collection>`, its caller known.
pub struct Request<'a> {
    /// Store, policy and settings.
    pub frame: &'a Arc<Frame>,
    /// Who asks; carries the request id.
    pub caller: Caller,
    /// The method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The path below the collection, without a `.json` suffix: nothing, an id, an id and what is below it.
    pub path: Vec<Cow<'a, str>>,
    /// The address asked for, without the query: `http://host:port/v2.0/networks`.
    pub address: String,
    /// The query.
    pub query: Query<'a>,
    /// The body, of limited size.
    pub body: &'a [u8],
}

/// What is asked of a collection that nobody changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading<'a> {
    /// All of its members.
    All,
    /// One of them, by its id.
    One(&'a str),
}

impl Request<'_> {
    /// For what is below the members of a collection: the member's id, and the path after what is below it is called.
    pub fn below_member(&self) -> Result<(&str, &[Cow<'_, str>]), Fault> {
        let (member, below) = self.path.split_first().ok_or_else(Fault::no_such_path)?;
        Ok((member, below.get(1..).unwrap_or_default()))
    }

    /// What is asked of a collection that nobody changes; anything else is refused.
    pub fn reading(&self) -> Result<Reading<'_>, Fault> {
        match (self.method.as_str(), self.path.as_slice()) {
            ("GET", []) => Ok(Reading::All),
            ("GET", [id]) => Ok(Reading::One(id)),
            (_, [] | [_]) => Err(Fault::method_not_allowed()),
            _ => Err(Fault::no_such_path()),
        }
    }
}

/// An answer of the Networking API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty when there is no body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// What is becoming an answer. A fault is turned into Neutron's error body by the frame.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send + 'a>>;

/// What answers below `/v2.0/<collection>`. Resources get one from their declaration; what does not fit the pattern (quotas,
/// extensions, actions of a member) implements it by hand.
pub trait Collection: Send + Sync + 'static {
    /// What it answers, as data; paths begin below the collection.
    fn routes(&self) -> Vec<Route>;

    /// Answers a request.
    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a>;
}

impl Answer {
    /// A JSON document.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Answer {
        Answer { status, content_type: "application/json", body: body.into() }
    }

    /// A JSON document of a value that is not on a hot path.
    pub fn value(status: u16, value: &serde_json::Value) -> Answer {
        Answer::json(status, value.to_string())
    }

    /// Plain text.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Answer {
        Answer { status, content_type: "text/plain; charset=UTF-8", body: body.into() }
    }

    /// 204.
    pub fn no_content() -> Answer {
        Answer { status: 204, content_type: "", body: Bytes::new() }
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Answer {
        let mut out = Vec::with_capacity(fault.message.len() + 80);
        out.push(b'{');
        json::string(&mut out, "NeutronError");
        out.extend_from_slice(b": {\"type\": ");
        json::string(&mut out, fault.kind);
        out.extend_from_slice(b", \"message\": ");
        json::string(&mut out, &fault.message);
        out.extend_from_slice(b", \"detail\": \"\"}}");
        Answer::json(fault.status, out)
    }
}

impl From<Answer> for http::Response<Bytes> {
    fn from(answer: Answer) -> http::Response<Bytes> {
        let mut response = http::Response::new(answer.body);
        *response.status_mut() = http::StatusCode::from_u16(answer.status).expect("faults and answers have three-digit status codes");
        if !answer.content_type.is_empty() {
            let value = http::HeaderValue::from_static(answer.content_type);
            response.headers_mut().insert(http::header::CONTENT_TYPE, value);
        }
        response
    }
}
