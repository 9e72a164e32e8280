//! The metadata proxy: one process for a host, which listens in the namespaces of DHCP servers and routers, finds out by namespace and
//! source address which port asks, and answers from Nova's metadata API or from descriptions of instances.
//!
//! It reads what it must know from files that the agent writes and watches them (crate `metadata` says which), so it goes on when the
//! agent does not run. Guests are hostile: nothing of a request but its method, path and body gets any further, and an instance that holds
//! connections open or asks without end takes its own share and nobody else's ([`limits`]).

mod described;
mod error;
mod limits;
mod nova;
mod serve;
mod space;
mod tables;
#[cfg(test)]
mod tests;

pub use error::Error;

use metadata::Config;
use space::Spaces;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tables::Tables;

/// How often it is looked whether namespaces are still those in which it listens, and tried again what failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file with the [`Config`].
    pub config: PathBuf,
    /// The directory of the files to watch.
    pub files: PathBuf,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) limits: limits::Limits,
    tables: RwLock<Arc<Tables>>,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Shared {
        Shared { config, limits: limits::Limits::default(), tables: RwLock::default() }
    }

    /// Who is there now.
    pub(crate) fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Answers until it is dropped. Needs a tokio runtime; fails when the configuration or the directory cannot be read.
pub async fn run(options: &Options) -> Result<(), Error> {
    let shared = Arc::new(Shared::new(read_config(&options.config)?));
    let mut watch = host::Watch::open(&options.files)?;
    let mut spaces = Spaces::default();
    loop {
        refresh(&shared, &mut spaces, &options.files)?;
        tokio::select! {
            changed = watch.changed() => changed?,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

fn read_config(path: &Path) -> Result<Config, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| Error::Config { path: path.to_owned(), source })
}

/// Takes in what has changed in the files, and listens where it is to.
fn refresh(shared: &Arc<Shared>, spaces: &mut Spaces, files: &Path) -> Result<(), Error> {
    let before = shared.tables();
    let after = before.refreshed(files).map_err(|source| Error::Read { path: files.to_owned(), source })?;
    let tables = after.map_or(before, Arc::new);
    *shared.tables.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&tables);
    spaces.follow(shared, &tables);
    Ok(())
}
