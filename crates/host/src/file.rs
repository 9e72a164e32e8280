//! Files that daemons watch. The directory is ours: whatever is in it is known by that.

use crate::Error;
use crate::daemon::write_atomic;
use dataplane::{Digest, Name, file_digest};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The directory.
#[derive(Debug)]
pub(crate) struct Files {
    directory: PathBuf,
}

impl Files {
    /// Makes the directory when it is not there.
    pub(crate) fn open(directory: &Path) -> Result<Files, Error> {
        fs::create_dir_all(directory).map_err(|error| Error::io("open directory", directory.display(), error))?;
        Ok(Files { directory: directory.to_owned() })
    }

    /// What is there.
    pub(crate) fn read(&self) -> Result<BTreeMap<Name, Digest>, Error> {
        let fault = |error| Error::io("read files in", self.directory.display(), error);
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(&self.directory).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let content = fs::read(entry.path()).map_err(fault)?;
            if let Ok(name) = entry.file_name().into_string() {
                found.insert(name.into(), file_digest(&String::from_utf8_lossy(&content)));
            }
        }
        Ok(found)
    }

    /// Replaces a file's content at once.
    pub(crate) fn write(&self, name: &Name, content: &str) -> Result<(), Error> {
        write_atomic(&self.directory.join(name.as_str()), content.as_bytes()).map_err(|error| Error::io("write file", name, error))
    }

    /// Removes a file. One that is not there is not an error.
    pub(crate) fn remove(&self, name: &Name) -> Result<(), Error> {
        match fs::remove_file(self.directory.join(name.as_str())) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove file", name, error)),
            _ => Ok(()),
        }
    }
}
