//! The certificates of a deployment: an authority of its own, which vouches for the server and for each host's agent.
//!
//! An agent's certificate names its host and serves for nothing but being that host's agent; the server's serves for nothing but
//! being the server. Certificates do not expire, so that no cloud stops on the day they would have: to take one back, remove the
//! authority's files, start the server again and issue new bundles.

use crate::hello::is_host_name;
use net::HostName;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name that the server's certificate has, whatever address it listens at.
pub(crate) const SERVER_NAME: &str = "server.neutrino.internal";
const CA_CERTIFICATE: &str = "ca.pem";
const CA_KEY: &str = "ca-key.pem";

/// Why certificates could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// A key or certificate.
    #[error("certificates of {0}: {1}")]
    Certificate(String, rcgen::Error),
    /// Not a name a host can have.
    #[error("{0:?} is not a host name: up to 255 letters, digits and . - _ : @, starting with a letter or digit")]
    Host(String),
    /// The authority's key is there without its certificate, or the other way round.
    #[error("{0} holds half of an authority; put the other file back, or remove this one to make a new authority")]
    Half(String),
}

/// What a server shows and trusts. All are PEM.
pub struct Pki {
    /// The authority's certificate.
    pub ca_certificate: String,
    /// The server's certificate.
    pub server_certificate: String,
    /// The server's key; made anew at each start and never written.
    pub server_key: String,
}

impl Pki {
    /// Reads the authority in a directory, made at first use, and makes the server's certificate.
    pub fn open(directory: &Path) -> Result<Pki, PkiError> {
        let authority = Authority::open(directory)?;
        let (server_certificate, server_key) =
            authority.issue(vec![SERVER_NAME.to_owned()], SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth)?;
        Ok(Pki { ca_certificate: authority.certificate, server_certificate, server_key })
    }
}

/// Writes the bundle with which the agent of a host attaches (`host`, `ca.pem`, `cert.pem`, `key.pem`) to `agent-<host>` in the
/// authority's directory, replacing an older one, and returns where it is. For [`crate::AgentCredentials::read`].
pub fn issue_agent_certificate(directory: &Path, host: &HostName) -> Result<PathBuf, PkiError> {
    check_host(host)?;
    let authority = Authority::open(directory)?;
    let (certificate, key) = authority.issue(Vec::new(), host.as_str(), ExtendedKeyUsagePurpose::ClientAuth)?;
    let bundle = directory.join(format!("agent-{host}"));
    make_directory(&bundle)?;
    write_private(&bundle.join("host"), host.as_str())?;
    write_private(&bundle.join("ca.pem"), &authority.certificate)?;
    write_private(&bundle.join("cert.pem"), &certificate)?;
    write_private(&bundle.join("key.pem"), &key)?;
    Ok(bundle)
}

pub(crate) fn check_host(host: &HostName) -> Result<(), PkiError> {
    if is_host_name(host.as_str()) { Ok(()) } else { Err(PkiError::Host(host.to_string())) }
}

struct Authority {
    directory: String,
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn open(directory: &Path) -> Result<Authority, PkiError> {
        make_directory(directory)?;
        let name = directory.display().to_string();
        let wrong = |error| PkiError::Certificate(name.clone(), error);
        let (certificate_at, key_at) = (directory.join(CA_CERTIFICATE), directory.join(CA_KEY));
        let (certificate, key) = match (read(&certificate_at)?, read(&key_at)?) {
            (Some(certificate), Some(key)) => (certificate, KeyPair::from_pem(&key).map_err(wrong)?),
            (None, None) => {
                let key = KeyPair::generate().map_err(wrong)?;
                let certificate = authority_params().self_signed(&key).map_err(wrong)?.pem();
                write_private(&key_at, &key.serialize_pem())?;
                write_private(&certificate_at, &certificate)?;
                (certificate, key)
            }
            _ => return Err(PkiError::Half(name)),
        };
        Ok(Authority { directory: name, certificate, issuer: Issuer::new(authority_params(), key) })
    }

    /// A certificate and its key.
    fn issue(&self, names: Vec<String>, common_name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<(String, String), PkiError> {
        let wrong = |error| PkiError::Certificate(self.directory.clone(), error);
        let key = KeyPair::generate().map_err(wrong)?;
        let mut params = CertificateParams::new(names).map_err(wrong)?;
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(wrong)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// The same each time: what is issued must name the issuer as its certificate does.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "neutrino agents' authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn read(path: &Path) -> Result<Option<String>, PkiError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PkiError::File(path.display().to_string(), error)),
    }
}

fn make_directory(path: &Path) -> Result<(), PkiError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| PkiError::File(path.display().to_string(), error))
}

/// Writes a file that only its owner reads, whole or not at all.
fn write_private(path: &Path, text: &str) -> Result<(), PkiError> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| PkiError::File(path.display().to_string(), error))
}
