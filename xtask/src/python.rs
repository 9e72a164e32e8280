//! The unmodified OpenStack clients, in a virtual environment below `target`.

use crate::shell::{output, step};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf, absolute};

/// Releases that the tests were written against.
const CLIENTS: [&str; 2] = ["python-openstackclient==10.5.0", "openstacksdk==4.22.0"];

/// The environment with the clients, made when it is not there.
pub fn clients() -> Result<PathBuf> {
    let directory = absolute("target/openstack-clients")?;
    let mark = directory.join("installed");
    let wanted = CLIENTS.join("\n");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(directory);
    }
    let path = directory.to_string_lossy();
    output(&["python3", "-m", "venv", "--clear", &path]).context("making a virtual environment (package python3-venv)")?;
    let pip = directory.join("bin/pip").to_string_lossy().into_owned();
    let install = ["install", "--quiet", "--disable-pip-version-check"];
    let words = [&[pip.as_str()][..], &install, &CLIENTS].concat();
    step("OpenStack clients", &words).context("the clients come from PyPI; is this machine online?")?;
    std::fs::write(&mark, wanted).with_context(|| format!("writing {}", Path::new(&mark).display()))?;
    Ok(directory)
}
