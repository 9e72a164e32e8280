//! What is remembered of instances: one JSON file each, replaced atomically.
//!
//! Only what cannot be read from the machine is kept; processes are found by where they run.

use super::Kind;
use anyhow::{Context, Result, bail};
use metadata::describe::Instance;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// One instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// `device_id` of its port.
    pub device_id: String,
    /// The host it is bound to.
    pub host: String,
    /// Project of the port.
    pub project_id: String,
    /// Network of the port.
    pub network_id: String,
    /// Name of the network when the instance was made.
    pub network_name: String,
    /// The port; `None` until it is created.
    pub port: Option<Port>,
}

/// The port of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Port {
    /// Its id.
    pub id: String,
    /// It is deleted with the instance.
    pub owned: bool,
    /// Link-layer address.
    pub mac_address: String,
    /// Addresses.
    pub addresses: Vec<String>,
}

impl Record {
    /// Name of the namespace.
    pub fn netns(&self) -> String {
        format!("neutrino-{}", self.name)
    }

    /// Name of the link on the host, as Nova makes it; `None` as long as there is no port.
    pub fn device(&self) -> Option<String> {
        self.port.as_ref().map(|port| device(&port.id))
    }
}

/// `tap` and the first 11 characters of the port's id.
pub fn device(port_id: &str) -> String {
    format!("tap{}", port_id.get(..11).unwrap_or(port_id))
}

/// The records of one state directory.
#[derive(Clone, Debug)]
pub struct Records {
    directory: PathBuf,
}

impl Records {
    /// Those below this state directory.
    pub fn at(state: &Path) -> Records {
        Records { directory: state.join("instances") }
    }

    /// Files of one instance: leases, scripts, console.
    pub fn files(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.d"))
    }

    /// Where an instance is described to itself; the metadata proxy reads it.
    fn description(&self, device_id: &str) -> PathBuf {
        self.directory.join("metadata").join(format!("{device_id}.json"))
    }

    /// Describes an instance to itself.
    pub fn describe(&self, instance: &Instance) -> Result<()> {
        let path = self.description(&instance.uuid);
        replace(&path, &serde_json::to_vec_pretty(instance)?).with_context(|| format!("writing {}", path.display()))
    }

    /// Nobody is that instance any more.
    pub fn forget_description(&self, device_id: &str) -> Result<()> {
        match fs::remove_file(self.description(device_id)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("removing the description of the instance"),
            _ => Ok(()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.json"))
    }

    /// Keeps a new record; refuses a name that is taken or unfit for a file and a namespace.
    pub fn reserve(&self, record: &Record) -> Result<()> {
        let name = &record.name;
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.starts_with(['-', '.']) {
            bail!("'{name}' cannot name an instance: up to 64 letters, digits, '-', '_' and '.', not starting with '-' or '.'");
        }
        fs::create_dir_all(&self.directory).with_context(|| format!("creating {}", self.directory.display()))?;
        match OpenOptions::new().write(true).create_new(true).open(self.path(name)) {
            Ok(_) => self.write(record),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("there is an instance '{name}' already; `neutrino instance rm {name}` removes it")
            }
            Err(error) => Err(error).with_context(|| format!("creating {}", self.path(name).display())),
        }
    }

    /// Replaces a record.
    pub fn write(&self, record: &Record) -> Result<()> {
        let path = self.path(&record.name);
        replace(&path, &serde_json::to_vec_pretty(record)?).with_context(|| format!("writing {}", path.display()))
    }

    /// The record of that name.
    pub fn read(&self, name: &str) -> Result<Record> {
        self.find(name)?.with_context(|| format!("there is no instance '{name}'; `neutrino instance list` shows those there are"))
    }

    /// The record of that name, if there is one that was written.
    fn find(&self, name: &str) -> Result<Option<Record>> {
        let path = self.path(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        if text.is_empty() {
            // Reserved, then killed: nothing else was made.
            return Ok(None);
        }
        serde_json::from_slice(&text).map(Some).with_context(|| format!("{} is not a record of an instance", path.display()))
    }

    /// All records, by name.
    pub fn all(&self) -> Result<Vec<Record>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("reading {}", self.directory.display())),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
        names.sort();
        names.iter().filter_map(|name| self.find(name).transpose()).collect()
    }

    /// Forgets an instance and removes its files.
    pub fn forget(&self, name: &str) -> Result<()> {
        for result in [fs::remove_dir_all(self.files(name)), fs::remove_file(self.path(name))] {
            match result {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("forgetting instance {name}"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Replaces a file at once; its directory is made when it is not there. Only the owner may read it: it may hold what users gave.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let new = path.with_extension("json.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str) -> Record {
        Record {
            name: name.to_owned(),
            kind: Kind::Netns,
            device_id: "d".to_owned(),
            host: "h".to_owned(),
            project_id: "p".to_owned(),
            network_id: "n".to_owned(),
            network_name: "blue".to_owned(),
            port: None,
        }
    }

    struct Directory(PathBuf);

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn directory(name: &str) -> (Directory, Records) {
        let path = std::env::temp_dir().join(format!("neutrino-records-{}-{name}", std::process::id()));
        let records = Records::at(&path);
        (Directory(path), records)
    }

    #[test]
    fn a_name_is_taken_once() {
        let (_directory, records) = directory("once");
        records.reserve(&record("a")).unwrap();
        assert!(records.reserve(&record("a")).unwrap_err().to_string().contains("already"));
        assert_eq!(records.all().unwrap().len(), 1);
        records.forget("a").unwrap();
        records.forget("a").unwrap();
        records.reserve(&record("a")).unwrap();
    }

    #[test]
    fn names_fit_files_and_namespaces() {
        let (_directory, records) = directory("names");
        for name in ["", "a/b", "..", "-a", "a b", &"x".repeat(65)] {
            assert!(records.reserve(&record(name)).is_err(), "{name}");
        }
        assert!(records.all().unwrap().is_empty());
    }

    #[test]
    fn a_reservation_cut_short_is_no_instance() {
        let (_directory, records) = directory("cut");
        fs::create_dir_all(&records.directory).unwrap();
        fs::write(records.path("a"), "").unwrap();
        assert!(records.all().unwrap().is_empty());
        assert!(records.read("a").is_err());
    }

    #[test]
    fn device_names_are_those_of_nova() {
        assert_eq!(device("0123456789abcdef"), "tap0123456789a");
        assert_eq!(device("a1b2c3d4-e5f6-4711-8000-000000000000"), "tapa1b2c3d4-e5");
    }
}
