//! Dependencies between crates run downwards only, as `xtask/layers.toml` says.

use crate::shell::output;
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const TABLE: &str = "xtask/layers.toml";

#[derive(Deserialize)]
struct Table {
    /// Crates that are part of what is built and shipped: crate → the crates it may use.
    uses: BTreeMap<String, BTreeSet<String>>,
    /// What tests of any crate may use besides.
    tests: BTreeSet<String>,
}

/// Complaints about dependencies that the table does not allow, and about a table that is out of date.
pub fn check() -> Result<Vec<String>> {
    let text = fs::read_to_string(TABLE).with_context(|| format!("reading {TABLE}"))?;
    let table: Table = toml::from_str(&text).with_context(|| format!("reading {TABLE}"))?;
    let metadata: Value = serde_json::from_str(&output(&["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"])?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut complaints = cycles(&table.uses);
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = table.uses.get(name) else {
            complaints.push(format!("crate {name} is not in {TABLE}"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        for dependency in dependencies {
            let used = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            let fine = allowed.contains(used) || (for_tests && (table.tests.contains(used) || used == name));
            if names.contains(used) && !fine {
                complaints.push(format!("crate {name} uses {used}, which {TABLE} does not allow"));
            }
        }
    }
    for name in table.uses.keys().filter(|name| !names.contains(name.as_str())) {
        complaints.push(format!("{TABLE} names the crate {name}, which does not exist"));
    }
    Ok(complaints)
}

/// Complaints about crates that may use each other, in however many steps.
fn cycles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let reaches = |from: &str| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            for next in uses.get(name).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen.contains(from)
    };
    uses.keys().filter(|name| reaches(name)).map(|name| format!("{TABLE} lets {name} depend on itself")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_must_have_an_order() {
        let table = |text: &str| toml::from_str::<Table>(text).unwrap().uses;
        assert!(cycles(&table("tests = []\n[uses]\na = ['b']\nb = []")).is_empty());
        assert_eq!(cycles(&table("tests = []\n[uses]\na = ['b']\nb = ['c']\nc = ['a']")).len(), 3);
    }
}
