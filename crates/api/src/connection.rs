//! HTTP/1.1 connections: accepting them, and being robust against what sits at their other end.

use crate::{Fault, Server, ServerOptions};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Sleep, timeout, timeout_at};

/// Room for a request's head in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Header lines of a request.
const MAX_HEADERS: usize = 100;
/// How much of an oversized body is read and thrown away so that the client gets to see the refusal.
const DRAINED: usize = 8 << 20;

impl Server {
    /// Serves until `shutdown` is ready; then lets the answers in progress finish for a while.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let connections = u32::try_from(self.0.options.max_connections).unwrap_or(u32::MAX);
        let permits = Arc::new(Semaphore::new(self.0.options.max_connections));
        let (ending, ended) = watch::channel(false);
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await.expect("the semaphore is never closed");
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (server, ended) = (self.clone(), ended.clone());
                    tokio::spawn(async move {
                        server.connection(stream, ended).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        drop(listener);
        ending.send_replace(true);
        if timeout(self.0.options.grace, permits.acquire_many(connections)).await.is_err() {
            tracing::warn!("connections were still busy at the end of the shutdown's grace");
        }
    }

    async fn connection(self, stream: TcpStream, mut ended: watch::Receiver<bool>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let options = &self.0.options;
        let stream = TokioIo::new(Impatient::new(stream, options.stall_timeout));
        let service = service_fn(|request| self.exchange(request));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(options.header_timeout)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .serve_connection(stream, service);
        let mut connection = pin!(connection);
        let result = tokio::select! {
            result = &mut connection => result,
            () = async { drop(ended.wait_for(|ended| *ended).await) } => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection ended");
        }
    }

    async fn exchange(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let response = match read(body, head.headers.get(header::CONTENT_LENGTH), &self.0.options).await {
            Ok(body) => self.respond(Request::from_parts(head, body)).await,
            Err(fault) => Server::refuse(fault),
        };
        Ok(response.map(Full::new))
    }
}

/// Reads a body of limited size in limited time.
async fn read(mut body: Incoming, length: Option<&http::HeaderValue>, options: &ServerOptions) -> Result<Bytes, Fault> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let deadline = Instant::now() + options.body_timeout;
    let announced = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()).unwrap_or(0);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut size = 0;
    let mut is_large = announced > options.max_body as u64;
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(Fault::new(408, "HTTPRequestTimeout", "The request body was not received in time.")),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Fault::bad_request("Body contains invalid data")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        is_large = is_large || size > options.max_body;
        if is_large {
            if size > DRAINED {
                break;
            }
        } else if first.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    if is_large {
        return Err(Fault::new(413, "HTTPRequestEntityTooLarge", "Request is too large."));
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// A stream that fails when its other end accepts nothing for a while.
struct Impatient {
    stream: TcpStream,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Impatient {
    fn new(stream: TcpStream, limit: Duration) -> Impatient {
        Impatient { stream, limit, timer: Box::pin(tokio::time::sleep(limit)), is_waiting: false }
    }

    fn watched<T>(&mut self, context: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.is_waiting = false;
            return progress;
        }
        if !self.is_waiting {
            self.is_waiting = true;
            self.timer.as_mut().reset(Instant::now() + self.limit);
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(context, data);
        self.watched(context, progress)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(context, data);
        self.watched(context, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
