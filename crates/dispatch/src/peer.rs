//! Who is at the other end: the host that the transport vouches for.

use net::HostName;
use tonic::Status;
use tonic::codegen::http::Extensions;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The host of an in-process connection, fixed by whoever made it.
#[derive(Clone, Debug)]
pub(crate) struct LocalHost(pub(crate) HostName);

pub(crate) fn host(extensions: &Extensions) -> Result<HostName, Status> {
    if let Some(LocalHost(host)) = extensions.get() {
        return Ok(host.clone());
    }
    let certificates = extensions.get::<TlsConnectInfo<TcpConnectInfo>>().and_then(|info| info.peer_certs());
    let certificate = certificates.as_ref().and_then(|chain| chain.first());
    let certificate = certificate.ok_or_else(|| Status::unauthenticated("no certificate"))?;
    // That our authority signed it for this use has been verified in the handshake.
    common_name(certificate).ok_or_else(|| Status::unauthenticated("the certificate names no host"))
}

fn common_name(der: &[u8]) -> Option<HostName> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?;
    (names.next().is_none() && crate::hello::is_host_name(name)).then(|| HostName::from(name))
}
