//! Daemons that outlive the agent: what is run, with which files, and what a change of a file asks for.

use crate::{Digest, Name};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// A long-running process in the foreground of its own session, with a directory of its own. In `argv` and in the files
/// the text `{dir}` stands for that directory's absolute path. The process inherits nothing but its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// Program and arguments; the program is found by `PATH`. It must not put itself into the background.
    pub argv: Vec<SmolStr>,
    /// Files in the directory, by name (no slashes). Files it writes itself (leases) are not listed and stay.
    pub files: BTreeMap<Name, ConfigFile>,
    /// Signal that makes it read its files again, by number (1 is SIGHUP).
    pub reload_signal: i32,
}

/// A file a daemon reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// The whole text.
    pub content: String,
    /// What a change of it asks for.
    pub on_change: OnChange,
}

/// What a changed file asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// Stop and start.
    Restart,
    /// Send the reload signal.
    Reload,
    /// Nothing: it notices by itself.
    Nothing,
}

impl ConfigFile {
    /// A file read at start only.
    pub fn at_start(content: impl Into<String>) -> ConfigFile {
        ConfigFile { content: content.into(), on_change: OnChange::Restart }
    }

    /// A file read again at the reload signal.
    pub fn reloaded(content: impl Into<String>) -> ConfigFile {
        ConfigFile { content: content.into(), on_change: OnChange::Reload }
    }
}

/// Content hashes of what a daemon was started with and of what it read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaemonDigest {
    /// Command line, reload signal and the files that ask for a restart.
    pub start: Digest,
    /// The files that ask for a reload.
    pub reload: Digest,
    /// The files it watches itself.
    pub watched: Digest,
}

impl Daemon {
    /// The content hashes.
    pub fn digest(&self) -> DaemonDigest {
        let files = |wanted: OnChange, mut digest: Digest| {
            for (name, file) in self.files.iter().filter(|(_, file)| file.on_change == wanted) {
                digest = digest.text(name).text(&file.content);
            }
            digest
        };
        let argv = self.argv.iter().fold(Digest::default(), |digest, argument| digest.text(argument));
        let start = argv.text(&self.reload_signal.to_string());
        DaemonDigest {
            start: files(OnChange::Restart, start),
            reload: files(OnChange::Reload, Digest::default()),
            watched: files(OnChange::Nothing, Digest::default()),
        }
    }
}
