//! A directory that goes with its owner.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A new directory, removed with all in it when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one. Process ids repeat in namespaces, so the name is random.
    pub fn new() -> Result<Scratch> {
        let id = fs::read_to_string("/proc/sys/kernel/random/uuid").context("a random name")?;
        let path = std::env::temp_dir().join(format!("neutrino-test-{}", id.trim()));
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Scratch(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of a test that failed does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
