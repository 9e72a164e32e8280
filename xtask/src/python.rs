//! Unmodified OpenStack software in virtual environments below `target`.

use crate::shell::{output, step};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf, absolute};

/// Releases of the clients that the tests were written against.
const CLIENTS: [&str; 2] = ["python-openstackclient==10.5.0", "openstacksdk==4.22.0"];
/// What tries the API by its OpenAPI document.
const SCHEMATHESIS: [&str; 1] = ["schemathesis==4.32.5"];
/// Keystone, and a server for it.
pub const KEYSTONE: [&str; 2] = ["keystone==30.0.0", "gunicorn"];
/// Upstream's API suites.
pub const SUITES: [&str; 3] = ["tempest==47.0.0", "neutron-tempest-plugin==3.3.0", "openstacksdk==4.22.0"];

/// The environment with the clients.
pub fn clients() -> Result<PathBuf> {
    environment("openstack-clients", &CLIENTS, None)
}

/// The environment with Schemathesis.
pub fn schemathesis() -> Result<PathBuf> {
    environment("schemathesis", &SCHEMATHESIS, None)
}

/// The environment `target/<name>` with these packages, made when it is not there; the constraints say which releases the others are.
pub fn environment(name: &str, packages: &[&str], constraints: Option<&Path>) -> Result<PathBuf> {
    let directory = absolute(format!("target/{name}"))?;
    let mark = directory.join("installed");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(directory);
    }
    let path = directory.to_string_lossy();
    output(&["python3", "-m", "venv", "--clear", &path]).context("making a virtual environment (package python3-venv)")?;
    let pip = directory.join("bin/pip").to_string_lossy().into_owned();
    let mut words = vec![pip.as_str(), "install", "--quiet", "--disable-pip-version-check"];
    let constraints = constraints.map(|path| path.to_string_lossy().into_owned());
    if let Some(path) = &constraints {
        words.extend(["-c", path]);
    }
    words.extend(packages);
    step(name, &words).context("this comes from PyPI; is this machine online?")?;
    std::fs::write(&mark, wanted).with_context(|| format!("writing {}", mark.display()))?;
    Ok(directory)
}
