//! `cargo xtask tidy`: what keeps the repository in shape and no other tool checks.

mod files;
mod layers;
mod modules;

use anyhow::{Result, bail};

/// Runs all checks and tells all complaints at once.
pub fn tidy() -> Result<()> {
    let mut complaints = layers::check()?;
    complaints.extend(modules::check()?);
    let (files, warnings) = files::check()?;
    complaints.extend(files);
    for warning in &warnings {
        eprintln!("   {warning}");
    }
    if complaints.is_empty() {
        eprintln!("── tidy");
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("   {complaint}");
    }
    bail!("{} things are not tidy", complaints.len())
}
