//! Licences of dependencies, and dependencies that must not be there.

use crate::shell::output;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What the project can be distributed with.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Large C libraries that a feature of some dependency could draw in.
const FORBIDDEN: [&str; 3] = ["aws-lc-sys", "openssl-sys", "native-tls"];

/// Checks every crate that a build uses.
pub fn check() -> Result<()> {
    let metadata: Value = serde_json::from_str(&output(&["cargo", "metadata", "--format-version", "1", "--locked"])?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut complaints = Vec::new();
    for package in packages {
        let (name, version) = (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
        let licence = package["license"].as_str().unwrap_or_default();
        if FORBIDDEN.contains(&name) && is_used(name)? {
            complaints.push(format!("{name} {version} must not be a dependency: `cargo tree -i {name}` shows who wants it"));
        }
        if !is_allowed(licence) {
            complaints.push(format!("{name} {version} has the licence '{licence}', which is not in the list of xtask/src/licences.rs"));
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    eprintln!("── licences of {} packages are fine", packages.len());
    Ok(())
}

/// True when the crate is built for this system; the lock file names those of other systems too.
fn is_used(name: &str) -> Result<bool> {
    let tree = output(&["cargo", "tree", "--workspace", "--all-features", "--locked", "--prefix", "none", "--format", "{p}"])?;
    Ok(tree.lines().any(|line| line.split(' ').next() == Some(name)))
}

/// Evaluates an SPDX expression: some alternative whose parts are all allowed. The slash is an old way to write OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = alternatives(&tokens, &mut at);
    allowed && at == tokens.len()
}

fn alternatives(tokens: &[&str], at: &mut usize) -> bool {
    let mut allowed = parts(tokens, at);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= parts(tokens, at);
    }
    allowed
}

fn parts(tokens: &[&str], at: &mut usize) -> bool {
    let mut allowed = licence(tokens, at);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= licence(tokens, at);
    }
    allowed
}

fn licence(tokens: &[&str], at: &mut usize) -> bool {
    let Some(first) = tokens.get(*at) else { return false };
    *at += 1;
    if *first == "(" {
        let allowed = alternatives(tokens, at);
        let closed = tokens.get(*at) == Some(&")");
        *at += 1;
        return allowed && closed;
    }
    let mut name = (*first).to_owned();
    if tokens.get(*at) == Some(&"WITH") {
        name = [first, "WITH", tokens.get(*at + 1).unwrap_or(&"")].join(" ");
        *at += 2;
    }
    ALLOWED.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn expressions() {
        for fine in
            ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception OR GPL-2.0"]
        {
            assert!(is_allowed(fine), "{fine}");
        }
        for wrong in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "Apache-2.0 WITH", "MIT MIT"] {
            assert!(!is_allowed(wrong), "{wrong}");
        }
    }
}
