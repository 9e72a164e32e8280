//! Why the proxy cannot run.

use smol_str::SmolStr;
use std::path::PathBuf;

/// Nothing can be answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration makes no sense.
    #[error("{} is not the proxy's configuration: {source}", path.display())]
    Config {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A socket of a namespace.
    #[error("listening in {netns}: {source}")]
    Listen {
        /// Where.
        netns: SmolStr,
        /// Why not.
        source: std::io::Error,
    },
    /// The kernel.
    #[error(transparent)]
    Host(#[from] host::Error),
}
