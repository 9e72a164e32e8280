//! Forwarding to Nova's metadata API. Nova believes the headers that say who asks because they are signed with a shared secret; none of
//! the guest's own headers is passed on, so there is nothing to forge.

use crate::serve::{Asker, Body, status};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use metadata::Nova;
use ring::hmac;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long it may take to reach Nova, and Nova to answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes of a request's body: guests send a password at most.
const BODY_BYTES: usize = 64 * 1024;

/// Why there is no answer of Nova's.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the body is too long or was cut short")]
    Body,
    #[error("the path cannot be forwarded")]
    Path,
    #[error("Nova cannot be reached: {0}")]
    Connect(std::io::Error),
    #[error("Nova: {0}")]
    Http(#[from] hyper::Error),
    #[error("Nova does not answer in time")]
    Time,
    #[error("`{0}` is not where Nova could be")]
    Address(String),
}

/// Nova's answer, or why there is none.
pub(crate) async fn forward(nova: &Nova, asker: &Asker, request: Request<Incoming>) -> Response<Body> {
    match exchange(nova, asker, request).await {
        Ok(response) => answer(response),
        Err(fault @ (Fault::Body | Fault::Path)) => status(StatusCode::BAD_REQUEST, &fault.to_string()),
        Err(fault) => {
            tracing::warn!(port = %asker.client.port_id, %fault, "metadata");
            status(StatusCode::SERVICE_UNAVAILABLE, "the metadata service does not answer")
        }
    }
}

async fn exchange(nova: &Nova, asker: &Asker, request: Request<Incoming>) -> Result<Response<Incoming>, Fault> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES).collect();
    let body = tokio::time::timeout(ANSWER, body).await.map_err(|_| Fault::Body)?.map_err(|_| Fault::Body)?.to_bytes();
    let base: Uri = nova.url.parse().map_err(|_| Fault::Address(nova.url.to_string()))?;
    let authority = base.authority().ok_or_else(|| Fault::Address(nova.url.to_string()))?.clone();
    let connect = TcpStream::connect((authority.host().trim_matches(['[', ']']), authority.port_u16().unwrap_or(80)));
    let stream = tokio::time::timeout(CONNECT, connect).await.map_err(|_| Fault::Time)?.map_err(Fault::Connect)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // What fails there fails the answer too.
        _ = connection.await;
    });
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    if !path.starts_with('/') {
        return Err(Fault::Path);
    }
    let mut onward = Request::new(Full::new(body));
    (*onward.method_mut(), *onward.uri_mut()) = (head.method.clone(), path.parse().map_err(|_| Fault::Path)?);
    *onward.headers_mut() = headers(nova, asker, &head.method, &head.headers).ok_or(Fault::Path)?;
    onward.headers_mut().insert(header::HOST, HeaderValue::try_from(authority.as_str()).map_err(|_| Fault::Path)?);
    Ok(tokio::time::timeout(ANSWER, sender.send_request(onward)).await.map_err(|_| Fault::Time)??)
}

/// The headers for Nova; none when the port's project or device are no text of a header.
pub(crate) fn headers(nova: &Nova, asker: &Asker, method: &Method, of_guest: &HeaderMap) -> Option<HeaderMap> {
    let client = &asker.client;
    let mut headers = HeaderMap::new();
    let signature = sign(&nova.shared_secret, &client.instance_id);
    let words = [
        ("x-instance-id", client.instance_id.as_str()),
        ("x-tenant-id", client.project_id.as_str()),
        ("x-instance-id-signature", &signature),
        ("x-forwarded-for", &asker.source.to_string()),
    ];
    for (name, value) in words {
        headers.insert(name, HeaderValue::try_from(value).ok()?);
    }
    if *method == Method::POST
        && let Some(kind) = of_guest.get(header::CONTENT_TYPE)
    {
        headers.insert(header::CONTENT_TYPE, kind.clone());
    }
    Some(headers)
}

/// HMAC-SHA256 of the instance's id in hexadecimal digits.
pub(crate) fn sign(secret: &str, instance: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, instance.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nova's status and body with the kind of the body, and no other header: the rest is between Nova and this proxy.
fn answer(response: Response<Incoming>) -> Response<Body> {
    let (head, body) = response.into_parts();
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = head.status;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        if let Some(value) = head.headers.get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}
