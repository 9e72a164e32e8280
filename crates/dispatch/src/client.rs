//! The agent's end of the TLS transport.

use crate::pki::{SERVER_NAME, check_host};
use crate::transport::{KEEPALIVE, KEEPALIVE_TIMEOUT};
use net::HostName;
use std::io;
use std::path::Path;
use std::time::Duration;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What an agent shows and trusts: the bundle that [`crate::pki::issue_agent_certificate`] wrote.
#[derive(Clone)]
pub struct AgentCredentials {
    /// The host that the certificate names.
    pub host: HostName,
    ca_certificate: String,
    certificate: String,
    key: String,
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file of the bundle cannot be read.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// The bundle's host is not a host name.
    #[error("the bundle is of {0:?}, which is not a host name")]
    Host(String),
    /// The address or the certificates cannot be used.
    #[error("the server's address or the certificates cannot be used: {0}")]
    Transport(#[from] tonic::transport::Error),
}

impl AgentCredentials {
    /// Reads a bundle: `host`, `ca.pem`, `cert.pem`, `key.pem` in a directory.
    pub fn read(bundle: &Path) -> Result<AgentCredentials, CredentialsError> {
        let read = |name: &str| {
            let path = bundle.join(name);
            std::fs::read_to_string(&path).map_err(|error| CredentialsError::File(path.display().to_string(), error))
        };
        let host = HostName::from(read("host")?.trim());
        check_host(&host).map_err(|_| CredentialsError::Host(host.to_string()))?;
        Ok(AgentCredentials { host, ca_certificate: read("ca.pem")?, certificate: read("cert.pem")?, key: read("key.pem")? })
    }

    /// A channel to a server at `address:port`. It connects when it is first used, and again when a connection is lost.
    pub fn channel(&self, server: &str) -> Result<Channel, CredentialsError> {
        let tls = ClientTlsConfig::new()
            .domain_name(SERVER_NAME)
            .ca_certificate(Certificate::from_pem(&self.ca_certificate))
            .identity(Identity::from_pem(&self.certificate, &self.key));
        let endpoint = Endpoint::from_shared(format!("https://{server}"))?
            .tls_config(tls)?
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        Ok(endpoint.connect_lazy())
    }
}
