//! What the agent keeps on disk: the numbers it gave out. All else is told by the server or read from the kernel.

use crate::Allocations;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file of the numbers, `allocations` in the state directory: a line `space owner number` for each.
#[derive(Debug)]
pub(crate) struct Saved {
    path: PathBuf,
    changes: u64,
}

impl Saved {
    /// Opens the state directory and recalls what a former run gave out. Lines that make no sense are left out.
    pub(crate) fn load(state: &Path) -> io::Result<(Saved, Allocations)> {
        fs::create_dir_all(state)?;
        let path = state.join("allocations");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let former = text.lines().filter_map(|line| {
            let mut words = line.split(' ');
            let former = (words.next()?.into(), words.next()?.into(), words.next()?.parse().ok()?);
            words.next().is_none().then_some(former)
        });
        Ok((Saved { path, changes: 0 }, Allocations::recall(former)))
    }

    /// Writes the numbers if they have changed. Not synced to disk: when the machine fails the kernel's objects are gone too.
    pub(crate) fn save(&mut self, allocations: &Allocations) -> io::Result<()> {
        if self.changes == allocations.changes() {
            return Ok(());
        }
        let mut text = String::new();
        for (space, owner, number) in allocations.iter() {
            writeln!(text, "{space} {owner} {number}").expect("writing to a string cannot fail");
        }
        let new = self.path.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.path)?;
        self.changes = allocations.changes();
        Ok(())
    }
}
