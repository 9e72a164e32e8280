//! How agents reach the service: TCP with mutual TLS, and streams inside the process.

use crate::peer::LocalHost;
use crate::{Dispatcher, Pki};
use hyper_util::rt::TokioIo;
use intent::wire::dispatch_server::DispatchServer;
use net::HostName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::net::TcpListener;
use tonic::transport::server::{Connected, TcpIncoming};
use tonic::transport::{Certificate, Channel, Endpoint, Identity, Server, ServerTlsConfig, Uri};

/// How often an idle connection is probed, and how long the answer may take.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(10);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_BYTES: u32 = 16 << 10;
/// An agent has one stream; a second one may overlap while it comes back.
const STREAMS: u32 = 4;
const LOCAL_BUFFER: usize = 256 << 10;

impl Dispatcher {
    /// Serves agents that come with a certificate of this authority until `shutdown`, then ends their streams.
    pub async fn serve_tls(
        &self,
        listener: TcpListener,
        pki: &Pki,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), tonic::transport::Error> {
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(&pki.server_certificate, &pki.server_key))
            .client_ca_root(Certificate::from_pem(&pki.ca_certificate))
            .timeout(HANDSHAKE_TIMEOUT);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE));
        let close = async {
            shutdown.await;
            self.close();
        };
        builder().tls_config(tls)?.add_service(self.service()).serve_with_incoming_shutdown(incoming, close).await
    }

    /// A channel to this dispatcher for the agent of a host in the same process. It connects when it is first used, and again when
    /// a connection is lost.
    pub fn attach_local(&self, host: &HostName) -> Channel {
        let (dispatcher, host) = (self.clone(), host.clone());
        let connector = tower::service_fn(move |_: Uri| {
            let (agent, server) = duplex(LOCAL_BUFFER);
            let incoming = tokio_stream::once(Ok::<_, io::Error>(LocalStream { stream: server, host: host.clone() }));
            let served = builder().add_service(dispatcher.service()).serve_with_incoming(incoming);
            dispatcher.hub.runtime.spawn(async move {
                if let Err(error) = served.await {
                    tracing::debug!(%error, "an in-process connection ended");
                }
            });
            async move { Ok::<_, io::Error>(TokioIo::new(agent)) }
        });
        Endpoint::from_static("http://in-process").connect_with_connector_lazy(connector)
    }

    fn service(&self) -> DispatchServer<Dispatcher> {
        DispatchServer::new(self.clone()).max_decoding_message_size(self.hub.config.report_bytes)
    }
}

fn builder() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(HEADER_BYTES)
        .max_concurrent_streams(STREAMS)
}

/// A stream inside the process that knows whose it is.
struct LocalStream {
    stream: DuplexStream,
    host: HostName,
}

impl Connected for LocalStream {
    type ConnectInfo = LocalHost;

    fn connect_info(&self) -> LocalHost {
        LocalHost(self.host.clone())
    }
}

impl AsyncRead for LocalStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for LocalStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
