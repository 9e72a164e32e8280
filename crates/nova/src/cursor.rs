//! How far the log was told: a number in a file, which is there after a crash.

use crate::Behind;
use net::Revision;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use world::{EngineErrorKind, Reader};

/// Farther behind than this, all ports are looked at instead of the log.
const FAR_BEHIND: u64 = 20_000;

/// The file.
#[derive(Debug)]
pub struct Cursor {
    path: PathBuf,
    told: Option<Revision>,
}

impl Cursor {
    /// Reads the file. Without one everything up to `head` counts as told: this server did not tell Nova before.
    pub fn open(path: &Path, head: Revision) -> io::Result<Cursor> {
        let told = match fs::read_to_string(path) {
            Ok(text) => text.trim().parse().ok().map(Revision).filter(|told| *told <= head),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(head),
            Err(error) => return Err(error),
        };
        Ok(Cursor { path: path.to_owned(), told })
    }

    /// What was not told, as far as the log still knows.
    pub fn behind(&self, log: &mut dyn Reader) -> Result<Behind, world::EngineError> {
        let Some(told) = self.told.filter(|told| log.head().is_ok_and(|head| head.0 - told.0 <= FAR_BEHIND)) else {
            return Ok(Behind::Unknown);
        };
        match log.changes_since(told) {
            Ok(changes) => Ok(Behind::Changes(changes)),
            Err(error) if error.kind == EngineErrorKind::Compacted => Ok(Behind::Unknown),
            Err(error) => Err(error),
        }
    }

    /// Notes that everything up to a change was told.
    pub(crate) fn note(&mut self, told: Revision) -> io::Result<()> {
        if self.told == Some(told) && self.path.exists() {
            return Ok(());
        }
        let beside = self.path.with_extension("new");
        fs::write(&beside, format!("{told}\n"))?;
        fs::rename(&beside, &self.path)?;
        self.told = Some(told);
        Ok(())
    }
}
