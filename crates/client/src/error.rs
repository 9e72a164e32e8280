//! What goes wrong between a client and a cloud, told so that the reader knows what to do next.

use std::io;
use std::path::PathBuf;

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The clouds file cannot be read.
    #[error("cannot read {}: {source}; has the server been started with this state directory?", path.display())]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The clouds file does not say what is needed.
    #[error("{}: {what}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The service answered with an error.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No answer came.
    #[error("no answer to {method} {url}: {source}; is the server running and listening there?")]
    Unreachable {
        /// Method of the request.
        method: String,
        /// Where it went.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// An answer that is not what the API promises.
    #[error("unexpected answer to {method} {url}: {what}")]
    Answer {
        /// Method of the request.
        method: String,
        /// Where it went.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// A name or id that stands for nothing, or for several things.
    #[error("{0}")]
    Lookup(String),
}

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Method and path of the request.
    pub request: String,
    /// HTTP status.
    pub status: u16,
    /// `NeutronError.type`, or Keystone's `error.title`; empty when the body has neither.
    pub kind: String,
    /// What the service says.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.request, self.message)?;
        match self.kind.as_str() {
            "" => write!(f, " ({})", self.status)?,
            kind => write!(f, " ({kind}, {})", self.status)?,
        }
        match next_step(self.status, &self.kind) {
            "" => Ok(()),
            hint => write!(f, "; {hint}"),
        }
    }
}

fn next_step(status: u16, kind: &str) -> &'static str {
    match (status, kind) {
        (_, "OverQuota") => "delete what is not needed, or raise it with `openstack quota set`",
        (_, "IpAddressGenerationFailure") => "add a subnet or an allocation pool, or delete ports",
        (401, _) => "check user and password in clouds.yaml",
        (403, _) => "use a cloud whose user has the role for it (`--cloud neutrino` is the administrator)",
        (500.., _) => "the server's log has the reason under the request id",
        _ => "",
    }
}

impl Error {
    /// The HTTP status of an error answer.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// The error answer, when that is what went wrong.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// True when what was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}
