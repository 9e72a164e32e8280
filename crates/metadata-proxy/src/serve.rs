//! One connection: requests are read with bounds in size and time, and answered.

use crate::limits::Place;
use crate::{Shared, described, nova};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use intent::MetadataClient;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a request's head may take to come, or the next request.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last.
const LIFE: Duration = Duration::from_secs(60);
/// Bytes of a head.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;

/// What is sent: a whole text, or what comes from elsewhere.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// Who asks.
pub(crate) struct Asker {
    pub(crate) client: Arc<MetadataClient>,
    pub(crate) source: IpAddr,
}

/// Serves a connection until it ends or has lasted long enough.
pub(crate) async fn connection(shared: Arc<Shared>, stream: TcpStream, source: IpAddr, client: Option<Arc<MetadataClient>>, place: Place) {
    let asker = client.map(|client| Asker { client, source });
    let respond = async |request: Request<Incoming>| {
        Ok::<_, Infallible>(match &asker {
            Some(asker) => answer(&shared, asker, request).await,
            None => status(StatusCode::NOT_FOUND, "no port of the network has this address"),
        })
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    let served = http.serve_connection(TokioIo::new(stream), service_fn(respond));
    if let Ok(Err(error)) = tokio::time::timeout(LIFE, served).await {
        tracing::debug!(%source, %error, "connection");
    }
    drop(place);
}

async fn answer(shared: &Shared, asker: &Asker, request: Request<Incoming>) -> Response<Body> {
    match &shared.config.nova {
        Some(nova) => nova::forward(nova, asker, request).await,
        None if matches!(*request.method(), Method::GET | Method::HEAD) => {
            described::answer(&shared.config.instances, &asker.client, request.uri().path())
        }
        None => status(StatusCode::METHOD_NOT_ALLOWED, "metadata is only read"),
    }
}

/// An answer that says no more than its status.
pub(crate) fn status(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = content(Bytes::from(format!("{status}: {text}\n")), "text/plain; charset=UTF-8");
    *response.status_mut() = status;
    response
}

/// A whole text.
pub(crate) fn content(bytes: Bytes, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Full::new(bytes).map_err(|never| match never {}).boxed());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
