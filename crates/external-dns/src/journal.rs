//! What was published, in a file that is there after a crash: a record set that may be half written is known to be so.

use crate::{Key, Records, Values};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: Key,
    /// None: being written.
    values: Option<Values>,
}

/// The file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    published: BTreeMap<Key, Option<Values>>,
}

impl Journal {
    /// Reads the file; nothing was published when there is none.
    pub fn open(path: &Path) -> io::Result<Journal> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let line = |line: &str| serde_json::from_str::<Line>(line).map(|line| (line.key, line.values)).map_err(io::Error::other);
        Ok(Journal { path: path.to_owned(), published: text.lines().map(line).collect::<io::Result<_>>()? })
    }

    /// What has to be set, and to what, so that there is what is wanted.
    pub(crate) fn steps(&self, wanted: &Records) -> Records {
        let none = Values::new();
        let differs = |key: &Key, values: &Values| self.published.get(key) != Some(&Some(values.clone()));
        let gone = self.published.keys().filter(|key| !wanted.contains_key(key)).map(|key| (key, &none));
        let steps = wanted.iter().filter(|(key, values)| differs(key, values)).chain(gone);
        steps.map(|(key, values)| (key.clone(), values.clone())).collect()
    }

    /// These are about to be set.
    pub(crate) fn begin<'k>(&mut self, keys: impl Iterator<Item = &'k Key>) -> io::Result<()> {
        self.published.extend(keys.map(|key| (key.clone(), None)));
        self.write()
    }

    /// It is set. Written by [`Journal::write`].
    pub(crate) fn done(&mut self, key: Key, values: Values) {
        if values.is_empty() {
            self.published.remove(&key);
        } else {
            self.published.insert(key, Some(values));
        }
    }

    pub(crate) fn write(&self) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut text = String::new();
        for (key, values) in &self.published {
            let line = serde_json::to_string(&Line { key: key.clone(), values: values.clone() })?;
            text.push_str(&line);
            text.push('\n');
        }
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}
