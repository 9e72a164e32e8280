//! Serves the built-in identity alone: `identity_server STATE_DIR ADDRESS:PORT`. For trying clients against it.

use auth::identity::Identity;
use auth::identity::builtin::{Builtin, Config};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::Arc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn answer(identity: Identity, base: Arc<str>, request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Failure> {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    let request = http::Request::from_parts(parts, body.collect().await?.to_bytes());
    let response = if request.uri().path().starts_with("/identity") {
        identity.serve(request, &base).await.ok_or("there is no identity service")?
    } else {
        match identity.authenticate(request.headers()).await {
            Ok(caller) => http::Response::new(Bytes::from(format!("{caller:?}\n"))),
            Err(unauthorized) => unauthorized.response(),
        }
    };
    eprintln!("{line} -> {}", response.status().as_u16());
    Ok(response.map(Full::new))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(state), Some(listen)) = (arguments.next(), arguments.next()) else {
        return Err("usage: identity_server STATE_DIR ADDRESS:PORT".into());
    };
    let base: Arc<str> = format!("http://{listen}").into();
    let config = Config::new(state, &*base);
    let identity = Identity::Builtin(Arc::new(tokio::task::spawn_blocking(|| Builtin::open(config)).await??));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (identity, base) = (identity.clone(), base.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(identity.clone(), base.clone(), request));
            if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}
